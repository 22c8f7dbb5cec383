#define _GNU_SOURCE /* asprintf */
#include "shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "support.h"

char shell_folder[] = "/tmp/ropepp-shell-XXXXXX";
char *shell_out;

void shell_setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(shell_folder));
}

void shell_teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", shell_folder);
  ck_assert_int_eq(system(command), 0);
  free(shell_out);
}

int shell_run(const char *variable, const char *format, ...) {
  char *arguments, *command;
  va_list list;
  ck_assert_msg(getenv(variable) != NULL, "%s is not set", variable);
  va_start(list, format);
  ck_assert_int_ge(vasprintf(&arguments, format, list), 0);
  va_end(list);
  ck_assert_int_ge(asprintf(&command, "PROGRAM='%s'; DIR='%s'; { %s; } 2>&1", getenv(variable), shell_folder, arguments), 0);
  FILE *pipe = popen(command, "r");
  ck_assert_ptr_nonnull(pipe);
  free(shell_out);
  size_t size;
  FILE *text = open_memstream(&shell_out, &size);
  for (int c; (c = fgetc(pipe)) != EOF;) fputc(c, text);
  fclose(text);
  const int status = pclose(pipe);
  free(arguments);
  free(command);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

void shell_holds(const char *part) {
  ck_assert_msg(strstr(shell_out, part) != NULL, "'%s' is not in:\n%s", part, shell_out);
}

void shell_lacks(const char *part) {
  ck_assert_msg(strstr(shell_out, part) == NULL, "'%s' is in:\n%s", part, shell_out);
}

char *shell_replay_line(void) {
  static const char start[] = "replay: ropepp-verify ";
  const char *at = strstr(shell_out, start);
  char *line;
  ck_assert_msg(at != NULL, "no replay line in:\n%s", shell_out);
  at += strlen(start);
  ck_assert_int_ge(asprintf(&line, "$PROGRAM %.*s", (int)strcspn(at, "\n"), at), 0);
  return line;
}
