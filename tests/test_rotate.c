/* rotate.c: R_phi x and R_phi R(-pi/2) x against MPFR, in every pairing, dtype and layout. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "guarded.h"
#include "mpfr_oracle.h"
#include "support.h"

enum { B = 2, L = 9, H = 3, D = 14, W = 10 };
static const int64_t shape[] = {B, L, H, D}, pos_shape[] = {B, L};

/* Per unit of |a| + |b| and magnitude: cos and sin within 1e-15, then two products and a sum rounded in float64. */
static const double tolerance = 1.4e-15;

/* Rows of positions: the accepted ones and random ones up to 10^9, both signs. */
static void fill_positions(const rpp_tensor *pos, uint64_t *state) {
  static const int64_t known[L] = {0, 1, 1000, 1000000, 1000000000, -1, -1000000000};
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    const int64_t l = index[pos->ndim - 1];
    int64_t t = l < 7 ? known[l] : (int64_t)(support_random(state) % 2000000001u) - 1000000000;
    if (pos->ndim == 2) t -= index[0]; /* rows differ */
    char *at = (char *)pos->data + pos->byte_offset;
    for (int d = 0; d < pos->ndim; d++) at += index[d] * pos->strides[d] * 8;
    memcpy(at, &t, sizeof t);
  } while (guarded_next(pos, index));
}

static int64_t position_at(const rpp_tensor *pos, int64_t b, int64_t l) {
  int64_t t;
  memcpy(&t,
         (char *)pos->data + pos->byte_offset + ((pos->ndim == 2 ? b * pos->strides[0] : 0) + l * pos->strides[pos->ndim - 1]) * 8,
         8);
  return t;
}

static void fill_values(const rpp_tensor *x, uint64_t *state) {
  int64_t index[RPP_MAX_DIMS] = {0};
  do rpp_tensor_set(x, index, support_uniform(state, -2, 2) * exp2((double)(support_random(state) % 8)));
  while (guarded_next(x, index));
}

static int64_t column_of(rpp_pairing pairing, int64_t n, int second) {
  return pairing == RPP_PAIRING_INTERLEAVED ? 2 * n + second : n + second * (W / 2);
}

typedef struct {
  double error;      /* largest error past half a spacing of y's dtype, over |a| + |b| times the magnitude */
  int64_t untouched; /* columns past W that are not x rounded to y's dtype */
} comparison;

/* y against the oracle at positions moved by shift, which is for controls. */
static comparison compare(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, const rpp_tensor *y,
                          int64_t shift) {
  comparison result = {0, 0};
  mpfr_t theta, magnitude, c, s, y_a, y_b;
  mpfr_inits2(ORACLE_BITS, theta, magnitude, c, s, y_a, y_b, (mpfr_ptr)0);
  oracle_magnitude(magnitude, rotary);
  for (int64_t b = 0; b < B; b++)
    for (int64_t l = 0; l < L; l++)
      for (int64_t n = 0; n < W / 2; n++) {
        oracle_theta(theta, rotary, n);
        oracle_cos_sin(c, s, theta, magnitude, position_at(pos, b, l) + shift);
        for (int64_t h = 0; h < H; h++) {
          const int64_t first[] = {b, l, h, column_of(rotary->pairing, n, 0)},
                        second[] = {b, l, h, column_of(rotary->pairing, n, 1)};
          const double a = rpp_tensor_get(x, first), z = rpp_tensor_get(x, second),
                       got[] = {rpp_tensor_get(y, first), rpp_tensor_get(y, second)};
          oracle_rotate(y_a, y_b, part, a, z, c, s);
          for (int i = 0; i < 2; i++) {
            const double exact = mpfr_get_d(i ? y_b : y_a, MPFR_RNDN),
                         half = y->dtype == RPP_F64 ? 0 : oracle_spacing(y->dtype, exact) / 2;
            const double error =
                (fabs(oracle_error(got[i], 0, i ? y_b : y_a)) - half) / ((fabs(a) + fabs(z)) * mpfr_get_d(magnitude, MPFR_RNDN));
            if (!(error <= result.error)) result.error = isnan(error) ? INFINITY : error; /* a later one must not hide NaN */
          }
        }
      }
  mpfr_clears(theta, magnitude, c, s, y_a, y_b, (mpfr_ptr)0);
  int64_t index[RPP_MAX_DIMS] = {0};
  do
    if (index[3] >= W) result.untouched += rpp_tensor_get(y, index) != rpp_dtype_round(y->dtype, rpp_tensor_get(x, index));
  while (guarded_next(y, index));
  return result;
}

