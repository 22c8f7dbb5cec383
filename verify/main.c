/* main.c: the command line of ropepp-verify. A command is one entry of the table below. */
#include "check_run.h"
#include "errata.h"
#include "identity.h"
#include "truth.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *argp_program_version = "ropepp-verify " RPP_VERSION;

enum { EXIT_USAGE = 2 };

typedef struct {
  rpp_format format;
  char **files;
  int file_count;
  bool takes_files;
} options;

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'f':
    if (strcmp(value, "human") == 0)
      o->format = RPP_FORMAT_HUMAN;
    else if (strcmp(value, "json") == 0)
      o->format = RPP_FORMAT_JSON;
    else
      argp_error(state, "--format %s: expected human or json", value);
    return 0;
  case ARGP_KEY_ARGS:
    o->files = state->argv + state->next;
    o->file_count = state->argc - state->next;
    if (!o->takes_files) argp_error(state, "%s: no argument is expected", o->files[0]);
    return 0;
  case ARGP_KEY_NO_ARGS:
    if (o->takes_files) argp_error(state, "a case file is expected");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option format_option[] = {{"format", 'f', "FORMAT", 0, "human (default) or json", 0}, {0}};

static int run_identities(const options *o) {
  return rpp_identities_run(o->format, stdout);
}
static int run_check(const options *o) {
  return rpp_check_run(o->file_count, o->files, o->format, stdout);
}
static int run_errata(const options *o) {
  (void)o;
  return rpp_errata_run(stdout);
}
static int run_truth(const options *o) {
  return rpp_truth_run(o->file_count, o->files, stdout);
}

static const struct {
  const char *name;
  bool takes_files;
  int (*run)(const options *);
  struct argp argp;
} commands[] = {
    {"identities",
     false,
     run_identities,
     {format_option, parse, NULL,
      "Checks every identity over random configurations: its largest deviation, its bound, and whether the "
      "error planted for it is caught.",
      NULL, NULL, NULL}},
    {"check",
     true,
     run_check,
     {format_option, parse, "CASE...", "Judges the expected tensors that case files carry against the truth.", NULL, NULL, NULL}},
    {"errata",
     false,
     run_errata,
     {NULL, parse, NULL, "The numbers that show the errors in the paper's formulas.", NULL, NULL, NULL}},
    {"truth",
     true,
     run_truth,
     {NULL, parse, "CASE...", "Every identity, and every case, in one table with a verdict.", NULL, NULL, NULL}},
};

static const char overview[] = "Verifies RoPE and RoPE++ attention against a float64 reference.\v"
                               "Commands:\n"
                               "  identities     every identity, its largest deviation, its bound\n"
                               "  check CASE...  judge the expected tensors that case files carry\n"
                               "  truth CASE...  both, in one table with a verdict\n"
                               "  errata         the numbers that show the errors in the paper's formulas\n"
                               "\n"
                               "`ropepp-verify COMMAND --help` tells more. Exit status: 0 pass, 1 mismatch, 2 usage or bad file.";

static error_t parse_command(int key, char *value, struct argp_state *state) {
  if (key == ARGP_KEY_NO_ARGS) argp_usage(state);
  if (key != ARGP_KEY_ARG) return ARGP_ERR_UNKNOWN;
  int *chosen = state->input;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (strcmp(value, commands[i].name) == 0) {
      *chosen = (int)i;
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
  const struct argp top = {NULL, parse_command, "COMMAND [ARGUMENT...]", overview, NULL, NULL, NULL};
  int chosen = -1, at = 1;
  argp_err_exit_status = EXIT_USAGE;
  if (argp_parse(&top, argc, argv, ARGP_IN_ORDER, NULL, &chosen) != 0 || chosen < 0) return EXIT_USAGE;
  while (strcmp(argv[at], commands[chosen].name) != 0) at++;
  char name[64];
  snprintf(name, sizeof name, "ropepp-verify %s", commands[chosen].name);
  argv[at] = name;
  options o = {.takes_files = commands[chosen].takes_files};
  if (argp_parse(&commands[chosen].argp, argc - at, argv + at, 0, NULL, &o) != 0) return EXIT_USAGE;
  return commands[chosen].run(&o);
}
