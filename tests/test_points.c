/* points.c: which distances are asked for. */
#include "points.h"

#include "support.h"

START_TEST(every_distance) {
  rpp_points p = rpp_points_every(5);
  ck_assert_int_eq(p.count, 6);
  for (int64_t i = 0; i < 6; i++) ck_assert_int_eq(rpp_points_get(&p, i), i);
  rpp_points_free(&p);
}
END_TEST

START_TEST(logarithmic_ones_grow_evenly_and_reach_both_ends) {
  static const int64_t ends[] = {0, 1, 2, 9, 10, 1000, 123456, 1000000000};
  for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
    rpp_points p;
    rpp_message error;
    ck_assert(rpp_points_logarithmic(ends[e], 20, &p, &error));
    ck_assert_int_eq(rpp_points_get(&p, 0), 0);
    ck_assert_int_eq(rpp_points_get(&p, p.count - 1), ends[e]);
    if (ends[e] > 0) ck_assert_int_eq(rpp_points_get(&p, 1), 1);
    for (int64_t i = 2; i < p.count; i++) {
      const double step = (double)rpp_points_get(&p, i) / (double)rpp_points_get(&p, i - 1);
      ck_assert(step > 1 && (rpp_points_get(&p, i) - rpp_points_get(&p, i - 1) == 1 || step < 1.25));
    }
    rpp_points_free(&p);
  }
}
END_TEST

START_TEST(a_list_is_sorted_and_has_each_once) {
  rpp_points p;
  rpp_message error;
  ck_assert(rpp_points_parse("100,3,0,3,1000000000", 1000000000, &p, &error));
  ck_assert_int_eq(p.count, 4);
  const int64_t expected[] = {0, 3, 100, 1000000000};
  for (int64_t i = 0; i < 4; i++) ck_assert_int_eq(rpp_points_get(&p, i), expected[i]);
  rpp_points_free(&p);
}
END_TEST

START_TEST(lists_that_are_none) {
  static const char *const bad[] = {
      "", ",", "1,", "1,,2", "-1", "1.5", "x", "1000000001", "99999999999999999999999999999999999999", "1 2"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    rpp_points p;
    rpp_message error = {""};
    ck_assert_msg(!rpp_points_parse(bad[i], 1000000000, &p, &error), "%s", bad[i]);
    ck_assert_ptr_nonnull(strstr(error.text, "--at"));
    ck_assert_ptr_null(p.chosen);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("points");
  TCase *tests = tcase_create("points");
  tcase_add_test(tests, every_distance);
  tcase_add_test(tests, logarithmic_ones_grow_evenly_and_reach_both_ends);
  tcase_add_test(tests, a_list_is_sorted_and_has_each_once);
  tcase_add_test(tests, lists_that_are_none);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
