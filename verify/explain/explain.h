/* explain.h: what a wrong kernel probably computes instead. */
#ifndef RPP_EXPLAIN_H
#define RPP_EXPLAIN_H
#include "judge/results.h"
#include "kernels/kernel.h"

/* Tries hypotheses about a failure (other pairing, other sign of the quarter turn, heads stacked, ...): each is the truth of a
 * changed problem, held against what the kernel returns. True, with one line that says which makes it match; false when none does.
 * Called for mismatches and unwritten elements, with the shrunk case, in a worker process: it may run the kernel and use OpenMP. */
bool rpp_explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation);

/* The same of a mismatch of results that are there already, such as a file's: each hypothesis is held against them alone. Costs up to as
 * many truths as there are hypotheses. False when none fits; the explanation is then "", or why none was tried. */
bool rpp_explain_results(const rpp_results *results, const rpp_verdict *verdict, rpp_message *explanation);

#endif
