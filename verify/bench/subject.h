/* subject.h: what a time is taken of: a kernel's work on a case, ready to be done again and again. */
#ifndef RPP_SUBJECT_H
#define RPP_SUBJECT_H
#include "cases/generate.h"
#include "kernels/kernel.h"

/* What is done: attention; the rotation of q, into room of its own or in place; the table of its angles, cos and sin in float32, which the
 * library makes, whatever the kernel. */
typedef enum { RPP_TASK_FORWARD = 0, RPP_TASK_ROTATE, RPP_TASK_ROTATE_IN_PLACE, RPP_TASK_ANGLES, RPP_TASKS } rpp_bench_task;

extern const char *const rpp_bench_task_names[RPP_TASKS];

typedef struct {
  const rpp_kernel *kernel; /* not for angles */
  rpp_bench_task task;
  rpp_generated *data;
  rpp_tensor out, lse; /* or y, or cos and sin */
  void *workspace;
  int threads;       /* 0: as many as OpenMP has */
  double operations; /* of one run; 0 where there is only traffic */
  double bytes;      /* read and written: every input and output once */
  double copied;     /* the bytes that a copy of its output would read, and write; 0 for attention */
} rpp_subject;

/* Whether a case is timed as rotation: it has no keys, and so leaves a kernel nothing else. */
bool rpp_subject_rotates(const rpp_spec *spec);

/* Whether the kernel has the task and takes the case; false, with the reason in one line, when not. */
bool rpp_subject_offered(const rpp_kernel *kernel, rpp_bench_task task, const rpp_spec *spec, rpp_message *why);

/* Of a case that is offered, on data generated for that case; outputs are data's own, or rooms in it; subjects of one case share them. False, with a message,
 * when memory is out. */
bool rpp_subject_make(const rpp_kernel *kernel, rpp_bench_task task, rpp_generated *data, rpp_subject *subject, rpp_message *error);

/* Does it once: seconds in *took. False, with a message, when the kernel fails. */
bool rpp_subject_run(const rpp_subject *subject, double *took, rpp_message *error);

#endif
