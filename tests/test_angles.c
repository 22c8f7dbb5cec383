/* angles.c and sincos.c, exact angles: m cos(t theta_n) and m sin(t theta_n) against MPFR at 300 bits, and given tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "guarded.h"
#include "mpfr_oracle.h"
#include "support.h"

/* What ropepp.h promises up to positions of 10^9. */
static const double tolerance = 1e-15;

static const int64_t giga = 1000000000;
enum { PAIRS = 128, SWEEP = 60 };

/* cos and sin of positions as rpp_angles gives them, in float64: (length, pairs) each. */
static void angles_of(const rpp_rotary *rotary, const int64_t *positions, int64_t length, double *cosine, double *sine) {
  const int64_t shape[] = {length, rotary->rotary_dim / 2};
  rpp_tensor pos, c, s;
  support_accepted(rpp_tensor_contiguous((void *)positions, RPP_I64, 1, shape, &pos));
  support_accepted(rpp_tensor_contiguous(cosine, RPP_F64, 2, shape, &c));
  support_accepted(rpp_tensor_contiguous(sine, RPP_F64, 2, shape, &s));
  support_accepted(rpp_angles(rotary, &pos, &c, &s));
}

/* The largest error in cos and sin against the oracle at position + shift; the shift is for controls. */
static double largest_error(const rpp_rotary *rotary, const int64_t *positions, int64_t length, int64_t shift) {
  const int64_t pairs = rotary->rotary_dim / 2;
  double *cosine = malloc((size_t)(2 * length * pairs) * sizeof *cosine), *sine = cosine + length * pairs, worst = 0;
  ck_assert_ptr_nonnull(cosine);
  angles_of(rotary, positions, length, cosine, sine);
  mpfr_t theta, magnitude, c, s;
  mpfr_inits2(ORACLE_BITS, theta, magnitude, c, s, (mpfr_ptr)0);
  oracle_magnitude(magnitude, rotary);
  for (int64_t n = 0; n < pairs; n++) {
    oracle_theta(theta, rotary, n);
    for (int64_t l = 0; l < length; l++) {
      oracle_cos_sin(c, s, theta, magnitude, positions[l] + shift);
      const double a = fabs(oracle_error(cosine[l * pairs + n], 0, c)), b = fabs(oracle_error(sine[l * pairs + n], 0, s));
      support_worse(&worst, a);
      support_worse(&worst, b);
    }
  }
  mpfr_clears(theta, magnitude, c, s, (mpfr_ptr)0);
  free(cosine);
  return worst;
}

START_TEST(agree_with_mpfr) {
  const oracle_scaling *scaling = &oracle_scalings[_i];
  const double bases[] = {1e4, 5e5};
  const int64_t widths[] = {128, 64, 10};
  uint64_t state = 21 + (uint64_t)_i;
  int64_t positions[18 + SWEEP] = {0,        1,        1000,     1000000,   1000000000, -1,     -1000,     -1000000, -giga,
                                   16777216, 16777217, giga - 1, -giga + 1, 4095,       131071, 536870912, 33554431, 999999937};
  for (int l = 18; l < 18 + SWEEP; l++) positions[l] = (int64_t)(support_random(&state) % (uint64_t)(2 * giga + 1)) - giga;
  double worst = 0;
  for (int b = 0; b < 2; b++)
    for (int w = 0; w < 3; w++) {
      const rpp_rotary rotary = oracle_rotary(widths[w], bases[b], scaling->scaling);
      const double error = largest_error(&rotary, positions, 18 + SWEEP, 0);
      ck_assert_msg(error <= tolerance, "%s, base %g, width %d: error %g", scaling->name, bases[b], (int)widths[w], error);
      worst = fmax(worst, error);
    }
  fprintf(stderr, "angles, %s: largest error %.3g\n", scaling->name, worst);
}
END_TEST

START_TEST(one_token_off_is_seen) {
  const int64_t position = giga;
  const rpp_rotary rotary = oracle_rotary(128, 1e4, oracle_scalings[0].scaling);
  ck_assert(largest_error(&rotary, &position, 1, 0) <= tolerance);
  ck_assert(largest_error(&rotary, &position, 1, 1) > 0.1);
}
END_TEST

