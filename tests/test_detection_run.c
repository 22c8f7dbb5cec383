/* detection_run.c: one row for every plant and every clean kernel, one column for every rule. */
#include "support.h"

#include "judge/rules.h"
#include "plants/cast.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static char *run(const char *arguments, int *status) {
  static char text[1 << 16];
  char command[512];
  snprintf(command, sizeof command, "\"$ROPEPP_VERIFY\" detection %s 2>/dev/null", arguments);
  FILE *pipe = popen(command, "r");
  ck_assert_ptr_nonnull(pipe);
  text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
  const int ended = pclose(pipe);
  *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
  return text;
}

/* How many lines start with a name and a blank; *line: the last of them. */
static int rows(const char *text, const char *name, const char **line) {
  int count = 0;
  for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
    if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ' ') count++, *line = at;
  return count;
}

static bool ends_with(const char *line, const char *word) {
  const char *end = strchr(line, '\n');
  return end && end - line >= (long)strlen(word) && strncmp(end - strlen(word), word, strlen(word)) == 0;
}

START_TEST(a_row_for_each) {
  int status;
  rpp_cast c;
  const char *line = NULL;
  const char *text = run("--cases 2", &status);
  ck_assert_int_eq(status, 0);
  ck_assert_int_eq(rows(text, "plant", &line), 1);
  for (int i = 0; i < RPP_RULES; i++) {
    const char *column = strstr(line, rpp_rules[i].name);
    ck_assert_msg(column && column < strchr(line, '\n'), "no column %s", rpp_rules[i].name);
  }
  ck_assert(rpp_cast_gather(&c, false, true));
  for (int i = 0; i < c.count; i++) {
    ck_assert_msg(rows(text, c.names[i], &line) == 1, "%s", c.names[i]);
    ck_assert_msg(ends_with(line, " 2"), "%s", c.names[i]);
  }
  rpp_cast_free(&c);
  ck_assert_int_eq(rows(text, "plants missed", &line), 1);
  ck_assert_int_eq(rows(text, "their cases failed", &line), 1);
}
END_TEST

START_TEST(usage) {
  const char *const bad[] = {"--cases 0", "--cases many", "--cases 1000001", "more"};
  int status;
  for (int i = 0; i < 4; i++) {
    const char *text = run(bad[i], &status);
    ck_assert_msg(status == 2 && *text == '\0', "%s: %d %s", bad[i], status, text);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("detection_run");
  TCase *cases = tcase_create("detection_run");
  tcase_set_timeout(cases, 110);
  tcase_add_test(cases, a_row_for_each);
  tcase_add_test(cases, usage);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
