/* main.c: the command line of ropepp-verify. A command is one entry of the table below. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "kernels/blas_core.h"

const char *argp_program_version = "ropepp-verify " RPP_VERSION;

enum { EXIT_USAGE = 2 };

static const struct {
  const char *name, *arguments, *summary;
  rpp_command_main *main;
} commands[] = {
    {"identities", "", "every identity, its largest deviation, its bound", rpp_main_identities},
    {"kernels", "", "the kernels of this build, their contracts and where they run", rpp_main_kernels},
    {"fuzz", "[KERNEL...]", "hold kernels against the truth on random cases", rpp_main_fuzz},
    {"selftest", "", "every planted bug must be caught, every clean kernel must pass", rpp_main_selftest},
    {"replay", "[KERNEL...] SPEC", "one case again, from the line a failure printed", rpp_main_replay},
    {"merge", "REPORT...", "join the JSON reports of the shards of a fuzz", rpp_main_merge},
    {"gen", "SPEC -o FILE", "write a case file without answers", rpp_main_gen},
    {"cases", "", "what the random cases of a fuzz cover", rpp_main_cases},
    {"check", "CASE...", "judge the expected tensors that case files carry", rpp_main_check},
    {"truth", "CASE...", "identities and cases, in one table with a verdict", rpp_main_truth},
    {"errata", "", "the numbers that show the errors in the paper's formulas", rpp_main_errata},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char overview[] = "Verifies RoPE and RoPE++ attention against a float64 reference.\v";

/* argp asks for the text after the options: the table, and what all commands share. */
static char *help(int key, const char *text, void *input) {
  char *all = NULL;
  size_t size;
  FILE *stream = key == ARGP_KEY_HELP_POST_DOC ? open_memstream(&all, &size) : NULL;
  (void)input;
  if (stream == NULL) return (char *)text;
  fputs("Commands:\n", stream);
  for (int i = 0; i < COMMANDS; i++)
    fprintf(stream, "  %s%s%-*s %s\n", commands[i].name, *commands[i].arguments ? " " : "",
            26 - (int)strlen(commands[i].name) - (*commands[i].arguments != '\0'), commands[i].arguments, commands[i].summary);
  fputs("\n`ropepp-verify COMMAND --help` tells more. Exit status: 0 pass, 1 mismatch, or nothing checked, 2 usage or bad file, 3 "
        "a kernel "
        "crashed, hung or wrote outside, 130 interrupted.",
        stream);
  fclose(stream);
  return all;
}

static error_t parse_command(int key, char *value, struct argp_state *state) {
  if (key == ARGP_KEY_NO_ARGS) argp_usage(state);
  if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
  int *chosen = state->input;
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(value, commands[i].name) == 0) {
      *chosen = i;
      state->next = state->argc; /* the rest is the command's */
      return 0;
    }
  argp_error(state, "%s: no such command", value);
  return EINVAL;
}

/* At exit, --help's too: what could not be written is no success. */
static void flush_output(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return;
  perror("ropepp-verify: standard output");
  _exit(EXIT_USAGE);
}

int main(int argc, char **argv) {
  atexit(flush_output);
  const struct argp top = {NULL, parse_command, "COMMAND [ARGUMENT...]", overview, NULL, help, NULL};
  int chosen = -1, at = 1;
  rpp_blas_restart(argv);
  argp_err_exit_status = EXIT_USAGE;
  if (argp_parse(&top, argc, argv, ARGP_IN_ORDER, NULL, &chosen) != 0 || chosen < 0) return EXIT_USAGE;
  while (strcmp(argv[at], commands[chosen].name) != 0) at++;
  char name[64];
  snprintf(name, sizeof name, "ropepp-verify %s", commands[chosen].name);
  argv[at] = name;
  return commands[chosen].main(argc - at, argv + at);
}
