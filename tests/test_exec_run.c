/* test_exec_run.c: the command exec as a user runs it, with answering.c as the user's program. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "support.h"

/* EXEC is the command with the contract of the truth, ANSWERING the program; temporary files are in DIR/tmp. */
#define run(...)                                                                                                                   \
  shell_run("ROPEPP_VERIFY", "mkdir -p $DIR/tmp; export TMPDIR=$DIR/tmp STALE=$DIR/stale; ANSWERING=$ROPEPP_ANSWERING;"            \
                             "EXEC=\"$PROGRAM exec --contract f32,rotated=f64,v=f64,p=f64,acc=f64\"; " __VA_ARGS__)

START_TEST(a_right_program_passes) {
  static const char *const ways[] = {"-- $ANSWERING right {in} {out}", "--serve -- $ANSWERING right",
                                     "$ANSWERING right {in} {out} --format=nonsense", "--serve --jobs 1 $ANSWERING right"};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ck_assert_msg(run("$EXEC --cases 40 --seed 3 %s", ways[i]) == 0, "%s: %s", ways[i], shell_out);
    shell_holds("contract f32,rotated=f64,rotate=once,");
    shell_holds("program        40        40        0");
    shell_holds("40 cases, 0 failures");
    shell_lacks("LSE was not judged");
  }
  ck_assert_int_eq(run("ls -A $DIR/tmp"), 0);
  ck_assert_str_eq(shell_out, "");
  ck_assert_int_eq(run("$EXEC --cases 0 -- $ANSWERING right {in} {out}"), 1);
}
END_TEST

/* What each fault of an answer is called; once is how exec ends. */
static const struct {
  const char *mode, *says;
  int status;
  bool serves, once;
} faults[] = {
    {"crash", "crash, SIGABRT: a case was read | ?[31mand now for | the answer (0x)", 3, true, true},
    {"exit", "exit, status 5: a case was read | ?[31mand now for | the answer (0x)", 3, true, true},
    {"hang", "hang: still running after", 3, true, true},
    {"silent", "bad answer: nothing was written to {out}; it said: the answer", 1, false, true},
    {"silent", "No such file or directory; it said: the answer", 1, true, false},
    {"garbage", "bad answer: size = 5 bytes: too short for a safetensors file", 1, true, true},
    {"truncated", "bad answer: ", 1, true, true},
    {"large", "bad answer: the answer has 1.1e+12 bytes", 1, true, true},
    {"fifo", "bad answer: not a regular file", 1, true, true},
    {"axes", "use --axes bhld", 1, true, true},
    {"missing", "bad answer: ", 1, true, true},
    {"dtype", "bad answer: out is F64: the contract has out=f32", 1, true, true},
    {"nan", "mismatch, structure gate", 1, true, true},
    {"wrong", "mismatch, element gate", 1, true, true},
    {"previous", "bad answer: answered ", 1, true, false},
    {"stale", "it was written before this case was asked", 1, true, false},
    {"loud", "wrote more to standard output than one line a case: loading", 1, true, false},
    {"early", ": ready", 1, true, false}, /* asked already or not */
    {"endless", "answered a line of more than 4096 bytes", 1, true, false},
    {"zero", "or with a zero byte in it", 1, true, false},
    {"empty", "bad answer: answered an empty line", 1, true, false},
    {"error", "refused: not today", 1, true, false},
    {"quits", "exit, status 0: the server ended before it had answered", 3, true, false},
    {"dies", "exit, status 9: the server ended before it had answered", 3, true, false},
};

START_TEST(each_fault_has_its_verdict) {
  const char *const mode = faults[_i].mode, *const limit = strcmp(mode, "hang") == 0 ? "--timeout 4" : "";
  for (int serves = 0; serves < 2; serves++) {
    if (!(serves ? faults[_i].serves : faults[_i].once)) continue;
    const int status = run("$EXEC --cases 8 --jobs 1 %s --only b=1,lq=3,lk=5,h=2,kv=1,d=4 %s -- $ANSWERING %s %s", limit,
                           serves ? "--serve" : "", mode, serves ? "" : "{in} {out}");
    ck_assert_msg(status == faults[_i].status, "%s: %d: %s", mode, status, shell_out);
    shell_holds(faults[_i].says);
    shell_holds(*limit != '\0' ? "6 more not run, since it hangs" : "\n8 cases, ");
    shell_holds("replay: ropepp-verify exec --contract ");
    if (strcmp(mode, "hang") == 0) shell_holds("the answer (0x)");
  }
  ck_assert_int_eq(run("ls -A $DIR/tmp"), 0);
  ck_assert_str_eq(shell_out, "");
}
END_TEST

