/* test_selftest_run.c: the command selftest over the plants and kernels of synthetic_selftest.c: it passes when everything is as it
 * should be, and for each way in which something is not it fails and says so. */
#define _GNU_SOURCE
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "support.h"
#include "synthetic_selftest.h"

static char *out; /* what the command wrote on stdout */

/* The status of the command; each test is a process, whose own stdout says nothing. */
static int run(const char *format) {
  char *argv[] = {"ropepp-verify selftest", "--format", (char *)format, NULL};
  FILE *caught = tmpfile();
  ck_assert_ptr_nonnull(caught);
  fflush(stdout);
  const int before = dup(STDOUT_FILENO);
  ck_assert_int_ge(dup2(fileno(caught), STDOUT_FILENO), 0);
  const int status = rpp_main_selftest(3, argv);
  fflush(stdout);
  dup2(before, STDOUT_FILENO);
  close(before);
  const off_t size = lseek(fileno(caught), 0, SEEK_END);
  free(out);
  out = calloc((size_t)size + 1, 1);
  ck_assert_int_eq(pread(fileno(caught), out, (size_t)size, 0), size);
  fclose(caught);
  return status;
}

static void holds(const char *part) {
  ck_assert_msg(strstr(out, part) != NULL, "'%s' is not in:\n%s", part, out);
}

static json_t *entry(const json_t *report, const char *list, const char *name) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(report, list), i, one) {
    if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) return one;
  }
  ck_abort_msg("%s: not in %s", name, list);
  return NULL;
}

static json_t *run_json(int status) {
  ck_assert_int_eq(run("json"), status);
  json_t *report = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(report != NULL, "%s", out);
  ck_assert_int_eq(json_is_true(json_object_get(report, "pass")), status == 0);
  return report;
}

START_TEST(all_as_it_should_be) {
  ck_assert_int_eq(run("human"), 0);
  holds("7 plants, 0 missed, 0 not explained as they should be; 2 clean kernels, 0 false alarms: pass\n");
  holds("a quarter turn too far\n");
  for (int i = 0; i < SYNTHETIC_PLANTS + SYNTHETIC_CLEAN; i++) holds(synthetic_findings[i].name);
  ck_assert_ptr_null(strstr(out, "MISSED"));
}
END_TEST

/* Exactly these keys: programs count "caught". */
START_TEST(json_has_its_keys) {
  static const char *const gates[] = {"unwritten", "element", "statistical element", "row", "tensor", "crash", "structure"};
  json_t *report = run_json(0), *plants = json_object_get(report, "plants"), *clean = json_object_get(report, "clean");
  ck_assert(json_object_size(report) == 3 && json_array_size(plants) == SYNTHETIC_PLANTS &&
            json_array_size(clean) == SYNTHETIC_CLEAN);
  for (size_t i = 0; i < SYNTHETIC_PLANTS; i++) {
    const json_t *p = json_array_get(plants, i);
    ck_assert_uint_eq(json_object_size(p), 6);
    ck_assert_str_eq(json_string_value(json_object_get(p, "name")), synthetic_findings[i].name);
    ck_assert(json_is_true(json_object_get(p, "caught")));
    ck_assert_str_eq(json_string_value(json_object_get(p, "gate")), gates[i]);
    ck_assert_int_eq(json_integer_value(json_object_get(p, "cases")), 1); /* the first failure is enough */
    ck_assert(json_string_length(json_object_get(p, "shrunk")) > 0 && json_is_string(json_object_get(p, "explanation")));
  }
  for (size_t i = 0; i < SYNTHETIC_CLEAN; i++) {
    const json_t *k = json_array_get(clean, i);
    ck_assert_uint_eq(json_object_size(k), 3);
    ck_assert_str_eq(json_string_value(json_object_get(k, "name")), synthetic_findings[SYNTHETIC_PLANTS + i].name);
    ck_assert(json_is_true(json_object_get(k, "pass")));
    ck_assert_int_eq(json_integer_value(json_object_get(k, "cases")), 500);
  }
  int keys = 0;
  for (const char *at = out; (at = strstr(at, "\"caught\"")) != NULL; at++) keys++;
  ck_assert_int_eq(keys, SYNTHETIC_PLANTS);
  json_decref(report);
}
END_TEST

