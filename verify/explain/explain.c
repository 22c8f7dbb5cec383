#include "explain/explain.h"

#include "explain/explain_parts.h"
#include "explain/shrink_moves.h"

/* Seeds, beside the case's own, on which a hypothesis must hold too. */
enum { SEEDS = 3 };

/* What a hypothesis says of another case must be so there, too: on a small case much fits by chance, or because it is small. Where
 * the fault is not always there, a case on which the kernel is right says nothing. */
static void drop_refuted(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, bool always, rpp_survivors *s) {
  rpp_trial t = {0};
  if (rpp_trial_open(&t, kernel, spec, of_rotation, -1) && (always || !rpp_trial_right(&t))) {
    int kept = 0;
    for (int i = 0; i < s->count; i++)
      if (rpp_trial_agrees(&t, s->of[i])) s->of[kept++] = s->of[i];
    s->count = kept;
  }
  rpp_trial_close(&t);
}

/* ---- Other cases ---------------------------------------------------------------------------------------------------------- */

static bool more_tokens(rpp_spec *s, int step) {
  s->k_len += 5 + step, s->q_len += 2;
  s->batch += 1;
  s->head_dim += 6;
  return true;
}
static bool more_heads(rpp_spec *s, int step) {
  s->k_len += 5 + step;
  if (s->attention.kv_heads <= 4) s->attention.heads *= 4, s->attention.kv_heads *= 4;
  if (s->attention.heads < 3 * s->attention.kv_heads) s->attention.heads = 3 * s->attention.kv_heads;
  return true;
}
static bool few_keys(rpp_spec *s, int step) {
  if (s->k_len > 5) s->k_len = 5 + step;
  if (s->q_len > 3) s->q_len = 3;
  return true;
}
static bool further_out(rpp_spec *s, int step) {
  s->k_len += 255 - s->k_len % 256 + step; /* no whole number of tiles of any size */
  s->position += 2500;
  s->head_dim += 6;
  return true;
}

/* Larger cases, on which hypotheses differ that are one and the same on a case as small as shrinking leaves it; and one smaller
 * than what shrinking could not make smaller, on which the kernel is right. */
static const rpp_shrink_move variations[] = {{"tokens", more_tokens, false},
                                             {"heads", more_heads, false},
                                             {"further out", further_out, false},
                                             {"few keys", few_keys, false},
                                             {0}};

static void confirm(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, bool always, rpp_survivors *s) {
  rpp_spec other = *spec;
  rpp_message error;
  for (int i = 0; i < SEEDS && s->count > 0; i++) {
    other.seed++;
    drop_refuted(kernel, &other, of_rotation, true, s);
  }
  for (const rpp_shrink_move *variation = variations; variation->name && s->count > 0; variation++) {
    other = *spec;
    rpp_shrink_move_apply(variation, 0, &other);
    if (rpp_spec_check(&other, &error)) drop_refuted(kernel, &other, of_rotation, always || variation->apply == few_keys, s);
  }
}

/* ---- Angles ----------------------------------------------------------------------------------------------------------------- */

/* Where nothing turns. */
static rpp_spec at_zero(rpp_spec s) {
  s.position = 0;
  s.reset = 1;
  s.batched_positions = false;
  return s;
}
/* Where float32 has no digit left behind the point. */
static rpp_spec far_out(rpp_spec s) {
  static const int64_t far = 100000000;
  if (s.position < far) s.position = far;
  s.reset = 0;
  return s;
}

/* Whether a kernel is right, or wrong, on another case; where it does not take it, it is neither. */
static bool turns_out(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, bool right) {
  rpp_trial t = {0};
  const bool is_so = rpp_trial_open(&t, kernel, spec, of_rotation, -1) && rpp_trial_right(&t) == right;
  rpp_trial_close(&t);
  return is_so;
}

