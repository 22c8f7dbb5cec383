/* commands.c: the commands that need no options but --format. */
#include <stdbool.h>

#include "cli.h"
#include "command.h"
#include "identities/errata.h"
#include "identities/identity.h"
#include "judge/truth.h"

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
    o->format = rpp_cli_basic_format(value, state);
    return 0;
  case ARGP_KEY_ARGS:
    o->files = state->argv + state->next;
    o->file_count = state->argc - state->next;
    if (!o->takes_files) rpp_refuse(state, "%.100s: no argument is expected", o->files[0]);
    return 0;
  case ARGP_KEY_NO_ARGS:
    if (o->takes_files) rpp_refuse(state, "a case file is expected");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option format_option[] = {{"format", 'f', "FORMAT", 0, "human (default) or json", 0}, {0}};

int rpp_main_identities(int argc, char **argv) {
  options o = {0};
  rpp_cli_parse(
      NULL,
      "Checks every identity over random configurations: its largest deviation, its bound, and whether the error planted for "
      "it is caught.",
      format_option, parse, argc, argv, &o);
  return rpp_identities_run(o.format, stdout);
}

int rpp_main_errata(int argc, char **argv) {
  options o = {0};
  rpp_cli_parse(NULL, "The numbers that show the errors in the paper's formulas.", NULL, parse, argc, argv, &o);
  return rpp_errata_run(stdout);
}

int rpp_main_truth(int argc, char **argv) {
  options o = {.takes_files = true};
  rpp_cli_parse("CASE...", "Every identity, and every case, in one table with a verdict.", NULL, parse, argc, argv, &o);
  return rpp_truth_run(o.file_count, o.files, stdout);
}
