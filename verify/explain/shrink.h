/* shrink.h: the simplest case that still fails in the same way. */
#ifndef RPP_SHRINK_H
#define RPP_SHRINK_H
#include "cases/spec.h"
#include "judge/verdict.h"

/* Judges a candidate, with the kernel in a process of its own. False when shrinking must end (budget spent, interrupted): *verdict
 * is then not filled, and the smallest case so far is the result. Candidates that the kernel hangs on cost seconds each. */
typedef bool rpp_shrink_runner(void *context, const rpp_spec *candidate, rpp_verdict *verdict);

/* Replaces *spec and *verdict, a failure, by the simplest case found whose verdict is of the same kind (rpp_verdict_same_kind), or
 * a mismatch that a sharper gate notices (element before the statistical ones): lengths, batch, heads, width, scaling, mask,
 * layout, family (shrink_moves.c). At most 400 candidates, 16 of which may hang. A pure function of the arguments and of what the
 * runner answers. False when nothing simpler fails. */
typedef bool rpp_shrinker(rpp_shrink_runner *run, void *context, rpp_spec *spec, rpp_verdict *verdict);
rpp_shrinker rpp_shrink;

#endif
