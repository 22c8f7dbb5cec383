/* main.c: the command line of the built program: exit statuses, what goes to which stream, and one line for each mistake. */
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { MOST_ARGUMENTS = 32 };

static char folder[] = "/tmp/ropepp-main-XXXXXX", damaged[64], truncated[64];
static char *out, *complaints; /* what the last run wrote to stdout and to stderr */
static glob_t golden;

static char *read_all(FILE *f, size_t *size) {
  *size = (size_t)lseek(fileno(f), 0, SEEK_END);
  char *bytes = calloc(*size + 1, 1);
  ck_assert_int_eq(pread(fileno(f), bytes, *size, 0), (ssize_t)*size);
  return bytes;
}

static void save(const char *path, const char *bytes, size_t size) {
  FILE *f = fopen(path, "wb");
  ck_assert(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

static void setup(void) {
  char pattern[512];
  size_t size;
  ck_assert(getenv("ROPEPP_VERIFY") != NULL && getenv("ROPEPP_GOLDEN") != NULL);
  snprintf(pattern, sizeof pattern, "%s/*.safetensors", getenv("ROPEPP_GOLDEN"));
  ck_assert_int_eq(glob(pattern, 0, NULL, &golden), 0);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(damaged, sizeof damaged, "%s/damaged", folder);
  snprintf(truncated, sizeof truncated, "%s/truncated", folder);
  FILE *f = fopen(golden.gl_pathv[0], "rb");
  char *bytes = read_all(f, &size);
  fclose(f);
  save(truncated, bytes, size - 100);
  double last; /* of lse, in the golden case without layers */
  memcpy(&last, bytes + size - sizeof last, sizeof last);
  last *= 1 + 1e-6;
  memcpy(bytes + size - sizeof last, &last, sizeof last);
  save(damaged, bytes, size);
  free(bytes);
}

static void teardown(void) {
  unlink(damaged);
  unlink(truncated);
  rmdir(folder);
  globfree(&golden);
  free(out);
  free(complaints);
}

/* The exit status of the program with these arguments, the last one null; stdout goes to a file of that name, or is caught. */
static int run_into(const char *stdout_name, const char *const *arguments) {
  char *argv[MOST_ARGUMENTS + 2] = {getenv("ROPEPP_VERIFY")};
  for (int i = 0; arguments[i]; i++) {
    ck_assert_int_lt(i, MOST_ARGUMENTS);
    argv[i + 1] = (char *)arguments[i];
  }
  size_t size;
  FILE *caught_out = stdout_name ? fopen(stdout_name, "w") : tmpfile(), *caught_err = tmpfile();
  ck_assert(caught_out != NULL && caught_err != NULL);
  const pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    dup2(fileno(caught_out), STDOUT_FILENO);
    dup2(fileno(caught_err), STDERR_FILENO);
    execv(argv[0], argv);
    _exit(127);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  free(out);
  free(complaints);
  out = stdout_name ? NULL : read_all(caught_out, &size);
  complaints = read_all(caught_err, &size);
  fclose(caught_out);
  fclose(caught_err);
  ck_assert_msg(WIFEXITED(status), "%s %s: signal %d\n%s", argv[0], argv[1] ? argv[1] : "", WTERMSIG(status), complaints);
  return WEXITSTATUS(status);
}

#define run(...) run_into(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Exit 2, nothing on stdout, and on stderr one line, which names the program and the mistake; then getopt's hint at --help, perhaps. */
static void check_usage(int status, const char *mistake) {
  ck_assert_msg(status == 2, "status %d:\n%s", status, complaints);
  ck_assert_str_eq(out, "");
  char *rest = strchr(complaints, '\n');
  ck_assert_msg(rest != NULL && strstr(complaints, "ropepp-verify") != NULL, "%s", complaints);
  *rest++ = '\0';
  ck_assert_msg(strstr(complaints, mistake) != NULL, "\"%s\" does not hold \"%s\"", complaints, mistake);
  ck_assert_msg(*rest == '\0' || strncmp(rest, "Try `", 5) == 0, "%s", rest);
}

START_TEST(usage_mistakes) {
  const char *file = golden.gl_pathv[0];
  check_usage(run_into(NULL, (const char *const[]){NULL}), "Usage: ");
  check_usage(run("frobnicate"), "ropepp-verify: frobnicate: ");
  check_usage(run(""), "ropepp-verify: : ");
  check_usage(run("checks", file), "checks");
  check_usage(run("--frobnicate"), "--frobnicate");
  check_usage(run("-x"), "'x'");
  check_usage(run("--format", "json", "identities"), "--format"); /* an option of the commands */
  check_usage(run("check"), "a case file is expected");
  check_usage(run("check", "--format", "json"), "a case file is expected");
  check_usage(run("truth"), "a case file is expected");
  check_usage(run("check", "--frobnicate", file), "--frobnicate");
  check_usage(run("check", "--format", "xml", file), "xml");
  check_usage(run("check", file, "--format"), "--format");
  check_usage(run("truth", "--format", "json", file), "--format");
  check_usage(run("identities", "x"), "ropepp-verify identities: x: ");
  check_usage(run("identities", "--format=tap"), "tap");
  check_usage(run("errata", "x"), "ropepp-verify errata: x: ");
}
END_TEST

START_TEST(help_and_version) {
  const char *const commands[] = {"identities", "check", "truth", "errata"};
  ck_assert_int_eq(run("--help"), 0);
  ck_assert_str_eq(complaints, "");
  for (int i = 0; i < 4; i++) ck_assert_ptr_nonnull(strstr(out, commands[i]));
  for (int i = 0; i < 4; i++) {
    char usage[64];
    snprintf(usage, sizeof usage, "Usage: ropepp-verify %s", commands[i]);
    ck_assert_int_eq(run(commands[i], "--help"), 0);
    ck_assert_msg(strncmp(out, usage, strlen(usage)) == 0, "%s", out);
    ck_assert_str_eq(complaints, "");
  }
  ck_assert_int_eq(run("--version"), 0);
  ck_assert_int_eq(strncmp(out, "ropepp-verify 0.", 16), 0);
}
END_TEST

START_TEST(check_judges) {
  const char *file = golden.gl_pathv[0];
  ck_assert_int_eq(run("check", file), 0);
  ck_assert_str_eq(complaints, "");
  ck_assert_ptr_nonnull(strstr(out, "\n5 tensors in 1 case: pass\n"));
  ck_assert_int_eq(run("check", damaged), 1);
  ck_assert_ptr_nonnull(strstr(out, ": FAIL\n"));
  const char *const bad[] = {truncated, folder, "/nonexistent", "/dev/null"};
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(run("check", bad[i]), 2);
    const char *end = strchr(complaints, '\n');
    ck_assert(strncmp(complaints, "ropepp-verify: check: ", 22) == 0 && end != NULL && end[1] == '\0');
  }
  ck_assert_int_eq(run("check", file, damaged), 1);
  ck_assert_int_eq(run("check", truncated, damaged, file), 2);
  ck_assert_int_eq(run("check", "--", file), 0);
}
END_TEST

START_TEST(check_reports_as_json) {
  const char *file = golden.gl_pathv[0];
  const char *const orders[][4] = {
      {"check", "--format", "json", file}, {"check", file, "-f", "json"}, {"check", "--format=json", file, NULL}};
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(run(orders[i][0], orders[i][1], orders[i][2], orders[i][3]), 0);
    json_t *report = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(report != NULL, "%s", out);
    ck_assert(json_is_true(json_object_get(report, "pass")) && json_array_size(json_object_get(report, "cases")) == 1);
    json_decref(report);
  }
  ck_assert_int_eq(run("check", "--format", "json", damaged, truncated), 2);
  json_t *report = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
  ck_assert(json_is_false(json_object_get(report, "pass")) && json_array_size(json_object_get(report, "cases")) == 2);
  json_decref(report);
}
END_TEST

