/* closed_form.c: against the sine and cosine integrals at 640 bits, where GSL is right and where it is not. */
#include "closed_form.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_expint.h>
#include <math.h>

#include "mpfr_integrals.h"
#include "support.h"

static const double bases[] = {10000, 500000, 1.5, 2, 40, 1 + 1e-6, 1.01, 1e9, 1e100};

/* The largest error of either part over t = 1e-6 .. 1e12, some hundred a base, in units of what is promised. */
static double worst(double base, double spoil) {
  double worst = 0;
  for (double t = 1e-6; t <= 1e12; t *= 1.37) {
    double value[2];
    rpp_closed_form(base, t, &value[0], &value[1]);
    for (int part = 0; part < 2; part++) {
      const double error = fabs(oracle_closed_form_error(value[part] * (1 + spoil), part, base, t));
      support_worse(&worst, error / 1e-13);
      if (t > base) support_worse(&worst, error / (1e-7 * base / (t * log(base))));
    }
  }
  return worst;
}

START_TEST(closed_forms_are_right_at_every_base) {
  const double w = worst(bases[_i], 0);
  ck_assert_msg(w <= 1, "base %g: %g of what is promised", bases[_i], w);
}
END_TEST

START_TEST(the_oracle_sees_an_error_that_is_just_too_large) {
  ck_assert(!(worst(10000, 3e-7) <= 1));
}
END_TEST

/* Known values of Ci(1), Si(1), Ci(500) and both sides of the oracle's own seam. */
START_TEST(the_oracle_is_right) {
  static const struct {
    double x, ci, si;
  } known[] = {{1, 0.33740392290096813466, 0.94608307036718301494}, {10, -0.04545643300445537263, 1.65834759421887404933}};
  mpfr_t x, ci[2], si[2];
  mpfr_inits2(INTEGRALS_BITS, x, ci[0], ci[1], si[0], si[1], (mpfr_ptr)0);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    mpfr_set_d(x, known[i].x, MPFR_RNDN);
    oracle_integrals(ci[0], si[0], x);
    ck_assert_double_eq_tol(mpfr_get_d(ci[0], MPFR_RNDN), known[i].ci, 1e-16);
    ck_assert_double_eq_tol(mpfr_get_d(si[0], MPFR_RNDN), known[i].si, 3e-16);
  }
  mpfr_set_d(x, 200, MPFR_RNDN);
  oracle_integrals(ci[0], si[0], x);
  mpfr_nextabove(x);
  oracle_integrals(ci[1], si[1], x);
  mpfr_sub(ci[0], ci[0], ci[1], MPFR_RNDN);
  mpfr_sub(si[0], si[0], si[1], MPFR_RNDN);
  ck_assert(fabs(mpfr_get_d(ci[0], MPFR_RNDN)) < 1e-80 && fabs(mpfr_get_d(si[0], MPFR_RNDN)) < 1e-80);
  mpfr_clears(x, ci[0], ci[1], si[0], si[1], (mpfr_ptr)0);
}
END_TEST

/* Why there is a series of our own: the library's result, its word of success, and what it is off by. */
START_TEST(gsl_is_wrong_past_1e9_and_reports_success) {
  mpfr_t x, ci, si;
  mpfr_inits2(INTEGRALS_BITS, x, ci, si, (mpfr_ptr)0);
  static const struct {
    double x, least, most; /* of the error, relative to 1 / x */
  } expected[] = {{1e8, 0, 1e-14}, {1e15, 1e-4, INFINITY}, {1e22, 1, INFINITY}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    gsl_sf_result result;
    mpfr_set_d(x, expected[i].x, MPFR_RNDN);
    oracle_integrals(ci, si, x);
    ck_assert_int_eq(gsl_sf_Ci_e(expected[i].x, &result), GSL_SUCCESS);
    mpfr_d_sub(ci, result.val, ci, MPFR_RNDN);
    const double error = fabs(mpfr_get_d(ci, MPFR_RNDN)) * expected[i].x;
    ck_assert_msg(error >= expected[i].least && error <= expected[i].most, "at %g: %g", expected[i].x, error);
  }
  mpfr_clears(x, ci, si, (mpfr_ptr)0);
}
END_TEST

