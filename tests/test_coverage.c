/* coverage.c: multipliers from the definition of the score, coverage by sampling angles densely, and the counts of issue and paper. */
#include "coverage.h"

#include <math.h>
#include <stdio.h>

#include "coverage_brute.h"
#include "support.h"

/* A cell at each end of each interval may be met in part only. */
#define TOLERANCE (12.0 / BRUTE_CELLS)

START_TEST(multipliers_come_from_the_score) {
  for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
    for (int imaginary = 0; imaginary < 2; imaginary++) {
      unsigned met = 0;
      for (int other = 0; other < 2; other++) {
        unsigned possible = 15;
        for (int i = 0; i < 50; i++) {
          const double angle = 0.37 * i - 4, values[] = {cos(angle), -cos(angle), sin(angle), -sin(angle)};
          const bool query = c == RPP_Q_EVEN || c == RPP_Q_ODD, odd = c == RPP_Q_ODD || c == RPP_K_ODD,
                     partner = odd != (other == 1);
          const bool q = query ? odd : partner, k = query ? partner : odd;
          const double score = brute_score(imaginary, !q, q, !k, k, angle);
          for (int m = 0; m < RPP_MULTIPLIERS; m++)
            if (fabs(score - values[m]) > 1e-12) possible &= ~(1U << m);
        }
        ck_assert_msg(possible != 0 && (possible & (possible - 1)) == 0, "class %d: one multiplier, not %x", c, possible);
        met |= possible;
      }
      ck_assert_uint_eq(rpp_multipliers_of_heads(c, imaginary), met);
    }
  ck_assert_uint_eq(rpp_multipliers(RPP_Q_EVEN, RPP_METHOD_ROPE), RPP_PLUS_COS | RPP_PLUS_SIN);
  ck_assert_uint_eq(rpp_multipliers(RPP_Q_EVEN, RPP_METHOD_ROPEPP), RPP_PLUS_COS | RPP_MINUS_COS | RPP_PLUS_SIN);
  ck_assert_uint_eq(rpp_multipliers(RPP_Q_ODD, RPP_METHOD_ROPEPP), RPP_PLUS_COS | RPP_PLUS_SIN | RPP_MINUS_SIN);
  ck_assert_uint_eq(rpp_multipliers(RPP_K_ODD, RPP_METHOD_ROPE), rpp_multipliers(RPP_Q_EVEN, RPP_METHOD_ROPE));
  ck_assert_uint_eq(rpp_multipliers(RPP_K_EVEN, RPP_METHOD_ROPE), RPP_PLUS_COS | RPP_MINUS_SIN);
}
END_TEST

/* A causal or symmetric interval, short more often than long. */
static rpp_interval draw_angles(uint64_t *state, int i) {
  const double high = support_uniform(state, 0, i % 4 == 0 ? 3 : 1);
  return (rpp_interval){i % 2 == 0 ? 0 : -high, high};
}

/* The largest difference from brute force over random intervals; brute force takes the class for another one when swapped. */
static double worst_difference(int rounds, bool swapped) {
  uint64_t state = 5;
  double worst = 0;
  for (int i = 0; i < rounds; i++) {
    const rpp_interval angles = draw_angles(&state, i), longer = {0, angles.high + support_uniform(&state, 0, 1)};
    for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
      for (int m = 0; m < RPP_METHODS; m++) {
        static brute_marks marks, needed_marks;
        const rpp_dimension_class taken = swapped ? c ^ 1 : c;
        brute_mark(taken, m, angles, &marks);
        brute_mark(taken, m, longer, &needed_marks);
        for (int k = 0; k < RPP_CRITERIA; k++) {
          const rpp_coverage seen = rpp_coverage_of_angles(c, m, k, angles), needed = rpp_coverage_of_angles(c, m, k, longer);
          support_worse(&worst, seen.covered - brute_covered(k, &marks));
          support_worse(&worst, rpp_coverage_unseen(k, &seen, &needed) - brute_unseen(k, &marks, &needed_marks));
          ck_assert(seen.full ? seen.covered == 1 : seen.covered < 1);
        }
      }
  }
  return worst;
}

START_TEST(coverage_is_what_dense_angles_see) {
  const double worst = worst_difference(24, false), control = worst_difference(8, true);
  fprintf(stderr, "coverage: largest difference from sampling %.3g; with classes swapped %.3g\n", worst, control);
  ck_assert_msg(worst <= TOLERANCE, "differs by %g", worst);
  ck_assert_msg(control > 10 * TOLERANCE, "the wrong class must be seen: %g", control);
}
END_TEST

