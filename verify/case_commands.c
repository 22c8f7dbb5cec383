/* case_commands.c: the commands that make cases: `ropepp-verify gen` and `ropepp-verify cases`. */
#include <string.h>

#include "cases/cases.h"
#include "cases/gen.h"
#include "cli.h"
#include "command.h"
#include "program/parse.h"

typedef struct {
  const char *spec, *output;
  int64_t cases;
  uint64_t seed;
} options;

static error_t parse_gen(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'o':
    o->output = value;
    return 0;
  case ARGP_KEY_ARG:
    if (o->spec != NULL) rpp_refuse(state, "%.100s: one SPEC is expected", value);
    o->spec = value;
    return 0;
  case ARGP_KEY_END:
    if (o->spec == NULL) rpp_refuse(state, "a SPEC is expected");
    if (o->output == NULL) rpp_refuse(state, "-o FILE is expected");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static char *help_gen(int key, const char *text, void *input) {
  (void)input;
  if (key != ARGP_KEY_HELP_EXTRA) return (char *)text;
  return strdup(rpp_spec_help());
}

int rpp_main_gen(int argc, char **argv) {
  static const struct argp_option table[] = {{"output", 'o', "FILE", 0, "the case file, written aside and renamed", 0}, {0}};
  static const struct argp argp = {table,
                                   parse_gen,
                                   "SPEC",
                                   "Writes a case file without answers: the problem and its data, row-major. The same SPEC gives "
                                   "the same bytes everywhere.",
                                   NULL,
                                   help_gen,
                                   NULL};
  options o = {0};
  if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0) return RPP_EXIT_USAGE;
  return rpp_gen_run(o.spec, o.output, stderr);
}

static error_t parse_cases(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  rpp_message error;
  switch (key) {
  case 'n':
    o->cases = rpp_cli_integer("--cases", value, 1, state);
    return 0;
  case 's':
    if (!rpp_parse_unsigned("--seed", value, &o->seed, &error)) rpp_refuse(state, "%s", error.text);
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%.100s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_main_cases(int argc, char **argv) {
  static const struct argp_option table[] = {
      {"cases", 'n', "N", 0, "cases of the campaign (default 5000)", 0}, {"seed", 's', "N", 0, "its seed (default 1)", 0}, {0}};
  options o = {.cases = 5000, .seed = 1};
  rpp_cli_parse(NULL,
                "What the cases of a fuzz cover: how many of them have each property of the sweep. Status 1 when one has none.",
                table, parse_cases, argc, argv, &o);
  return rpp_cases_run(o.seed, o.cases, stdout);
}