START_TEST(declined_cases_count_as_unsupported) {
  static const char *const ways[] = {"-- $ANSWERING declines {in} {out}", "--serve -- $ANSWERING declines"};
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(run("$EXEC --cases 40 %s", ways[i]), 0);
    shell_holds(" unsupported: no windows\n");
    ck_assert_int_eq(run("$EXEC --cases 5 --only mask=window:3 %s", ways[i]), 1);
    shell_holds("FAIL: no case is supported");
  }
}
END_TEST

START_TEST(lse_may_be_left_out) {
  ck_assert_int_eq(run("$EXEC --cases 20 --serve --only lq=3 -- $ANSWERING no-lse"), 0);
  shell_holds("LSE was not judged: the answers to 20 cases have none");
  ck_assert_int_eq(run("$EXEC --cases 3 --serve --format json -- $ANSWERING no-lse 2>/dev/null"), 0);
  json_t *report = json_loads(shell_out, 0, NULL);
  ck_assert_msg(report != NULL, "%s", shell_out);
  ck_assert_str_eq(json_string_value(json_object_get(json_object_get(report, "campaign"), "command")), "exec");
  json_decref(report);
}
END_TEST

/* Pasted into a shell, whatever the arguments hold. */
START_TEST(replay_lines_reproduce) {
  static const char *const ways[] = {"{in} {out}", "{in} {out} 'a b' \"it's\" '$HOME' '' '*' ';'"};
  for (int i = 0; i < 3; i++) {
    const int first = i < 2
                          ? run("$EXEC --cases 5 -- $ANSWERING wrong %s", ways[i])
                          : run("$PROGRAM exec --serve --only dtype=bf16,angles=hf-f32 --timeout 7 --cases 5 -- $ANSWERING wrong");
    ck_assert_msg(first == 1, "%s", shell_out);
    char *line = shell_replay_line();
    ck_assert(i < 2 || (strstr(line, "--contract") == NULL && strstr(line, "--serve --timeout 7 --case ") != NULL));
    ck_assert_msg(run("%s", line) == 1, "%s: %s", line, shell_out);
    shell_holds("\n1 cases, 1 failures, ");
    if (i == 1) shell_holds("'{in}' '{out}' 'a b' 'it'\\''s' '$HOME' '' '*' ';'");
    free(line);
  }
}
END_TEST

START_TEST(failures_stay_in_a_folder) {
  ck_assert_int_eq(run("$EXEC --cases 5 -o $DIR/report -- $ANSWERING wrong {in} {out}"), 1);
  ck_assert_int_eq(run("grep -c '# program$' $DIR/report/corpus.txt && cat $DIR/report/report.json"), 0);
  shell_holds("exec --contract ");
}
END_TEST

/* JSON is UTF-8, and arguments need not be. */
START_TEST(any_bytes_are_reported) {
  ck_assert_int_eq(run("$EXEC --cases 2 --format json -- $ANSWERING wrong {in} {out} $(printf 'a\\377<')"), 1);
  json_t *report = json_loads(shell_out, 0, NULL), *kernel = json_array_get(json_object_get(report, "kernels"), 0);
  ck_assert_msg(report != NULL, "%s", shell_out);
  const json_t *failure = json_array_get(json_object_get(kernel, "failures"), 0);
  const char *replay = json_string_value(json_object_get(failure, "replay")); /* perhaps cut */
  ck_assert(replay != NULL && strncmp(replay, "ropepp-verify exec --contract ", 30) == 0);
  json_decref(report);
}
END_TEST

