/* blas_core.h: OpenBLAS as fast as the machine allows, whatever it takes the CPU for (notes/kernels.md). */
#ifndef RPP_BLAS_CORE_H
#define RPP_BLAS_CORE_H
#include <stdbool.h>

/* OPENBLAS_CORETYPE for a CPU with these instructions, where OpenBLAS chose a core (by its name) that leaves them idle; else null. */
const char *rpp_blas_better_core(const char *core, bool avx512, bool avx2);

/* Call first in main. OpenBLAS reads its environment when it is loaded, so a program that wants another core, or no idle threads (the
 * verifier forks), must be started with that environment: this process is replaced by itself, at most once. share: OpenMP, which does the
 * same, is told that threads are to sleep while they wait. Each of several processes would else keep CPUs from the others: on two CPUs a fuzz takes
 * two and a half times as long. What the user has set is kept, and what was set here is taken out again, so that programs started
 * later see the user's environment. Where the process cannot be replaced it goes on as it is. argv: as main's, ended by null. */
void rpp_blas_restart(char *const *argv, bool share);

#endif
