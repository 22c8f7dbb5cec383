#include "judge/gates.h"

#include <math.h>

/* The gates of TOLERANCE's model that are numbers: a gain hides below this, rows must be carried by so many keys, and have so many
 * columns, for their error's norm to be near its expectation; z beyond which a slope is no accident. */
#define SLOPE 0x1p-11
#define SLOPE_Z 6.0
#define ROW_WIDTH 32
#define ROW_SPREAD 16.0

bool rpp_judged_truth_make(rpp_scratch *scratch, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                           const rpp_contract *contract, const rpp_tensor *rows, rpp_judged_truth *truth, rpp_message *error) {
  rpp_head_counts counts;
  if (rpp_attention_heads(attention, &counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  const int64_t batch = inputs->q->shape[0], row_count = rows ? rows->shape[0] : inputs->q->shape[1], dv = inputs->v->shape[3];
  rpp_tensor *const wide[] = {&truth->out, &truth->out_bound, &truth->out_noise, &truth->out_likely};
  rpp_tensor *const flat[] = {&truth->lse, &truth->lse_bound, &truth->spread};
  bool room = true;
  for (int i = 0; i < 4; i++) {
    *wide[i] = rpp_scratch_zeros(scratch, batch, row_count, counts.output, dv);
    room &= wide[i]->data != NULL;
  }
  for (int i = 0; i < 3; i++) {
    *flat[i] = rpp_scratch_tensor(scratch, RPP_F64, 3, (int64_t[]){batch, counts.output, row_count});
    room &= flat[i]->data != NULL;
  }
  if (!room) return rpp_message_set(error, "out of memory for the truth");
  const rpp_bounded bounded = {.out = &truth->out,
                               .lse = &truth->lse,
                               .out_bound = &truth->out_bound,
                               .lse_bound = &truth->lse_bound,
                               .out_noise = &truth->out_noise,
                               .out_likely = &truth->out_likely,
                               .out_spread = &truth->spread};
  if (rpp_attention_bound(attention, inputs, contract, rows, &bounded) != RPP_OK)
    return rpp_message_set(error, "%s", rpp_error_message());
  return true;
}

rpp_contract rpp_rotation_contract(const rpp_contract *contract) {
  rpp_contract c = *contract;
  if (rpp_dtype_unit(c.input) > rpp_dtype_unit(c.rotated)) c.rotated = c.input;
  return c;
}

bool rpp_rotated_truth_make(rpp_scratch *scratch, const rpp_rotary *rotary, rpp_part part, const rpp_contract *contract,
                            const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y, rpp_tensor *bound, rpp_message *error) {
  const rpp_contract c = rpp_rotation_contract(contract);
  *y = rpp_scratch_zeros(scratch, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
  *bound = rpp_scratch_zeros(scratch, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
  if (!y->data || !bound->data) return rpp_message_set(error, "out of memory for the rotation");
  return rpp_rotate_bound(rotary, part, &c, x, pos, y, bound) == RPP_OK || rpp_message_set(error, "%s", rpp_error_message());
}

/* Error over bound; infinite where the bound is 0 and the error is not, NaN where got is. */
static double ratio_of(double error, double bound) {
  return error == 0 ? 0 : error / bound;
}

static double error_of(double expected, double got) {
  return expected == got ? 0 : fabs(got - expected);
}

/* Notes a ratio of a gate; the first of the worst ones is kept as the gate's. */
static void note(rpp_verdict *verdict, rpp_gate_worsts *list, rpp_gate gate, rpp_worst found) {
  if (!(found.ratio >= 0)) found.ratio = isnan(found.ratio) ? found.ratio : INFINITY;
  if (!rpp_ratio_worse(found.ratio, verdict->ratio[gate])) return;
  verdict->ratio[gate] = found.ratio;
  list->of[gate] = found;
}

/* What is being judged, and where the sums of the statistical gates stand. */
typedef struct {
  const rpp_judged_truth *truth;
  const rpp_tensor *rows, *out, *lse;
  rpp_verdict *verdict;
  rpp_gate_worsts *worsts;
  bool generic;
  double store_unit;                           /* of out */
  double slope_sum, slope_square, rows_square; /* of w o (got - o), of w o o, and of each row's first */
} judging;

static int64_t query_of(const judging *j, int64_t r) {
  if (!j->rows) return r;
  return (int64_t)rpp_tensor_get(j->rows, &r);
}

/* A row that sees no key: out 0, lse -inf; others: no NaN, and infinite only with the truth. */
static bool sound(double expected, double got) {
  return isnan(expected) ? isnan(got) : isinf(expected) ? got == expected : isfinite(got);
}

static void judge_lse(judging *j, int64_t b, int64_t r, int64_t o) {
  const int64_t t = query_of(j, r), at[] = {b, o, r}, got_at[] = {b, o, t};
  const double expected = rpp_tensor_get(&j->truth->lse, at), got = rpp_tensor_get(j->lse, got_at);
  rpp_worst w = {RPP_JUDGED_LSE, b, o, t, -1, expected, got, rpp_tensor_get(&j->truth->lse_bound, at), 0};
  w.ratio = sound(expected, got) ? 0 : INFINITY;
  note(j->verdict, j->worsts, RPP_GATE_STRUCTURE, w);
  j->verdict->elements++;
  if (!isfinite(expected)) return;
  w.ratio = ratio_of(error_of(expected, got), w.bound);
  note(j->verdict, j->worsts, RPP_GATE_ELEMENT, w);
}

/* Whether two rows store the same values, to their rounding. */
static bool same_row(const judging *j, int64_t b, int64_t r, int64_t o, int64_t other_r, int64_t other_o) {
  for (int64_t c = 0; c < j->truth->out.shape[3]; c++) {
    const double x = rpp_tensor_get(&j->truth->out, (int64_t[]){b, r, o, c}),
                 y = rpp_tensor_get(&j->truth->out, (int64_t[]){b, other_r, other_o, c});
    if (!(fabs(x - y) <= j->store_unit * fabs(x))) return false;
  }
  return true;
}

/* A row that the query or the head before it has too (all of a KV head's are the same where the scale is 0) errs as that one did: it says
 * no more of the slope. */
static bool is_repeated(const judging *j, int64_t b, int64_t r, int64_t o) {
  return (r > 0 && same_row(j, b, r, o, r - 1, o)) || (o > 0 && same_row(j, b, r, o, r, o - 1));
}

static void judge_row(judging *j, int64_t b, int64_t r, int64_t o) {
  const int64_t t = query_of(j, r), dv = j->truth->out.shape[3], flat[] = {b, o, r};
  const double spread = rpp_tensor_get(&j->truth->spread, flat);
  const bool sees_none = rpp_tensor_get(&j->truth->lse, flat) == -INFINITY;
  rpp_worst w;
  if (j->lse) judge_lse(j, b, r, o);
  double errors = 0, noises = 0, slope = 0, square = 0;
  for (int64_t c = 0; c < dv; c++) {
    const int64_t at[] = {b, r, o, c}, got_at[] = {b, t, o, c};
    const double expected = rpp_tensor_get(&j->truth->out, at), got = rpp_tensor_get(j->out, got_at),
                 error = error_of(expected, got);
    const double bound = rpp_tensor_get(&j->truth->out_bound, at), likely = rpp_tensor_get(&j->truth->out_likely, at);
    const double noise = rpp_tensor_get(&j->truth->out_noise, at);
    w = (rpp_worst){RPP_JUDGED_OUT, b, o, t, c, expected, got, bound, 0};
    const bool zero = sees_none && expected == 0; /* as in every truth; a supposed one may have another row's values there */
    w.ratio = (zero ? got == 0 : sound(expected, got)) ? 0 : INFINITY;
    note(j->verdict, j->worsts, RPP_GATE_STRUCTURE, w);
    if (!isfinite(expected) || zero) continue;
    w.ratio = ratio_of(error, bound);
    note(j->verdict, j->worsts, RPP_GATE_ELEMENT, w);
    if (!j->generic) continue;
    w.bound = likely, w.ratio = ratio_of(error, likely);
    note(j->verdict, j->worsts, RPP_GATE_STATISTICAL, w);
    const double variance = noise * noise + (j->store_unit * expected) * (j->store_unit * expected);
    errors += error * error, noises += variance;
    if (variance > 0) {
      slope += expected * (got - expected) / variance;
      square += expected * expected / variance;
    }
  }
  j->verdict->elements += dv;
  if (!j->generic || sees_none) return;
  if (!is_repeated(j, b, r, o)) j->slope_sum += slope, j->slope_square += square, j->rows_square += slope * slope;
  if (dv < ROW_WIDTH || !(spread >= ROW_SPREAD)) return;
  w = (rpp_worst){RPP_JUDGED_OUT, b, o, t, -1, 0, sqrt(errors), sqrt(noises), 0};
  w.ratio = ratio_of(sqrt(errors), sqrt(noises));
  note(j->verdict, j->worsts, RPP_GATE_ROW, w);
}

/* The slope beta of got over expected, weighted by the noise: a gain that hides in it is still one-sided over many rows. */
static void judge_slope(judging *j) {
  if (!j->generic || !(j->slope_square > 0)) return;
  const double excess = j->slope_sum / j->slope_square, error = sqrt(j->rows_square) / j->slope_square;
  const double z = error > 0 ? fabs(excess) / error : 0, by_size = fabs(excess) / SLOPE, by_z = z / SLOPE_Z;
  rpp_worst w = {RPP_JUDGED_OUT, -1, -1, -1, -1, 1, 1 + excess, SLOPE, by_size < by_z ? by_size : by_z};
  if (isnan(excess)) w.ratio = NAN;
  note(j->verdict, j->worsts, RPP_GATE_TENSOR, w);
}

void rpp_gates_apply(const rpp_judged_truth *truth, const rpp_contract *contract, rpp_family family, const rpp_tensor *rows,
                     const rpp_tensor *out, const rpp_tensor *lse, rpp_verdict *verdict, rpp_gate_worsts *worsts) {
  judging j = {.truth = truth, .rows = rows, .out = out, .lse = lse, .verdict = verdict, .worsts = worsts};
  j.generic = family == RPP_FAMILY_NORMAL || family == RPP_FAMILY_UNIFORM;
  j.store_unit = rpp_dtype_unit(contract->output);
  for (int64_t b = 0; b < truth->out.shape[0]; b++)
    for (int64_t r = 0; r < truth->out.shape[1]; r++)
      for (int64_t o = 0; o < truth->out.shape[2]; o++) judge_row(&j, b, r, o);
  judge_slope(&j);
}

void rpp_gates_elements(rpp_judged_tensor which, const rpp_tensor *expected, const rpp_tensor *bound, const rpp_tensor *got,
                        rpp_verdict *verdict, rpp_gate_worsts *worsts) {
  for (int64_t b = 0; b < got->shape[0]; b++)
    for (int64_t t = 0; t < got->shape[1]; t++)
      for (int64_t h = 0; h < got->shape[2]; h++)
        for (int64_t d = 0; d < got->shape[3]; d++) {
          const int64_t at[] = {b, t, h, d};
          const double value = rpp_tensor_get(expected, at), limit = rpp_tensor_get(bound, at), x = rpp_tensor_get(got, at);
          rpp_worst w = {which, b, h, t, d, value, x, limit, sound(value, x) ? 0 : INFINITY};
          note(verdict, worsts, RPP_GATE_STRUCTURE, w);
          verdict->elements++;
          if (!isfinite(value)) continue;
          w.ratio = ratio_of(error_of(value, x), limit);
          note(verdict, worsts, RPP_GATE_ELEMENT, w);
        }
}

void rpp_gates_decide(const rpp_gate_worsts *worsts, rpp_verdict *verdict) {
  verdict->outcome = RPP_OUTCOME_PASS;
  verdict->worst = worsts->of[RPP_GATE_ELEMENT];
  for (int gate = RPP_GATES - 1; gate >= 0; gate--) {
    if (verdict->ratio[gate] == -1 || verdict->ratio[gate] <= 1) continue;
    verdict->outcome = RPP_OUTCOME_MISMATCH;
    verdict->gate = (rpp_gate)gate;
    verdict->worst = worsts->of[gate];
  }
}
