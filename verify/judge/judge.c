#include "judge/judge.h"

#include "base/arithmetic.h"
#include "base/elements.h"
#include "cases/generate.h"
#include "judge/compare.h"
#include "judge/results.h"
#include "kernels/takes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* One case of one kernel, while it is judged. */
typedef struct {
  const rpp_kernel *kernel;
  const rpp_spec *spec;
  rpp_generated data;
  rpp_scratch scratch;
  void *workspace;
  rpp_verdict *verdict;
  rpp_gate_worsts worsts;
  bool returned, judged; /* the kernel left its results in data; truth is filled */
  rpp_judged_truth truth;
} trial;

/* Sets an outcome with its message; false, so that a step reads `return stop(...)`. */
static bool stop(trial *t, rpp_outcome outcome, const char *text) {
  t->verdict->outcome = outcome;
  if (text && text != t->verdict->message.text) rpp_message_set(&t->verdict->message, "%s", text);
  return false;
}

/* Of a kernel that did not return 0. */
static rpp_outcome failed(int status) {
  switch (status) {
  case RPP_KERNEL_OUTSIDE:
    return RPP_OUTCOME_OUTSIDE;
  case RPP_KERNEL_DECLINED:
    return RPP_OUTCOME_UNSUPPORTED;
  case RPP_KERNEL_BAD_ANSWER:
    return RPP_OUTCOME_BAD_ANSWER;
  case RPP_KERNEL_UNASKED:
    return RPP_OUTCOME_ERROR;
  default:
    return RPP_OUTCOME_REFUSED;
  }
}

/* Of a kernel that has returned. */
static bool left_arithmetic(trial *t) {
  if (rpp_arithmetic_restore_team()) return true;
  t->verdict->ratio[RPP_GATE_STRUCTURE] = INFINITY;
  t->verdict->gate = RPP_GATE_STRUCTURE;
  return stop(t, RPP_OUTCOME_MISMATCH, "left the processor rounding in another direction, or flushing subnormal numbers to zero");
}

/* ---- Before data -------------------------------------------------------------------------------------------------------- */

/* EH with an odd count of heads has no meaning: a kernel that says it supports it is wrong, whatever it computes. */
static bool refuses_odd_heads(trial *t) {
  rpp_attention odd = t->data.attention;
  odd.heads = odd.kv_heads = 3;
  const rpp_kernel_problem problem = {&odd, &t->data.inputs, &t->data.out, &t->data.lse};
  if (odd.mode != RPP_MODE_EH || t->kernel->supports(t->kernel, &problem)) return true;
  t->verdict->ratio[RPP_GATE_STRUCTURE] = INFINITY;
  t->verdict->gate = RPP_GATE_STRUCTURE;
  return stop(t, RPP_OUTCOME_MISMATCH, "EH with 3 heads and 3 KV heads was accepted: it must be refused");
}

static bool supported(trial *t) {
  const rpp_kernel_problem problem = {&t->data.attention, &t->data.inputs, &t->data.out, &t->data.lse};
  return rpp_kernel_takes(t->kernel, &problem, &t->verdict->message) || stop(t, RPP_OUTCOME_UNSUPPORTED, NULL);
}

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

/* Rotates x by the kernel, in place on a copy or into guarded room, and judges the result. */
static bool rotate_one(trial *t, rpp_judged_tensor which, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos) {
  rpp_tensor y, expected, bound;
  if (!rpp_generated_room(&t->data, "rotated", x, x->dtype, t->spec->in_place, &y, &t->verdict->message))
    return stop(t, t->data.unreserved ? RPP_OUTCOME_UNSUPPORTED : RPP_OUTCOME_ERROR, NULL);
  if (!rpp_rotated_truth_make(&t->scratch, &t->data.attention.rotary, part, &t->kernel->contract, x, pos, &expected, &bound,
                              &t->verdict->message))
    return stop(t, RPP_OUTCOME_ERROR, NULL);
  const char *reason = "no reason given";
  const int status = t->kernel->rotate(t->kernel, &t->data.attention.rotary, part, t->spec->in_place ? &y : x, pos, &y, &reason);
  if (!left_arithmetic(t)) return false;
  if (status != 0) return stop(t, failed(status), reason);
  rpp_gates_elements(which, &expected, &bound, &y, t->verdict, &t->worsts);
  return true;
}