/* However it ends, no file of it and no program is left. */
START_TEST(an_end_leaves_nothing_behind) {
  static const char *const signals[] = {"INT", "TERM", "HUP", "KILL"};
  signal(SIGHUP, SIG_DFL); /* under nohup it is ignored, and so it would be by all that is run here */
  for (int i = 0; i < 4; i++) {
    const int status = run("cp $ANSWERING $DIR/answering-%d; $EXEC --serve --seconds 60 -- $DIR/answering-%d right & sleep 1; ls "
                           "$DIR/tmp; kill -%s $!;"
                           "wait $!; status=$?; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 0.2;"
                           "test -z \"$(ls -A $DIR/tmp)$(pgrep -f $DIR/answering-%d)\" && exit $status; done; exit 99",
                           i, i, signals[i], i);
    ck_assert_msg(status == (i == 0 ? 130 : i == 1 ? 143 : 128 + (i == 2 ? 1 : 9)), "%s: %d: %s", signals[i], status, shell_out);
    shell_holds("ropepp-");
  }
}
END_TEST

START_TEST(usage) {
  static const struct {
    const char *arguments, *says;
  } wrong[] = {
      {"", "a command is expected"},
      {"--", "a command is expected"},
      {"-- $ANSWERING right", "{in} is missing"},
      {"-- $ANSWERING right {in}", "{out} is missing"},
      {"--serve -- $ANSWERING right {in}", "with --serve paths come on its standard input"},
      {"-- /nonexistent/program {in} {out}", "/nonexistent/program: no such program"},
      {"-- no-such-program-here {in} {out}", "no-such-program-here: no such program"},
      {"-- $DIR {in} {out}", ": no such program"},
      {"--contract bf17 -- $ANSWERING right {in} {out}", "--contract: "},
      {"--contract bf16 --only dtype=f32 -- $ANSWERING right {in} {out}", "--only: dtype = f32: the contract's is bf16"},
      {"--contract f32 --only angles=hf-f32 -- $ANSWERING right {in} {out}", "--only: angles = hf-f32: the contract's are exact"},
      {"--only layout=sparse -- $ANSWERING right {in} {out}", "--only: layout: has no meaning for a program"},
      {"--only inplace=1 -- $ANSWERING right {in} {out}", "--only: inplace: has no meaning"},
      {"--case ec:h=zero -- $ANSWERING right {in} {out}", "--case: h = zero"},
      {"--case ec: --cases 3 -- $ANSWERING right {in} {out}", "--case: goes with none of"},
      {"--timeout 0 -- $ANSWERING right {in} {out}", "--timeout = 0: must be positive"},
      {"--axes bhdl -- $ANSWERING right {in} {out}", "--axes = bhdl"},
      {"--cases x -- $ANSWERING right {in} {out}", "--cases = x"},
      {"-- $ANSWERING right {in} {out} $(seq -s- 3000)", "longer than a replay line can be"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ck_assert_msg(run("$PROGRAM exec %s", wrong[i].arguments) == 2, "%s: %s", wrong[i].arguments, shell_out);
    shell_holds(wrong[i].says);
    const char *end = strchr(shell_out, '\n'); /* one line, and argp's hint */
    ck_assert_msg(end != NULL && (end[1] == '\0' || strncmp(end + 1, "Try `", 5) == 0), "%s", shell_out);
  }
  ck_assert_int_eq(run("TMPDIR=/nonexistent $EXEC -- $ANSWERING right {in} {out}"), 2);
  shell_holds("TMPDIR = /nonexistent: No such file or directory");
  ck_assert_int_eq(run("$PROGRAM exec --help"), 0);
  shell_holds("--case=SPEC");
  shell_holds("  scaling ");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("exec_run");
  TCase *tests = tcase_create("exec_run");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, a_right_program_passes);
  tcase_add_loop_test(tests, each_fault_has_its_verdict, 0, sizeof faults / sizeof *faults);
  tcase_add_test(tests, declined_cases_count_as_unsupported);
  tcase_add_test(tests, lse_may_be_left_out);
  tcase_add_test(tests, replay_lines_reproduce);
  tcase_add_test(tests, failures_stay_in_a_folder);
  tcase_add_test(tests, any_bytes_are_reported);
  tcase_add_test(tests, an_end_leaves_nothing_behind);
  tcase_add_test(tests, usage);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