START_TEST(landmarks_of_base_10000) {
  double re, im, side;
  const double peak = rpp_closed_form_peak(10000);
  ck_assert_double_eq_tol(peak, 3.14159265, 1e-3);
  rpp_closed_form(10000, peak, &re, &im);
  ck_assert_double_eq_tol(im, 0.2010, 5e-5);
  for (int sign = -1; sign <= 1; sign += 2) {
    rpp_closed_form(10000, peak * (1 + sign * 1e-3), &re, &side);
    ck_assert(side < im);
  }
  ck_assert_double_eq_tol(rpp_closed_form_plateau(10000), 0.1705, 5e-5);
  rpp_closed_form(10000, 100, &re, &im);
  ck_assert_double_eq_tol(im, rpp_closed_form_plateau(10000), 3e-3);
  ck_assert_double_eq_tol(rpp_closed_form_root(10000, false, 6000, 6300), 6166, 1);
  ck_assert_double_eq_tol(rpp_closed_form_root(10000, true, 19000, 19400), 19263, 1);
  ck_assert(isnan(rpp_closed_form_root(10000, false, 10, 20)));
}
END_TEST

START_TEST(ends_and_nonsense) {
  double re, im;
  rpp_closed_form(10000, 0, &re, &im);
  ck_assert(re == 1 && im == 0);
  rpp_closed_form(0x1p900, 1e-300, &re, &im);
  ck_assert(re == 1 && im > 0 && im < 1e-300);
  const double bad[][2] = {{1, 1}, {0.5, 1}, {NAN, 1}, {INFINITY, 1}, {2, -1}, {2, NAN}, {2, INFINITY}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    rpp_closed_form(bad[i][0], bad[i][1], &re, &im);
    ck_assert(isnan(re) && isnan(im));
  }
}
END_TEST

START_TEST(scalings_that_keep_the_frequencies_evenly_spaced) {
  rpp_rotary rotary = {
      .rotary_dim = 64, .base = 10000, .scaling = {.kind = RPP_SCALING_NTK_AWARE, .factor = 4, .orig = 4096, .low = 1, .high = 4}};
  double base, stretch, theta[32];
  ck_assert(rpp_closed_form_of(&rotary, &base, &stretch));
  ck_assert_int_eq(rpp_frequencies(&rotary, theta, NULL, NULL), RPP_OK);
  ck_assert_double_eq_tol(stretch * pow(base, -2.0 * 31 / 64) / theta[31], 1, 1e-12);
  rotary.scaling.kind = RPP_SCALING_LINEAR;
  ck_assert(rpp_closed_form_of(&rotary, &base, &stretch) && base == 10000 && stretch == 0.25);
  rotary.scaling.kind = RPP_SCALING_NTK;
  ck_assert(rpp_closed_form_of(&rotary, &base, &stretch) && base == 40000 && stretch == 1);
  const rpp_scaling_kind none[] = {RPP_SCALING_YARN, RPP_SCALING_YARN_HF, RPP_SCALING_LLAMA3};
  for (int i = 0; i < 3; i++) {
    rotary.scaling.kind = none[i];
    ck_assert(!rpp_closed_form_of(&rotary, &base, &stretch));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("closed_form");
  TCase *tests = tcase_create("closed_form");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, closed_forms_are_right_at_every_base, 0, sizeof bases / sizeof *bases);
  tcase_add_test(tests, the_oracle_sees_an_error_that_is_just_too_large);
  tcase_add_test(tests, the_oracle_is_right);
  tcase_add_test(tests, gsl_is_wrong_past_1e9_and_reports_success);
  tcase_add_test(tests, landmarks_of_base_10000);
  tcase_add_test(tests, ends_and_nonsense);
  tcase_add_test(tests, scalings_that_keep_the_frequencies_evenly_spaced);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
