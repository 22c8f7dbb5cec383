/* curves.c: against sums of cosines at 300 bits, range and points against each other, and the paper's discrete landmarks. */
#include "curves.h"

#include <math.h>
#include <stdlib.h>

#include "mpfr_oracle.h"
#include "support.h"

/* The exact curves at t, rounded. */
static void exact(const rpp_rotary *rotary, int64_t t, double *re, double *im) {
  mpfr_t theta, one, c, s, sum_c, sum_s;
  mpfr_inits2(ORACLE_BITS, theta, one, c, s, sum_c, sum_s, (mpfr_ptr)0);
  mpfr_set_ui(one, 1, MPFR_RNDN);
  mpfr_set_zero(sum_c, 1);
  mpfr_set_zero(sum_s, 1);
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    oracle_theta(theta, rotary, n);
    oracle_cos_sin(c, s, theta, one, t);
    mpfr_add(sum_c, sum_c, c, MPFR_RNDN);
    mpfr_add(sum_s, sum_s, s, MPFR_RNDN);
  }
  *re = mpfr_get_d(sum_c, MPFR_RNDN) / (double)(rotary->rotary_dim / 2);
  *im = mpfr_get_d(sum_s, MPFR_RNDN) / (double)(rotary->rotary_dim / 2);
  mpfr_clears(theta, one, c, s, sum_c, sum_s, (mpfr_ptr)0);
}

enum { COUNT = 40000 };

/* The largest error of a range that begins at first, at some hundred of its distances. */
static double worst_of_range(const rpp_rotary *rotary, int64_t first) {
  double *re = malloc(2 * COUNT * sizeof *re), *im = re + COUNT, worst = 0;
  uint64_t state = (uint64_t)first;
  ck_assert_ptr_nonnull(re);
  support_accepted(rpp_curves_range(rotary, first, COUNT, re, im));
  for (int i = 0; i < 100; i++) {
    const int64_t at = i == 0 ? 0 : i == 1 ? COUNT - 1 : (int64_t)(support_random(&state) % COUNT);
    double c, s;
    exact(rotary, first + at, &c, &s);
    support_worse(&worst, re[at] - c);
    support_worse(&worst, im[at] - s);
  }
  free(re);
  return worst;
}

START_TEST(ranges_are_within_1e_14_with_every_scaling) {
  const rpp_rotary rotary = oracle_rotary(_i % 2 == 0 ? 128 : 62, _i % 3 == 0 ? 500000 : 10000, oracle_scalings[_i].scaling);
  const int64_t firsts[] = {0, 123457, 960000, RPP_CURVES_FARTHEST - COUNT + 1};
  for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
    const double worst = worst_of_range(&rotary, firsts[i]);
    ck_assert_msg(worst <= 1e-14, "%s from %lld: %g", oracle_scalings[_i].name, (long long)firsts[i], worst);
  }
}
END_TEST

/* Three spans and a rest: no place of a span is left out, or taken for another. */
START_TEST(a_range_is_its_points) {
  enum { PLACES = 4000, FIRST = 900000 };
  const rpp_rotary rotary = oracle_rotary(64, 10000, (rpp_scaling){0});
  double re[PLACES], im[PLACES], point_re[PLACES], point_im[PLACES], worst = 0;
  int64_t t[PLACES];
  for (int i = 0; i < PLACES; i++) t[i] = FIRST + i;
  support_accepted(rpp_curves_range(&rotary, FIRST, PLACES, re, im));
  support_accepted(rpp_curves_at(&rotary, PLACES, t, point_re, point_im));
  for (int i = 0; i < PLACES; i++) {
    support_worse(&worst, re[i] - point_re[i]);
    support_worse(&worst, im[i] - point_im[i]);
  }
  ck_assert_msg(worst <= 1e-14, "%g", worst);
}
END_TEST

START_TEST(points_are_within_1e_14) {
  const rpp_rotary rotary = oracle_rotary(128, 10000, (rpp_scaling){0});
  const int64_t t[] = {0, 1, 10, 999983, 1000000000, 7};
  double re[6], im[6], worst = 0;
  support_accepted(rpp_curves_at(&rotary, 6, t, re, im));
  for (int i = 0; i < 6; i++) {
    double c, s;
    exact(&rotary, t[i], &c, &s);
    support_worse(&worst, re[i] - c);
    support_worse(&worst, im[i] - s);
  }
  ck_assert_msg(worst <= 1e-14, "%g", worst);
}
END_TEST

START_TEST(published_values) {
  const rpp_rotary rotary = oracle_rotary(128, 10000, (rpp_scaling){0});
  double re[12], im[12];
  support_accepted(rpp_curves_range(&rotary, 0, 12, re, im));
  ck_assert_double_eq_tol(re[0], 1, 1e-15);
  ck_assert_double_eq_tol(im[0], 0, 1e-15);
  ck_assert_double_eq_tol(re[1], 0.9702138094651191, 1e-15);
  ck_assert_double_eq_tol(im[1], 0.1093834061624206, 1e-15);
  ck_assert_double_eq_tol(re[10], 0.66906286, 5e-9);
  ck_assert_double_eq_tol(im[10], 0.17404568, 5e-9);
}
END_TEST

START_TEST(first_negative_distances) {
  static const struct { int64_t width, re, im; } expected[] = {{128, 1707, 978}, {64, 725, 131}};
  enum { MOST = 2000 };
  for (int i = 0; i < 2; i++) {
    const rpp_rotary rotary = oracle_rotary(expected[i].width, 10000, (rpp_scaling){0});
    double re[MOST], im[MOST];
    int64_t first[2] = {-1, -1};
    support_accepted(rpp_curves_range(&rotary, 0, MOST, re, im));
    for (int64_t t = MOST - 1; t >= 0; t--) {
      if (re[t] < 0) first[0] = t;
      if (im[t] < 0) first[1] = t;
    }
    ck_assert_int_eq(first[0], expected[i].re);
    ck_assert_int_eq(first[1], expected[i].im);
  }
}
END_TEST

/* What the tolerance is worth: a frequency of plain float64 is off by more at these distances. */
START_TEST(a_float64_frequency_is_not_enough) {
  const rpp_rotary rotary = oracle_rotary(128, 10000, (rpp_scaling){0});
  double theta[64], re = 0, exact_re, exact_im;
  support_accepted(rpp_frequencies(&rotary, theta, NULL, NULL));
  for (int n = 0; n < 64; n++) re += cos(999983 * theta[n]) / 64;
  exact(&rotary, 999983, &exact_re, &exact_im);
  ck_assert(!(fabs(re - exact_re) <= 1e-14));
}
END_TEST

START_TEST(errors_of_the_library_come_through) {
  rpp_rotary rotary = oracle_rotary(128, 0.5, (rpp_scaling){0});
  double re, im;
  ck_assert_int_eq(rpp_curves_range(&rotary, 0, 1, &re, &im), RPP_ERROR_VALUE);
  ck_assert_int_eq(rpp_curves_at(&rotary, 1, (int64_t[]){1}, &re, &im), RPP_ERROR_VALUE);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("curves");
  TCase *tests = tcase_create("curves");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, ranges_are_within_1e_14_with_every_scaling, 0, oracle_scaling_count);
  tcase_add_test(tests, a_range_is_its_points);
  tcase_add_test(tests, points_are_within_1e_14);
  tcase_add_test(tests, published_values);
  tcase_add_test(tests, first_negative_distances);
  tcase_add_test(tests, a_float64_frequency_is_not_enough);
  tcase_add_test(tests, errors_of_the_library_come_through);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
