/* coverage_run.c: the command of the built program: exit statuses, one line for each mistake, files whole or not at all. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/ropepp-coverage-XXXXXX";

static void set_up(void) {
  strcpy(folder + sizeof folder - 7, "XXXXXX");
  ck_assert_ptr_nonnull(getenv("ROPEPP_ANALYSIS"));
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

/* Runs `ropepp-analysis coverage ARGUMENTS` in the folder, with its output in the files out and err there. */
static int run(const char *arguments) {
  char command[1024];
  ck_assert_int_lt(snprintf(command, sizeof command, "cd %s && \"$ROPEPP_ANALYSIS\" coverage %s > out 2> err", folder, arguments),
                   (int)sizeof command);
  const int status = system(command);
  ck_assert(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* The lines of a file of the folder; -1: there is none. */
static int lines(const char *name) {
  char path[128];
  int count = 0;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  for (int c = getc(file); c != EOF; c = getc(file)) count += c == '\n';
  fclose(file);
  return count;
}

/* Whether a command of the shell succeeds in the folder. */
static bool shell(const char *command) {
  char text[512];
  snprintf(text, sizeof text, "cd %s && %s", folder, command);
  return system(text) == 0;
}

START_TEST(mistakes_are_one_line_and_write_nothing) {
  static const char *const mistakes[] = {"--length -5 -o data",
                                         "--length=-5 -o data",
                                         "--length 0 -o data",
                                         "--length 12x -o data",
                                         "--length 1000000001 -o data",
                                         "-o data",
                                         "--length 64 --head-dim 63 -o data",
                                         "--length 64 --head-dim 64 --rotary 128 -o data",
                                         "--length 64 --rotary 7 -o data",
                                         "--length 64 --base 1 -o data",
                                         "--length 64 --base 0.5 -o data",
                                         "--length 64 --target 63 -o data",
                                         "--length 64 --target -1 -o data",
                                         "--length 64 --scaling nonsense -o data",
                                         "--length 64 extra -o data",
                                         "--length 64 --criterion half -o data",
                                         "--search --length 64 -o data",
                                         "--search --packed -o data",
                                         "--search --base 1e200 -o data"};
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    ck_assert_msg(run(mistakes[i]) == 2, "%s", mistakes[i]);
    ck_assert_msg(lines("out") == 0, "%s: says something on stdout", mistakes[i]);
    ck_assert_msg(lines("err") >= 1 && lines("err") <= 2, "%s: %d lines", mistakes[i],
                  lines("err")); /* argp may add "try --help" */
    ck_assert_msg(shell("test ! -e data"), "%s: writes", mistakes[i]);
  }
  ck_assert_int_eq(run("--length 64 --nonsense -o data"), 2); /* and where help is */
  ck_assert(shell("test ! -e data"));
}
END_TEST

START_TEST(unwritable_folders_are_refused) {
  ck_assert(shell("touch file && mkdir -p taken/coverage.csv"));
  ck_assert_int_eq(run("--length 64 -o file"), 2);
  ck_assert_int_eq(lines("err"), 1);
  ck_assert_int_eq(run("--length 64 -o file/below"), 2);
  ck_assert_int_eq(lines("err"), 1);
  ck_assert_int_eq(run("--length 64 -o /proc/nowhere"), 2);
  ck_assert_int_eq(lines("err"), 1);
  ck_assert_int_eq(run("--search -o file"), 2);
  ck_assert_int_eq(lines("out"), 0);
  ck_assert_int_eq(run("--length 64 -o taken"), 2); /* a folder stands where the file should go */
  ck_assert_int_eq(lines("err"), 1);
  ck_assert(shell("test \"$(ls taken)\" = coverage.csv"));
  if (access("/dev/full", W_OK) == 0) ck_assert(!shell("\"$ROPEPP_ANALYSIS\" coverage --length 64 > /dev/full 2> err"));
}
END_TEST

START_TEST(rows_go_to_standard_output) {
  ck_assert_int_eq(run("--length 256 --head-dim 16 --rotary 12"), 0);
  ck_assert_int_eq(lines("err"), 0);
  ck_assert(shell("test $(grep -vc '^#' out) = $((1 + 6 * 4 * 2 * 4))"));
  ck_assert(shell("test $(grep -v '^#' out | awk -F, '{print NF}' | sort -u) = 14"));
  ck_assert_int_eq(run("--length 256 --head-dim 16 --criterion phase"), 0);
  ck_assert(shell("test $(grep -vc '^#' out) = $((1 + 8 * 4 * 2))"));
  ck_assert_int_eq(run("--length 256 --target 1024 --packed --scaling yarn:factor=32,orig=4096"), 0);
  ck_assert(shell("test $(grep -v '^#' out | awk -F, '{print NF}' | sort -u) = 19"));
  ck_assert(shell("! grep -v '^#' out | grep -q nan"));
}
END_TEST

static int full(const json_t *all, const char *criterion, const char *dimension, const char *method) {
  const json_t *cell =
      json_object_get(json_object_get(json_object_get(json_object_get(all, "criteria"), criterion), dimension), method);
  ck_assert(json_is_integer(json_object_get(cell, "full")));
  return (int)json_integer_value(json_object_get(cell, "full"));
}

START_TEST(files_hold_the_counts) {
  char path[128];
  const bool gnuplot = system("command -v gnuplot > /dev/null 2>&1") == 0;
  ck_assert_int_eq(run("--length 4096 --target 32768 -o new/data"), gnuplot ? 0 : 2); /* without it, no picture */
  ck_assert_int_eq(lines("new/data/coverage.csv") > 64 * 32, 1);
  if (gnuplot) ck_assert(shell("grep -q '</svg>' new/data/coverage.svg"));
  snprintf(path, sizeof path, "%s/new/data/coverage.json", folder);
  json_t *all = json_load_file(path, 0, NULL);
  ck_assert_ptr_nonnull(all);
  ck_assert_int_eq(full(all, "union", "q_even", "rope"), 50);
  ck_assert_int_eq(full(all, "union", "q_even", "rope++"), 55);
  ck_assert_int_eq(full(all, "union", "k_odd", "rope"), 50);
  ck_assert_int_eq(full(all, "hull", "q_even", "rope++"), 64);
  ck_assert_int_eq(full(all, "union", "q_odd", "rope"), 55);
  ck_assert_int_eq((int)json_integer_value(json_object_get(all, "pairs")), 64);
  double unseen = 0;
  char same[200];
  ck_assert_int_eq(json_unpack(all, "{s:{s:{s:{s:{s:F}}}}}", "criteria", "union", "q_even", "rope", "mean_unseen", &unseen), 0);
  json_decref(all);
  /* The same counts, and the mean, by reading the rows. */
  snprintf(same, sizeof same,
           "awk -F, '$4==\"q_even\" && $5==\"rope\" && $6==\"union\" {s+=$17/64} END {exit !(s>0 && (s-%.17g)^2<1e-20)}' "
           "new/data/coverage.csv",
           unseen);
  ck_assert(shell(same));
  ck_assert(
      shell("test $(awk -F, '$4==\"q_even\" && $5==\"rope\" && $6==\"union\" {s+=$10} END {print s}' new/data/coverage.csv) = 50"));
  ck_assert(shell(
      "test $(awk -F, '$4==\"q_even\" && $5==\"rope++\" && $6==\"union\" {s+=$10} END {print s}' new/data/coverage.csv) = 55"));
}
END_TEST

START_TEST(the_search_prints_and_writes_the_table) {
  static const char *const rows[] = {"hull *causal *1/2 -> 0 .*1/4 -> 1/4 .*1/4 -> 1/4 .*1/2 -> 0 ",
                                     "union *causal *1/2 -> 1/4 .*1/4 -> 1/4 ", "families *causal *3/4 -> 3/4 .*3/4 -> 1/2 ",
                                     "phase *causal *1 -> 3/4 .*1 -> 3/4 "};
  ck_assert_int_eq(run("--search -o data"), 0);
  for (int i = 0; i < 4; i++) {
    char command[256];
    snprintf(command, sizeof command, "grep -q '%s' out", rows[i]);
    ck_assert_msg(shell(command), "%s", rows[i]);
  }
  ck_assert(shell("test $(grep -vc '^#' data/coverage-search.csv) = $((1 + 4 * 2 * 4 * 2))"));
  ck_assert(shell("grep -q '^phase,packed,q_even,rope++,0.375,20405$' data/coverage-search.csv"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coverage_run");
  TCase *tests = tcase_create("coverage_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, mistakes_are_one_line_and_write_nothing);
  tcase_add_test(tests, unwritable_folders_are_refused);
  tcase_add_test(tests, rows_go_to_standard_output);
  tcase_add_test(tests, files_hold_the_counts);
  tcase_add_test(tests, the_search_prints_and_writes_the_table);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
