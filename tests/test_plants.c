/* Each planted kernel differs from the truth by more than its contract allows, or breaks it otherwise, on the case that is said to show it;
 * without the fault the same kernel passes there. */
#include "support.h"

#include "judge/judge.h"
#include "plants/plants.h"

#include <stdio.h>
#include <stdlib.h>

static rpp_verdict judge(const rpp_kernel *kernel, const char *region) {
  rpp_spec spec;
  rpp_verdict verdict;
  rpp_message error = {""};
  ck_assert_msg(rpp_spec_parse(region, &spec, &error), "%s: %s", kernel->name, error.text);
  rpp_judge_case(kernel, &spec, &verdict);
  return verdict;
}

static int count(void) {
  int plants = 0;
  while (rpp_plants[plants].kernel.name) plants++;
  return plants;
}

START_TEST(caught) {
  const rpp_plant *plant = &rpp_plants[_i];
  const rpp_verdict v = judge(&plant->kernel, plant->region);
  ck_assert_msg(rpp_verdict_fails(&v) && v.outcome != RPP_OUTCOME_ERROR && v.outcome != RPP_OUTCOME_REFUSED,
                "%s: %s (%s) on %s: ratios %g %g %g %g %g", plant->kernel.name, rpp_names_get(rpp_names_outcome, v.outcome),
                v.message.text, plant->region, v.ratio[0], v.ratio[1], v.ratio[2], v.ratio[3], v.ratio[4]);
  if (getenv("ROPEPP_SHOW"))
    fprintf(stderr, "%-26s %-10s %-14s %-20s %.3g %.3g %.3g %.3g %.3g\n", plant->kernel.name, plant->source,
            rpp_names_get(rpp_names_outcome, v.outcome),
            v.outcome == RPP_OUTCOME_MISMATCH ? rpp_names_get(rpp_names_gate, v.gate) : "", v.ratio[0], v.ratio[1], v.ratio[2],
            v.ratio[3], v.ratio[4]);
}
END_TEST

START_TEST(clean) {
  const rpp_plant *plant = &rpp_plants[_i];
  const rpp_verdict v = judge(&plant->clean, plant->region);
  ck_assert_msg(v.outcome == RPP_OUTCOME_PASS && v.elements > 0, "%s, clean: %s (%s) on %s: ratios %g %g %g %g %g",
                plant->kernel.name, rpp_names_get(rpp_names_outcome, v.outcome), v.message.text, plant->region, v.ratio[0],
                v.ratio[1], v.ratio[2], v.ratio[3], v.ratio[4]);
}
END_TEST

START_TEST(table) {
  int own = 0, explained = 0;
  ck_assert_int_ge(count(), 60);
  for (const rpp_plant *plant = rpp_plants; plant->kernel.name; plant++) {
    ck_assert_ptr_eq(rpp_plant_find(plant->kernel.name), plant);
    ck_assert(plant->kernel.description && plant->source && plant->region);
    ck_assert_int_eq(plant->kernel.contract.input, plant->clean.contract.input);
    own += strcmp(plant->source, "RoPE++") == 0;
    explained += strcmp(plant->source, "RoPE++") == 0 && plant->explanation != NULL;
  }
  ck_assert_int_ge(own, 10);
  ck_assert_int_ge(explained, own - 1); /* EH with odd heads is caught by refusal */
  ck_assert_ptr_null(rpp_plant_find("none-such"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plants");
  TCase *each = tcase_create("each");
  tcase_set_timeout(each, 60);
  tcase_add_loop_test(each, caught, 0, count());
  tcase_add_loop_test(each, clean, 0, count());
  tcase_add_test(each, table);
  suite_add_tcase(suite, each);
  return support_run(suite);
}