START_TEST(agree_with_mpfr) {
  const oracle_scaling *scaling = &oracle_scalings[_i];
  uint64_t state = 41 + (uint64_t)_i;
  double worst = 0;
  for (int variant = 0; variant < 8; variant++) {
    const rpp_part part = (rpp_part)(variant & 1);
    rpp_rotary rotary = oracle_rotary(W, variant & 4 ? 1e4 : 5e5, scaling->scaling);
    rotary.pairing = variant & 2 ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED;
    guarded x = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
    guarded pos = guarded_new(LAYOUT_CONTIGUOUS, RPP_I64, variant & 1 ? 2 : 1, variant & 1 ? pos_shape : pos_shape + 1);
    fill_values(&x.tensor, &state), fill_positions(&pos.tensor, &state);
    support_accepted(rpp_rotate(&rotary, part, &x.tensor, &pos.tensor, &y.tensor));
    const comparison result = compare(&rotary, part, &x.tensor, &pos.tensor, &y.tensor, 0);
    ck_assert_msg(result.error <= tolerance, "%s, variant %d: error %g", scaling->name, variant, result.error);
    ck_assert_int_eq(result.untouched, 0);
    worst = fmax(worst, result.error);
    /* Controls: the next position, and the other part. */
    ck_assert(compare(&rotary, part, &x.tensor, &pos.tensor, &y.tensor, 1).error > 0.01);
    ck_assert(compare(&rotary, (rpp_part)!part, &x.tensor, &pos.tensor, &y.tensor, 0).error > 0.01);
    guarded_free(&x), guarded_free(&y), guarded_free(&pos);
  }
  fprintf(stderr, "rotate, %s: largest error %.3g of m (|a| + |b|)\n", scaling->name, worst);
}
END_TEST

START_TEST(every_dtype_and_layout) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  const guarded_layout layout = (guarded_layout)_i;
  uint64_t state = 42;
  for (int variant = 0; variant < 64; variant++) {
    const rpp_dtype from = dtypes[variant % 4], to = dtypes[variant / 4 % 4];
    const int pos_dims = variant & 16 ? 2 : 1;
    const rpp_part part = variant & 32 ? RPP_PART_IMAG : RPP_PART_REAL;
    rpp_rotary rotary = oracle_rotary(W, 1e4, oracle_scalings[variant % oracle_scaling_count].scaling);
    rotary.pairing = variant % 3 ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED;
    guarded x = guarded_new((guarded_layout)((layout + variant) % LAYOUTS), from, 4, shape), y = guarded_new(layout, to, 4, shape);
    guarded pos = guarded_new((guarded_layout)((layout + variant / 2) % LAYOUTS), RPP_I64, pos_dims,
                              pos_dims == 2 ? pos_shape : pos_shape + 1);
    fill_values(&x.tensor, &state), fill_positions(&pos.tensor, &state);
    unsigned char *before = malloc(x.size);
    ck_assert_ptr_nonnull(before);
    memcpy(before, x.memory, x.size);
    support_accepted(rpp_rotate(&rotary, part, &x.tensor, &pos.tensor, &y.tensor));
    const comparison result = compare(&rotary, part, &x.tensor, &pos.tensor, &y.tensor, 0);
    ck_assert_msg(result.error <= tolerance, "layout %d, variant %d: error %g", _i, variant, result.error);
    ck_assert_int_eq(result.untouched, 0);
    ck_assert_uint_eq(guarded_stray_bytes(&y) + guarded_stray_bytes(&pos), 0);
    ck_assert_mem_eq(before, x.memory, x.size);
    free(before);
    guarded_free(&x), guarded_free(&y), guarded_free(&pos);
  }
}
END_TEST

START_TEST(quarter_turn_is_exact) {
  uint64_t state = 43;
  for (int pairing = 0; pairing < 2; pairing++)
    for (int layout = 0; layout < LAYOUTS; layout++) {
      rpp_rotary rotary = oracle_rotary(W, 1e4, oracle_scalings[0].scaling);
      rotary.pairing = (rpp_pairing)pairing;
      guarded turned[5];
      for (int i = 0; i < 5; i++) turned[i] = guarded_new((guarded_layout)((layout + i) % LAYOUTS), RPP_F32, 4, shape);
      fill_values(&turned[0].tensor, &state);
      for (int i = 0; i < 4; i++) support_accepted(rpp_quarter_turn(&rotary, &turned[i].tensor, &turned[i + 1].tensor));
      int64_t index[RPP_MAX_DIMS] = {0};
      int wrong = 0;
      do {
        wrong += rpp_tensor_get(&turned[4].tensor, index) != rpp_tensor_get(&turned[0].tensor, index);
        if (index[3] < W / 2) { /* as a pair number: (a, b) has become (b, -a), then (-a, -b) */
          const int64_t a[] = {index[0], index[1], index[2], column_of(rotary.pairing, index[3], 0)};
          const int64_t b[] = {index[0], index[1], index[2], column_of(rotary.pairing, index[3], 1)};
          wrong += rpp_tensor_get(&turned[1].tensor, a) != rpp_tensor_get(&turned[0].tensor, b);
          wrong += rpp_tensor_get(&turned[1].tensor, b) != -rpp_tensor_get(&turned[0].tensor, a);
          wrong += rpp_tensor_get(&turned[2].tensor, a) != -rpp_tensor_get(&turned[0].tensor, a);
        }
      } while (guarded_next(&turned[0].tensor, index));
      ck_assert_int_eq(wrong, 0);
      for (int i = 0; i < 5; i++) {
        if (i > 0) ck_assert_uint_eq(guarded_stray_bytes(&turned[i]), 0);
        guarded_free(&turned[i]);
      }
    }
}
END_TEST

