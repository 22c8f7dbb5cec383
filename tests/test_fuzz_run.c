/* test_fuzz_run.c: the commands fuzz, replay and merge as a user runs them, with the kernels of broken_kernels.c. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "support.h"

#define run(...) shell_run("ROPEPP_BROKEN", __VA_ARGS__)
#define holds shell_holds

START_TEST(a_right_kernel_passes) {
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 60 --seed 3"), 0);
  holds("right         60");
  holds("60 cases, 0 failures");
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 0"), 1);
  ck_assert_int_eq(run("$PROGRAM fuzz right --only dtype=bf16 --cases 5"), 1);
  holds("FAIL: no case is supported");
}
END_TEST

/* Each verdict, and the others stand: those of a kernel that is right, too. */
START_TEST(each_has_its_verdict) {
  ck_assert_int_eq(run("$PROGRAM fuzz crashes past-end right silent one-off --cases 200 --format json"), 3);
  json_t *report = json_loads(shell_out, 0, NULL), *kernels = json_object_get(report, "kernels");
  static const char *const outcomes[] = {"crash", "wrote outside", NULL, "unwritten", "mismatch"};
  ck_assert_msg(report != NULL, "%s", shell_out);
  for (size_t i = 0; i < 5; i++) {
    const json_t *kernel = json_array_get(kernels, i), *failures = json_object_get(kernel, "failures");
    ck_assert_int_eq(json_integer_value(json_object_get(kernel, "cases")), 40);
    if (outcomes[i] == NULL)
      ck_assert(json_is_true(json_object_get(kernel, "pass")) && json_array_size(failures) == 0);
    else
      ck_assert_str_eq(json_string_value(json_object_get(json_array_get(failures, 0), "outcome")), outcomes[i]);
  }
  json_decref(report);
  ck_assert_int_eq(run("$PROGRAM fuzz right silent one-off --cases 30"), 1);
}
END_TEST

START_TEST(replay_lines_reproduce) {
  static const char *const kernels[] = {"crashes", "past-end", "silent", "one-off"};
  for (int i = 0; i < 4; i++) {
    const int status = run("$PROGRAM fuzz %s --cases 30", kernels[i]);
    ck_assert_int_eq(status, i < 2 ? 3 : 1);
    char *line = shell_replay_line();
    ck_assert_msg(run("%s", line) == status, "%s", line);
    holds("\n1 cases, 1 failures, ");
    free(line);
  }
  ck_assert_int_eq(run("$PROGRAM replay 'one-off ec:h=2'"), 1); /* in one word */
  ck_assert_int_eq(run("$PROGRAM replay right ec:h=2"), 0);
  ck_assert_int_eq(run("$PROGRAM replay right one-off ec:h=2"), 1);
  holds("\n    case 1: ec:h=2,kv=2,lq=16,lk=16,d=64,seed=0\n    replay: "); /* as it was given: nothing is shrunk */
}
END_TEST

START_TEST(a_loop_is_a_hang) {
  ck_assert_int_eq(run("$PROGRAM replay right loops ec:lq=2,d=2"), 3);
  holds("hang: still running after 10 s");
  holds("right          1         1        0");
}
END_TEST

START_TEST(shards_merge_to_the_whole) {
  const char *const strip = "sed '/\"file\"/d; /\"time\"/,$d'"; /* the shards have files of their failures, each its own */
  ck_assert_int_eq(
      run("$PROGRAM fuzz right one-off crashes --cases 203 --format json | %s >$DIR/whole; "
          "for i in 1 2 3 4; do $PROGRAM fuzz right one-off crashes --cases 203 --shard $i/4 -o $DIR/$i >$DIR/out; "
          "test $? = 3 || exit 9; done; "
          "$PROGRAM merge $DIR/4/report.json $DIR/[123]/report.json --format json | %s >$DIR/sum; cmp $DIR/whole $DIR/sum",
          strip, strip),
      0);
  ck_assert_int_eq(run("$PROGRAM merge $DIR/[124]/report.json"), 3);
  holds("shard 3/4 is missing");
  ck_assert_int_eq(run("$PROGRAM merge $DIR/[1234]/report.json -o $DIR/all"), 3);
  ck_assert_int_eq(run("$PROGRAM merge $DIR/1/report.json $DIR/1/report.json"), 2);
  holds("shard 1/4: given twice");
  ck_assert_int_eq(run("$PROGRAM merge $DIR/1/report.tap"), 2);
  ck_assert_int_eq(run("$PROGRAM merge"), 2);
}
END_TEST

START_TEST(threads_and_jobs_do_not_show) {
  ck_assert_int_eq(
      run("for t in 1 2; do for j in 1 2; do OMP_NUM_THREADS=$t $PROGRAM fuzz right one-off --cases 80 -j $j --format json | "
          "sed '/\"time\"/,$d' >$DIR/$t$j; done; done; cmp $DIR/11 $DIR/12 && cmp $DIR/11 $DIR/21 && cmp $DIR/11 $DIR/22"),
      0);
}
END_TEST

START_TEST(one_thread_alone_is_said_so) {
  ck_assert_int_eq(run("OMP_NUM_THREADS=1 $PROGRAM fuzz right --cases 8"), 0);
  holds("\nno case was run on several threads: OMP_NUM_THREADS=1\n8 cases, ");
  ck_assert_int_eq(run("OMP_NUM_THREADS=1 $PROGRAM replay right ec:h=2"), 0);
  holds("\nno case was run on several threads: ");
  ck_assert_int_eq(run("OMP_NUM_THREADS=2 $PROGRAM fuzz right --cases 8 && unset OMP_NUM_THREADS && $PROGRAM fuzz right --cases 8"),
                   0);
  shell_lacks("several threads");
}
END_TEST

