/* worker.h: kernels run in processes of their own, so that whatever a kernel does is a verdict about it. Each kernel has workers to
 * itself: what one breaks in its process cannot be blamed on another. A worker that dies or hangs is replaced. */
#ifndef RPP_WORKER_H
#define RPP_WORKER_H
#include "judge/judge.h"

/* What workers do; the pool's own copy is rpp_judge_case and rpp_explain but in tests. */
typedef void rpp_worker_judge(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict);
typedef bool rpp_worker_explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict,
                                rpp_message *explanation);

/* Writes a failure's case to a file, with what the kernel gives where run is true: rpp_failure_file_write. */
typedef bool rpp_worker_save(const rpp_kernel *kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error);

typedef struct {
  const rpp_kernel *const *kernels;
  int kernel_count;
  rpp_worker_judge *judge;
  rpp_worker_explain *explain; /* null: nothing is explained */
  rpp_worker_save *save;       /* null: no files of failures */
  const char *folder;          /* where save puts them; null: nowhere */
  bool apart;                  /* kernels run in processes of their own: how many threads this one has is nothing to them */
  int lanes;                   /* how many cases are judged at a time; 0: as many as there are CPUs for, at most 8 */
  double floor_s;              /* a case may take floor_s + operations * operation_s seconds; 0: 10 */
  double operation_s;          /* 0: 10^-8, some hundred times what a plain loop takes; four times that under a sanitizer */
} rpp_pool_options;

typedef struct rpp_pool rpp_pool;

/* Call before this process has started OpenMP threads. Null, with a message, when processes cannot be had. */
rpp_pool *rpp_pool_start(const rpp_pool_options *options, rpp_message *error);
void rpp_pool_stop(rpp_pool *pool);

/* How many threads OpenMP has in a worker; the environment's OMP_NUM_THREADS, where set, rules instead. */
typedef enum {
  RPP_THREADS_ONE = 1,
  RPP_THREADS_TWO = 2,
  RPP_THREADS_EITHER = 0 /* one, and when that passes, two */
} rpp_threads;

/* Whether a lane is free for rpp_pool_submit. */
bool rpp_pool_ready(const rpp_pool *pool);

/* Starts judging a case by kernel number kernel. Call when the pool is ready. False, with a message, when no process can be had. */
bool rpp_pool_submit(rpp_pool *pool, uint64_t ticket, int kernel, const rpp_spec *spec, rpp_threads threads, rpp_message *error);

typedef enum {
  RPP_POOL_RESULT,     /* ticket and verdict are filled */
  RPP_POOL_TIMEOUT,    /* nothing ended within timeout_s */
  RPP_POOL_IDLE,       /* nothing is being judged */
  RPP_POOL_INTERRUPTED /* rpp_interrupt_signal() */
} rpp_pool_event;

/* Waits until a case is judged, in any order. */
rpp_pool_event rpp_pool_wait(rpp_pool *pool, double timeout_s, uint64_t *ticket, rpp_verdict *verdict);

/* Judges one case while nothing else is being judged. hurry: a hang is called one four times as early; for cases simpler than one
 * that has hung already. False when interrupted, or, with *verdict an error, when no process can be had. */
bool rpp_pool_judge(rpp_pool *pool, int kernel, const rpp_spec *spec, bool hurry, rpp_verdict *verdict);

/* explain in a worker. False when there is nothing to say: no hypothesis fits, or the attempt died. */
bool rpp_pool_explain(rpp_pool *pool, int kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation);

/* save in a worker, as path. False, with a message, when it fails or the attempt dies. */
bool rpp_pool_save(rpp_pool *pool, int kernel, const rpp_spec *spec, bool run, const char *path, rpp_message *error);

/* The options that the pool was started with. */
const rpp_pool_options *rpp_pool_asked(const rpp_pool *pool);

/* Multiplications and additions of a case, of a kernel and of its judge together, roughly. */
double rpp_spec_operations(const rpp_spec *spec);

#endif
