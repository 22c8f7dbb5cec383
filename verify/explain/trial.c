#include "explain/trial.h"

#include <math.h>

#include "base/arithmetic.h"

/* Elements of repeated K and V, and operations of one truth, past which nothing is tried. */
static const double MOST_ELEMENTS = 0x1p24, MOST_OPERATIONS = 1e8;

/* How far results may be off that were computed from q and k rotated beforehand, in units of the right problem's bound. */
#define SLACK 4.0

/* ---- Running the kernel --------------------------------------------------------------------------------------------------- */

bool rpp_trial_run(rpp_trial *t) {
  rpp_generated *d = &t->data;
  const char *reason = NULL;
  rpp_message error;
  rpp_generated_reset(d);
  const int status = t->kernel->forward(t->kernel, &d->attention, &d->inputs, &d->out, &d->lse, t->workspace, &reason);
  rpp_arithmetic_restore_team();
  return status == 0 && rpp_generated_intact(d, &error);
}

bool rpp_trial_same(const rpp_tensor *a, const rpp_tensor *b) {
  int64_t elements;
  if (rpp_tensor_extent(a, &elements, NULL) != RPP_OK) return false;
  for (int64_t i = 0; i < elements; i++) {
    int64_t index[RPP_MAX_DIMS], rest = i;
    for (int d = a->ndim - 1; d >= 0; d--) {
      index[d] = rest % a->shape[d];
      rest /= a->shape[d];
    }
    const double x = rpp_tensor_get(a, index), y = rpp_tensor_get(b, index);
    if (x != y && !(isnan(x) && isnan(y))) return false;
  }
  return true;
}

static bool supported(rpp_trial *t) {
  const rpp_attention *a = &t->data.attention;
  const rpp_contract *c = &t->contract;
  const rpp_kernel_problem problem = {a, &t->data.inputs, &t->data.out, &t->data.lse};
  if (!t->kernel->forward || t->spec.dtype != c->input || (!a->q_rotated && a->rotary.angles != c->angles) ||
      t->kernel->supports(t->kernel, &problem))
    return false;
  const size_t bytes = t->kernel->workspace ? t->kernel->workspace(t->kernel, &problem) : 0;
  if (bytes > 0) t->workspace = rpp_generated_workspace(&t->data, bytes);
  return bytes == 0 || t->workspace;
}

/* As many rows as can be afforded, and are wanted (0: all), evenly spread, one of them exchanged for the given one. */
static bool choose_rows(rpp_trial *t, int64_t row, int64_t wanted) {
  const rpp_spec *s = &t->spec;
  rpp_head_counts counts;
  if (rpp_attention_heads(&s->attention, &counts) != RPP_OK) return false;
  const double heads = (double)s->batch * (double)counts.output, widths = (double)(s->head_dim + s->v_dim);
  if (heads * (double)(s->k_len + s->q_len) * widths > MOST_ELEMENTS) return false;
  double affordable = MOST_OPERATIONS / (heads * (double)(s->k_len + 1) * widths);
  if (wanted > 0) affordable = fmin(affordable, (double)wanted);
  if ((double)s->q_len <= affordable) return true;
  const int64_t count = affordable > 1 ? (int64_t)affordable : 1;
  t->row_numbers = rpp_scratch_positions(&t->scratch, count, 0, s->q_len / count);
  if (!t->row_numbers.data) return false;
  if (row >= 0 && row < s->q_len) rpp_scratch_integers(&t->row_numbers)[count - 1] = row;
  t->rows = &t->row_numbers;
  return true;
}

/* y = the kernel's rotation of x; NaN where it is not written. */
static bool rotate_one(rpp_trial *t, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y) {
  const char *reason = NULL;
  rpp_message error;
  if (!rpp_generated_room(&t->data, "rotated", x, x->dtype, t->spec.in_place, y, &error)) return false;
  const int status = t->kernel->rotate(t->kernel, &t->data.attention.rotary, part, t->spec.in_place ? y : x, pos, y, &reason);
  rpp_arithmetic_restore_team();
  return status == 0;
}

