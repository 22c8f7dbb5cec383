/* test_child.c: programs as children: lines in and out, what they say, how they end. */
#include "kernels/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static rpp_child child;
static rpp_message error;

static void start(const char *script, bool serves) {
  char *const command[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
  ck_assert_msg(rpp_child_start(&child, command, serves, &error), "%s", error.text);
}

static const char *words(int lines) {
  rpp_child_words(&child, lines, &error);
  return error.text;
}

START_TEST(ends_are_told) {
  start("echo one; echo two >&2", false);
  ck_assert_int_eq(rpp_child_wait(&child), 0);
  ck_assert_str_eq(words(5), "one | two");
  start("exit 7", false);
  int status = rpp_child_wait(&child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  ck_assert_str_eq(words(5), "");
  start("kill -SEGV $$", false);
  status = rpp_child_wait(&child);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  start("cat; exec 1>&- 2>&-; sleep 0.2; exit 3", false); /* its input is empty; it says no more, and ends later */
  ck_assert_int_eq(WEXITSTATUS(rpp_child_wait(&child)), 3);
}
END_TEST

START_TEST(lines_are_answered) {
  start("while read x; do echo \"<$x>\"; echo \"heard $x\" >&2; done; exit 4", true);
  for (int i = 0; i < 100; i++) {
    char line[16], want[16];
    snprintf(line, sizeof line, "%d", i);
    snprintf(want, sizeof want, "<%d>", i);
    ck_assert_int_eq(rpp_child_ask(&child, line), RPP_CHILD_ANSWERED);
    ck_assert_str_eq(child.answer, want);
  }
  close(child.input); /* the end of its input */
  child.input = -1;
  ck_assert_int_eq(WEXITSTATUS(rpp_child_wait(&child)), 4);
  ck_assert_int_eq(child.pid, 0);
}
END_TEST

START_TEST(what_is_no_answer) {
  static const struct {
    const char *script;
    rpp_child_result result;
  } all[] = {{"read x; exit 3", RPP_CHILD_ENDED},
             {"exit 3", RPP_CHILD_ENDED},
             {"read x; printf half", RPP_CHILD_ENDED},
             {"read x; exec 1>&-; sleep 0.1", RPP_CHILD_ENDED},
             {"read x; head -c 4096 /dev/zero | tr '\\0' x; echo; cat", RPP_CHILD_ANSWERED},
             {"read x; head -c 4097 /dev/zero | tr '\\0' x; echo; cat", RPP_CHILD_TOO_LONG},
             {"read x; cat /dev/zero | tr '\\0' x", RPP_CHILD_TOO_LONG},
             {"read x; printf 'a\\0b\\n'; cat", RPP_CHILD_TOO_LONG},
             {"read x; printf 'a\\nb\\n'; cat", RPP_CHILD_UNASKED}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    start(all[i].script, true);
    ck_assert_msg(rpp_child_ask(&child, "x") == all[i].result, "%s", all[i].script);
    rpp_child_end(&child);
    rpp_child_end(&child);
  }
  start("echo early; while read x; do echo $x; done", true);
  for (int i = 0; i < 50 && child.answered == 0; i++)
    usleep(100000), child.answered += read(child.output, child.answer, 6) == 6 ? 6 : 0;
  ck_assert_int_eq(rpp_child_ask(&child, "x"), RPP_CHILD_UNASKED);
  ck_assert_str_eq(child.answer, "early");
  rpp_child_end(&child);
}
END_TEST

/* More than a pipe holds, and more than is kept. */
START_TEST(a_flood_of_words_stops_nobody) {
  fclose(stderr);
  start("i=0; while test $i -lt 20000; do echo \"line $i\"; i=$((i+1)); done; echo last", false);
  ck_assert_int_eq(rpp_child_wait(&child), 0);
  ck_assert_str_eq(words(2), "line 19999 | last");
}
END_TEST

START_TEST(it_dies_with_its_parent) {
  int ends[2];
  pid_t grandchild = 0;
  ck_assert_int_eq(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    start("sleep 100", true);
    if (write(ends[1], &child.pid, sizeof child.pid) < 0) _exit(1);
    for (;;) pause();
  }
  ck_assert_int_eq(read(ends[0], &grandchild, sizeof grandchild), sizeof grandchild);
  ck_assert_int_eq(kill(grandchild, 0), 0);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  char path[64], state = 'R';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
  for (int i = 0; i < 100 && state != 'Z'; i++) { /* gone, or waiting to be buried by whoever adopted it */
    FILE *file = fopen(path, "r");
    if (file == NULL) return;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'R';
    fclose(file);
    usleep(100000);
  }
  ck_assert_int_eq(state, 'Z');
}
END_TEST

START_TEST(commands_are_looked_for) {
  ck_assert(rpp_child_can_start("sh") && rpp_child_can_start("/bin/sh"));
  ck_assert(!rpp_child_can_start("") && !rpp_child_can_start("/tmp") && !rpp_child_can_start("no-such-program-here"));
  ck_assert(!rpp_child_can_start("/dev/null") && !rpp_child_can_start("./sh"));
  char *const command[] = {(char *)"/etc/passwd", NULL};
  ck_assert(rpp_child_start(&child, command, false, &error));
  ck_assert_int_eq(WEXITSTATUS(rpp_child_wait(&child)), 127);
  ck_assert_str_eq(words(1), "/etc/passwd: cannot be run");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("child");
  TCase *tests = tcase_create("child");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, ends_are_told);
  tcase_add_test(tests, lines_are_answered);
  tcase_add_test(tests, what_is_no_answer);
  tcase_add_test(tests, a_flood_of_words_stops_nobody);
  tcase_add_test(tests, it_dies_with_its_parent);
  tcase_add_test(tests, commands_are_looked_for);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
