/* test_bench_run.c: `ropepp-verify bench` as a user runs it: what it prints, its JSON, its exit status. Times are not judged. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/default_cases.h"
#include "bench/machine.h"
#include "cases/spec.h"
#include "shell.h"
#include "support.h"

#define bench(...) shell_run("ROPEPP_VERIFY", "$PROGRAM bench --seconds 0.001 " __VA_ARGS__)

/* A value of the last command's JSON, by keys and numbers of a path as "rows/0/seconds/median"; never null. */
static const json_t *at(const json_t *value, const char *path) {
  char text[100], *rest = text;
  snprintf(text, sizeof text, "%s", path);
  for (char *step; (step = strtok_r(rest, "/", &rest)) != NULL;)
    value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step)) : json_object_get(value, step);
  ck_assert_msg(value != NULL, "no %s in:\n%s", path, shell_out);
  return value;
}

static double number(const json_t *value, const char *path) {
  ck_assert_msg(json_is_number(at(value, path)), "%s is no number in:\n%s", path, shell_out);
  return json_number_value(at(value, path));
}

static bool is_null(const json_t *value, const char *path) {
  return json_is_null(at(value, path));
}

static json_t *json_out(void) {
  json_t *all = json_loads(shell_out, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(all != NULL, "%s", shell_out);
  return all;
}

/* ---- What it prints ----------------------------------------------------------------------------------------------------- */

START_TEST(a_table) {
  ck_assert_int_eq(bench("blocked blocked-f16 --case rope:lq=64 --case rope:lq=32,lk=0"), 0);
  shell_holds("FMA");
  shell_holds("rope:h=2,kv=2,lq=64,lk=64,d=64,seed=0\n  blocked ");
  shell_holds("\n  - angles ");
  shell_holds("\n  blocked rotate ");
  shell_holds("\n  blocked rotate in place ");
  shell_holds("not timed: blocked-f16: takes F16 (2 cases)\n");
  shell_lacks("/ rope");
  shell_lacks("peak");
  for (const char *line = shell_out; *line != '\0'; line += strcspn(line, "\n") + 1) ck_assert_uint_le(strcspn(line, "\n"), 132);
}
END_TEST

START_TEST(json_has_it_all) {
  ck_assert_int_eq(bench("blocked blocked-bf16 --json --case rope:h=4,kv=2,lq=64,dv=32 --vs blocked-f16"), 0);
  json_t *all = json_out();
  ck_assert_str_eq(json_string_value(at(all, "program")), "ropepp-verify");
  ck_assert_str_eq(json_string_value(at(all, "cpu")), rpp_machine_here().cpu);
  ck_assert_uint_eq(strlen(json_string_value(at(all, "date"))), 10);
  ck_assert(number(all, "threads") == 2);
  ck_assert(json_array_size(at(all, "rows")) == 1 && json_array_size(at(all, "skipped")) == 2);
  const json_t *row = at(all, "rows/0");
  ck_assert_str_eq(json_string_value(at(row, "case")), "rope:h=4,kv=2,lq=64,lk=64,d=64,dv=32,seed=0");
  ck_assert_str_eq(json_string_value(at(row, "kernel")), "blocked");
  ck_assert_str_eq(json_string_value(at(row, "task")), "forward");
  ck_assert(number(row, "runs") >= 3 && number(row, "operations") == 2 * 32 * 65 * 96 * 4);
  ck_assert(number(row, "bytes") == 4 * 64 * (4 * 64 + 2 * 96 + 4 * 32 + 4));
  const double median = number(row, "seconds/median");
  ck_assert(number(row, "seconds/low") > 0 && number(row, "seconds/low") <= median && median <= number(row, "seconds/high"));
  const double rate = number(row, "operations") / median, share = number(row, "of_probe/fma"), fma = number(row, "probes/fma");
  ck_assert_msg(share > 0 && share < 20 && rate > share * fma / 20 && rate < share * fma * 20, "%g, %g of %g", rate, share, fma);
  ck_assert(is_null(row, "of_probe/copy") && is_null(row, "to_rope") && is_null(row, "speedup") && is_null(row, "peak_bytes"));
  ck_assert(is_null(row, "vs"));
  ck_assert_str_eq(json_string_value(at(all, "skipped/0/kernel")), "blocked-f16");
  ck_assert_str_eq(json_string_value(at(all, "skipped/1/reason")), "takes BF16");
  json_decref(all);
}
END_TEST

START_TEST(comparisons) {
  ck_assert_int_eq(
      bench("blocked --json --case ec:h=2,lq=96 --case eh:h=2,lq=95 --case rope:h=2,lq=96 --vs blocked --scaling --memory"), 0);
  json_t *all = json_out();
  ck_assert_str_eq(json_string_value(at(all, "vs")), "blocked");
  for (size_t i = 0; i < 3; i++) {
    const json_t *row = json_array_get(at(all, "rows"), i);
    ck_assert(number(row, "vs/seconds") > 0 && number(row, "vs/ratio") > 0 && number(row, "speedup") > 0);
    ck_assert(number(row, "peak_bytes") > number(row, "bytes") && number(row, "peak_bytes") < 1e9);
    ck_assert(is_null(row, "to_rope") == (i > 0)); /* eh's twin is not there, and rope is its own */
  }
  ck_assert(number(all, "rows/0/to_rope") > 0);
  json_decref(all);
}
END_TEST

START_TEST(kernels_of_the_simt_runtime) {
  ck_assert_int_eq(bench("simt:rotate simt:attention-f32 --case rope:h=1,lq=8,d=64 --case rope:h=1,lq=8,lk=0,d=64"), 0);
  shell_holds("\n  simt:attention-f32 ");
  shell_holds("\n  simt:rotate rotate in place ");
  shell_holds("not timed: simt:rotate: has no attention: it is timed where lk=0 (1 case)\n");
}
END_TEST

/* ---- Statuses ----------------------------------------------------------------------------------------------------------- */

START_TEST(statuses) {
  static const char *const usage[] = {"nobody",      "--vs nobody",    "--case ec:h=zero", "--case h=2",
                                      "--seconds 0", "--seconds soon", "--format tap",     "--nothing",
                                      "--case",      "blocked nobody", "--case eh:h=3",    "--memory=yes"};
  for (size_t i = 0; i < sizeof usage / sizeof *usage; i++) {
    ck_assert_msg(bench("%s", usage[i]) == 2, "%s: %s", usage[i], shell_out);
    shell_holds("ropepp-verify");
  }
  ck_assert_int_eq(bench("blocked --case rope:dtype=bf16"), 1);
  shell_holds("not timed: blocked: takes F32 (1 case)\n");
  ck_assert_int_eq(bench("blocked --json --case rope:lk=0,inputs=rotated"), 1);
  json_t *all = json_out();
  ck_assert(json_array_size(at(all, "rows")) == 0 && is_null(all, "probes/fma/operations_per_second"));
  json_decref(all);
  ck_assert_int_eq(bench("blocked --case rope:lq=8 >/dev/full"), 2);
  ck_assert_int_eq(bench("--help"), 0);
  shell_holds("inputs=rotated");
}
END_TEST

/* Each default case is sound, and no two are the same. */
START_TEST(default_cases) {
  char texts[100][RPP_SPEC_TEXT];
  int count = 0;
  for (const char *const *text = rpp_bench_default_cases; *text != NULL; text++, count++) {
    rpp_spec spec;
    rpp_message error;
    ck_assert_msg(rpp_spec_parse(*text, &spec, &error), "%s: %s", *text, error.text);
    rpp_spec_print(&spec, texts[count]);
    for (int i = 0; i < count; i++) ck_assert_str_ne(texts[i], texts[count]);
  }
  ck_assert_int_gt(count, 10);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bench_run");
  TCase *tests = tcase_create("bench_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, a_table);
  tcase_add_test(tests, json_has_it_all);
  tcase_add_test(tests, comparisons);
  tcase_add_test(tests, kernels_of_the_simt_runtime);
  tcase_add_test(tests, statuses);
  tcase_add_test(tests, default_cases);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
