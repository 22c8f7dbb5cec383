/* identities.c: how an identity is run and reported, on synthetic ones: real ones have programs of their own. */
#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "identities/identity.h"
#include "support.h"
#include "synthetic_identities.h"

enum { SEED = 7, CASES = 40 };

static double holds, planted;
static atomic_int calls[2][CASES];

/* Answers as told, from its fourth case on; before, it holds and its plant is caught. Cases are known by what they draw. */
static double answer(rpp_random *random, bool plant) {
  const uint64_t drawn = rpp_random_bits(random);
  int i = 0;
  for (; i < CASES; i++) {
    rpp_random expected = rpp_random_make(SEED, (uint64_t)i);
    if (rpp_random_bits(&expected) == drawn) break;
  }
  if (i == CASES) return NAN;
  atomic_fetch_add(&calls[plant][i], 1);
  return i < 3 ? plant : plant ? planted : holds;
}

static rpp_identity_result run(double bound, int cases, double deviation, double control) {
  const rpp_identity identity = {"synthetic", "0", "as told; plant: as told", bound, cases, answer};
  holds = deviation, planted = control;
  for (int i = 0; i < CASES; i++) calls[0][i] = calls[1][i] = 0;
  const rpp_identity_result result = rpp_identity_run(&identity, SEED);
  for (int i = 0; i < CASES; i++)
    ck_assert(calls[0][i] == (i < cases) && calls[1][i] == (i < cases)); /* each and its control, once */
  return result;
}

START_TEST(one_that_holds_passes) {
  const rpp_identity_result result = run(0.5, 6, 0.25, 1);
  ck_assert(result.pass && result.control_caught && result.deviation == 0.25);
}
END_TEST

START_TEST(the_bound_is_included) {
  ck_assert(run(0.5, 4, 0.5, 1).pass);
  ck_assert(!run(0.5, 4, nextafter(0.5, 1), 1).pass);
  ck_assert(run(0, 4, 0, 1).pass); /* bit for bit */
  ck_assert(!run(0, 4, 0x1p-1074, 1).pass);
}
END_TEST

START_TEST(a_nan_deviation_fails) {
  const rpp_identity_result result = run(0.5, 6, NAN, 1);
  ck_assert(!result.pass && result.deviation == INFINITY && result.control_caught);
  ck_assert(!run(INFINITY, 6, 1, 1).control_caught); /* a bound that nothing passes is caught by its control */
}
END_TEST

START_TEST(one_bad_case_fails) {
  const double bad[] = {0.75, INFINITY, NAN, -NAN};
  for (int i = 0; i < 4; i++) {
    const rpp_identity_result result = run(0.5, 4, bad[i], 1); /* the last case alone */
    ck_assert(!result.pass && !(result.deviation <= 0.5));
  }
}
END_TEST

START_TEST(no_cases_fail) {
  const rpp_identity_result result = run(0.5, 0, 0, 1);
  ck_assert(!result.pass && !result.control_caught && result.deviation == INFINITY);
  ck_assert(!run(0.5, -1, 0, 1).pass);
}
END_TEST

START_TEST(a_blind_control_is_noticed) {
  const double blind[] = {0, 0.5, 0.25, -1};
  for (int i = 0; i < 4; i++) {
    const rpp_identity_result result = run(0.5, 4, 0, blind[i]);
    ck_assert(result.pass && !result.control_caught);
  }
  ck_assert(run(0.5, 4, 0, nextafter(0.5, 1)).control_caught);
  ck_assert(run(0.5, 4, 0, INFINITY).control_caught && run(0.5, 4, 0, NAN).control_caught); /* neither would pass */
}
END_TEST

START_TEST(threads_change_nothing) {
  for (int threads = 1; threads < 5; threads++) {
    omp_set_num_threads(threads);
    const rpp_identity_result result = run(0.5, CASES, 0.75, 0.25);
    ck_assert(!result.pass && !result.control_caught && result.deviation == 0.75);
    ck_assert(run(0.5, CASES, 0.25, 1).pass);
  }
}
END_TEST

static char *text;

static int report(rpp_format format) {
  size_t size;
  free(text);
  FILE *out = open_memstream(&text, &size);
  const int status = rpp_identities_run(format, out);
  fclose(out);
  return status;
}

