/* test_commands.c: the commands of commands.c and case_commands.c, called as main calls them, over the identities of
 * synthetic_identities.c; test_main.c runs the built program. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command_call.h"
#include "support.h"
#include "synthetic_identities.h"

static char folder[] = "/tmp/ropepp-commands-XXXXXX", path[64];

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/case", folder);
}

static void teardown(void) {
  unlink(path);
  rmdir(folder);
  command_call_free();
}

#define run(command, ...) command_call(command, (const char *const[]){__VA_ARGS__})

/* Status 2, nothing on stdout, and one line that names the mistake, perhaps with getopt's hint after it. */
static void refused(int status, const char *mistake) {
  ck_assert_msg(status == 2, "status %d:\n%s%s", status, command_out, command_complaints);
  ck_assert_str_eq(command_out, "");
  char *end = strchr(command_complaints, '\n');
  ck_assert_msg(end != NULL && (end[1] == '\0' || strncmp(end + 1, "Try `", 5) == 0), "%s", command_complaints);
  *end = '\0';
  ck_assert_msg(strstr(command_complaints, mistake) != NULL, "\"%s\" does not hold \"%s\"", command_complaints, mistake);
}

static const char *golden(const char *name) {
  static char file[512];
  snprintf(file, sizeof file, "%s/%s.safetensors", getenv("ROPEPP_GOLDEN"), name);
  return file;
}

static void json_pass(const char *key, bool has_pass) {
  json_t *report = json_loads(command_out, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(json_is_array(json_object_get(report, key)), "%s", command_out);
  ck_assert_int_eq(json_is_true(json_object_get(report, "pass")), has_pass);
  json_decref(report);
}

/* ---- commands.c --------------------------------------------------------------------------------------------------------- */

START_TEST(identities) {
  ck_assert_int_eq(run(rpp_main_identities, NULL), 0);
  ck_assert_ptr_nonnull(strstr(command_out, "adjustable"));
  ck_assert_int_eq(run(rpp_main_identities, "-fjson", NULL), 0);
  json_pass("identities", false);
  refused(run(rpp_main_identities, "-fjunit", NULL), "junit");
  synthetic_deviation = 1;
  ck_assert_int_eq(run(rpp_main_identities, NULL), 1);
  ck_assert_int_eq(run(rpp_main_identities, "-fjson", NULL), 1);
  synthetic_deviation = 0, synthetic_planted = 0;
  ck_assert_int_eq(run(rpp_main_identities, NULL), 1);
}
END_TEST

START_TEST(check) {
  ck_assert_int_eq(run(rpp_main_check, golden("20_layer_rope"), NULL), 0);
  ck_assert_ptr_nonnull(strstr(command_out, "4 tensors in 1 case: pass\n"));
  ck_assert_int_eq(run(rpp_main_check, "-fhuman", "--", golden("20_layer_rope"), NULL), 0);
  ck_assert_int_eq(run(rpp_main_check, golden("20_layer_rope"), "-fjson", NULL), 0);
  json_pass("cases", true);
  refused(run(rpp_main_check, "-fjson", NULL), "a case file is expected");
}
END_TEST

START_TEST(truth) {
  ck_assert_int_eq(run(rpp_main_truth, golden("20_layer_rope"), NULL), 0);
  ck_assert_ptr_nonnull(strstr(command_out, "3 identities, 0 failed; 1 cases, 0 failed: the truth holds\n"));
  refused(run(rpp_main_truth, "-fjson", golden("20_layer_rope"), NULL), "f");
  synthetic_deviation = 1;
  ck_assert_int_eq(run(rpp_main_truth, golden("20_layer_rope"), NULL), 1);
}
END_TEST

START_TEST(errata) {
  refused(run(rpp_main_errata, "now", NULL), "now: no argument is expected");
  refused(run(rpp_main_errata, "-fjson", NULL), "f");
  ck_assert_int_eq(run(rpp_main_errata, "--help", NULL), 0);
  ck_assert_ptr_nonnull(strstr(command_out, "errors in the paper's formulas"));
}
END_TEST

/* ---- case_commands.c ---------------------------------------------------------------------------------------------------- */

START_TEST(gen) {
  ck_assert_int_eq(run(rpp_main_gen, "ec:h=2,lq=3,d=4", "-o", path, NULL), 0);
  ck_assert(*command_out == '\0' && *command_complaints == '\0');
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  ck_assert(fseek(f, 0, SEEK_END) == 0 && ftell(f) > 8);
  fclose(f);
  refused(run(rpp_main_check, path, NULL), "nothing to judge"); /* read as a case, and one without answers */
  ck_assert_int_eq(run(rpp_main_gen, "--output", path, "--", "ec:h=2,lq=3,d=4", NULL), 0);
  ck_assert_int_eq(run(rpp_main_gen, "--help", NULL), 0);
  ck_assert(strstr(command_out, "  pairing ") != NULL && strstr(command_out, "-o, --output=FILE") != NULL);
}
END_TEST

/* What is refused leaves no file, and one that was there as it was. */
START_TEST(gen_mistakes) {
  refused(run(rpp_main_gen, NULL), "a SPEC is expected");
  refused(run(rpp_main_gen, "-o", path, NULL), "a SPEC is expected");
  refused(run(rpp_main_gen, "ec:h=2", NULL), "-o FILE is expected");
  refused(run(rpp_main_gen, "ec:h=2", "rope:h=2", "-o", path, NULL), "rope:h=2: one SPEC is expected");
  refused(run(rpp_main_gen, "ec:h=two", "-o", path, NULL), "h = two");
  refused(run(rpp_main_gen, "", "-o", path, NULL), "SPEC: ");
  refused(run(rpp_main_gen, "ec:h=2", "-o", "/nonexistent/case", NULL), "No such file");
  refused(run(rpp_main_gen, "ec:h=2", "-o", folder, NULL), folder);
  refused(run(rpp_main_gen, "ec:h=2", "-o", "", NULL), "");
  refused(run(rpp_main_gen, "ec:h=2\nx", "-o", path, NULL), "?x");
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(cases) {
  ck_assert_int_eq(run(rpp_main_cases, NULL), 0);
  ck_assert_int_eq(strncmp(command_out, "seed 1, 5000 cases\n", 19), 0);
  ck_assert_int_eq(run(rpp_main_cases, "-n", "2", "-s", "18446744073709551615", NULL), 1);
  ck_assert_int_eq(strncmp(command_out, "seed 18446744073709551615, 2 cases\n", 35), 0);
  refused(run(rpp_main_cases, "--cases", "0", NULL), "--cases = 0");
  refused(run(rpp_main_cases, "--cases=1e3", NULL), "--cases = 1e3");
  refused(run(rpp_main_cases, "--cases", "9223372036854775808", NULL), "64-bit");
  refused(run(rpp_main_cases, "--seed", "-1", NULL), "--seed = -1");
  refused(run(rpp_main_cases, "--seed", "18446744073709551616", NULL), "--seed");
  refused(run(rpp_main_cases, "blocked", NULL), "blocked: no argument is expected");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("commands");
  TCase *tests = tcase_create("commands");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, identities);
  tcase_add_test(tests, check);
  tcase_add_test(tests, truth);
  tcase_add_test(tests, errata);
  tcase_add_test(tests, gen);
  tcase_add_test(tests, gen_mistakes);
  tcase_add_test(tests, cases);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
