/* row_code.c: every instruction set that this CPU has, against the truth's loading and storing and against rotation in plain C, bit for
 * bit. */
#include <math.h>
#include "support.h"
#include "tensor.h"
#include "vector/sets.h"

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static bool same(float x, float y) {
  return isnan(x) ? isnan(y) : bits_of(x) == bits_of(y);
}

/* Element i, where elements are stored from `at` on. */
static float element(rpp_dtype dtype, const void *at, int64_t i) {
  return (float)rpp_load(dtype, (const char *)at + i * (int64_t)rpp_dtype_size(dtype));
}

START_TEST(every_16_bit_value_is_loaded_exactly) {
  enum { ALL = 65536 };
  static uint16_t stored[ALL];
  static float row[ALL], first[ALL / 2], second[ALL / 2];
  for (int i = 0; i < ALL; i++) stored[i] = (uint16_t)i;
  for (const rpp_vector_set *const *set = rpp_vector_sets(); *set; set++)
    for (int dtype = RPP_F16; dtype <= RPP_BF16; dtype++) {
      (*set)->rows->load((rpp_dtype)dtype, ALL, (const char *)stored, row);
      (*set)->rows->load_pairs((rpp_dtype)dtype, ALL / 2, (const char *)stored, first, second);
      for (int i = 0; i < ALL; i++) {
        const float want = element((rpp_dtype)dtype, stored, i);
        ck_assert_msg(same(row[i], want), "%s, %s %04x: %a, not %a", (*set)->name, rpp_dtype_name((rpp_dtype)dtype), (unsigned)i,
                      (double)row[i], (double)want);
        ck_assert_msg(same((i % 2 ? second : first)[i / 2], want), "%s, %s %04x among pairs", (*set)->name,
                      rpp_dtype_name((rpp_dtype)dtype), (unsigned)i);
      }
    }
}
END_TEST

/* count values, stored by all sets. */
static void check_storing(rpp_dtype dtype, int count, const float *values) {
  enum { MOST = 64 };
  uint16_t want[MOST], got[MOST], pairs[MOST];
  float first[MOST / 2], second[MOST / 2];
  for (int i = 0; i < count; i++) rpp_store(dtype, (char *)&want[i], (double)values[i]);
  for (int i = 0; i < count / 2; i++) first[i] = values[2 * i], second[i] = values[2 * i + 1];
  for (const rpp_vector_set *const *set = rpp_vector_sets(); *set; set++) {
    (*set)->rows->store(dtype, count, values, (char *)got);
    (*set)->rows->store_pairs(dtype, count / 2, first, second, (char *)pairs);
    for (int i = 0; i < count; i++) {
      const float stored = element(dtype, got, i), paired = element(dtype, pairs, i);
      if (isnan(values[i]))
        ck_assert_msg(isnan(stored) && isnan(paired), "%s, %s: a NaN, %08x, is lost", (*set)->name, rpp_dtype_name(dtype),
                      bits_of(values[i]));
      else
        ck_assert_msg(got[i] == want[i] && pairs[i] == want[i], "%s, %s: %a becomes %04x and %04x, not %04x", (*set)->name,
                      rpp_dtype_name(dtype), (double)values[i], got[i], pairs[i], want[i]);
    }
  }
}

/* Every value, the middle between it and the next, and the float32 beside the two. */
START_TEST(storing_rounds_to_nearest_even) {
  for (int dtype = RPP_F16; dtype <= RPP_BF16; dtype++)
    for (int i = 0; i < 65536; i++) {
      const uint16_t pair[] = {(uint16_t)i, (uint16_t)(i + 1)};
      const uint32_t low = bits_of(element((rpp_dtype)dtype, pair, 0)), high = bits_of(element((rpp_dtype)dtype, pair, 1));
      const double between = ((double)from_bits(low) + (double)from_bits(high)) / 2;
      const uint32_t middle = bits_of((float)between);
      const float values[] = {from_bits(low),    from_bits(low - 1),    from_bits(low + 1),    from_bits(middle),
                              from_bits(middle), from_bits(middle - 1), from_bits(middle + 1), from_bits(high)};
      check_storing((rpp_dtype)dtype, 8, values);
    }
}
END_TEST

START_TEST(storing_rounds_any_float32) {
  float values[64];
  for (int dtype = RPP_F16; dtype <= RPP_BF16; dtype++)
    for (uint64_t bits = 0; bits >> 32 == 0; bits += 64 * 29989) {
      for (uint32_t i = 0; i < 64; i++) values[i] = from_bits((uint32_t)bits + 29989 * i);
      check_storing((rpp_dtype)dtype, 64, values);
    }
  /* What rounding up would carry out of a NaN, and payloads that 16 bits do not hold. */
  const float nans[] = {from_bits(0x7fffffff), from_bits(0xffffffff), from_bits(0x7f800001), from_bits(0xff800001)};
  check_storing(RPP_F16, 4, nans);
  check_storing(RPP_BF16, 4, nans);
}
END_TEST

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

/* NARROW: every count of pairs up to it; MOST_PAIRS: past the angles that are held at a time in the widest set, 256. */
enum {
  HEADS = 3,
  NARROW = 75,
  MOST_PAIRS = 291,
  MOST_REST = 3,
  GAP = 5,
  STRIDE = 2 * MOST_PAIRS + MOST_REST + GAP,
  ELEMENTS = HEADS * STRIDE
};

typedef struct {
  uint32_t room[ELEMENTS]; /* as many elements of any storage */
} rows;

