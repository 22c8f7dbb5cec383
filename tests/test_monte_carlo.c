/* monte_carlo.c: the estimates against the curves, and their intervals against how often they hold. */
#include "monte_carlo.h"

#include <math.h>

#include "curves.h"
#include "support.h"

enum { PAIRS = 32, DISTANCES = 6, SEEDS = 60 };

static const rpp_rotary rotary = {.rotary_dim = 2 * PAIRS, .base = 10000};
static const int64_t t[DISTANCES] = {0, 1, 5, 100, 2000, 30000};

/* How many of the seeds' intervals hold the curve shifted by that many standard errors; of all at all distances, real and imaginary. */
static double held(double shift, int64_t samples) {
  double re[DISTANCES], im[DISTANCES], cosine[DISTANCES * PAIRS], sine[DISTANCES * PAIRS];
  int inside = 0;
  rpp_message error;
  support_accepted(rpp_curves_at(&rotary, DISTANCES, t, re, im));
  support_accepted(rpp_curves_angles(&rotary, DISTANCES, t, cosine, sine));
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    rpp_monte_carlo *m = rpp_monte_carlo_draw(&rotary, samples, seed, &error);
    ck_assert_ptr_nonnull(m);
    for (int i = 0; i < DISTANCES; i++) {
      rpp_estimate a, b;
      rpp_monte_carlo_at(m, cosine + i * PAIRS, sine + i * PAIRS, &a, &b);
      inside += fabs(a.mean - re[i] - shift * a.half_width / 1.96) <= a.half_width;
      inside += fabs(b.mean - im[i] - shift * b.half_width / 1.96) <= b.half_width;
    }
    rpp_monte_carlo_free(m);
  }
  return inside / (2.0 * DISTANCES * SEEDS);
}

START_TEST(ninety_five_of_a_hundred_intervals_hold_the_curve) {
  const double share = held(0, 1000);
  ck_assert_msg(share > 0.91 && share < 0.985, "%g", share);
}
END_TEST

START_TEST(few_hold_a_curve_that_is_two_standard_errors_off) {
  ck_assert(!(held(2, 1000) > 0.91));
}
END_TEST

START_TEST(four_times_the_samples_halve_the_interval) {
  double cosine[PAIRS], sine[PAIRS], width[2];
  rpp_message error;
  support_accepted(rpp_curves_angles(&rotary, 1, (int64_t[]){17}, cosine, sine));
  for (int i = 0; i < 2; i++) {
    rpp_estimate a, b;
    rpp_monte_carlo *m = rpp_monte_carlo_draw(&rotary, i == 0 ? 2000 : 8000, 5, &error);
    rpp_monte_carlo_at(m, cosine, sine, &a, &b);
    width[i] = a.half_width;
    rpp_monte_carlo_free(m);
  }
  ck_assert_double_eq_tol(width[0] / width[1], 2, 0.2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("monte_carlo");
  TCase *tests = tcase_create("monte_carlo");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, ninety_five_of_a_hundred_intervals_hold_the_curve);
  tcase_add_test(tests, few_hold_a_curve_that_is_two_standard_errors_off);
  tcase_add_test(tests, four_times_the_samples_halve_the_interval);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