/* Head o of q from those of the real and of the imaginary part; k's repeated: as rpp_changed_split has them. */
static bool arrange(rpp_trial *t, const rpp_tensor *real, const rpp_tensor *imaginary, const rpp_tensor *k) {
  const bool doubles = t->data.attention.mode != RPP_MODE_ROPE;
  rpp_head_counts counts;
  if (rpp_attention_heads(&t->data.attention, &counts) != RPP_OK) return false;
  t->got[0] = rpp_scratch_zeros(&t->scratch, real->shape[0], real->shape[1], counts.output, real->shape[3]);
  t->got[1] = rpp_scratch_zeros(&t->scratch, k->shape[0], k->shape[1], counts.output, k->shape[3]);
  if (!t->got[0].data || !t->got[1].data) return false;
  for (int64_t o = 0; o < counts.output; o++) {
    rpp_tensor from[2], to[2];
    if (rpp_tensor_slice(doubles && o % 2 == 1 ? imaginary : real, 2, doubles ? o / 2 : o, 1, 1, &from[0]) != RPP_OK ||
        rpp_tensor_slice(k, 2, o / (counts.output / counts.kv), 1, 1, &from[1]) != RPP_OK)
      return false;
    for (int i = 0; i < 2; i++) {
      if (rpp_tensor_slice(&t->got[i], 2, o, 1, 1, &to[i]) != RPP_OK) return false;
      rpp_scratch_assign(&from[i], &to[i]);
    }
  }
  return true;
}

static bool run_rotation(rpp_trial *t) {
  const rpp_generated *d = &t->data;
  const bool doubles = d->attention.mode != RPP_MODE_ROPE;
  rpp_tensor real, imaginary, k;
  if (!t->kernel->rotate || d->attention.q_rotated || d->attention.k_rotated) return false;
  return rotate_one(t, RPP_PART_REAL, &d->q, &d->pos_q, &real) && rotate_one(t, RPP_PART_REAL, &d->k, &d->pos_k, &k) &&
         (!doubles || rotate_one(t, RPP_PART_IMAG, &d->q, &d->pos_q, &imaginary)) && arrange(t, &real, &imaginary, &k);
}

/* ---- What was asked for, or is supposed ----------------------------------------------------------------------------------- */

static bool open_changed(const rpp_trial *t, rpp_changed *c) {
  return rpp_changed_open(c, &t->data.attention, &t->data.inputs, &t->contract, t->rows, &t->truth);
}

/* Rotated q and k of a problem, split by head, with their bounds. Those rotated beforehand get the right one's: of the same row,
 * and a rounding of the store. */