START_TEST(the_table_for_people) {
  ck_assert_int_eq(report(RPP_FORMAT_HUMAN), 0);
  ck_assert_str_eq(text, "what                                 equation  deviation     bound  cases  plant   verdict\n"
                         "exact                                1          0.00e+00  0.00e+00     10  caught  ok\n"
                         "adjustable                           2, 3       1.00e-04  1.00e-03      5  caught  ok\n"
                         "exact-too                            4a         0.00e+00  0.00e+00      1  caught  ok\n"
                         "3 identities, 0 failed: pass\n");
  synthetic_deviation = NAN;
  ck_assert_int_eq(report(RPP_FORMAT_HUMAN), 1);
  ck_assert_ptr_nonnull(
      strstr(text, "\nadjustable                           2, 3            inf  1.00e-03      5  caught  FAIL\n"));
  ck_assert_ptr_nonnull(strstr(text, "\n3 identities, 1 failed: FAIL\n"));
  synthetic_deviation = 0, synthetic_planted = 1e-3;
  ck_assert_int_eq(report(RPP_FORMAT_HUMAN), 1);
  ck_assert_ptr_nonnull(
      strstr(text, "\nadjustable                           2, 3       0.00e+00  1.00e-03      5  MISSED  FAIL\n"));
  ck_assert_ptr_nonnull(strstr(text, "\n3 identities, 1 failed: FAIL\n"));
}
END_TEST

/* The report's entry "adjustable"; to be released by its report. */
static json_t *read_report(json_t **whole) {
  *whole = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(*whole != NULL, "%s", text);
  ck_assert_uint_eq(json_object_size(*whole), 1);
  json_t *list = json_object_get(*whole, "identities");
  ck_assert_uint_eq(json_array_size(list), SYNTHETIC_COUNT);
  return json_array_get(list, 1);
}

START_TEST(the_report_for_programs) {
  json_t *whole, *entry;
  ck_assert_int_eq(report(RPP_FORMAT_JSON), 0);
  entry = read_report(&whole);
  ck_assert_uint_eq(json_object_size(entry), 8);
  ck_assert_str_eq(json_string_value(json_object_get(entry, "name")), "adjustable");
  ck_assert_str_eq(json_string_value(json_object_get(entry, "equation")), "2, 3");
  ck_assert_str_eq(json_string_value(json_object_get(entry, "statement")), "as told; plant: as told");
  ck_assert_double_eq(json_real_value(json_object_get(entry, "deviation")), 1e-4);
  ck_assert_double_eq(json_real_value(json_object_get(entry, "bound")), 1e-3);
  ck_assert(json_is_true(json_object_get(entry, "pass")) && json_is_true(json_object_get(entry, "control_caught")));
  ck_assert_int_eq(json_integer_value(json_object_get(entry, "cases")), 5);
  json_decref(whole);

  synthetic_deviation = INFINITY, synthetic_planted = 0;
  ck_assert_int_eq(report(RPP_FORMAT_JSON), 1);
  entry = read_report(&whole);
  ck_assert_str_eq(json_string_value(json_object_get(entry, "deviation")), "inf");
  ck_assert(json_is_false(json_object_get(entry, "pass")) && json_is_false(json_object_get(entry, "control_caught")));
  json_decref(whole);
}
END_TEST

START_TEST(totals_add_up) {
  FILE *out = fopen("/dev/null", "w");
  ck_assert_ptr_nonnull(out);
  rpp_identities_total total = rpp_identities_report(RPP_FORMAT_HUMAN, out);
  ck_assert(total.count == SYNTHETIC_COUNT && total.failed == 0);
  synthetic_deviation = 1, synthetic_planted = 0; /* both wrong is one failure */
  total = rpp_identities_report(RPP_FORMAT_JSON, out);
  ck_assert(total.count == SYNTHETIC_COUNT && total.failed == 1);
  fclose(out);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("identities");
  TCase *tests = tcase_create("identities");
  tcase_add_test(tests, one_that_holds_passes);
  tcase_add_test(tests, the_bound_is_included);
  tcase_add_test(tests, a_nan_deviation_fails);
  tcase_add_test(tests, one_bad_case_fails);
  tcase_add_test(tests, no_cases_fail);
  tcase_add_test(tests, a_blind_control_is_noticed);
  tcase_add_test(tests, threads_change_nothing);
  tcase_add_test(tests, the_table_for_people);
  tcase_add_test(tests, the_report_for_programs);
  tcase_add_test(tests, totals_add_up);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
