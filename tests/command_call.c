#define _GNU_SOURCE /* argp */
#include "command_call.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

char *command_out, *command_complaints;

static void read_all(FILE *f, char **text) {
  const off_t size = lseek(fileno(f), 0, SEEK_END);
  free(*text);
  *text = calloc((size_t)size + 1, 1);
  ck_assert_int_eq(pread(fileno(f), *text, (size_t)size, 0), size);
  fclose(f);
}

int command_call(rpp_command_main *command, const char *const *arguments) {
  enum { MOST = 16 };
  char *argv[MOST + 1] = {"ropepp-verify command"};
  int argc = 1, status;
  for (; argc < MOST && *arguments != NULL; arguments++) argv[argc++] = (char *)*arguments;
  ck_assert_ptr_null(*arguments);
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
  read_all(caught_out, &command_out);
  read_all(caught_err, &command_complaints);
  ck_assert_msg(WIFEXITED(status), "signal %d\n%s", WTERMSIG(status), command_complaints);
  return WEXITSTATUS(status);
}

void command_call_free(void) {
  free(command_out);
  free(command_complaints);
}
