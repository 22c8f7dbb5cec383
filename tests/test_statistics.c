/* statistics.c: medians, and that what disturbs both of a pair drops out of their ratio. */
#include "bench/statistics.h"

#include <math.h>

#include "support.h"

START_TEST(medians) {
  double one[] = {3}, two[] = {5, 1}, odd[] = {9, -1, 4}, even[] = {8, 1, 100, 2};
  ck_assert(rpp_median(one, 1) == 3);
  ck_assert(rpp_median(two, 2) == 3);
  ck_assert(rpp_median(odd, 3) == 4);
  ck_assert(rpp_median(even, 4) == 5);
  ck_assert(isnan(rpp_median(NULL, 0)));
}
END_TEST

START_TEST(spreads) {
  double x[] = {2, 7, 1, 8, 2};
  const rpp_spread s = rpp_spread_of(x, 5), none = rpp_spread_of(NULL, 0);
  ck_assert(s.median == 2 && s.low == 1 && s.high == 8);
  ck_assert(isnan(none.median) && isnan(none.low) && isnan(none.high));
}
END_TEST

/* Against counting: as many below it as above. */
START_TEST(many_medians) {
  uint64_t state = 1;
  for (int count = 1; count < 60; count++) {
    double x[60], sorted[60];
    int below = 0, above = 0;
    for (int i = 0; i < count; i++) sorted[i] = x[i] = support_uniform(&state, -1, 1);
    const double median = rpp_median(sorted, count);
    for (int i = 0; i < count; i++) below += x[i]<median, above += x[i]> median;
    ck_assert_int_eq(below, above);
    ck_assert_int_eq(below, count / 2);
  }
}
END_TEST

START_TEST(ratios_of_pairs) {
  enum { PAIRS = 7 };
  double a[PAIRS], b[PAIRS], room[PAIRS];
  for (int i = 0; i < PAIRS; i++) {
    const double slow = i < 4 ? 1 : 1000; /* most of the time is lost in three of them */
    b[i] = 2 * slow;
    a[i] = 3 * slow;
  }
  ck_assert(rpp_median_ratio(a, b, PAIRS, room) == 1.5);
  ck_assert(a[0] == 3 && a[6] == 3000 && b[0] == 2 && b[6] == 2000); /* the pairs stay what they were */
  a[0] = 1e9;                                                        /* one that nothing else saw */
  ck_assert(rpp_median_ratio(a, b, PAIRS, room) == 1.5);
  for (int i = 0; i < PAIRS; i++) a[i] = i, b[i] = 1;
  ck_assert(rpp_median_ratio(a, b, PAIRS, room) == 3);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("statistics");
  TCase *tests = tcase_create("statistics");
  tcase_add_test(tests, medians);
  tcase_add_test(tests, spreads);
  tcase_add_test(tests, many_medians);
  tcase_add_test(tests, ratios_of_pairs);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
