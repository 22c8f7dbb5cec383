/* plants.c and cuda_plants.c: each planted kernel differs from the truth by more than its contract allows, or breaks it otherwise, on the
 * case that is said to show it, or is reported by the SIMT runtime; without the fault the same kernel passes there. */
#include "support.h"

#include "explain/explain.h"
#include "judge/judge.h"
#include "plants/plants.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static rpp_verdict judge(const rpp_kernel *kernel, const char *region) {
  rpp_spec spec;
  rpp_verdict verdict;
  rpp_message error = {""};
  ck_assert_msg(rpp_spec_parse(region, &spec, &error), "%s: %s", kernel->name, error.text);
  rpp_judge_case(kernel, &spec, &verdict);
  return verdict;
}

static int count(const rpp_plant *plants) {
  int n = 0;
  while (plants[n].kernel.name) n++;
  return n;
}

/* Those of the CPU, then CUDA's. */
static const rpp_plant *plant_at(int i) {
  const int own = count(rpp_plants);
  return i < own ? &rpp_plants[i] : &rpp_cuda_plants()[i - own];
}

static bool dies(const rpp_kernel *kernel, const char *region) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(0);
    judge(kernel, region);
    _exit(0);
  }
  ck_assert_int_gt(child, 0);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

START_TEST(caught) {
  const rpp_plant *plant = plant_at(_i);
  /* Offsets lead to where there is no memory, or a sanitizer has seen the fault. */
  if (strcmp(plant->source, "CUDA") == 0 && dies(&plant->kernel, plant->region)) return;
  const rpp_verdict v = judge(&plant->kernel, plant->region);
  const bool refused = v.outcome == RPP_OUTCOME_REFUSED, may_refuse = strcmp(plant->source, "CUDA") == 0;
  ck_assert_msg(rpp_verdict_fails(&v) && v.outcome != RPP_OUTCOME_ERROR && (plant->report ? refused : may_refuse || !refused),
                "%s: %s (%s) on %s: ratios %g %g %g %g %g", plant->kernel.name, rpp_names_get(rpp_names_outcome, v.outcome),
                v.message.text, plant->region, v.ratio[0], v.ratio[1], v.ratio[2], v.ratio[3], v.ratio[4]);
  if (getenv("ROPEPP_SHOW"))
    fprintf(stderr, "%-26s %-10s %-14s %-20s %.3g %.3g %.3g %.3g %.3g\n", plant->kernel.name, plant->source,
            rpp_names_get(rpp_names_outcome, v.outcome),
            v.outcome == RPP_OUTCOME_MISMATCH ? rpp_names_get(rpp_names_gate, v.gate) : "", v.ratio[0], v.ratio[1], v.ratio[2],
            v.ratio[3], v.ratio[4]);
  ck_assert_msg(!plant->report || strstr(v.message.text, plant->report), "%s: %s", plant->kernel.name, v.message.text);
}
END_TEST

START_TEST(clean) {
  const rpp_plant *plant = plant_at(_i);
  const rpp_verdict v = judge(&plant->clean, plant->region);
  ck_assert_msg(v.outcome == RPP_OUTCOME_PASS && v.elements > 0, "%s, clean: %s (%s) on %s: ratios %g %g %g %g %g",
                plant->kernel.name, rpp_names_get(rpp_names_outcome, v.outcome), v.message.text, plant->region, v.ratio[0],
                v.ratio[1], v.ratio[2], v.ratio[3], v.ratio[4]);
}
END_TEST

START_TEST(table) {
  const int all = count(rpp_plants) + count(rpp_cuda_plants());
  int own = 0, explained = 0;
  ck_assert_int_ge(count(rpp_plants), 60);
  ck_assert_int_ge(count(rpp_cuda_plants()), 24);
  for (int i = 0; i < all; i++) {
    const rpp_plant *plant = plant_at(i);
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

/* ---- Offsets of 32 bits ----------------------------------------------------------------------------------------------------- */

static const char *const narrow[] = {"offset-int32", "result-offset-int32"};
#define FOUR_TOKENS "rope:h=1,lq=4,d=8,layout="

/* Right wherever 32 bits are enough, and named where they are not. */
START_TEST(narrow_offsets_are_wrong_far_out_alone) {
  const rpp_plant *plant = rpp_plant_find(narrow[_i]);
  static const char *const close[] = {"contiguous", "head-major", "padded", "fused", "sliced"};
  rpp_message said = {""};
  char text[100];
  for (size_t i = 0; i < sizeof close / sizeof *close; i++) {
    snprintf(text, sizeof text, FOUR_TOKENS "%s", close[i]);
    ck_assert_msg(judge(&plant->kernel, text).outcome == RPP_OUTCOME_PASS, "%s: %s", narrow[_i], text);
  }
  rpp_spec spec;
  ck_assert(rpp_spec_parse(plant->region, &spec, &said));
  const rpp_verdict v = judge(&plant->kernel, plant->region);
  ck_assert(rpp_explain(&plant->kernel, &spec, &v, &said));
  ck_assert_msg(strstr(said.text, plant->explanation) != NULL, "%s: %s", narrow[_i], said.text);
}
END_TEST

/* Past 2^32 they lead where there is no memory. */
START_TEST(narrow_offsets_end_in_a_gap) {
  const rpp_plant *plant = rpp_plant_find(narrow[_i]);
  ck_assert(dies(&plant->kernel, FOUR_TOKENS "sparse"));
  ck_assert(!dies(&plant->clean, FOUR_TOKENS "sparse"));
  ck_assert(judge(&plant->clean, FOUR_TOKENS "sparse").outcome == RPP_OUTCOME_PASS);
}
END_TEST

START_TEST(other_faults_are_not_called_narrow) {
  const rpp_plant *plant = rpp_plant_find("scale-lost");
  const char *region = "rope:lq=6,d=8,layout=sparse";
  rpp_spec spec;
  rpp_message said = {""};
  ck_assert(rpp_spec_parse(region, &spec, &said));
  const rpp_verdict v = judge(&plant->kernel, region);
  ck_assert(rpp_explain(&plant->kernel, &spec, &v, &said));
  ck_assert_msg(strstr(said.text, plant->explanation) != NULL && strstr(said.text, "32 bits") == NULL, "%s", said.text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plants");
  TCase *each = tcase_create("each");
  const int all = count(rpp_plants) + count(rpp_cuda_plants());
  tcase_set_timeout(each, 60);
  tcase_add_loop_test(each, caught, 0, all);
  tcase_add_loop_test(each, clean, 0, all);
  tcase_add_test(each, table);
  tcase_add_loop_test(each, narrow_offsets_are_wrong_far_out_alone, 0, 2);
  tcase_add_loop_test(each, narrow_offsets_end_in_a_gap, 0, 2);
  tcase_add_test(each, other_faults_are_not_called_narrow);
  suite_add_tcase(suite, each);
  return support_run(suite);
}
