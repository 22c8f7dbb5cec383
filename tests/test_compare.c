/* compare.c, and rpp_judge_compared: other projects' rules see the same outputs as our gates, whatever these say. */
#include "support.h"

#include "judge/judge.h"
#include "judge/rules.h"
#include "plants/plants.h"

enum { ALL = (1 << RPP_RULES) - 1 };

static rpp_verdict judge(const char *plant, bool clean) {
  rpp_spec spec;
  rpp_verdict verdict;
  rpp_message error;
  const rpp_plant *p = rpp_plant_find(plant);
  ck_assert(p && rpp_spec_parse(p->region, &spec, &error));
  rpp_judge_compared(clean ? &p->clean : &p->kernel, &spec, &verdict);
  return verdict;
}

static unsigned bit(const char *rule) {
  for (int i = 0; i < RPP_RULES; i++)
    if (strcmp(rpp_rules[i].name, rule) == 0) return 1U << i;
  ck_abort_msg("no rule %s", rule);
}

START_TEST(clean_kernels_pass) {
  const char *const plants[] = {"element-1e20", "heads-swapped", "gqa-tiled", "masked-row-nan", "packing-lost"};
  const rpp_verdict v = judge(plants[_i], true);
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_PASS);
  ck_assert(v.compared);
  ck_assert_msg(v.rules_failed == 0, "%s: %x", plants[_i], v.rules_failed);
}
END_TEST

static void expect(const char *plant, rpp_outcome outcome, unsigned failed) {
  const rpp_verdict v = judge(plant, false);
  ck_assert_msg(v.outcome == outcome, "%s: %s", plant, v.message.text);
  ck_assert_msg(v.compared && v.rules_failed == failed, "%s: %d, %x", plant, v.compared, v.rules_failed);
}

START_TEST(plants_are_seen_or_not) {
  const unsigned nan_passes = bit("llm.c") | bit("TE"), sees_lse = bit("CUTLASS") | bit("cuDNN-FE");
  expect("heads-swapped", RPP_OUTCOME_MISMATCH, ALL);
  expect("element-1e20", RPP_OUTCOME_MISMATCH, ALL & ~bit("ggml"));
  expect("corner-nan", RPP_OUTCOME_MISMATCH, ALL & ~nan_passes);
  expect("lse-base-2", RPP_OUTCOME_MISMATCH, sees_lse);
}
END_TEST

START_TEST(what_our_gates_stop_early_is_compared_too) {
  const unsigned nan_passes = bit("llm.c") | bit("TE"), sees_lse = bit("CUTLASS") | bit("cuDNN-FE");
  expect("eh-odd-heads", RPP_OUTCOME_MISMATCH, 0);                                /* before the kernel runs */
  expect("last-bit", RPP_OUTCOME_MISMATCH, judge("last-bit", true).rules_failed); /* before the truth is needed */
  expect("writes-after", RPP_OUTCOME_OUTSIDE, 0);
  expect("writes-input", RPP_OUTCOME_OUTSIDE, 0); /* the truth is that of what q was */
  expect("nothing-written", RPP_OUTCOME_UNWRITTEN, ALL & ~nan_passes);
  expect("lse-unwritten", RPP_OUTCOME_UNWRITTEN, sees_lse);
}
END_TEST

START_TEST(only_when_asked) {
  rpp_spec spec;
  rpp_verdict verdict;
  rpp_message error;
  const rpp_plant *p = rpp_plant_find("heads-swapped");
  ck_assert(rpp_spec_parse(p->region, &spec, &error));
  rpp_judge_case(&p->kernel, &spec, &verdict);
  ck_assert(!verdict.compared && verdict.rules_failed == 0);
  ck_assert(rpp_spec_parse("rope:b=1,lq=0,lk=4,d=8", &spec, &error));
  rpp_judge_compared(&p->clean, &spec, &verdict);
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_PASS);
  ck_assert(!verdict.compared); /* nothing there */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("compare");
  TCase *cases = tcase_create("compare");
  tcase_add_loop_test(cases, clean_kernels_pass, 0, 5);
  tcase_add_test(cases, plants_are_seen_or_not);
  tcase_add_test(cases, what_our_gates_stop_early_is_compared_too);
  tcase_add_test(cases, only_when_asked);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