/* A plant that passes every case, or that is never run at all. */
START_TEST(a_missed_plant) {
  synthetic_find("dies")->outcome = _i == 0 ? RPP_OUTCOME_PASS : RPP_OUTCOME_UNSUPPORTED;
  json_t *report = run_json(1), *plant = entry(report, "plants", "dies");
  ck_assert(json_object_size(plant) == 6 && json_is_false(json_object_get(plant, "caught")));
  ck_assert(json_is_null(json_object_get(plant, "gate")) && json_is_null(json_object_get(plant, "shrunk")));
  json_decref(report);
  ck_assert_int_eq(run("human"), 1);
  holds("MISSED");
  holds("7 plants, 1 missed, 0 not explained as they should be; 2 clean kernels, 0 false alarms: FAIL\n");
}
END_TEST

START_TEST(a_wrong_explanation) {
  synthetic_find("explained")->explanation = _i == 0 ? "matches with base=1" : NULL;
  ck_assert_int_eq(run("human"), 1);
  holds("(NOT AS EXPECTED)\n");
  holds("7 plants, 0 missed, 1 not explained as they should be; 2 clean kernels, 0 false alarms: FAIL\n");
  json_decref(run_json(1));
}
END_TEST

/* A clean kernel that fails, of either kind, or of which nothing was judged. */
START_TEST(a_false_alarm) {
  static const rpp_outcome outcomes[] = {RPP_OUTCOME_MISMATCH, RPP_OUTCOME_CRASH, RPP_OUTCOME_UNSUPPORTED};
  const char *name = _i % 2 == 0 ? "own" : "emulated";
  synthetic_find(name)->outcome = outcomes[_i / 2];
  json_t *report = run_json(1);
  ck_assert(json_is_false(json_object_get(entry(report, "clean", name), "pass")));
  json_decref(report);
  ck_assert_int_eq(run("human"), 1);
  holds("FALSE ALARM");
  holds("7 plants, 0 missed, 0 not explained as they should be; 2 clean kernels, 1 false alarms: FAIL\n");
}
END_TEST

/* Every plant is caught, but one gate was first for none of them: it could be taken away. */
START_TEST(a_gate_that_earns_nothing) {
  static const char *const gates[] = {"structure", "element", "statistical element", "row", "tensor"};
  synthetic_finding *only = synthetic_find(_i == 0 ? "explained" : synthetic_findings[_i].name);
  char line[80];
  only->gate = (rpp_gate)((_i + 1) % RPP_GATES);
  ck_assert_int_eq(run("human"), 1);
  snprintf(line, sizeof line, "no plant was caught by the %s gate first\n", gates[_i]);
  holds(line);
  holds("7 plants, 0 missed, 0 not explained as they should be; 2 clean kernels, 0 false alarms: FAIL\n");
  json_decref(run_json(1));
}
END_TEST

START_TEST(an_interrupt) {
  synthetic_delay = 20;
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    usleep(300000);
    kill(parent, SIGINT);
    _exit(0);
  }
  ck_assert_int_eq(run("human"), 130);
  holds(": interrupted\n");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("selftest_run");
  TCase *tests = tcase_create("selftest_run");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, all_as_it_should_be);
  tcase_add_test(tests, json_has_its_keys);
  tcase_add_loop_test(tests, a_missed_plant, 0, 2);
  tcase_add_loop_test(tests, a_wrong_explanation, 0, 2);
  tcase_add_loop_test(tests, a_false_alarm, 0, 6);
  tcase_add_loop_test(tests, a_gate_that_earns_nothing, 0, RPP_GATES);
  tcase_add_test(tests, an_interrupt);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
