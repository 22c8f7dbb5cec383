#include "judge/verdict.h"

#include <math.h>

const rpp_name rpp_names_outcome[] = {{"pass", RPP_OUTCOME_PASS},
                                      {"unsupported", RPP_OUTCOME_UNSUPPORTED},
                                      {"refused", RPP_OUTCOME_REFUSED},
                                      {"bad answer", RPP_OUTCOME_BAD_ANSWER},
                                      {"mismatch", RPP_OUTCOME_MISMATCH},
                                      {"unwritten", RPP_OUTCOME_UNWRITTEN},
                                      {"wrote outside", RPP_OUTCOME_OUTSIDE},
                                      {"crash", RPP_OUTCOME_CRASH},
                                      {"exit", RPP_OUTCOME_EXIT},
                                      {"hang", RPP_OUTCOME_HANG},
                                      {"error", RPP_OUTCOME_ERROR},
                                      {NULL, 0}};

const rpp_name rpp_names_gate[] = {{"structure", RPP_GATE_STRUCTURE},
                                   {"element", RPP_GATE_ELEMENT},
                                   {"statistical element", RPP_GATE_STATISTICAL},
                                   {"row", RPP_GATE_ROW},
                                   {"tensor", RPP_GATE_TENSOR},
                                   {NULL, 0}};

const rpp_name rpp_names_judged[] = {{"out", RPP_JUDGED_OUT},
                                     {"lse", RPP_JUDGED_LSE},
                                     {"rotated q", RPP_JUDGED_ROTATED_Q},
                                     {"rotated k", RPP_JUDGED_ROTATED_K},
                                     {NULL, 0}};

const char *rpp_verdict_caught_by(rpp_outcome outcome, rpp_gate gate) {
  return outcome == RPP_OUTCOME_MISMATCH ? rpp_names_get(rpp_names_gate, (int)gate)
                                         : rpp_names_get(rpp_names_outcome, (int)outcome);
}

rpp_verdict rpp_verdict_none(void) {
  rpp_verdict verdict = {.outcome = RPP_OUTCOME_ERROR, .worst = {.ratio = -1}};
  for (int g = 0; g < RPP_GATES; g++) verdict.ratio[g] = -1;
  return verdict;
}

bool rpp_ratio_worse(double a, double b) {
  return isnan(a) ? !isnan(b) : a > b;
}

bool rpp_verdict_fails(const rpp_verdict *verdict) {
  return verdict->outcome != RPP_OUTCOME_PASS && verdict->outcome != RPP_OUTCOME_UNSUPPORTED;
}

bool rpp_outcome_severe(rpp_outcome outcome) {
  return outcome == RPP_OUTCOME_OUTSIDE || outcome == RPP_OUTCOME_CRASH || outcome == RPP_OUTCOME_EXIT ||
         outcome == RPP_OUTCOME_HANG;
}

bool rpp_verdict_same_kind(const rpp_verdict *a, const rpp_verdict *b) {
  return a->outcome == b->outcome && (a->outcome != RPP_OUTCOME_MISMATCH || a->gate == b->gate);
}
