/* commands.h: a program of several commands, each with options and a help of its own. */
#ifndef RPP_COMMANDS_H
#define RPP_COMMANDS_H
#include <argp.h>

/* argv[0] is "PROGRAM COMMAND". Returns the exit status. */
typedef int rpp_command_main(int argc, char **argv);

typedef struct {
  const char *name, *arguments, *summary;
  rpp_command_main *main;
} rpp_command;

enum { RPP_EXIT_USAGE = 2 };

/* Runs the command that argv names: its exit status, or 2 for a usage error. commands ends with a null name; overview is what the program
 * is for, statuses what its exit statuses mean. What of standard output could not be written ends the program with 2. */
int rpp_commands_run(const char *program, const char *overview, const char *statuses, const rpp_command *commands, int argc,
                     char **argv);

/* Ends the program with status 2 and one line, whatever the arguments hold: what an option's parser has against its value. */
__attribute__((format(printf, 2, 3))) void rpp_refuse(const struct argp_state *state, const char *format, ...);

#endif
