#include "judge/results.h"

bool rpp_results_judge(const rpp_results *results, rpp_scratch *scratch, rpp_judged_truth *truth, rpp_verdict *verdict,
                       rpp_gate_worsts *worsts) {
  const rpp_results *r = results;
  if (!rpp_judged_truth_make(scratch, r->attention, r->inputs, r->contract, r->rows, truth, &verdict->message)) {
    verdict->outcome = RPP_OUTCOME_ERROR;
    return false;
  }
  rpp_gates_apply(truth, r->contract, r->family, r->rows, r->out, r->lse, verdict, worsts);
  rpp_gates_decide(worsts, verdict);
  return true;
}
