/* cli.h: what the commands' options share. Each complains through argp, which ends the program with status 2. */
#ifndef RPP_CLI_H
#define RPP_CLI_H
#include <argp.h>

#include "base/format.h"
#include "kernels/kernel_plugin.h"
#include "program/commands.h"
#include "program/message.h"
#include "reports/report.h"

/* human or json; or any of the formats. */
rpp_format rpp_cli_basic_format(const char *value, struct argp_state *state);
rpp_format rpp_cli_format(const char *value, struct argp_state *state);

/* The plug-ins that --kernel names: paths, each with a slash. */
typedef struct {
  char paths[RPP_PLUGINS][RPP_PLUGIN_PATH];
  int count;
} rpp_cli_plugins;

enum { RPP_CLI_KERNEL = 'k' };
#define RPP_CLI_KERNEL_OPTION                                                                                                      \
  { "kernel", RPP_CLI_KERNEL, "FILE", 0, "a plug-in kernel, a shared library of ropepp_kernel.h; may be repeated", 0 }

/* Takes the value of --kernel; a name without a slash is one in the current folder. */
void rpp_cli_plugin(rpp_cli_plugins *plugins, const char *value, struct argp_state *state);

/* What commands that make a report are asked for: -f, -o, --kernel, and the arguments behind the options. */
typedef struct {
  rpp_format format;
  rpp_cli_plugins plugins;
  const char *folder; /* null: no files */
  char **arguments;
  int argument_count;
} rpp_cli_asked;

/* Takes one of those keys; ARGP_ERR_UNKNOWN for any other. */
error_t rpp_cli_ask(rpp_cli_asked *asked, int key, char *value, struct argp_state *state);

/* An integer of at least least, of an option's value. */
int64_t rpp_cli_integer(const char *option, const char *value, int64_t least, struct argp_state *state);

/* A positive number of seconds. */
double rpp_cli_seconds(const char *option, const char *value, struct argp_state *state);

/* `I/N`, 1 <= I <= N; *shard counts from 0. */
void rpp_cli_shard(const char *value, int64_t *shard, int64_t *shards, struct argp_state *state);

/* Parses argv; exits on --help and on errors, as argp does. */
void rpp_cli_parse(const char *arguments, const char *doc, const struct argp_option *options, argp_parser_t parser, int argc,
                   char **argv, void *input);

/* The kernels that a command is to run. */
typedef struct {
  const rpp_kernel **kernels;
  const char **names;
  int count;
} rpp_cli_kernels;

/* By name, each once; `simt:` and `cuda:` alone stand for all whose names begin so; a name with a slash is the path of a plug-in, whose name
 * in reports it is. plugins: more of them. Without any, those of this machine's CPU: not simt: and not cuda:. False, with a message, for a
 * name that no kernel has, where there is none, for a plug-in that is refused, and when memory is out. */
bool rpp_cli_kernels_find(int count, char *const *names, const rpp_cli_plugins *plugins, rpp_cli_kernels *found,
                          rpp_message *error);
void rpp_cli_kernels_free(rpp_cli_kernels *found);

/* One line on stderr; returns the exit status 2. */
int rpp_cli_complain(const char *command, const char *what, const rpp_message *error);

/* Prints a report on stdout and, with a folder, saves it there. Returns the exit status. */
int rpp_cli_deliver(const char *command, const rpp_report *report, rpp_format format, const char *folder);

#endif
