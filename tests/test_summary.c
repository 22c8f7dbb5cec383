/* summary.c: what is seen of a curve. */
#include "summary.h"

#include <math.h>

#include "support.h"

static rpp_summary of(int count, const double *values) {
  rpp_summary s = rpp_summary_none();
  for (int i = 0; i < count; i++) rpp_summary_add(&s, i, values[i]);
  return s;
}

START_TEST(landmarks_are_the_first_of_their_kind) {
  const rpp_summary s = of(8, (double[]){1, 2, NAN, 1.5, 1, -1, 3, -2});
  ck_assert(s.max == 3 && s.max_at == 6);
  ck_assert(s.half_decay == 4);
  ck_assert(s.first_negative == 5);
}
END_TEST

START_TEST(what_never_happens_is_null) {
  const rpp_summary s = of(3, (double[]){0, 0.5, 0.75});
  ck_assert(isnan(s.first_negative) && isnan(s.half_decay));
  json_t *json = rpp_summary_json(&s);
  ck_assert(json_is_null(json_object_get(json, "first_negative")) && json_is_null(json_object_get(json, "half_decay")));
  ck_assert_double_eq(json_real_value(json_object_get(json, "max")), 0.75);
  ck_assert_double_eq(json_real_value(json_object_get(json, "max_at")), 2);
  json_decref(json);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("summary");
  TCase *tests = tcase_create("summary");
  tcase_add_test(tests, landmarks_are_the_first_of_their_kind);
  tcase_add_test(tests, what_never_happens_is_null);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
