/* peak_memory.h: how much memory a case takes, in a process of its own. */
#ifndef RPP_PEAK_MEMORY_H
#define RPP_PEAK_MEMORY_H
#include "cases/spec.h"
#include "kernels/kernel.h"

/* The largest resident size, in bytes, of a child that draws the case's data and runs the kernel's attention on it once: inputs, outputs and
 * what the kernel takes. NaN when it cannot be had. Must be called before this process has started any OpenMP threads. */
double rpp_peak_memory(const rpp_kernel *kernel, const rpp_spec *spec);

#endif