/* A wider bound takes any small error for one of angles. Those are none where every angle is 0, and grow with positions. */
static void confirm_angles(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, rpp_survivors *s) {
  rpp_spec near = at_zero(*spec), far = far_out(*spec);
  for (int i = 0; i < SEEDS && s->count > 0; i++, near.seed++, far.seed++)
    if (turns_out(kernel, &near, of_rotation, false) || turns_out(kernel, &far, of_rotation, true)) s->count = 0;
}

/* ---- The whole -------------------------------------------------------------------------------------------------------------- */

/* Judged before the kernel gets data, so that nothing else is known of the case. */
static bool accepts_odd_heads(const rpp_trial *t, const rpp_verdict *verdict, rpp_message *explanation) {
  rpp_attention odd = t->data.attention;
  const rpp_kernel_problem problem = {&odd, &t->data.inputs, &t->data.out, &t->data.lse};
  odd.heads = odd.kv_heads = 3;
  if (verdict->elements > 0 || !t->data.blocks || odd.mode != RPP_MODE_EH || t->kernel->supports(t->kernel, &problem)) return false;
  rpp_message_set(explanation, "accepts EH with an odd count of heads, which must be refused");
  return true;
}

/* A second run leaves its results in the place of the first's. */
static bool differs_again(rpp_trial *t) {
  const rpp_tensor first = rpp_scratch_copy(&t->scratch, &t->data.out);
  return first.data && rpp_trial_run(t) && !rpp_trial_same(&first, &t->data.out);
}

/* What fits on every case, or, not always, on those on which the kernel is wrong. */
static void suppose(const rpp_trial *t, bool always, rpp_survivors *s) {
  s->count = 0;
  for (const rpp_hypothesis *const *table = rpp_hypotheses; *table; table++) rpp_survivors_gather(t, *table, s);
  confirm(t->kernel, &t->spec, t->of_rotation, always, s);
}

static bool explain(rpp_trial *t, const rpp_verdict *verdict, rpp_message *explanation) {
  rpp_survivors s = {.count = 0};
  if (verdict->outcome == RPP_OUTCOME_UNWRITTEN)
    return rpp_explain_offsets(t->kernel, &t->spec, false, verdict->outcome, explanation) || rpp_explain_unwritten(t, explanation);
  if (!t->of_rotation && differs_again(t)) {
    rpp_message_set(explanation, "two runs of the same case differ: a race, or memory read before it is written");
    return true;
  }
  if (rpp_explain_offsets(t->kernel, &t->spec, t->of_rotation, verdict->outcome, explanation)) return true;
  suppose(t, true, &s);
  if (s.count == 0) {
    rpp_survivors_gather(t, rpp_hypotheses_wider, &s);
    confirm(t->kernel, &t->spec, t->of_rotation, true, &s);
    confirm_angles(t->kernel, &t->spec, t->of_rotation, &s);
  }
  if (rpp_survivors_name(&s, "", explanation) || (!t->of_rotation && rpp_explain_keys(t, explanation))) return true;
  if (!t->of_rotation && !rpp_trial_run(t)) return false; /* explain_keys has left other results */
  suppose(t, false, &s);
  return rpp_survivors_name(&s, "not on every case, but on this one: ", explanation);
}

bool rpp_explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation) {
  const bool mismatch = verdict->outcome == RPP_OUTCOME_MISMATCH;
  const bool of_rotation = mismatch && verdict->elements > 0 &&
                           (verdict->worst.tensor == RPP_JUDGED_ROTATED_Q || verdict->worst.tensor == RPP_JUDGED_ROTATED_K);
  if (rpp_outcome_severe(verdict->outcome)) return rpp_explain_offsets(kernel, spec, false, verdict->outcome, explanation);
  if (!mismatch && verdict->outcome != RPP_OUTCOME_UNWRITTEN) return false;
  rpp_trial t = {0};
  const bool opened = rpp_trial_open(&t, kernel, spec, of_rotation, verdict->worst.t);
  const bool explained = (mismatch && accepts_odd_heads(&t, verdict, explanation)) || (opened && explain(&t, verdict, explanation));
  rpp_trial_close(&t);
  return explained;
}
