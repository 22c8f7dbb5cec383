/* explain_results.c: what results that are there already look like. Nothing can be run again, so that a hypothesis is not held against
 * other cases: on a small one, more than one may fit. */
#include "explain/explain.h"
#include "explain/explain_parts.h"

bool rpp_explain_results(const rpp_results *results, const rpp_verdict *verdict, rpp_message *explanation) {
  rpp_survivors s = {.count = 0};
  rpp_trial t = {0};
  const bool of_rotation = verdict->worst.tensor == RPP_JUDGED_ROTATED_Q || verdict->worst.tensor == RPP_JUDGED_ROTATED_K;
  const bool opened = rpp_trial_open_results(&t, results, of_rotation, verdict->worst.t);
  for (const rpp_hypothesis *const *table = rpp_hypotheses; opened && *table; table++) rpp_survivors_gather(&t, *table, &s);
  if (opened && s.count == 0) rpp_survivors_gather(&t, rpp_hypotheses_wider, &s);
  rpp_trial_close(&t);
  rpp_message_set(explanation, "%s",
                  opened        ? ""
                  : of_rotation ? "to be explained, q_real, q_imag and k_rot are needed, and a case that is not too large"
                                : "the case is too large to be explained: make one of fewer queries, keys or heads");
  return opened && rpp_survivors_name(&s, "", explanation);
}
