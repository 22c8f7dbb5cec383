#include "workers/investigate.h"

#include "workers/interrupt.h"

/* What shrinking may cost, counted in cases and operations, not in seconds: what it finds must not depend on the machine. */
enum { ATTEMPTS = 1000, ATTEMPTS_DYING = 200, ATTEMPTS_HANGING = 4 };

typedef struct {
  rpp_pool *pool;
  int kernel;
  bool hanging;
  int attempts;
  double operations;
} budget;

static bool judge_candidate(void *context, const rpp_spec *candidate, rpp_verdict *verdict) {
  budget *b = context;
  b->operations -= rpp_spec_operations(candidate);
  if (b->attempts-- <= 0 || b->operations < 0 || rpp_interrupt_signal() != 0) return false;
  return rpp_pool_judge(b->pool, b->kernel, candidate, b->hanging, verdict);
}

void rpp_investigate(rpp_pool *pool, int kernel, rpp_shrinker *shrink, rpp_report_failure *failure) {
  const rpp_outcome outcome = failure->verdict.outcome;
  rpp_verdict again;
  if (outcome != RPP_OUTCOME_HANG) {
    if (!rpp_pool_judge(pool, kernel, &failure->spec, false, &again)) return;
    failure->reproduced = rpp_verdict_same_kind(&again, &failure->verdict);
    if (!failure->reproduced) return;
  }
  budget b = {pool, kernel, outcome == RPP_OUTCOME_HANG, ATTEMPTS, 1e11 + 20 * rpp_spec_operations(&failure->spec)};
  if (outcome == RPP_OUTCOME_CRASH || outcome == RPP_OUTCOME_EXIT) b.attempts = ATTEMPTS_DYING;
  if (outcome == RPP_OUTCOME_HANG) b.attempts = ATTEMPTS_HANGING;
  if (shrink != NULL) shrink(judge_candidate, &b, &failure->spec, &failure->verdict);
  /* Of what ends a process the layout may tell why. */
  const rpp_outcome left = failure->verdict.outcome;
  const bool wrong = left == RPP_OUTCOME_MISMATCH || left == RPP_OUTCOME_UNWRITTEN ||
                     (failure->spec.layout == RPP_LAYOUT_SPARSE && left != RPP_OUTCOME_HANG);
  if (wrong && rpp_interrupt_signal() == 0)
    rpp_pool_explain(pool, kernel, &failure->spec, &failure->verdict, &failure->explanation);
}
