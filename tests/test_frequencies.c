/* frequencies.c: theta_n as hi + lo, and the magnitude, against MPFR at 300 bits. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include "mpfr_oracle.h"
#include "support.h"

/* What ropepp.h promises for hi + lo. */
static const double tolerance = 1e-29;

static const int64_t widths[] = {2, 4, 6, 8, 10, 16, 32, 62, 64, 80, 96, 126, 128, 192, 254, 256};
static const double bases[] = {1e4, 5e5, 1e6, 1.5, 10000.7, 1e-3 + 1, 1e9};
enum { WIDTHS = sizeof widths / sizeof *widths, BASES = sizeof bases / sizeof *bases, PAIRS = 128 };

/* The largest relative error of hi + lo, and of hi alone, over the pairs of one rotary. */
static double largest_error(const rpp_rotary *rotary, const double *hi, const double *lo) {
  mpfr_t theta;
  mpfr_init2(theta, ORACLE_BITS);
  double worst = 0;
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    oracle_theta(theta, rotary, n);
    const double error = fabs(oracle_relative_error(hi[n], lo ? lo[n] : 0, theta));
    support_worse(&worst, error);
  }
  mpfr_clear(theta);
  return worst;
}

START_TEST(agree_with_mpfr) {
  const oracle_scaling *scaling = &oracle_scalings[_i];
  double worst = 0, worst_magnitude = 0, high_only = 0;
  mpfr_t exact;
  mpfr_init2(exact, ORACLE_BITS);
  for (int w = 0; w < WIDTHS; w++)
    for (int b = 0; b < BASES; b++) {
      const rpp_rotary rotary = oracle_rotary(widths[w], bases[b], scaling->scaling);
      if (widths[w] == 2 && scaling->scaling.kind == RPP_SCALING_NTK_AWARE) continue;
      double hi[PAIRS], lo[PAIRS], magnitude;
      support_accepted(rpp_frequencies(&rotary, hi, lo, &magnitude));
      const double error = largest_error(&rotary, hi, lo);
      ck_assert_msg(error <= tolerance, "%s, width %d, base %g: error %g", scaling->name, (int)widths[w], bases[b], error);
      for (int64_t n = 0; n < widths[w] / 2; n++) /* normalized: lo is what hi's rounding lost */
        ck_assert_msg(hi[n] + lo[n] == hi[n], "%s, width %d, base %g, pair %d", scaling->name, (int)widths[w], bases[b], (int)n);
      worst = fmax(worst, error);
      high_only = fmax(high_only, largest_error(&rotary, hi, NULL));
      oracle_magnitude(exact, &rotary);
      support_worse(&worst_magnitude, oracle_relative_error(magnitude, 0, exact));
    }
  fprintf(stderr, "frequencies, %s: largest relative error %.3g; magnitude %.3g\n", scaling->name, worst, worst_magnitude);
  ck_assert(worst_magnitude <= DBL_EPSILON / 2);
  /* The control: theta as one float64 must fail. */
  ck_assert_msg(high_only > 1e12 * tolerance, "float64 alone errs by %g only", high_only);
  mpfr_clear(exact);
}
END_TEST

START_TEST(random_parameters_agree_with_mpfr) {
  uint64_t state = 11;
  double worst = 0;
  for (int i = 0; i < 600; i++) {
    rpp_scaling scaling = {.kind = (rpp_scaling_kind)(i % 7), .factor = exp(support_uniform(&state, 0, 6))};
    scaling.orig = floor(exp(support_uniform(&state, 0, 13)));
    scaling.low = exp(support_uniform(&state, -2, 2));
    scaling.high = scaling.low * (1 + exp(support_uniform(&state, -4, 4)));
    const int64_t width = 4 + 2 * (int64_t)(support_random(&state) % 127);
    const rpp_rotary rotary = oracle_rotary(width, 1 + exp(support_uniform(&state, -3, 20)), scaling);
    double hi[PAIRS], lo[PAIRS];
    support_accepted(rpp_frequencies(&rotary, hi, lo, NULL));
    const double error = largest_error(&rotary, hi, lo);
    ck_assert_msg(error <= tolerance, "kind %d, width %d, base %.17g, factor %.17g, orig %g, low %.17g, high %.17g: error %g",
                  i % 7, (int)width, rotary.base, scaling.factor, scaling.orig, scaling.low, scaling.high, error);
    worst = fmax(worst, error);
  }
  fprintf(stderr, "frequencies, random parameters: largest relative error %.3g\n", worst);
}
END_TEST

