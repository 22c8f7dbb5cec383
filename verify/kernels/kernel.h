/* kernel.h: the interface behind which every kernel under test stands: CPU, SIMT, CUDA, plug-ins, programs, planted bugs. */
#ifndef RPP_KERNEL_H
#define RPP_KERNEL_H
#include "ropepp.h"

#define RPP_KERNEL_VERSION 1

/* What rotate and forward return beside 0 and, for an error of theirs, 1. */
#define RPP_KERNEL_OUTSIDE                                                                                                         \
  2 /* they have seen a write outside of their buffers that the caller's guards cannot see: in a device's memory */
#define RPP_KERNEL_DECLINED 3   /* the problem is unsupported after all: of a kernel that cannot be asked before it gets data */
#define RPP_KERNEL_BAD_ANSWER 4 /* of a kernel that answers by a file: what it left is no answer to the problem */
#define RPP_KERNEL_UNASKED 5    /* the kernel could not be run, through no fault of its own */

/* A problem as a kernel is asked about it, before it gets data: shapes and layouts are in the tensors, whose data is null. */
typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  const rpp_tensor *out, *lse;
} rpp_kernel_problem;

typedef struct rpp_kernel rpp_kernel;
struct rpp_kernel {
  int version;             /* RPP_KERNEL_VERSION */
  const char *name;        /* one word */
  const char *description; /* one line: what it is and where it runs */
  rpp_contract contract;
  const void *data;  /* the kernel's own */
  bool lse_optional; /* forward may leave all of lse as it was: out alone is then judged */

  /* Null when the problem is supported, else the reason in one line. */
  const char *(*supports)(const rpp_kernel *kernel, const rpp_kernel_problem *problem);

  /* Bytes of workspace that forward wants for a problem; null: none. */
  size_t (*workspace)(const rpp_kernel *kernel, const rpp_kernel_problem *problem);

  /* As rpp_rotate, but y may be x itself (in place). Null: not offered. Returns 0, or nonzero with *reason set to one line. */
  int (*rotate)(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                rpp_tensor *y, const char **reason);

  /* As rpp_attention_forward without rows. Null: not offered; then rotate is, and the kernel supports no rotated inputs. Returns 0, or
   * nonzero with *reason set to one line. */
  int (*forward)(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                 rpp_tensor *lse, void *workspace, const char **reason);

  void *reserved[4]; /* decode, backward: null in this version */
};

/* The kernels of this build, ended by null: one line each in kernels.c. Those of a device: kernel_cuda.h. */
extern const rpp_kernel *const rpp_kernels[];

/* Whether it is a kernel for this CPU: not simt: and not cuda:. */
bool rpp_kernel_on_host(const rpp_kernel *kernel);

/* By name; for cuda:..., a device is looked for. Null when there is none. */
const rpp_kernel *rpp_kernel_find(const char *name);

#endif
