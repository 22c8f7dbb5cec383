/* child.h: somebody's program as a child process. It dies with the process that started it, however that dies. */
#ifndef RPP_CHILD_H
#define RPP_CHILD_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "program/message.h"

/* The longest line that a program may answer, without its end; and how much of what it says is kept. */
enum { RPP_CHILD_LINE = 4096, RPP_CHILD_SAID = 1 << 13 };

typedef struct {
  pid_t pid;       /* 0: there is none */
  int pidfd;       /* readable when it has ended */
  int input;       /* its standard input; -1: empty */
  int output;      /* its standard output; -1: goes the way of standard error */
  int speech;      /* its standard error; -1: closed by it */
  size_t echoed;   /* bytes, since it was last asked */
  size_t said;     /* bytes of the last that it said */
  size_t answered; /* bytes of output read, and not yet taken */
  char words[RPP_CHILD_SAID];
  char answer[RPP_CHILD_LINE + 2];
} rpp_child;

/* Starts command[0], looked for as a shell does, with these arguments, ended by null, no shell between, in this process's group, folder
 * and environment. serves: its standard input and output are pipes, for rpp_child_ask. False, with a message, when no process or pipe can
 * be had; a command that cannot be run ends with status 127, having said so. */
bool rpp_child_start(rpp_child *child, char *const *command, bool serves, rpp_message *error);

/* Waits until it ends, however long that takes, and returns its status as waitpid gives it. Then there is none. */
int rpp_child_wait(rpp_child *child);

/* Ends it now. Nothing when there is none. */
void rpp_child_end(rpp_child *child);

typedef enum {
  RPP_CHILD_ANSWERED, /* one line, now in answer, ended by a zero instead of its line break */
  RPP_CHILD_ENDED,    /* it ended before that: rpp_child_wait tells how */
  RPP_CHILD_TOO_LONG, /* its line is longer than RPP_CHILD_LINE, or holds a zero byte */
  RPP_CHILD_UNASKED   /* it said a line before it was asked, or more than one: now in answer, the first */
} rpp_child_result;

/* Writes a line, given without its end, to its standard input and waits for the line it answers, however long that takes. After anything
 * but an answer it is to be ended. */
rpp_child_result rpp_child_ask(rpp_child *child, const char *line);

/* The last lines it said, as rpp_last_words has them. */
void rpp_child_words(const rpp_child *child, int lines, rpp_message *words);

/* Whether a command can be run: it is a path to, or the name in PATH of, a regular file that may be executed. */
bool rpp_child_can_start(const char *command);

#endif
