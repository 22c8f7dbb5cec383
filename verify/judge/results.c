#include "judge/results.h"

static bool judge_rotated(const rpp_results *r, rpp_scratch *scratch, rpp_judged_tensor which, rpp_part part, const rpp_tensor *got,
                          rpp_verdict *verdict, rpp_gate_worsts *worsts) {
  const bool of_q = which == RPP_JUDGED_ROTATED_Q;
  rpp_tensor expected, bound;
  if (got == NULL) return true;
  if (!rpp_rotated_truth_make(scratch, &r->attention->rotary, part, r->contract, of_q ? r->inputs->q : r->inputs->k,
                              of_q ? r->inputs->pos_q : r->inputs->pos_k, &expected, &bound, &verdict->message))
    return false;
  rpp_gates_elements(which, &expected, &bound, got, verdict, worsts);
  return true;
}

bool rpp_results_judge(const rpp_results *results, rpp_scratch *scratch, rpp_judged_truth *truth, rpp_verdict *verdict,
                       rpp_gate_worsts *worsts) {
  const rpp_results *r = results;
  if (!judge_rotated(r, scratch, RPP_JUDGED_ROTATED_Q, RPP_PART_REAL, r->q_real, verdict, worsts) ||
      !judge_rotated(r, scratch, RPP_JUDGED_ROTATED_Q, RPP_PART_IMAG, r->q_imag, verdict, worsts) ||
      !judge_rotated(r, scratch, RPP_JUDGED_ROTATED_K, RPP_PART_REAL, r->k_rot, verdict, worsts) ||
      !rpp_judged_truth_make(scratch, r->attention, r->inputs, r->contract, r->rows, truth, &verdict->message)) {
    verdict->outcome = RPP_OUTCOME_ERROR;
    return false;
  }
  rpp_gates_apply(truth, r->contract, r->family, r->rows, r->out, r->lse, verdict, worsts);
  rpp_gates_decide(worsts, verdict);
  return true;
}
