/* coverage_points.c, coverage_map.c: angles of whole distances against MPFR, holes against all points sorted, and counts past training
 * against cells that training has marked. */
#include "coverage_points.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coverage_brute.h"
#include "coverage_map.h"
#include "mpfr_oracle.h"
#include "support.h"

static void thetas(double *hi, double *lo) {
  const rpp_rotary rotary = {.rotary_dim = 128, .base = 10000};
  support_accepted(rpp_frequencies(&rotary, hi, lo, NULL));
}

START_TEST(angles_are_right_at_large_distances) {
  const rpp_rotary rotary = {.rotary_dim = 128, .base = 10000};
  double hi[64], lo[64], worst = 0, worst_phase = 0, naive = 0;
  mpfr_t theta, one, c, s, turns;
  uint64_t state = 7;
  mpfr_inits2(ORACLE_BITS, theta, one, c, s, turns, (mpfr_ptr)0);
  mpfr_set_ui(one, 1, MPFR_RNDN);
  thetas(hi, lo);
  for (int i = 0; i < 3000; i++) {
    const int n = i % 64;
    const int64_t t = i < 64 ? 1000000000 : (int64_t)exp(support_uniform(&state, 0, log(1e9)));
    double cosine, sine, phase;
    rpp_point_of_distance(rpp_turns_of_theta(hi[n], lo[n]), t, &cosine, &sine, &phase);
    oracle_theta(theta, &rotary, n);
    oracle_cos_sin(c, s, theta, one, t);
    support_worse(&worst, oracle_error(cosine, 0, c));
    support_worse(&worst, oracle_error(sine, 0, s));
    support_worse(&naive, oracle_error(cos(hi[n] * (double)t), 0, c));
    mpfr_const_pi(turns, MPFR_RNDN);
    mpfr_mul_ui(turns, turns, 2, MPFR_RNDN);
    mpfr_div(turns, theta, turns, MPFR_RNDN);
    mpfr_mul_si(turns, turns, (long)t, MPFR_RNDN);
    mpfr_frac(turns, turns, MPFR_RNDN);
    support_worse(&worst_phase, oracle_error(phase, 0, turns));
    ck_assert(phase >= 0 && phase < 1);
  }
  mpfr_clears(theta, one, c, s, turns, (mpfr_ptr)0);
  fprintf(stderr, "coverage points: largest error of cosines %.3g, of phases %.3g; of plain float64 cosines %.3g\n", worst,
          worst_phase, naive);
  ck_assert(worst <= 0x1p-52);
  ck_assert(worst_phase <= 0x1p-53);
  ck_assert_msg(naive > 1e-9, "the control, plain float64, must fail: %g", naive);
}
END_TEST

/* ---- Holes ---------------------------------------------------------------------------------------------------------------- */

enum { MOST = 700, ROOM = 8 * MOST };

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* All that the dimension meets at the distances, of one family or of both (0), or the phases. Returns how many. */
static int list(rpp_dimension_class c, rpp_method m, rpp_criterion k, double turns, int count, bool packed, int family, double *x) {
  int listed = 0;
  for (int t = packed ? 1 - count : 0; t < count; t++)
    for (int imaginary = 0; imaginary <= (m == RPP_METHOD_ROPEPP); imaginary++) {
      const double angle = 2 * M_PI * turns * t;
      double like, other;
      brute_multipliers(c, imaginary, cos(angle), sin(angle), &like, &other);
      if (k == RPP_PHASE) {
        x[listed++] = fmod(brute_phase(like, other) + 1e-13, 1); /* a full turn less a rounding error is none */
        continue;
      }
      if (family != 1 + !imaginary) x[listed++] = like; /* family 1: sines, of imaginary heads */
      if (family != 1 + imaginary) x[listed++] = other;
    }
  qsort(x, (size_t)listed, sizeof *x, compare);
  return listed;
}

static double hole(rpp_criterion k, const double *x, int count) {
  double largest = k == RPP_PHASE ? x[0] + 1 - x[count - 1] : fmax(x[0] + 1, 1 - x[count - 1]);
  for (int i = 1; i < count; i++) largest = fmax(largest, x[i] - x[i - 1]);
  return largest;
}

/* The largest difference of holes and of ends over pairs, lengths and all cases; of the class, or of the one beside it. */
static double worst_hole(bool swapped) {
  static const double turns[] = {1 / (2 * M_PI), 0.0123, 1.3e-3, 4e-4, 0.25, 0.618034};
  static const int lengths[] = {1, 2, 5, 64, MOST};
  static double x[ROOM];
  double worst = 0;
  rpp_coverage_points points;
  ck_assert(rpp_coverage_points_make(MOST, &points));
  for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
      rpp_coverage_points_fill(&points, (rpp_dd){turns[i], 0}, lengths[l]);
      for (int packed = 0; packed < 2; packed++)
        for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
          for (int m = 0; m < RPP_METHODS; m++)
            for (int k = 0; k < RPP_CRITERIA; k++) {
              const rpp_coverage_hole found = rpp_coverage_points_hole(&points, c, m, k, packed);
              const rpp_dimension_class taken = swapped ? c ^ 1 : c;
              int count = list(taken, m, k, turns[i], lengths[l], packed, k == RPP_FAMILIES, x);
              double expected = hole(k, x, count);
              if (k == RPP_FAMILIES) {
                count = list(taken, m, k, turns[i], lengths[l], packed, 2, x);
                expected = fmax(expected, hole(k, x, count));
              }
              support_worse(&worst, found.hole - expected);
              if (k == RPP_PHASE) {
                const double around = found.hole_at + found.hole - found.low;
                ck_assert(fabs(around - round(around)) < 1e-12 && found.high == found.hole_at);
              } else if (k != RPP_FAMILIES) {
                support_worse(&worst, found.low - x[0]);
                support_worse(&worst, found.high - x[count - 1]);
                for (int j = 0; j < count && !swapped; j++) /* nothing inside */
                  ck_assert(x[j] <= found.hole_at + 1e-11 || x[j] >= found.hole_at + found.hole - 1e-11);
              }
            }
    }
  rpp_coverage_points_free(&points);
  return worst;
}

