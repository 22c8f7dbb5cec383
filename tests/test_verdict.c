/* test_verdict.c: every enumerator has a name, and what counts as worse, as failing, as the same. */
#include "judge/verdict.h"

#include <math.h>

#include "support.h"

START_TEST(names) {
  for (int i = 0; i < RPP_OUTCOMES; i++) ck_assert_str_ne(rpp_names_get(rpp_names_outcome, i), "?");
  for (int i = 0; i < RPP_GATES; i++) ck_assert_str_ne(rpp_names_get(rpp_names_gate, i), "?");
  for (int i = 0; i < RPP_JUDGED_TENSORS; i++) ck_assert_str_ne(rpp_names_get(rpp_names_judged, i), "?");
}
END_TEST

START_TEST(ratios_are_ordered) {
  const double order[] = {-1, 0, 0.5, 1, 1e300, INFINITY, NAN};
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < 7; j++) ck_assert_int_eq(rpp_ratio_worse(order[i], order[j]), i > j);
}
END_TEST

START_TEST(kinds) {
  rpp_verdict a = rpp_verdict_none(), b = rpp_verdict_none();
  ck_assert(rpp_verdict_fails(&a) && a.elements == 0 && a.ratio[RPP_GATE_ROW] == -1);
  for (int i = 0; i < RPP_OUTCOMES; i++) {
    a.outcome = (rpp_outcome)i;
    ck_assert_int_eq(rpp_verdict_fails(&a), i != RPP_OUTCOME_PASS && i != RPP_OUTCOME_UNSUPPORTED);
    ck_assert(!rpp_outcome_severe(a.outcome) || rpp_verdict_fails(&a));
  }
  a.outcome = b.outcome = RPP_OUTCOME_MISMATCH;
  a.gate = RPP_GATE_ROW;
  ck_assert(!rpp_verdict_same_kind(&a, &b));
  a.outcome = b.outcome = RPP_OUTCOME_HANG; /* whose gate says nothing */
  ck_assert(rpp_verdict_same_kind(&a, &b));
  b.outcome = RPP_OUTCOME_CRASH;
  ck_assert(!rpp_verdict_same_kind(&a, &b));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("verdict");
  TCase *tests = tcase_create("verdict");
  tcase_add_test(tests, names);
  tcase_add_test(tests, ratios_are_ordered);
  tcase_add_test(tests, kinds);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
