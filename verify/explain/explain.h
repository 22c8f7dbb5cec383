/* explain.h: what a wrong kernel probably computes instead. */
#ifndef RPP_EXPLAIN_H
#define RPP_EXPLAIN_H
#include "cases/spec.h"
#include "judge/verdict.h"
#include "kernels/kernel.h"

/* Tries hypotheses about a failure (other pairing, other sign of the quarter turn, heads stacked, ...): each is the truth of a
 * changed problem, held against what the kernel returns. True, with one line that says which makes it match; false when none does.
 * Called for mismatches and unwritten elements, with the shrunk case, in a worker process: it may run the kernel and use OpenMP. */
bool rpp_explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation);

#endif
