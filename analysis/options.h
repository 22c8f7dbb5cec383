/* options.h: what the commands' options share. Each complains in one line and ends the program with status 2. */
#ifndef RPP_OPTIONS_H
#define RPP_OPTIONS_H
#include <argp.h>

#include "program/message.h"
#include "ropepp.h"

/* Head width and frequencies: --head-dim, --rotary, --base, --scaling. An argp child: its input is a rpp_head_options, set to the defaults
 * of ARGP_KEY_INIT (128, all of it, 10000, none) and checked by the library when the options end. */
typedef struct {
  int64_t head_dim;  /* D */
  rpp_rotary rotary; /* W, base, scaling; exact angles */
} rpp_head_options;
extern const struct argp rpp_head_argp;

/* "--head-dim=128 --base=10000", and whatever differs from the defaults: for the comment lines of data. */
enum { RPP_HEAD_TEXT = 320 };
void rpp_head_options_print(const rpp_head_options *head, char *text);

/* A decimal integer from least to most; a finite number above low, or at least it. */
int64_t rpp_option_integer(const char *option, const char *value, int64_t least, int64_t most, struct argp_state *state);
double rpp_option_above(const char *option, const char *value, double low, struct argp_state *state);

/* Parses argv with the children given (ended by a null argp, or null); exits on --help and on errors. */
void rpp_options_parse(const char *arguments, const char *doc, const struct argp_option *options, argp_parser_t parser,
                       const struct argp_child *children, int argc, char **argv, void *input);

/* "ropepp-analysis: WHAT" as one line on stderr; returns the exit status 2. */
int rpp_complain(const char *command, const rpp_message *error);

#endif
