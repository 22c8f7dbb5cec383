/* test_commands.c: the commands of commands.c and case_commands.c, called as main calls them, over the identities of
 * synthetic_identities.c; test_main.c runs the built program. */
#define _GNU_SOURCE
#include <argp.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "support.h"
#include "synthetic_identities.h"

static char folder[] = "/tmp/ropepp-commands-XXXXXX", path[64];
static char *out, *complaints; /* what the last command wrote to stdout and to stderr */

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/case", folder);
}

static void teardown(void) {
  unlink(path);
  rmdir(folder);
  free(out);
  free(complaints);
}

static void read_all(FILE *f, char **text) {
  const off_t size = lseek(fileno(f), 0, SEEK_END);
  free(*text);
  *text = calloc((size_t)size + 1, 1);
  ck_assert_int_eq(pread(fileno(f), *text, (size_t)size, 0), size);
  fclose(f);
}

/* The exit status of a command, in a process of its own, since argp ends it on --help and on mistakes. Ends with a null argument. */
static int run(rpp_command_main *command, ...) {
  char *argv[16] = {"ropepp-verify command"};
  int argc = 1, status;
  va_list list;
  va_start(list, command);
  while ((argv[argc] = va_arg(list, char *)) != NULL) argc++;
  va_end(list);
  FILE *caught_out = tmpfile(), *caught_err = tmpfile();
  ck_assert(caught_out != NULL && caught_err != NULL);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    dup2(fileno(caught_out), STDOUT_FILENO);
    dup2(fileno(caught_err), STDERR_FILENO);
    argp_err_exit_status = 2;
    status = command(argc, argv);
    fflush(NULL);
    _exit(status);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  read_all(caught_out, &out);
  read_all(caught_err, &complaints);
  ck_assert_msg(WIFEXITED(status), "signal %d\n%s", WTERMSIG(status), complaints);
  return WEXITSTATUS(status);
}

/* Status 2, nothing on stdout, and one line that names the mistake, perhaps with getopt's hint after it. */
static void refused(int status, const char *mistake) {
  ck_assert_msg(status == 2, "status %d:\n%s%s", status, out, complaints);
  ck_assert_str_eq(out, "");
  char *end = strchr(complaints, '\n');
  ck_assert_msg(end != NULL && (end[1] == '\0' || strncmp(end + 1, "Try `", 5) == 0), "%s", complaints);
  *end = '\0';
  ck_assert_msg(strstr(complaints, mistake) != NULL, "\"%s\" does not hold \"%s\"", complaints, mistake);
}

static const char *golden(const char *name) {
  static char file[512];
  snprintf(file, sizeof file, "%s/%s.safetensors", getenv("ROPEPP_GOLDEN"), name);
  return file;
}

static void json_pass(const char *key, bool has_pass) {
  json_t *report = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(json_is_array(json_object_get(report, key)), "%s", out);
  ck_assert_int_eq(json_is_true(json_object_get(report, "pass")), has_pass);
  json_decref(report);
}

/* ---- commands.c --------------------------------------------------------------------------------------------------------- */

START_TEST(identities) {
  ck_assert_int_eq(run(rpp_main_identities, NULL), 0);
  ck_assert_ptr_nonnull(strstr(out, "adjustable"));
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
  ck_assert_ptr_nonnull(strstr(out, "4 tensors in 1 case: pass\n"));
  ck_assert_int_eq(run(rpp_main_check, "-fhuman", "--", golden("20_layer_rope"), NULL), 0);
  ck_assert_int_eq(run(rpp_main_check, golden("20_layer_rope"), "-fjson", NULL), 0);
  json_pass("cases", true);
  refused(run(rpp_main_check, "-fjson", NULL), "a case file is expected");
}
END_TEST

START_TEST(truth) {
  ck_assert_int_eq(run(rpp_main_truth, golden("20_layer_rope"), NULL), 0);
  ck_assert_ptr_nonnull(strstr(out, "3 identities, 0 failed; 1 cases, 0 failed: the truth holds\n"));
  refused(run(rpp_main_truth, "-fjson", golden("20_layer_rope"), NULL), "f");
  synthetic_deviation = 1;
  ck_assert_int_eq(run(rpp_main_truth, golden("20_layer_rope"), NULL), 1);
}
END_TEST

START_TEST(errata) {
  refused(run(rpp_main_errata, "now", NULL), "now: no argument is expected");
  refused(run(rpp_main_errata, "-fjson", NULL), "f");
  ck_assert_int_eq(run(rpp_main_errata, "--help", NULL), 0);
  ck_assert_ptr_nonnull(strstr(out, "errors in the paper's formulas"));
}
END_TEST

/* ---- case_commands.c ---------------------------------------------------------------------------------------------------- */

START_TEST(gen) {
  ck_assert_int_eq(run(rpp_main_gen, "ec:h=2,lq=3,d=4", "-o", path, NULL), 0);
  ck_assert(*out == '\0' && *complaints == '\0');
  FILE *f = fopen(path, "rb");
  ck_assert_ptr_nonnull(f);
  ck_assert(fseek(f, 0, SEEK_END) == 0 && ftell(f) > 8);
  fclose(f);
  refused(run(rpp_main_check, path, NULL), "nothing to judge"); /* read as a case, and one without answers */
  ck_assert_int_eq(run(rpp_main_gen, "--output", path, "--", "ec:h=2,lq=3,d=4", NULL), 0);
  ck_assert_int_eq(run(rpp_main_gen, "--help", NULL), 0);
  ck_assert(strstr(out, "  pairing ") != NULL && strstr(out, "-o, --output=FILE") != NULL);
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
  ck_assert_int_eq(strncmp(out, "seed 1, 5000 cases\n", 19), 0);
  ck_assert_int_eq(run(rpp_main_cases, "-n", "2", "-s", "18446744073709551615", NULL), 1);
  ck_assert_int_eq(strncmp(out, "seed 18446744073709551615, 2 cases\n", 35), 0);
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
