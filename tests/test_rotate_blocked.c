/* rotate_blocked.c: against the truth's rotation, inside the kernel's contract; in place; the same bits for all that
 * must not matter; what it refuses. */
#include <math.h>
#include <omp.h>
#include "guarded.h"
#include "support.h"

enum { B = 2, L = 5, H = 3, D = 14, W = 10 };
static const int64_t shape[] = {B, L, H, D};

static guarded values(guarded_layout layout, rpp_dtype dtype) {
  guarded g = guarded_new(layout, dtype, 4, shape);
  uint64_t state = 3;
  int64_t index[RPP_MAX_DIMS] = {0};
  do rpp_tensor_set(&g.tensor, index, support_uniform(&state, -2, 2));
  while (guarded_next(&g.tensor, index));
  return g;
}

static guarded positions(void) {
  guarded g = guarded_new(LAYOUT_PADDED, RPP_I64, 2, (int64_t[]){B, L});
  uint64_t state = 4;
  int64_t index[RPP_MAX_DIMS] = {0};
  do rpp_tensor_set(&g.tensor, index, floor(support_uniform(&state, -1e6, 1e6)));
  while (guarded_next(&g.tensor, index));
  return g;
}

static rpp_rotary rotary_of(int pairing) {
  return (rpp_rotary){.pairing = (rpp_pairing)pairing,
                      .rotary_dim = W,
                      .base = 10000,
                      .scaling = {.kind = RPP_SCALING_YARN, .factor = 8, .orig = 512}};
}

/* The largest error over the contract's bound, where what is rotated is rounded to a dtype. */
static double worst_ratio(const rpp_rotary *rotary, rpp_part part, rpp_dtype rotated, const guarded *x, const guarded *pos,
                          const guarded *y) {
  rpp_contract contract = rpp_attention_blocked_contract(x->tensor.dtype);
  contract.rotated = rotated;
  guarded exact = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), bound = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  support_accepted(rpp_rotate_bound(rotary, part, &contract, &x->tensor, &pos->tensor, &exact.tensor, &bound.tensor));
  double worst = 0;
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    const double error = fabs(rpp_tensor_get(&y->tensor, index) - rpp_tensor_get(&exact.tensor, index));
    const double ratio = error == 0 ? 0 : error / rpp_tensor_get(&bound.tensor, index);
    if (!(ratio <= worst)) worst = ratio;
  } while (guarded_next(&y->tensor, index));
  guarded_free(&exact), guarded_free(&bound);
  return worst;
}

START_TEST(agrees_with_the_truth_in_place_and_not) {
  guarded pos = positions();
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int dtype = RPP_F32; dtype <= RPP_BF16; dtype++)
      for (int pairing = 0; pairing < 2; pairing++)
        for (int part = 0; part < 2; part++) {
          const rpp_rotary rotary = rotary_of(pairing);
          const guarded before = values((guarded_layout)layout, (rpp_dtype)dtype);
          guarded x = values((guarded_layout)layout, (rpp_dtype)dtype),
                  y = guarded_new((guarded_layout)layout, (rpp_dtype)dtype, 4, shape);
          support_accepted(rpp_rotate_blocked(&rotary, (rpp_part)part, &x.tensor, &pos.tensor, &y.tensor));
          const double apart = worst_ratio(&rotary, (rpp_part)part, (rpp_dtype)dtype, &before, &pos, &y);
          ck_assert_msg(apart <= 1, "layout %d, %s: %g of the bound", layout, rpp_dtype_name((rpp_dtype)dtype), apart);
          ck_assert_msg(worst_ratio(&rotary, (rpp_part)!part, (rpp_dtype)dtype, &before, &pos, &y) > 1,
                        "the other part is not caught");
          support_accepted(rpp_rotate_blocked(&rotary, (rpp_part)part, &x.tensor, &pos.tensor, &x.tensor));
          ck_assert_mem_eq(x.memory, y.memory, x.size);
          guarded copy = before;
          guarded_free(&copy), guarded_free(&x), guarded_free(&y);
        }
  guarded_free(&pos);
}
END_TEST