static char *at(rows *r, rpp_dtype dtype, int64_t h, int64_t p) {
  return (char *)r->room + (h * STRIDE + p) * (int64_t)rpp_dtype_size(dtype);
}

/* The columns of pair n. */
static void columns_of(const rpp_turn *turn, int64_t n, int64_t *a, int64_t *b) {
  *a = turn->pairing == RPP_PAIRING_HALF ? n : 2 * n;
  *b = turn->pairing == RPP_PAIRING_HALF ? turn->pairs + n : 2 * n + 1;
}

static void rotate_plainly(const rpp_turn *turn, rows *r, const float *cosine, const float *sine) {
  for (int64_t h = 0; h < HEADS; h++)
    for (int64_t n = 0; n < turn->pairs; n++) {
      int64_t a, b;
      columns_of(turn, n, &a, &b);
      const float x = (float)rpp_load(turn->dtype, at(r, turn->dtype, h, a)),
                  y = (float)rpp_load(turn->dtype, at(r, turn->dtype, h, b));
      const float first = x * cosine[n] - y * sine[n], second = y * cosine[n] + x * sine[n];
      const bool imaginary = turn->part == RPP_PART_IMAG;
      rpp_store(turn->dtype, at(r, turn->dtype, h, a), (double)(imaginary ? second : first));
      rpp_store(turn->dtype, at(r, turn->dtype, h, b), (double)(imaginary ? -first : second));
    }
}

/* Two NaN may differ in sign and payload, and nothing else. */
static void check_same(const char *name, const rpp_turn *turn, rows *got, rows *want) {
  for (int64_t i = 0; i < ELEMENTS; i++) {
    const char *x = at(got, turn->dtype, 0, i), *y = at(want, turn->dtype, 0, i);
    if (memcmp(x, y, rpp_dtype_size(turn->dtype)) == 0) continue;
    ck_assert_msg(isnan(rpp_load(turn->dtype, x)) && isnan(rpp_load(turn->dtype, y)),
                  "%s, %s, pairing %d, part %d, %d pairs: element %d is %a, not %a", name, rpp_dtype_name(turn->dtype),
                  (int)turn->pairing, (int)turn->part, (int)turn->pairs, (int)i, rpp_load(turn->dtype, x),
                  rpp_load(turn->dtype, y));
  }
}

static void check_rotation(const rpp_turn *turn, uint64_t *state) {
  float cosine[MOST_PAIRS], sine[MOST_PAIRS];
  for (int n = 0; n < MOST_PAIRS; n++)
    cosine[n] = (float)support_uniform(state, -1, 1), sine[n] = (float)support_uniform(state, -1, 1);
  rows before = {{0}};
  for (int64_t i = 0; i < ELEMENTS; i++) rpp_store(turn->dtype, at(&before, turn->dtype, 0, i), support_uniform(state, -2, 2));
  rpp_store(turn->dtype, at(&before, turn->dtype, 1, 0), NAN);
  rpp_store(turn->dtype, at(&before, turn->dtype, 2, turn->pairs), INFINITY);
  rows want = before, apart = before;
  rotate_plainly(turn, &want, cosine, sine);
  for (int64_t h = 0; h < HEADS; h++) /* its columns are all to be written */
    memset(at(&apart, turn->dtype, h, 0), 0xa5, (size_t)(2 * turn->pairs + turn->rest) * rpp_dtype_size(turn->dtype));
  const int64_t stride = STRIDE * (int64_t)rpp_dtype_size(turn->dtype);
  for (const rpp_vector_set *const *set = rpp_vector_sets(); *set; set++) {
    rows x = before, y = apart;
    (*set)->rows->rotate(turn, HEADS, (char *)x.room, stride, (char *)y.room, stride, cosine, sine);
    ck_assert_mem_eq(&x, &before, sizeof x);
    check_same((*set)->name, turn, &y, &want);
    (*set)->rows->rotate(turn, HEADS, (char *)x.room, stride, (char *)x.room, stride, cosine, sine);
    check_same((*set)->name, turn, &x, &want);
  }
}

START_TEST(rotation_has_the_bits_of_plain_c) {
  uint64_t state = 1;
  for (int dtype = RPP_F32; dtype <= RPP_BF16; dtype++)
    for (int pairing = 0; pairing < 2; pairing++)
      for (int part = 0; part < 2; part++)
        for (int64_t pairs = 0; pairs <= NARROW; pairs++)
          for (int64_t rest = 0; rest <= MOST_REST; rest++)
            check_rotation(&(rpp_turn){(rpp_dtype)dtype, (rpp_pairing)pairing, (rpp_part)part, pairs, rest}, &state);
}
END_TEST

START_TEST(rotation_of_wide_heads_too) {
  static const int64_t wide[] = {127, 128, 129, 145, 255, 256, 257, 273, MOST_PAIRS};
  uint64_t state = 2;
  for (int dtype = RPP_F32; dtype <= RPP_BF16; dtype++)
    for (int kind = 0; kind < 4; kind++)
      for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        check_rotation(&(rpp_turn){(rpp_dtype)dtype, (rpp_pairing)(kind / 2), (rpp_part)(kind % 2), wide[i], 1}, &state);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("row_code");
  TCase *tests = tcase_create("row_code");
  tcase_set_timeout(tests, 20);
  tcase_add_test(tests, every_16_bit_value_is_loaded_exactly);
  tcase_add_test(tests, storing_rounds_to_nearest_even);
  tcase_add_test(tests, storing_rounds_any_float32);
  tcase_add_test(tests, rotation_has_the_bits_of_plain_c);
  tcase_add_test(tests, rotation_of_wide_heads_too);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