START_TEST(ntk_and_ntk_aware_differ) {
  /* At pair 1 of width 4 the bases are 4 x 10^4 and 16 x 10^4: both powers are known without an oracle. */
  rpp_rotary rotary = oracle_rotary(4, 10000, (rpp_scaling){.kind = RPP_SCALING_NTK, .factor = 4});
  double fixed[2], aware[2];
  support_accepted(rpp_frequencies(&rotary, fixed, NULL, NULL));
  rotary.scaling.kind = RPP_SCALING_NTK_AWARE;
  support_accepted(rpp_frequencies(&rotary, aware, NULL, NULL));
  ck_assert(fixed[0] == 1 && aware[0] == 1);
  ck_assert(fixed[1] == 1.0 / 200 && aware[1] == 1.0 / 400);
}
END_TEST

START_TEST(yarn_and_yarn_hf_differ_as_measured) {
  rpp_rotary rotary = oracle_rotary(128, 10000, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096});
  double authors[64], hugging_face[64], magnitude;
  support_accepted(rpp_frequencies(&rotary, authors, NULL, &magnitude));
  ck_assert(fabs(magnitude - 1.3465735902799727) < 1e-15); /* 0.1 ln 32 + 1 */
  rotary.scaling.kind = RPP_SCALING_YARN_HF;
  support_accepted(rpp_frequencies(&rotary, hugging_face, NULL, &magnitude));
  ck_assert(fabs(magnitude - 1.3465735902799727) < 1e-15);
  int different = 0;
  double ratio = 1;
  for (int n = 0; n < 64; n++) {
    different += authors[n] != hugging_face[n];
    support_worse(&ratio, authors[n] > hugging_face[n] ? authors[n] / hugging_face[n] : hugging_face[n] / authors[n]);
  }
  fprintf(stderr, "yarn and yarn-hf: %d of 64 frequencies differ, by up to %.4f\n", different, ratio);
  ck_assert_int_eq(different, 25);
  ck_assert(ratio > 3.5 && ratio < 4.5);
}
END_TEST

START_TEST(given_frequencies_are_used_as_given) {
  const double given[] = {1.0 / 3, 0.0, -2.5, 0x1p-1074};
  const float given32[] = {0.1f, 0.0f, -2.5f, 0x1p-149f};
  double spread[12];
  for (int n = 0; n < 12; n++)
    spread[n] = n % 3 == 2 ? given[3 - n / 3] : NAN; /* in reverse, every third: the rest must not be read */
  const int64_t pairs = 4;
  rpp_tensor contiguous, single, strided = {spread + 11, RPP_F64, 1, {4}, {-3}, 0};
  support_accepted(rpp_tensor_contiguous((void *)given, RPP_F64, 1, &pairs, &contiguous));
  support_accepted(rpp_tensor_contiguous((void *)given32, RPP_F32, 1, &pairs, &single));
  /* Base and scaling are then not read: here they are nonsense. */
  rpp_rotary rotary = oracle_rotary(8, NAN, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = NAN, .orig = -1});
  double hi[4], lo[4], magnitude;
  const rpp_tensor *tensors[] = {&contiguous, &strided, &single};
  for (int i = 0; i < 3; i++) {
    rotary.inv_freq = tensors[i];
    support_accepted(rpp_frequencies(&rotary, hi, lo, &magnitude));
    ck_assert(magnitude == 1);
    for (int n = 0; n < 4; n++)
      ck_assert_msg(hi[n] == (i < 2 ? given[n] : (double)given32[n]) && lo[n] == 0, "tensor %d, pair %d: %a + %a", i, n, hi[n],
                    lo[n]);
  }
}
END_TEST

START_TEST(outputs_may_be_null) {
  const rpp_rotary rotary = oracle_rotary(8, 10000, oracle_scalings[0].scaling);
  double hi[4], lo[4], magnitude;
  support_accepted(rpp_frequencies(&rotary, NULL, NULL, NULL));
  support_accepted(rpp_frequencies(&rotary, hi, NULL, NULL));
  support_accepted(rpp_frequencies(&rotary, NULL, lo, NULL));
  support_accepted(rpp_frequencies(&rotary, NULL, NULL, &magnitude));
  ck_assert(hi[0] == 1 && lo[0] == 0 && magnitude == 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("frequencies");
  TCase *cases = tcase_create("frequencies");
  tcase_set_timeout(cases, 100);
  tcase_add_loop_test(cases, agree_with_mpfr, 0, oracle_scaling_count);
  tcase_add_test(cases, random_parameters_agree_with_mpfr);
  tcase_add_test(cases, ntk_and_ntk_aware_differ);
  tcase_add_test(cases, yarn_and_yarn_hf_differ_as_measured);
  tcase_add_test(cases, given_frequencies_are_used_as_given);
  tcase_add_test(cases, outputs_may_be_null);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