static bool rotations(const rpp_trial *t, rpp_changed *c, rpp_tensor want[2], rpp_tensor bound[2]) {
  const bool is_split =
      c->q.shape[2] == c->counts.output && c->k.shape[2] == c->counts.output && c->attention.mode == RPP_MODE_ROPE;
  if (!is_split && !rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL)) return false;
  const rpp_contract contract = rpp_rotation_contract(&c->contract);
  for (int i = 0; i < 2; i++) {
    const rpp_tensor *x = i == 0 ? &c->q : &c->k, *pos = i == 0 ? &c->pos_q : &c->pos_k;
    if (x->shape[1] != (i == 0 ? t->data.inputs.q : t->data.inputs.k)->shape[1])
      return false; /* keys were left out: of no account here */
    want[i] = rpp_scratch_zeros(&c->scratch, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
    bound[i] = rpp_scratch_zeros(&c->scratch, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
    if (!want[i].data || !bound[i].data) return false;
    if (!(i == 0 ? c->attention.q_rotated : c->attention.k_rotated)) {
      if (rpp_rotate_bound(&c->attention.rotary, RPP_PART_REAL, &contract, x, pos, &want[i], &bound[i]) != RPP_OK) return false;
      continue;
    }
    const int64_t width = x->shape[3];
    for (int64_t n = 0; n < rpp_scratch_size(x); n++) {
      double largest = 0;
      for (int64_t d = 0; d < width; d++) largest = fmax(largest, rpp_scratch_values(&t->bound[i])[n / width * width + d]);
      rpp_scratch_values(&want[i])[n] = rpp_dtype_round(contract.rotated, rpp_scratch_values(x)[n]);
      rpp_scratch_values(&bound[i])[n] = SLACK * (largest + rpp_dtype_unit(contract.rotated) * fabs(rpp_scratch_values(x)[n]));
    }
  }
  return true;
}

static bool same_rotations(const rpp_trial *t, const rpp_tensor want[2], const rpp_tensor bound[2]) {
  rpp_verdict verdict = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  rpp_gates_elements(RPP_JUDGED_ROTATED_Q, &want[0], &bound[0], &t->got[0], &verdict, &worsts);
  rpp_gates_elements(RPP_JUDGED_ROTATED_K, &want[1], &bound[1], &t->got[1], &verdict, &worsts);
  rpp_gates_decide(&worsts, &verdict);
  return verdict.outcome == RPP_OUTCOME_PASS;
}

/* Null where the kernel, or the file, gave none. */
static const rpp_tensor *given_lse(const rpp_trial *t) {
  const bool missing = t->kernel ? t->kernel->lse_optional && rpp_generated_untouched(&t->data.lse) : t->data.lse.ndim == 0;
  return missing ? NULL : &t->data.lse;
}

static bool same_results(const rpp_trial *t, const rpp_judged_truth *truth, bool generic) {
  rpp_verdict verdict = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  rpp_gates_apply(truth, &t->contract, generic ? t->spec.family : RPP_FAMILIES, t->rows, &t->data.out, given_lse(t), &verdict,
                  &worsts);
  rpp_gates_decide(&worsts, &verdict);
  return verdict.outcome == RPP_OUTCOME_PASS;
}

bool rpp_trial_right(const rpp_trial *t) {
  return t->of_rotation ? same_rotations(t, t->want, t->bound) : same_results(t, &t->truth, true);
}

/* A fault of out need not be one of LSE, and one of LSE need not be one of rows that see no key: where LSE is as it was asked for, that
 * is what is supposed. */
static void accept_right_lse(const rpp_trial *t, rpp_changed *c) {
  const int64_t heads = c->truth.lse.shape[1], rows = c->truth.lse.shape[2];
  if (!given_lse(t)) return;
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.lse); i++) {
    const int64_t r = i % rows, at[] = {i / rows / heads, i / rows % heads, t->rows ? (int64_t)rpp_tensor_get(t->rows, &r) : r};
    const double got = rpp_tensor_get(&t->data.lse, at), right = rpp_scratch_values(&t->truth.lse)[i],
                 bound = rpp_scratch_values(&t->truth.lse_bound)[i];
    if ((c->of_lse && right != -INFINITY) || (got != right && !(fabs(got - right) <= bound))) continue;
    rpp_scratch_values(&c->truth.lse)[i] = right;
    rpp_scratch_values(&c->truth.lse_bound)[i] = bound;
  }
}

/* The right values between the supposed bounds: a hypothesis whose tolerance takes both says nothing. */
static bool tells_apart(const rpp_trial *t, const rpp_changed *c) {
  rpp_judged_truth right = t->truth;
  right.out_bound = c->truth.out_bound;
  right.out_noise = c->truth.out_noise;
  right.out_likely = c->truth.out_likely;
  right.lse_bound = c->truth.lse_bound;
  return !same_results(t, &right, !c->loose);
}

static bool results_agree(const rpp_trial *t, const rpp_hypothesis *hypothesis, rpp_changed *c) {
  if (!rpp_changed_compute(c) || (hypothesis->result && !hypothesis->result(c, hypothesis->number))) return rpp_trial_right(t);
  accept_right_lse(t, c);
  if (c->loose) rpp_changed_widen(&c->truth, &t->truth, SLACK);
  return same_results(t, &c->truth, !c->loose);
}