START_TEST(failures_stay_in_a_corpus) {
  ck_assert_int_eq(run("$PROGRAM fuzz one-off --cases 20 -o $DIR/a/b"), 1);
  holds("to load: ");
  ck_assert_int_eq(
      run("set -- $DIR/a/b/one-off-*.safetensors; test -s $1 && grep -q \"\\\"file\\\": \\\"$1\\\"\" $DIR/a/b/report.json"), 0);
  ck_assert_int_eq(run("set -- $DIR/a/b/one-off-*.safetensors; $PROGRAM check $1"), 2); /* it is no case */
  ck_assert_int_eq(run("grep -c '# one-off$' $DIR/a/b/corpus.txt"), 0);
  ck_assert_int_gt(atoi(shell_out), 2);
  const int lines = atoi(shell_out);
  ck_assert_int_eq(run("$PROGRAM fuzz one-off --cases 20 -o $DIR/a/b >$DIR/out; grep -c one-off $DIR/a/b/corpus.txt"), 0);
  ck_assert_int_eq(atoi(shell_out), lines);
  ck_assert_int_eq(run("$PROGRAM replay --corpus $DIR/a/b/corpus.txt right"), 0);
  ck_assert_int_eq(run("$PROGRAM replay --corpus $DIR/a/b/corpus.txt right one-off"), 1);
  char all[64];
  snprintf(all, sizeof all, "%d cases, %d failures", 2 * lines, lines);
  holds(all);
  ck_assert_int_eq(run("ls $DIR/a/b; test -s $DIR/a/b/report.json -a -s $DIR/a/b/report.tap -a -s $DIR/a/b/report.xml"), 0);
}
END_TEST

START_TEST(an_interrupt_leaves_a_report) {
  ck_assert_int_eq(
      run("$PROGRAM fuzz right one-off --seconds 60 --format json -o $DIR/i >$DIR/json & sleep 1.5; kill -INT $!; wait $!"), 130);
  json_error_t error;
  char path[64];
  snprintf(path, sizeof path, "%s/json", shell_folder);
  for (int i = 0; i < 2; i++) {
    json_t *report = json_load_file(path, 0, &error);
    ck_assert_msg(report != NULL, "%s", error.text);
    ck_assert(json_is_false(json_object_get(report, "complete")));
    const json_t *kernel = json_array_get(json_object_get(report, "kernels"), 0);
    ck_assert_int_gt(json_integer_value(json_object_get(kernel, "cases")), 0);
    json_decref(report);
    snprintf(path, sizeof path, "%s/i/report.json", shell_folder);
  }
}
END_TEST

START_TEST(usage) {
  static const char *const bad[] = {"fuzz nobody",
                                    "fuzz right --cases -1",
                                    "fuzz right --cases many",
                                    "fuzz right --seconds 0",
                                    "fuzz right --seed -1",
                                    "fuzz right --shard 5/4",
                                    "fuzz right --shard 0/4",
                                    "fuzz right --shard 1",
                                    "fuzz right --shard 1/4x",
                                    "fuzz right --only h=zero",
                                    "fuzz right --format xml",
                                    "fuzz right --nothing",
                                    "fuzz right -o /proc/nowhere",
                                    "replay",
                                    "replay right",
                                    "replay right ec:h=zero",
                                    "replay nobody ec:h=2",
                                    "replay --corpus /nonexistent right",
                                    "merge /nonexistent",
                                    "merge /tmp",
                                    "replay --corpus /dev/zero right",
                                    "fuzz --format 'x\ny\033[m'",
                                    "fuzz --shard '1\n/2'",
                                    "replay --corpus '/no\nne' right",
                                    "selftest 'x\ny'",
                                    "'x\ny'"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_msg(run("$PROGRAM %s", bad[i]) == 2, "%s: %s", bad[i], shell_out);
    const char *end = strchr(shell_out, '\n'); /* one line, and argp's hint */
    ck_assert_msg(strstr(shell_out, "ropepp-verify") != NULL && end != NULL &&
                      (end[1] == '\0' || strncmp(end + 1, "Try `", 5) == 0),
                  "%s: %s", bad[i], shell_out);
  }
  ck_assert_int_eq(run("$PROGRAM merge /tmp"), 2);
  holds("Is a directory");
  ck_assert_int_eq(run("ulimit -f 1; $PROGRAM fuzz one-off --cases 200 -o $DIR/little >/dev/null"), 2);
  holds("File too large");
  ck_assert_int_eq(run("test ! -s $DIR/little/corpus.txt && test ! -e $DIR/little/report.json"), 0);
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 2 --jobs 9223372036854775807"), 0);
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 2 -o $DIR/file/x >$DIR/file; true"), 0);
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 2 -o $DIR/file/x"), 2);
  ck_assert_int_eq(run("$PROGRAM fuzz right --cases 2 >/dev/full"), 2);
  ck_assert_int_eq(run("$PROGRAM fuzz --help && $PROGRAM replay --help && $PROGRAM merge --help"), 0);
  holds("--corpus=FILE");
  holds("  scaling ");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fuzz_run");
  TCase *tests = tcase_create("fuzz_run");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, a_right_kernel_passes);
  tcase_add_test(tests, each_has_its_verdict);
  tcase_add_test(tests, replay_lines_reproduce);
  tcase_add_test(tests, a_loop_is_a_hang);
  tcase_add_test(tests, shards_merge_to_the_whole);
  tcase_add_test(tests, threads_and_jobs_do_not_show);
  tcase_add_test(tests, one_thread_alone_is_said_so);
  tcase_add_test(tests, failures_stay_in_a_corpus);
  tcase_add_test(tests, an_interrupt_leaves_a_report);
  tcase_add_test(tests, usage);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