START_TEST(imaginary_is_real_after_a_quarter_turn) {
  uint64_t state = 44;
  const rpp_rotary rotary = oracle_rotary(W, 1e4, oracle_scalings[7].scaling);
  guarded x = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), turned = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  guarded both = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), imag = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  guarded pos = guarded_new(LAYOUT_CONTIGUOUS, RPP_I64, 2, pos_shape);
  fill_values(&x.tensor, &state), fill_positions(&pos.tensor, &state);
  support_accepted(rpp_quarter_turn(&rotary, &x.tensor, &turned.tensor));
  support_accepted(rpp_rotate(&rotary, RPP_PART_REAL, &turned.tensor, &pos.tensor, &both.tensor));
  support_accepted(rpp_rotate(&rotary, RPP_PART_IMAG, &x.tensor, &pos.tensor, &imag.tensor));
  int64_t index[RPP_MAX_DIMS] = {0};
  do ck_assert(rpp_tensor_get(&both.tensor, index) == rpp_tensor_get(&imag.tensor, index));
  while (guarded_next(&x.tensor, index));
  guarded_free(&x), guarded_free(&turned), guarded_free(&both), guarded_free(&imag), guarded_free(&pos);
}
END_TEST

START_TEST(heads_of_one_buffer) {
  /* x and y are different heads of one buffer: halves, or every other one. They share no byte, so that is no overlap. */
  const int64_t wide[] = {B, L, 2 * H, D};
  const rpp_rotary rotary = oracle_rotary(W, 1e4, oracle_scalings[0].scaling);
  uint64_t state = 45;
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int interleaved = 0; interleaved < 2; interleaved++) {
      guarded buffer = guarded_new((guarded_layout)layout, RPP_F32, 4, wide),
              pos = guarded_new(LAYOUT_CONTIGUOUS, RPP_I64, 1, pos_shape + 1);
      fill_values(&buffer.tensor, &state), fill_positions(&pos.tensor, &state);
      rpp_tensor x, y;
      support_accepted(rpp_tensor_slice(&buffer.tensor, 2, 0, H, interleaved ? 2 : 1, &x));
      support_accepted(rpp_tensor_slice(&buffer.tensor, 2, interleaved ? 1 : H, H, interleaved ? 2 : 1, &y));
      support_accepted(rpp_rotate(&rotary, RPP_PART_REAL, &x, &pos.tensor, &y));
      const comparison result = compare(&rotary, RPP_PART_REAL, &x, &pos.tensor, &y, 0);
      ck_assert(result.error <= tolerance && result.untouched == 0);
      ck_assert_uint_eq(guarded_stray_bytes(&buffer), 0);
      support_accepted(rpp_tensor_slice(&buffer.tensor, 2, H - 1, H, 1, &y)); /* shares head H - 1 with x, or one of x's heads */
      support_refused(rpp_rotate(&rotary, RPP_PART_REAL, &x, &pos.tensor, &y), RPP_ERROR_OVERLAP, "y", "overlaps x");
      guarded_free(&buffer), guarded_free(&pos);
    }
}
END_TEST

START_TEST(empty_tensors) {
  const rpp_rotary rotary = oracle_rotary(W, 1e4, oracle_scalings[0].scaling);
  for (int d = 0; d < 3; d++) {
    int64_t none[] = {B, L, H, D};
    none[d] = 0;
    rpp_tensor x, pos;
    int64_t positions[L] = {0};
    support_accepted(rpp_tensor_contiguous(NULL, RPP_F16, 4, none, &x));
    support_accepted(rpp_tensor_contiguous(d == 1 ? NULL : positions, RPP_I64, 1, none + 1, &pos));
    rpp_tensor y = x;
    support_accepted(rpp_rotate(&rotary, RPP_PART_IMAG, &x, &pos, &y));
    support_accepted(rpp_quarter_turn(&rotary, &x, &y));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rotate");
  TCase *cases = tcase_create("rotate");
  tcase_set_timeout(cases, 100);
  tcase_add_loop_test(cases, agree_with_mpfr, 0, oracle_scaling_count);
  tcase_add_loop_test(cases, every_dtype_and_layout, 0, LAYOUTS);
  tcase_add_test(cases, quarter_turn_is_exact);
  tcase_add_test(cases, imaginary_is_real_after_a_quarter_turn);
  tcase_add_test(cases, heads_of_one_buffer);
  tcase_add_test(cases, empty_tensors);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