START_TEST(holes_are_those_of_all_points_sorted) {
  const double worst = worst_hole(false);
  ck_assert_msg(worst < 1e-11, "differs by %g", worst);
  ck_assert_msg(worst_hole(true) > 0.1, "the wrong class must be seen");
}
END_TEST

/* ---- Past training -------------------------------------------------------------------------------------------------------- */

/* Whether the cell of x is marked; with slack, or one beside it. */
static bool marked(const bool *marks, int cell, bool slack) {
  return marks[cell] || (slack && ((cell > 0 && marks[cell - 1]) || (cell + 1 < BRUTE_CELLS && marks[cell + 1])));
}

/* Distances that meet an unmarked cell. Marks of circles meet at their ends. */
static int count_new(rpp_dimension_class c, rpp_method m, rpp_criterion k, const brute_marks *marks, double turns, int length,
                     int target, bool slack) {
  bool seen[2][BRUTE_CELLS];
  int count = 0;
  brute_seen(k, marks, seen);
  for (int t = length; t < target; t++) {
    bool is_new = false;
    for (int imaginary = 0; imaginary <= (m == RPP_METHOD_ROPEPP); imaginary++) {
      double x[2];
      brute_multipliers(c, imaginary, cos(2 * M_PI * turns * t), sin(2 * M_PI * turns * t), &x[0], &x[1]);
      for (int other = 0; other < 2 && k != RPP_PHASE; other++)
        is_new = is_new || !marked(seen[other != imaginary], brute_cell_of_value(x[other]), slack);
      if (k == RPP_PHASE) {
        const int cell = brute_cell_of_phase(brute_phase(x[0], x[1]));
        is_new = is_new || !marked(seen[0], cell, slack);
      }
    }
    count += is_new;
  }
  return count;
}

START_TEST(new_distances_meet_what_was_not_marked) {
  static brute_marks marks;
  static rpp_coverage_pair pair;
  double hi[64], lo[64];
  int met = 0;
  thetas(hi, lo);
  const rpp_coverage_lengths lengths = {.length = 512, .target = 6000, .packed = _i == 1};
  rpp_coverage_points points;
  ck_assert(rpp_coverage_points_make(lengths.length, &points));
  for (int n = 20; n < 64; n += 3) {
    const rpp_dd turns = rpp_turns_of_theta(hi[n], lo[n]);
    rpp_coverage_map_pair(&lengths, hi[n], lo[n], &points, &pair);
    for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
      for (int m = 0; m < RPP_METHODS; m++) {
        brute_mark(c, m, rpp_angles_of_length(turns, lengths.length, lengths.packed), &marks);
        for (int k = 0; k < RPP_CRITERIA; k++) {
          const double found = pair.cells[c][m][k].new_distances;
          const int least = count_new(c, m, k, &marks, turns.hi, 512, 6000, true),
                    most = count_new(c, m, k, &marks, turns.hi, 512, 6000, false);
          /* A cell that was marked may be seen in part: up to its width at each end of the seen. */
          ck_assert_msg(found >= least && found <= most + 0.05 * 5488 && (most > 0 || found < 0.05 * 5488),
                        "pair %d, %d %d %d: %g, not %d..%d", n, c, m, k, found, least, most);
          met += least > 0;
        }
      }
  }
  rpp_coverage_points_free(&points);
  ck_assert_int_gt(met, 50);
}
END_TEST

START_TEST(too_many_distances_are_not_listed) {
  static rpp_coverage_pair pair;
  rpp_coverage_points points = {0};
  const rpp_coverage_lengths lengths = {.length = RPP_COVERAGE_LISTED + 1, .target = 1000000000};
  rpp_coverage_map_pair(&lengths, 1e-9, 0, &points, &pair);
  const rpp_coverage_cell *cell = &pair.cells[RPP_Q_EVEN][RPP_METHOD_ROPE][RPP_UNION];
  ck_assert(isnan(cell->points.hole) && isnan(cell->new_distances) && cell->unseen > 0 && cell->seen.covered > 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coverage_points");
  TCase *tests = tcase_create("coverage_points");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, angles_are_right_at_large_distances);
  tcase_add_test(tests, holes_are_those_of_all_points_sorted);
  tcase_add_loop_test(tests, new_distances_meet_what_was_not_marked, 0, 2);
  tcase_add_test(tests, too_many_distances_are_not_listed);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