/* Tokens for several runs, columns for whole vectors and some more, and work enough for a team. */
START_TEST(bits_do_not_depend_on_threads_pairing_or_place) {
  enum { TOKENS = 700, HEADS = 8, WIDTH = 101, ROTARY = 90, COUNT = TOKENS * HEADS * WIDTH };
  const int64_t sizes[] = {1, TOKENS, HEADS, WIDTH}, tokens = TOKENS;
  static float x[COUNT], y[COUNT], want[COUNT];
  static int64_t places[TOKENS];
  uint64_t state = 6;
  for (int i = 0; i < COUNT; i++) x[i] = (float)support_uniform(&state, -2, 2);
  for (int l = 0; l < TOKENS; l++) places[l] = l < 300 ? 7000 + l : l;
  rpp_rotary rotary = rotary_of(RPP_PAIRING_HALF);
  rotary.rotary_dim = ROTARY;
  rpp_tensor pos, from, to, expected;
  support_accepted(rpp_tensor_contiguous(places, RPP_I64, 1, &tokens, &pos));
  support_accepted(rpp_tensor_contiguous(x, RPP_F32, 4, sizes, &from));
  support_accepted(rpp_tensor_contiguous(y, RPP_F32, 4, sizes, &to));
  support_accepted(rpp_tensor_contiguous(want, RPP_F32, 4, sizes, &expected));
  omp_set_num_threads(1);
  support_accepted(rpp_rotate_blocked(&rotary, RPP_PART_IMAG, &from, &pos, &expected));
  for (int threads = 2; threads <= 3; threads++) {
    omp_set_num_threads(threads);
    memset(y, 0xa5, sizeof y);
    support_accepted(rpp_rotate_blocked(&rotary, RPP_PART_IMAG, &from, &pos, &to));
    ck_assert_mem_eq(y, want, sizeof y);
  }
  memcpy(y, x, sizeof y);
  support_accepted(rpp_rotate_blocked(&rotary, RPP_PART_IMAG, &to, &pos, &to));
  ck_assert_mem_eq(y, want, sizeof y);
  /* The same numbers, pair by pair. */
  rotary.pairing = RPP_PAIRING_INTERLEAVED;
  for (int i = 0; i < COUNT; i += WIDTH)
    for (int p = 0; p < WIDTH; p++) y[i + (p < ROTARY ? p % (ROTARY / 2) * 2 + p / (ROTARY / 2) : p)] = x[i + p];
  support_accepted(rpp_rotate_blocked(&rotary, RPP_PART_IMAG, &to, &pos, &to));
  for (int i = 0; i < COUNT; i += WIDTH)
    for (int p = 0; p < WIDTH; p++) ck_assert(y[i + (p < ROTARY ? p % (ROTARY / 2) * 2 + p / (ROTARY / 2) : p)] == want[i + p]);
}
END_TEST

/* Stored as another type than x is. */
START_TEST(agrees_with_the_truth_into_another_dtype) {
  guarded pos = positions();
  for (int from = RPP_F32; from <= RPP_BF16; from++)
    for (int to = RPP_F64; to <= RPP_BF16; to++) {
      const rpp_rotary rotary = rotary_of(RPP_PAIRING_INTERLEAVED);
      guarded x = values(LAYOUT_CONTIGUOUS, (rpp_dtype)from), y = guarded_new(LAYOUT_CONTIGUOUS, (rpp_dtype)to, 4, shape);
      support_accepted(rpp_rotate_blocked(&rotary, RPP_PART_REAL, &x.tensor, &pos.tensor, &y.tensor));
      const rpp_dtype rounded = to == RPP_F64 ? RPP_F32 : (rpp_dtype)to;
      const double apart = worst_ratio(&rotary, RPP_PART_REAL, rounded, &x, &pos, &y);
      ck_assert_msg(apart <= 1, "%s to %s: %g of the bound", rpp_dtype_name((rpp_dtype)from), rpp_dtype_name((rpp_dtype)to), apart);
      guarded_free(&x), guarded_free(&y);
    }
  guarded_free(&pos);
}
END_TEST

START_TEST(unsound_arguments_are_refused) {
  const rpp_rotary rotary = rotary_of(0);
  guarded pos = positions(), x = values(LAYOUT_CONTIGUOUS, RPP_F32), wide = values(LAYOUT_CONTIGUOUS, RPP_F64);
  guarded y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F32, 4, shape);
  rpp_tensor shifted = x.tensor;
  shifted.byte_offset += 4;
  support_refused(rpp_rotate_blocked(NULL, RPP_PART_REAL, &x.tensor, &pos.tensor, &y.tensor), RPP_ERROR_NULL, "rotary", "null");
  support_refused(rpp_rotate_blocked(&rotary, (rpp_part)2, &x.tensor, &pos.tensor, &y.tensor), RPP_ERROR_VALUE, "part", "2");
  support_refused(rpp_rotate_blocked(&rotary, RPP_PART_REAL, &wide.tensor, &pos.tensor, &y.tensor), RPP_ERROR_DTYPE, "x.dtype",
                  "F64");
  support_refused(rpp_rotate_blocked(&rotary, RPP_PART_REAL, &x.tensor, NULL, &y.tensor), RPP_ERROR_NULL, "pos", "null");
  support_refused(rpp_rotate_blocked(&rotary, RPP_PART_REAL, &x.tensor, &pos.tensor, NULL), RPP_ERROR_NULL, "y", "null");
  support_refused(rpp_rotate_blocked(&rotary, RPP_PART_REAL, &x.tensor, &pos.tensor, &shifted), RPP_ERROR_OVERLAP, "y",
                  "overlaps x");
  ck_assert_uint_eq(guarded_written_bytes(&y), 0);
  guarded_free(&pos), guarded_free(&x), guarded_free(&y), guarded_free(&wide);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rotate_blocked");
  TCase *tests = tcase_create("rotate_blocked");
  tcase_add_test(tests, agrees_with_the_truth_in_place_and_not);
  tcase_add_test(tests, agrees_with_the_truth_into_another_dtype);
  tcase_add_test(tests, bits_do_not_depend_on_threads_pairing_or_place);
  tcase_add_test(tests, unsound_arguments_are_refused);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