START_TEST(theta_in_one_float64_is_seen) {
  /* The control of the whole exact model: the nearest float64 to each theta, given as inv_freq, errs by about 10^9 x 10^-17. */
  double hi[64];
  const int64_t pairs = 64, position = giga;
  rpp_rotary rotary = oracle_rotary(128, 1e4, oracle_scalings[0].scaling);
  support_accepted(rpp_frequencies(&rotary, hi, NULL, NULL));
  double cosine[64], sine[64], rounded_cosine[64], rounded_sine[64], worst = 0;
  angles_of(&rotary, &position, 1, cosine, sine);
  rpp_tensor inv_freq;
  support_accepted(rpp_tensor_contiguous(hi, RPP_F64, 1, &pairs, &inv_freq));
  rotary.inv_freq = &inv_freq;
  angles_of(&rotary, &position, 1, rounded_cosine, rounded_sine);
  for (int n = 0; n < 64; n++) worst = fmax(worst, fmax(fabs(cosine[n] - rounded_cosine[n]), fabs(sine[n] - rounded_sine[n])));
  ck_assert_msg(worst > 1e6 * tolerance, "%g", worst);
}
END_TEST

START_TEST(small_quadrant_remainders) {
  /* Positions whose angle, at theta = 1, comes next to a multiple of pi / 2 (continued fraction of pi): the reduced argument is tiny
   * and all of its digits come from the low part of theta. */
  const int64_t positions[] = {11,     22,      33,      44,      355,      710,       103993,    104348,    208341,    312689,
                               833719, 1146408, 4272943, 5419351, 80143857, 165707065, 245850922, 411557987, 573663769, 817148909};
  rpp_rotary rotary = oracle_rotary(2, 1e4, oracle_scalings[0].scaling);
  const double error = largest_error(&rotary, positions, sizeof positions / sizeof *positions, 0);
  ck_assert_msg(error <= tolerance, "%g", error);
  double c, s;
  angles_of(&rotary, positions + 17, 1, &c, &s);
  ck_assert_msg(fabs(s) < 1e-8, "sin(411557987) = %g", s);
}
END_TEST

START_TEST(given_frequencies_agree_with_mpfr) {
  uint64_t state = 22;
  double given[PAIRS], worst = 0;
  for (int n = 0; n < PAIRS; n++) given[n] = exp(support_uniform(&state, -20, 3)) * (n & 1 ? -1 : 1);
  given[0] = 0;
  const int64_t pairs = PAIRS;
  int64_t positions[SWEEP];
  for (int l = 0; l < SWEEP; l++) positions[l] = (int64_t)(support_random(&state) % (uint64_t)(2 * giga + 1)) - giga;
  rpp_tensor inv_freq;
  support_accepted(rpp_tensor_contiguous(given, RPP_F64, 1, &pairs, &inv_freq));
  rpp_rotary rotary = oracle_rotary(2 * PAIRS, 1e4, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096});
  rotary.inv_freq = &inv_freq;
  static double cosine[SWEEP * PAIRS], sine[SWEEP * PAIRS];
  angles_of(&rotary, positions, SWEEP, cosine, sine);
  mpfr_t theta, one, c, s;
  mpfr_inits2(ORACLE_BITS, theta, one, c, s, (mpfr_ptr)0);
  mpfr_set_ui(one, 1, MPFR_RNDN); /* scaling is not read, so there is no magnitude */
  for (int i = 0; i < SWEEP * PAIRS; i++) {
    mpfr_set_d(theta, given[i % PAIRS], MPFR_RNDN);
    oracle_cos_sin(c, s, theta, one, positions[i / PAIRS]);
    support_worse(&worst, oracle_error(cosine[i], 0, c));
    support_worse(&worst, oracle_error(sine[i], 0, s));
  }
  mpfr_clears(theta, one, c, s, (mpfr_ptr)0);
  fprintf(stderr, "angles, given frequencies: largest error %.3g\n", worst);
  ck_assert(worst <= tolerance);
}
END_TEST

START_TEST(far_positions_are_taken) {
  /* No accuracy is promised past 10^9, but theta's 10^-29 leaves 10^-13 at 2^53, and anything less would be noise. */
  const int64_t far = INT64_C(1) << 53, positions[] = {far, -far, far - 1, INT64_C(1) << 52, 123456789012345};
  double worst = 0;
  for (int i = 0; i < oracle_scaling_count; i++) {
    const rpp_rotary rotary = oracle_rotary(128, 1e4, oracle_scalings[i].scaling);
    support_worse(&worst, largest_error(&rotary, positions, 5, 0));
  }
  fprintf(stderr, "angles at positions to 2^53: largest error %.3g\n", worst);
  ck_assert(worst <= 1e-12);
}
END_TEST