static bool rotate(trial *t) {
  const rpp_generated *d = &t->data;
  if (!t->kernel->rotate || d->attention.q_rotated) return true;
  return rotate_one(t, RPP_JUDGED_ROTATED_Q, RPP_PART_REAL, &d->q, &d->pos_q) &&
         (d->attention.mode == RPP_MODE_ROPE || rotate_one(t, RPP_JUDGED_ROTATED_Q, RPP_PART_IMAG, &d->q, &d->pos_q)) &&
         (d->attention.k_rotated || rotate_one(t, RPP_JUDGED_ROTATED_K, RPP_PART_REAL, &d->k, &d->pos_k));
}

/* The verdict on a kernel that has no forward. */
static bool rotated_only(trial *t) {
  if (!rpp_generated_intact(&t->data, &t->verdict->message)) return stop(t, RPP_OUTCOME_OUTSIDE, NULL);
  rpp_gates_decide(&t->worsts, t->verdict);
  return true;
}

/* ---- Attention ---------------------------------------------------------------------------------------------------------- */

static bool forward(trial *t) {
  const char *reason = "no reason given";
  rpp_generated *d = &t->data;
  const int status = t->kernel->forward(t->kernel, &d->attention, &d->inputs, &d->out, &d->lse, t->workspace, &reason);
  if (!left_arithmetic(t)) return false;
  if (status != 0) return stop(t, failed(status), reason);
  t->returned = true;
  return rpp_generated_intact(d, &t->verdict->message) || stop(t, RPP_OUTCOME_OUTSIDE, NULL);
}

/* An element of out or LSE. */
static rpp_worst worst_at(rpp_judged_tensor which, const int64_t *index, double expected, double got, double ratio) {
  const bool out = which == RPP_JUDGED_OUT;
  return (rpp_worst){which, index[0], out ? index[2] : index[1], out ? index[1] : index[2], out ? index[3] : -1, expected, got,
                     0,     ratio};
}

/* Every element of an output was written, in all rows, judged or not. */
static bool written(trial *t, rpp_judged_tensor which, const rpp_tensor *x) {
  int64_t index[RPP_MAX_DIMS] = {0}, missing = 0;
  if (rpp_elements_none(x)) return true;
  do
    if (rpp_generated_unwritten(x, index) && missing++ == 0) t->verdict->worst = worst_at(which, index, 0, NAN, NAN);
  while (rpp_elements_next(x, index));
  if (missing == 0) return true;
  t->verdict->gate = RPP_GATE_STRUCTURE;
  t->verdict->ratio[RPP_GATE_STRUCTURE] = INFINITY;
  rpp_message_set(&t->verdict->message, "%s: %" PRId64 " elements were never written", which == RPP_JUDGED_OUT ? "out" : "lse",
                  missing);
  return stop(t, RPP_OUTCOME_UNWRITTEN, NULL);
}

static bool same(trial *t, rpp_judged_tensor which, const rpp_tensor *first, const rpp_tensor *second) {
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    const double a = rpp_tensor_get(first, index), b = rpp_tensor_get(second, index);
    if (a == b || (isnan(a) && isnan(b))) continue;
    t->verdict->worst = worst_at(which, index, a, b, INFINITY);
    t->verdict->gate = RPP_GATE_STRUCTURE;
    t->verdict->ratio[RPP_GATE_STRUCTURE] = INFINITY;
    return stop(t, RPP_OUTCOME_MISMATCH, "two runs of the same case differ, against the contract");
  } while (rpp_elements_next(first, index));
  return true;
}

/* A kernel that promises the same bits is run twice: where that is cheap, and in one of some other cases. */
static bool repeats(trial *t) {
  enum { CHEAP = 1 << 20, SOME = 4 };
  const rpp_spec *s = t->spec;
  const double work =
      (double)s->batch * (double)s->attention.heads * (double)s->q_len * (double)s->k_len * (double)(s->head_dim + s->v_dim);
  if (!t->kernel->contract.deterministic || rpp_elements_none(&t->data.out) || (work > CHEAP && s->seed % SOME != 0)) return true;
  const rpp_tensor out = rpp_scratch_copy(&t->scratch, &t->data.out), lse = rpp_scratch_copy(&t->scratch, &t->data.lse);
  if (!out.data || !lse.data) return stop(t, RPP_OUTCOME_ERROR, "out of memory for a second run");
  rpp_generated_reset(&t->data);
  return forward(t) && same(t, RPP_JUDGED_OUT, &out, &t->data.out) &&
         (t->verdict->without_lse || same(t, RPP_JUDGED_LSE, &lse, &t->data.lse));
}