static bool agrees(const rpp_trial *t, const rpp_hypothesis *hypothesis, rpp_changed *c, rpp_tensor bound[2]) {
  rpp_tensor want[2];
  if (!open_changed(t, c)) return false;
  if (hypothesis->change && !hypothesis->change(c, hypothesis->number)) return rpp_trial_right(t);
  if (!t->of_rotation) return results_agree(t, hypothesis, c);
  return rotations(t, c, want, bound) ? same_rotations(t, want, bound) : rpp_trial_right(t);
}

bool rpp_trial_agrees(const rpp_trial *t, const rpp_hypothesis *hypothesis) {
  rpp_changed c;
  rpp_tensor bound[2];
  const bool agree = agrees(t, hypothesis, &c, bound);
  rpp_changed_close(&c);
  return agree;
}

/* A wider bound explains errors past the one there was, and nothing finer. */
static bool beyond_bound(const rpp_trial *t) {
  return t->of_rotation || !same_results(t, &t->truth, false);
}

bool rpp_trial_fits(const rpp_trial *t, const rpp_hypothesis *hypothesis) {
  rpp_changed c = {0};
  rpp_tensor bound[2];
  const bool fits = !rpp_trial_right(t) && agrees(t, hypothesis, &c, bound) &&
                    (c.wider          ? beyond_bound(t)
                     : t->of_rotation ? !same_rotations(t, t->want, bound)
                                      : tells_apart(t, &c));
  rpp_changed_close(&c);
  return fits;
}

/* ---- Opening and closing -------------------------------------------------------------------------------------------------- */

/* What was asked for, found as any hypothesis is. */
static bool ask(rpp_trial *t) {
  rpp_message error;
  if (!t->of_rotation)
    return rpp_judged_truth_make(&t->scratch, &t->data.attention, &t->data.inputs, &t->contract, t->rows, &t->truth, &error);
  rpp_changed c;
  rpp_tensor want[2], bound[2];
  bool asked = open_changed(t, &c) && rotations(t, &c, want, bound);
  for (int i = 0; asked && i < 2; i++) {
    t->want[i] = rpp_scratch_copy(&t->scratch, &want[i]);
    t->bound[i] = rpp_scratch_copy(&t->scratch, &bound[i]);
    asked = t->want[i].data && t->bound[i].data;
  }
  rpp_changed_close(&c);
  return asked;
}

bool rpp_trial_open(rpp_trial *t, const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, int64_t row) {
  rpp_message error;
  *t = (rpp_trial){.kernel = kernel, .contract = kernel->contract, .spec = *spec, .of_rotation = of_rotation};
  if (!choose_rows(t, row, 0) || !rpp_generate(spec, kernel->contract.output, kernel->contract.lse, &t->data, &error)) return false;
  return supported(t) && ask(t) && (of_rotation ? run_rotation(t) : rpp_trial_run(t));
}

bool rpp_trial_open_results(rpp_trial *t, const rpp_results *results, bool of_rotation, int64_t row, int64_t wanted) {
  const rpp_attention_inputs *i = results->inputs;
  *t = (rpp_trial){.contract = *results->contract,
                   .spec = {.attention = *results->attention,
                            .batch = i->q->shape[0],
                            .q_len = i->q->shape[1],
                            .k_len = i->k->shape[1],
                            .head_dim = i->q->shape[3],
                            .v_dim = i->v->shape[3],
                            .family = results->family},
                   .data = {.attention = *results->attention, .inputs = *i, .out = *results->out},
                   .of_rotation = of_rotation};
  const bool doubles = t->data.attention.mode != RPP_MODE_ROPE;
  if (results->lse) t->data.lse = *results->lse;
  if (of_rotation && (!results->q_real || !results->k_rot || (doubles && !results->q_imag))) return false;
  return choose_rows(t, row, wanted) && ask(t) && (!of_rotation || arrange(t, results->q_real, results->q_imag, results->k_rot));
}

void rpp_trial_close(rpp_trial *t) {
  rpp_scratch_free(&t->scratch);
  rpp_generated_free(&t->data);
}
