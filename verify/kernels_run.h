/* kernels_run.h: the command `ropepp-verify kernels`. */
#ifndef RPP_KERNELS_RUN_H
#define RPP_KERNELS_RUN_H
#include <stdio.h>

#include "kernels/kernel.h"

/* A line for each kernel of a list ended by null: its name, what it is and where it runs, its contract. Returns the exit status: 1 when
 * there are none. */
int rpp_kernels_run(const rpp_kernel *const *kernels, FILE *out);

#endif