/* What is promised of the real identities, by the report that programs read. */
START_TEST(identities_hold) {
  static const char *const keys[] = {"name", "equation", "deviation", "bound", "pass", "control_caught", "cases"};
  ck_assert_int_eq(run("identities", "--format", "json"), 0);
  ck_assert_str_eq(complaints, "");
  json_t *report = json_loads(out, JSON_REJECT_DUPLICATES, NULL), *list = json_object_get(report, "identities"), *entry;
  ck_assert_uint_eq(json_object_size(report), 1);
  ck_assert_uint_ge(json_array_size(list), 22);
  size_t i;
  json_array_foreach(list, i, entry) {
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) ck_assert_ptr_nonnull(json_object_get(entry, keys[k]));
    ck_assert_uint_eq(json_object_size(entry), 7 + (json_object_get(entry, "statement") != NULL));
    const char *name = json_string_value(json_object_get(entry, "name"));
    const json_t *deviation = json_object_get(entry, "deviation"), *bound = json_object_get(entry, "bound");
    ck_assert(name != NULL && *name && json_string_length(json_object_get(entry, "equation")) > 0);
    ck_assert_msg(json_is_true(json_object_get(entry, "pass")) && json_is_true(json_object_get(entry, "control_caught")), "%s",
                  name);
    ck_assert(json_is_real(deviation) && json_is_real(bound) && json_real_value(deviation) <= json_real_value(bound));
    ck_assert_int_gt(json_integer_value(json_object_get(entry, "cases")), 0);
    for (size_t j = 0; j < i; j++) ck_assert_str_ne(name, json_string_value(json_object_get(json_array_get(list, j), "name")));
  }
  json_decref(report);
}
END_TEST

/* One run, since it takes all identities along: 0 is what bootstrap sees, and test_truth.c sees 0, 1 and 2. */
START_TEST(truth_fails) {
  ck_assert_int_eq(run("truth", golden.gl_pathv[0], damaged), 1);
  ck_assert_str_eq(complaints, "");
  ck_assert_ptr_nonnull(strstr(out, " identities, 0 failed; 2 cases, 1 failed: FAIL\n"));
}
END_TEST

START_TEST(a_full_disk_is_no_success) {
  const char *const *const commands[] = {(const char *const[]){"check", golden.gl_pathv[0], NULL},
                                         (const char *const[]){"check", "--format", "json", golden.gl_pathv[0], NULL},
                                         (const char *const[]){"errata", NULL},
                                         (const char *const[]){"--help", NULL},
                                         (const char *const[]){"check", "--help", NULL},
                                         (const char *const[]){"--version", NULL}};
  for (int i = 0; i < 6; i++) {
    ck_assert_int_eq(run_into("/dev/full", commands[i]), 2);
    ck_assert_msg(strstr(complaints, "No space left on device") != NULL, "%s", complaints);
  }
}
END_TEST

START_TEST(errata_are_shown) {
  ck_assert_int_eq(run("errata"), 0);
  ck_assert_str_eq(complaints, "");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("main");
  TCase *tests = tcase_create("main");
  tcase_set_timeout(tests, 200); /* every identity under a sanitizer, on a busy machine */
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, usage_mistakes);
  tcase_add_test(tests, help_and_version);
  tcase_add_test(tests, check_judges);
  tcase_add_test(tests, check_reports_as_json);
  tcase_add_test(tests, identities_hold);
  tcase_add_test(tests, truth_fails);
  tcase_add_test(tests, a_full_disk_is_no_success);
  tcase_add_test(tests, errata_are_shown);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