START_TEST(tables_are_rounded_once) {
  /* To table_dtype straight from the value: within half a spacing of the exact cosine, and on the dtype's grid. */
  const rpp_dtype dtype = (rpp_dtype[]){RPP_F32, RPP_F16, RPP_BF16}[_i];
  uint64_t state = 23;
  int64_t positions[200];
  for (int l = 0; l < 200; l++) positions[l] = l < 100 ? l : (int64_t)(support_random(&state) % 1000000);
  rpp_rotary rotary = oracle_rotary(64, 5e5, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096});
  rotary.table_dtype = dtype;
  static double cosine[200 * 32], sine[200 * 32];
  angles_of(&rotary, positions, 200, cosine, sine);
  mpfr_t theta, magnitude, c, s;
  mpfr_inits2(ORACLE_BITS, theta, magnitude, c, s, (mpfr_ptr)0);
  oracle_magnitude(magnitude, &rotary);
  int wrong = 0;
  for (int i = 0; i < 200 * 32; i++) {
    oracle_theta(theta, &rotary, i % 32);
    oracle_cos_sin(c, s, theta, magnitude, positions[i / 32]);
    wrong += (cosine[i] != oracle_round(dtype, c)) + (sine[i] != oracle_round(dtype, s));
  }
  mpfr_clears(theta, magnitude, c, s, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(outputs_in_any_layout_and_dtype) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  const int64_t shape[] = {5, 3}, positions[] = {0, -7, 123456789, 3, 3};
  const rpp_rotary rotary = oracle_rotary(6, 1e4, oracle_scalings[0].scaling);
  double cosine[15], sine[15];
  angles_of(&rotary, positions, 5, cosine, sine);
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int d = 0; d < 4; d++) {
      guarded pos = guarded_new((guarded_layout)layout, RPP_I64, 1, shape),
              c = guarded_new((guarded_layout)layout, dtypes[d], 2, shape),
              s = guarded_new((guarded_layout)layout, dtypes[3 - d], 2, shape);
      for (int64_t l = 0; l < 5; l++)
        memcpy((char *)pos.tensor.data + pos.tensor.byte_offset + l * pos.tensor.strides[0] * 8, &positions[l], 8);
      support_accepted(rpp_angles(&rotary, &pos.tensor, &c.tensor, &s.tensor));
      int64_t index[RPP_MAX_DIMS] = {0};
      int i = 0;
      do {
        ck_assert(rpp_tensor_get(&c.tensor, index) == rpp_dtype_round(dtypes[d], cosine[i]));
        ck_assert(rpp_tensor_get(&s.tensor, index) == rpp_dtype_round(dtypes[3 - d], sine[i]));
        i++;
      } while (guarded_next(&c.tensor, index));
      ck_assert_uint_eq(guarded_stray_bytes(&pos) + guarded_stray_bytes(&c) + guarded_stray_bytes(&s), 0);
      guarded_free(&pos), guarded_free(&c), guarded_free(&s);
    }
}
END_TEST

START_TEST(given_tables_are_used_as_given) {
  /* Values that are no cosines, in two dtypes and layouts; every other description is nonsense and must not be read. */
  const int64_t shape[] = {7, 4}, positions[] = {6, 0, 3, 3};
  guarded c = guarded_new(LAYOUT_REVERSED, RPP_F64, 2, shape), s = guarded_new(LAYOUT_TRANSPOSED, RPP_F32, 2, shape);
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    rpp_tensor_set(&c.tensor, index, 1.0 / 3 + (double)(10 * index[0] + index[1]));
    rpp_tensor_set(&s.tensor, index, -2.0 / 3 - (double)(10 * index[0] + index[1]));
  } while (guarded_next(&c.tensor, index));
  rpp_rotary rotary = oracle_rotary(8, NAN, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = NAN, .orig = -1});
  rotary.cos = &c.tensor, rotary.sin = &s.tensor;
  for (int model = RPP_ANGLES_EXACT; model <= RPP_ANGLES_HF_F32; model++) {
    rotary.angles = (rpp_angle_model)model;
    double cosine[16], sine[16];
    angles_of(&rotary, positions, 4, cosine, sine);
    for (int i = 0; i < 16; i++) {
      const double label = (double)(10 * positions[i / 4] + i % 4);
      ck_assert(cosine[i] == 1.0 / 3 + label && sine[i] == (double)(float)(-2.0 / 3 - label));
    }
  }
  guarded_free(&c), guarded_free(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("angles");
  TCase *cases = tcase_create("angles");
  tcase_set_timeout(cases, 100);
  tcase_add_loop_test(cases, agree_with_mpfr, 0, oracle_scaling_count);
  tcase_add_test(cases, one_token_off_is_seen);
  tcase_add_test(cases, theta_in_one_float64_is_seen);
  tcase_add_test(cases, small_quadrant_remainders);
  tcase_add_test(cases, given_frequencies_agree_with_mpfr);
  tcase_add_test(cases, far_positions_are_taken);
  tcase_add_loop_test(cases, tables_are_rounded_once, 0, 3);
  tcase_add_test(cases, outputs_in_any_layout_and_dtype);
  tcase_add_test(cases, given_tables_are_used_as_given);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
