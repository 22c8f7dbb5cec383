/* command_call.h: a command of the program, called as main calls it, for tests of what it prints. */
#ifndef COMMAND_CALL_H
#define COMMAND_CALL_H
#include "command.h"

/* What the last command wrote to its standard output, and to its standard error. */
extern char *command_out, *command_complaints;

/* The exit status of a command with these arguments, a null pointer after the last: in a process of its own, since argp ends it on --help and
 * on mistakes. Fails the test when a signal ends it. */
int command_call(rpp_command_main *command, const char *const *arguments);

void command_call_free(void);

#endif
