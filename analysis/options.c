#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/commands.h"
#include "program/parse.h"
#include "program/print.h"

enum { KEY_HEAD_DIM = 0x200, KEY_ROTARY, KEY_BASE, KEY_SCALING };

int64_t rpp_option_integer(const char *option, const char *value, int64_t least, int64_t most, struct argp_state *state) {
  rpp_message error;
  int64_t integer = least;
  if (!rpp_parse_integer(option, value, least, &integer, &error)) rpp_refuse(state, "%s", error.text);
  if (integer > most) rpp_refuse(state, "%s = %" PRId64 ": must be at most %" PRId64, option, integer, most);
  return integer;
}

double rpp_option_above(const char *option, const char *value, double low, struct argp_state *state) {
  rpp_message error;
  double number = 0;
  if (!rpp_parse_number(option, value, &number, &error)) rpp_refuse(state, "%s", error.text);
  if (!(number > low)) rpp_refuse(state, "%s = %s: must be above %g", option, value, low);
  return number;
}

/* What no parser of one option can see: that they fit each other. */
static void check(rpp_head_options *head, struct argp_state *state) {
  if (head->rotary.rotary_dim == 0) head->rotary.rotary_dim = head->head_dim;
  if (head->head_dim % 2 != 0) rpp_refuse(state, "--head-dim = %" PRId64 ": must be even", head->head_dim);
  if (head->rotary.rotary_dim > head->head_dim)
    rpp_refuse(state, "--rotary = %" PRId64 ": must be at most --head-dim = %" PRId64, head->rotary.rotary_dim, head->head_dim);
  if (rpp_frequencies(&head->rotary, NULL, NULL, NULL) != RPP_OK) rpp_refuse(state, "%s", rpp_error_message());
}

static error_t parse(int key, char *value, struct argp_state *state) {
  rpp_head_options *head = state->input;
  rpp_message error;
  switch (key) {
  case ARGP_KEY_INIT:
    *head = (rpp_head_options){.head_dim = 128, .rotary = {.base = 10000}};
    return 0;
  case KEY_HEAD_DIM:
    head->head_dim = rpp_option_integer("--head-dim", value, 2, 1 << 16, state);
    return 0;
  case KEY_ROTARY:
    head->rotary.rotary_dim = rpp_option_integer("--rotary", value, 2, 1 << 16, state);
    return 0;
  case KEY_BASE:
    head->rotary.base = rpp_option_above("--base", value, 1, state);
    return 0;
  case KEY_SCALING:
    if (!rpp_parse_scaling("--scaling", value, &head->rotary.scaling, &error)) rpp_refuse(state, "%s", error.text);
    return 0;
  case ARGP_KEY_END:
    check(head, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option table[] = {{"head-dim", KEY_HEAD_DIM, "D", 0, "head width, even (default 128)", 1},
                                           {"rotary", KEY_ROTARY, "W", 0, "columns that are rotated, even (default: all)", 1},
                                           {"base", KEY_BASE, "B", 0, "of the frequencies, above 1 (default 10000)", 1},
                                           {"scaling", KEY_SCALING, "KIND[:OPTIONS]", 0,
                                            "of the frequencies: none (default), linear:factor=8, ntk:factor=4, "
                                            "ntk-aware:factor=4, yarn:factor=32,orig=4096, yarn-hf:..., "
                                            "llama3:factor=8,orig=8192,low=1,high=4",
                                            1},
                                           {0}};

const struct argp rpp_head_argp = {table, parse, NULL, NULL, NULL, NULL, NULL};

void rpp_head_options_print(const rpp_head_options *head, char *text) {
  char base[RPP_PRINT_TEXT], scaling[RPP_PRINT_TEXT];
  rpp_print_number(head->rotary.base, base);
  rpp_print_scaling(&head->rotary.scaling, scaling);
  int used = snprintf(text, RPP_HEAD_TEXT, "--head-dim=%" PRId64 " --base=%s", head->head_dim, base);
  if (head->rotary.rotary_dim != head->head_dim)
    used += snprintf(text + used, (size_t)(RPP_HEAD_TEXT - used), " --rotary=%" PRId64, head->rotary.rotary_dim);
  if (head->rotary.scaling.kind != RPP_SCALING_NONE)
    snprintf(text + used, (size_t)(RPP_HEAD_TEXT - used), " --scaling=%s", scaling);
}

void rpp_options_parse(const char *arguments, const char *doc, const struct argp_option *options, argp_parser_t parser,
                       const struct argp_child *children, int argc, char **argv, void *input) {
  const struct argp argp = {options, parser, arguments, doc, children, NULL, NULL};
  if (argp_parse(&argp, argc, argv, 0, NULL, input) != 0) exit(RPP_EXIT_USAGE);
}

int rpp_complain(const char *command, const rpp_message *error) {
  fprintf(stderr, "ropepp-analysis: %s: %s\n", command, error->text);
  return RPP_EXIT_USAGE;
}
