/* zygote.h: a small process from which all others are forked. It is forked before this process does anything, so that what it forks
 * is as clean as this process was at its start, however late: no OpenMP threads, whose locks and pools a fork would copy half. */
#ifndef RPP_ZYGOTE_H
#define RPP_ZYGOTE_H
#include "program/message.h"

#include <sys/types.h>

typedef struct {
  int control;
  pid_t pid;
} rpp_zygote;

/* What a forked process does. channel is its end of the socket it was started with. Its exit status is what this returns. */
typedef int rpp_zygote_child(const void *context, int channel);

/* Call before this process has a second thread. Everything the children need must be in memory by now. False with a message. */
bool rpp_zygote_start(rpp_zygote *zygote, rpp_zygote_child *child, const void *context, rpp_message *error);

/* Forks a child: leader of a process group of its own, killed when the zygote dies, without terminal and core files. Its standard
 * input is empty, its standard output is dropped, its standard error goes to chatter. The caller still has to close its copies of
 * both. */
bool rpp_zygote_spawn(rpp_zygote *zygote, int channel, int chatter, pid_t *pid, rpp_message *error);

/* Kills what is left of a child's process group, waits for the child, and returns its status as waitpid gives it: that of its own
 * death when it was dead already. -1 when the zygote is gone. */
int rpp_zygote_end(rpp_zygote *zygote, pid_t pid);

/* Ends every child and the zygote. The same happens by itself when this process dies, however it does. */
void rpp_zygote_stop(rpp_zygote *zygote);

#endif