/* Each interval of the seen set lies where brute force says, not only its length. */
START_TEST(places_are_what_dense_angles_see) {
  uint64_t state = 6;
  for (int i = 0; i < 12; i++) {
    const rpp_interval angles = draw_angles(&state, i);
    for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
      for (int m = 0; m < RPP_METHODS; m++) {
        static brute_marks marks;
        brute_mark(c, m, angles, &marks);
        for (int k = 0; k < RPP_CRITERIA; k++) {
          bool seen[2][BRUTE_CELLS];
          int differ = 0;
          const rpp_coverage coverage = rpp_coverage_of_angles(c, m, k, angles);
          brute_seen(k, &marks, seen);
          for (int s = 0; s < coverage.sets; s++) {
            const rpp_interval_set set = rpp_coverage_set(k, &coverage, s);
            for (int x = 0; x < BRUTE_CELLS; x++) {
              const double middle = (x + 0.5) / BRUTE_CELLS;
              differ += rpp_intervals_contain(&set, k == RPP_PHASE ? middle : 2 * middle - 1) != seen[s][x];
            }
          }
          ck_assert_msg(differ <= 12, "class %d, method %d, criterion %d: %d cells differ", c, m, k, differ);
        }
      }
  }
}
END_TEST

/* Fully covered pairs at d = 128, base 10^4, L = 4096. */
static int count_full(rpp_dimension_class c, rpp_method m, rpp_criterion k, bool packed) {
  const rpp_rotary rotary = {.rotary_dim = 128, .base = 10000};
  double hi[64], lo[64];
  int full = 0;
  support_accepted(rpp_frequencies(&rotary, hi, lo, NULL));
  for (int n = 0; n < 64; n++)
    full += rpp_coverage_of_angles(c, m, k, rpp_angles_of_length(rpp_turns_of_theta(hi[n], lo[n]), 4096, packed)).full;
  return full;
}

START_TEST(counts_of_covered_pairs) {
  static const int expected[RPP_CRITERIA][2][RPP_METHODS] = {/* q even, q odd; RoPE, RoPE++ */
                                                             {{50, 64}, {55, 55}},
                                                             {{50, 55}, {55, 55}},
                                                             {{48, 48}, {48, 50}},
                                                             {{46, 48}, {46, 48}}};
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int m = 0; m < RPP_METHODS; m++) {
      ck_assert_int_eq(count_full(RPP_Q_EVEN, m, k, false), expected[k][0][m]);
      ck_assert_int_eq(count_full(RPP_K_ODD, m, k, false), expected[k][0][m]);
      ck_assert_int_eq(count_full(RPP_Q_ODD, m, k, false), expected[k][1][m]);
      ck_assert_int_eq(count_full(RPP_K_EVEN, m, k, false), expected[k][1][m]);
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) ck_assert_int_ge(count_full(c, m, k, true), count_full(c, m, k, false));
    }
}
END_TEST

/* An extremum just out of reach is not rounded to 1: 1 - cos is 1e-17 there. */
START_TEST(no_extremum_by_rounding) {
  const rpp_interval_set half = rpp_values_of_angles(RPP_PLUS_COS, (rpp_interval){0, 0.5}),
                         less = rpp_values_of_angles(RPP_PLUS_COS, (rpp_interval){0, 0.5 - 1e-10});
  ck_assert(cos(2 * M_PI * (0.5 - 1e-10)) == -1);
  ck_assert(half.at[0].low == -1 && half.at[0].high == 1);
  ck_assert(less.at[0].low > -1 && less.at[0].low < -1 + 1e-15);
  const rpp_interval_set point = rpp_values_of_angles(RPP_PLUS_COS | RPP_MINUS_SIN, (rpp_interval){0, 0});
  ck_assert(point.count == 2 && point.at[0].low == 0 && point.at[0].high == 0 && point.at[1].low == 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coverage");
  TCase *tests = tcase_create("coverage");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, multipliers_come_from_the_score);
  tcase_add_test(tests, coverage_is_what_dense_angles_see);
  tcase_add_test(tests, places_are_what_dense_angles_see);
  tcase_add_test(tests, counts_of_covered_pairs);
  tcase_add_test(tests, no_extremum_by_rounding);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
