#include "program/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/message.h"

typedef struct {
  const char *program, *statuses;
  const rpp_command *commands, *chosen;
} choice;

/* argp asks for the text after the options: the table, and what all commands share. */
static char *help(int key, const char *text, void *input) {
  const choice *c = input;
  char *all = NULL;
  size_t size;
  FILE *stream = key == ARGP_KEY_HELP_POST_DOC && c != NULL ? open_memstream(&all, &size) : NULL;
  if (stream == NULL) return (char *)text;
  fputs("Commands:\n", stream);
  for (const rpp_command *command = c->commands; command->name != NULL; command++)
    fprintf(stream, "  %s%s%-*s %s\n", command->name, *command->arguments ? " " : "",
            26 - (int)strlen(command->name) - (*command->arguments != '\0'), command->arguments, command->summary);
  fprintf(stream, "\n`%s COMMAND --help` tells more. Exit status: %s.", c->program, c->statuses);
  fclose(stream);
  return all;
}

void rpp_refuse(const struct argp_state *state, const char *format, ...) {
  char text[sizeof(rpp_message)];
  rpp_message line;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  rpp_message_set(&line, "%s", text);
  argp_failure(state, RPP_EXIT_USAGE, 0, "%s", line.text);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  if (key == ARGP_KEY_NO_ARGS) argp_usage(state);
  if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
  choice *c = state->input;
  for (const rpp_command *command = c->commands; command->name != NULL; command++)
    if (strcmp(value, command->name) == 0) {
      c->chosen = command;
      state->next = state->argc; /* the rest is the command's */
      return 0;
    }
  rpp_refuse(state, "%.100s: no such command", value);
  return EINVAL;
}

static const char *running; /* for a function that exit calls */

/* At exit, --help's too: what could not be written is no success. */
static void flush_output(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return;
  fprintf(stderr, "%s: standard output: %s\n", running, strerror(errno));
  _exit(RPP_EXIT_USAGE);
}

int rpp_commands_run(const char *program, const char *overview, const char *statuses, const rpp_command *commands, int argc,
                     char **argv) {
  const struct argp top = {NULL, parse, "COMMAND [ARGUMENT...]", overview, NULL, help, NULL};
  choice c = {program, statuses, commands, NULL};
  int at = 1;
  char name[64];
  running = program;
  atexit(flush_output);
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of writing it, which then leaves nothing behind */
  argp_err_exit_status = RPP_EXIT_USAGE;
  if (argp_parse(&top, argc, argv, ARGP_IN_ORDER, NULL, &c) != 0 || c.chosen == NULL) return RPP_EXIT_USAGE;
  while (strcmp(argv[at], c.chosen->name) != 0) at++;
  snprintf(name, sizeof name, "%s %s", program, c.chosen->name);
  argv[at] = name;
  return c.chosen->main(argc - at, argv + at);
}
