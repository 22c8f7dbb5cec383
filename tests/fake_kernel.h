/* fake_kernel.h: a kernel that is the truth itself, but for one thing. */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H
#include "kernels/kernel.h"

typedef enum {
  RIGHT,
  WRITES_NOTHING,
  WRITES_NO_LSE,
  WRITES_SOME_LSE,
  REFUSES,
  REFUSES_SILENTLY,
  FLICKERS, /* every second call differs in one bit */
  LSE_FLICKERS,
  NAN_ELEMENT,
  INFINITE_ELEMENT,
  WRONG_ELEMENT,
  WRONG_LSE,
  PAST_OUT,
  BEFORE_LSE,
  OVER_Q,
  PAST_WORKSPACE,
  SUPPORTS_ODD,
  DECLINES,
  DECLINES_LATE, /* and what else only forward can say */
  ANSWERS_BADLY,
  IS_NOT_THERE,
  ROTATES_Q_WRONG,
  ROTATES_IMAGINARY_WRONG,
  ROTATES_K_WRONG,
  ROTATES_NOTHING,
  ROTATES_OUTSIDE,
  ROTATES_AS_CONTIGUOUS,
  ROTATION_LEAVES_ROUNDING,
  LEAVES_ROUNDING,
  ROTATION_REFUSES
} fake_fault;

/* How often it was called, in place too, and the workspace of the last call; each test is a process of its own. */
extern struct fake_calls {
  int forwards, rotations, in_place;
  const void *workspace;
} fake_calls;

/* By a contract of float32 storage and float64 arithmetic; what must outlive it. */
rpp_kernel fake_kernel(const fake_fault *what);

#endif