/* What there is of LSE to judge. */
static const rpp_tensor *judged_lse(const trial *t) {
  return t->verdict->without_lse ? NULL : &t->data.lse;
}

static bool lse_written(trial *t) {
  t->verdict->without_lse = t->kernel->lse_optional && rpp_generated_untouched(&t->data.lse);
  return t->verdict->without_lse || written(t, RPP_JUDGED_LSE, &t->data.lse);
}

static const rpp_tensor *judged_rows(const rpp_generated *d) {
  return d->rows.data ? &d->rows : NULL;
}

static bool judge(trial *t) {
  const rpp_generated *d = &t->data;
  const rpp_results results = {.attention = &d->attention,
                               .inputs = &d->inputs,
                               .contract = &t->kernel->contract,
                               .rows = judged_rows(d),
                               .family = t->spec->family,
                               .out = &d->out,
                               .lse = judged_lse(t)};
  return t->judged = rpp_results_judge(&results, &t->scratch, &t->truth, t->verdict, &t->worsts);
}

static bool run(trial *t) {
  if (!refuses_odd_heads(t) || !supported(t) || !rotate(t)) return false;
  if (!t->kernel->forward) return rotated_only(t);
  const rpp_kernel_problem problem = {&t->data.attention, &t->data.inputs, &t->data.out, &t->data.lse};
  const size_t bytes = t->kernel->workspace ? t->kernel->workspace(t->kernel, &problem) : 0;
  if (bytes > 0 && !(t->workspace = rpp_generated_workspace(&t->data, bytes)))
    return stop(t, RPP_OUTCOME_ERROR, "out of memory for the workspace");
  return forward(t) && written(t, RPP_JUDGED_OUT, &t->data.out) && lse_written(t) && repeats(t) && judge(t);
}

/* Other projects' rules, for a kernel that has returned; d: the case's data as it was before. */
static bool compare(trial *t, const rpp_generated *d, rpp_message *error) {
  const rpp_contract *contract = &t->kernel->contract;
  const rpp_tensor *rows = judged_rows(d);
  if (!t->judged && !rpp_judged_truth_make(&t->scratch, &d->attention, &d->inputs, contract, rows, &t->truth, error)) return false;
  const rpp_compared_case c = {&d->attention, &d->inputs, contract, rows, &t->truth, &t->data.out, &t->data.lse};
  return rpp_compare(&t->scratch, &c, &t->verdict->rules_failed, error);
}

/* Where one of our gates stopped before the kernel ran, it runs now; where the kernel wrote to its inputs, they are drawn again. */
static void compare_anyway(trial *t) {
  const rpp_verdict ours = *t->verdict;
  rpp_generated fresh;
  rpp_message error;
  if (!t->returned && ours.outcome == RPP_OUTCOME_MISMATCH && t->kernel->forward) forward(t);
  *t->verdict = ours;
  if (!t->returned || rpp_elements_none(&t->data.out)) return;
  if (ours.outcome != RPP_OUTCOME_OUTSIDE)
    t->verdict->compared = compare(t, &t->data, &error);
  else if (rpp_generate(t->spec, t->kernel->contract.output, t->kernel->contract.lse, &fresh, &error)) {
    t->verdict->compared = compare(t, &fresh, &error);
    rpp_generated_free(&fresh);
  }
}

static void judge_case(const rpp_kernel *kernel, const rpp_spec *spec, bool compared, rpp_verdict *verdict) {
  trial t = {.kernel = kernel, .spec = spec, .verdict = verdict};
  *verdict = rpp_verdict_none();
  if (!rpp_generate(spec, kernel->contract.output, kernel->contract.lse, &t.data, &verdict->message)) {
    verdict->outcome = t.data.unreserved ? RPP_OUTCOME_UNSUPPORTED : RPP_OUTCOME_ERROR;
    return;
  }
  run(&t);
  if (compared) compare_anyway(&t);
  rpp_scratch_free(&t.scratch);
  rpp_generated_free(&t.data);
}

void rpp_judge_case(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict) {
  judge_case(kernel, spec, false, verdict);
}

void rpp_judge_compared(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict) {
  judge_case(kernel, spec, true, verdict);
}
