/* worker_child.h: what a worker process does. */
#ifndef RPP_WORKER_CHILD_H
#define RPP_WORKER_CHILD_H
#include "workers/worker.h"

typedef enum { RPP_TASK_JUDGE = 0, RPP_TASK_EXPLAIN, RPP_TASK_SAVE } rpp_task;

enum { RPP_WORKER_PATH = 1024 };

typedef struct {
  uint64_t ticket;
  rpp_task task;
  int kernel;
  rpp_threads threads;
  rpp_spec spec;
  rpp_verdict verdict;        /* explain: what is to be explained */
  bool run;                   /* save: the kernel, too */
  char path[RPP_WORKER_PATH]; /* save: of the file */
} rpp_worker_request;

typedef struct {
  uint64_t ticket;
  rpp_verdict verdict;
  bool explained;          /* save: done */
  rpp_message explanation; /* save: else why not */
} rpp_worker_reply;

/* Answers requests on a channel until it ends. context: rpp_pool_options. */
int rpp_worker_child(const void *context, int channel);

#endif
