/* test_shell.c: a shell reads back what was given. */
#include "base/shell.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

START_TEST(arguments_survive_a_shell) {
  static const char *const arguments[] = {"plain-1.0/x", "",   "a b", "it's", "''", "$HOME", "`ls`", "*",
                                          "a\nb",        "\\", "\"",  "{in}", "~",  "#",     "\xff"};
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
    char line[128] = "printf '%s.' ", got[128];
    rpp_shell_append(arguments[i], line);
    ck_assert_uint_le(strlen(line), strlen("printf '%s.' ") + 4 * strlen(arguments[i]) + 2);
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    got[fread(got, 1, sizeof got - 1, pipe)] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    ck_assert_msg(strlen(got) == strlen(arguments[i]) + 1 && memcmp(got, arguments[i], strlen(arguments[i])) == 0, "%s", line);
  }
}
END_TEST

START_TEST(plain_arguments_stay_as_they_are) {
  char line[64] = "x ";
  rpp_shell_append("ec:h=8,kv=4", line);
  ck_assert_str_eq(line, "x ec:h=8,kv=4");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shell");
  TCase *tests = tcase_create("shell");
  tcase_add_test(tests, arguments_survive_a_shell);
  tcase_add_test(tests, plain_arguments_stay_as_they_are);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
