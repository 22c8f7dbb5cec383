/* explain_results.c: what results that are there already look like. Nothing can be run again, so that a hypothesis is not held against
 * other cases: on a small one, more than one may fit. */
#include "explain/explain.h"
#include "explain/explain_parts.h"

/* Rows that nearly every hypothesis is refuted by, at a fraction of what all of them cost. */
enum { FEW_ROWS = 6 };

static void gather_all(const rpp_trial *t, rpp_survivors *s) {
  for (const rpp_hypothesis *const *table = rpp_hypotheses; *table; table++) rpp_survivors_gather(t, *table, s);
}

static void keep_fitting(const rpp_trial *t, rpp_survivors *s) {
  int kept = 0;
  for (int i = 0; i < s->count; i++)
    if (rpp_trial_fits(t, s->of[i])) s->of[kept++] = s->of[i];
  s->count = kept;
}

/* What fits a few rows is tried on all; where nothing is left, everything is: some hypotheses are about all rows together. */
static void suppose(const rpp_results *results, const rpp_trial *whole, int64_t row, rpp_survivors *s) {
  rpp_trial few;
  if (rpp_trial_open_results(&few, results, whole->of_rotation, row, FEW_ROWS) && few.rows && !few.of_rotation) {
    gather_all(&few, s);
    keep_fitting(whole, s);
  }
  rpp_trial_close(&few);
  if (s->count == 0) gather_all(whole, s);
  if (s->count == 0) rpp_survivors_gather(whole, rpp_hypotheses_wider, s);
}

bool rpp_explain_results(const rpp_results *results, const rpp_verdict *verdict, rpp_message *explanation) {
  rpp_survivors s = {.count = 0};
  rpp_trial t;
  const bool of_rotation = verdict->worst.tensor == RPP_JUDGED_ROTATED_Q || verdict->worst.tensor == RPP_JUDGED_ROTATED_K;
  const bool opened = rpp_trial_open_results(&t, results, of_rotation, verdict->worst.t, 0);
  if (opened) suppose(results, &t, verdict->worst.t, &s);
  rpp_trial_close(&t);
  rpp_message_set(explanation, "%s",
                  opened        ? ""
                  : of_rotation ? "to be explained, q_real, q_imag and k_rot are needed, and a case that is not too large"
                                : "the case is too large to be explained: make one of fewer queries, keys or heads");
  return opened && rpp_survivors_name(&s, "", explanation);
}
