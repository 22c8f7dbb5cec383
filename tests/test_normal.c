/* normal.c: the distribution, and that a number depends on nothing but its place. */
#include "cases/normal.h"

#include <math.h>

#include "support.h"

enum { ROWS = 4000, WIDTH = 250 };

static rpp_normal_table table;

/* The layers have one area each: the table meets its own end, f(0) = 1. */
START_TEST(layers_close) {
  const int last = RPP_NORMAL_LAYERS - 1;
  for (int i = 1; i < RPP_NORMAL_LAYERS; i++) {
    ck_assert_double_lt(table.x[i + 1], table.x[i]);
    ck_assert_double_eq_tol(table.f[i], exp(-0.5 * table.x[i] * table.x[i]), 1e-14);
  }
  ck_assert_double_eq_tol(table.x[last] * (1 - table.f[last]), 9.91256303526217e-3, 1e-9);
}
END_TEST

/* Empirical distribution over 10^6 numbers against erfc: each bin within 5 standard deviations. */
START_TEST(distribution_is_normal) {
  enum { BINS = 90 };
  static int count[BINS];
  double values[WIDTH], sum = 0, squares = 0;
  for (uint64_t r = 0; r < ROWS; r++) {
    rpp_normal_fill(&table, 11, r, WIDTH, values);
    for (int i = 0; i < WIDTH; i++) {
      const int bin = (int)floor((values[i] + 4.5) * 10);
      count[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]++;
      sum += values[i], squares += values[i] * values[i];
    }
  }
  const double n = (double)ROWS * WIDTH;
  ck_assert_double_lt(fabs(sum / n), 5 / sqrt(n));
  ck_assert_double_lt(fabs(squares / n - 1), 5 * sqrt(2 / n));
  for (int bin = 0; bin < BINS; bin++) {
    const double low = bin == 0 ? -INFINITY : bin / 10.0 - 4.5, high = bin == BINS - 1 ? INFINITY : (bin + 1) / 10.0 - 4.5;
    const double p = 0.5 * (erfc(low / sqrt(2)) - erfc(high / sqrt(2))), deviation = sqrt(n * p * (1 - p));
    ck_assert_msg(fabs(count[bin] - n * p) < 5 * deviation + 1, "bin %d: %d of %g", bin, count[bin], n * p);
  }
}
END_TEST

START_TEST(numbers_depend_on_their_place_alone) {
  double all[WIDTH], some[WIDTH];
  for (uint64_t r = 0; r < 50; r++) {
    rpp_normal_fill(&table, 5, r, WIDTH, all);
    for (int64_t count = 0; count <= WIDTH; count += 7) {
      rpp_normal_fill(&table, 5, r, count, some);
      ck_assert(count == 0 || memcmp(all, some, (size_t)count * sizeof *all) == 0);
    }
    rpp_normal_fill(&table, 5, r + 1, WIDTH, some);
    ck_assert_double_ne(all[0], some[0]);
    rpp_normal_fill(&table, 6, r, WIDTH, some);
    ck_assert_double_ne(all[0], some[0]);
  }
}
END_TEST

int main(void) {
  rpp_normal_table_make(&table);
  Suite *suite = suite_create("normal");
  TCase *tests = tcase_create("normal");
  tcase_add_test(tests, layers_close);
  tcase_add_test(tests, distribution_is_normal);
  tcase_add_test(tests, numbers_depend_on_their_place_alone);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
