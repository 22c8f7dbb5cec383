/* hypotheses_results.c: results that are right but in another unit, place or order. */
#include "explain/hypotheses.h"

#include <math.h>

#define LN_2 0.69314718055994531

static bool lse_plus(rpp_changed *c, double number) {
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.lse); i++) rpp_scratch_values(&c->truth.lse)[i] += number;
  return c->of_lse = true;
}

static bool lse_times(rpp_changed *c, double number) {
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.lse); i++) {
    double *lse = rpp_scratch_values(&c->truth.lse) + i;
    *lse = number == 0 ? 0 : *lse * number; /* 0 where it was -inf, too */
    rpp_scratch_values(&c->truth.lse_bound)[i] *= fmax(1, fabs(number));
  }
  return c->of_lse = true;
}

/* The largest scaled score of each row: LSE of scores so far apart that no other counts, brought back. */
static bool largest_scores(rpp_changed *c, rpp_tensor *lse) {
  rpp_attention apart = c->attention;
  rpp_judged_truth truth;
  rpp_message error;
  apart.scale *= 0x1p40;
  if (!rpp_judged_truth_make(&c->scratch, &apart, &c->inputs, &c->contract, c->rows, &truth, &error)) return false;
  *lse = truth.lse;
  for (int64_t i = 0; i < rpp_scratch_size(lse); i++) rpp_scratch_values(lse)[i] *= 0x1p-40;
  return true;
}

/* number 0: the logarithm of the sum of e^(x - M) alone, without M; 1: with M as it was before the scale. */
static bool lse_other_maximum(rpp_changed *c, double number) {
  rpp_tensor largest;
  if (!largest_scores(c, &largest)) return false;
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.lse); i++) {
    const double m = rpp_scratch_values(&largest)[i];
    if (!isfinite(m)) continue;
    rpp_scratch_values(&c->truth.lse)[i] += number == 0 ? -m : m / c->attention.scale - m;
    rpp_scratch_values(&c->truth.lse_bound)[i] *= 1 + 1 / fabs(c->attention.scale);
  }
  return c->of_lse = true;
}

/* Rows that see no key: what 0 / 0, or exponentials of equal sentinels, make of them. */
static bool empty_rows(rpp_changed *c, double value, double lse_value) {
  const int64_t rows = c->truth.out.shape[1], heads = c->truth.out.shape[2], dv = c->truth.out.shape[3];
  bool any = false;
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.lse); i++) { /* b, o, r */
    if (rpp_scratch_values(&c->truth.lse)[i] != -INFINITY) continue;
    const int64_t b = i / (heads * rows), o = i / rows % heads, r = i % rows;
    double *out = rpp_scratch_values(&c->truth.out) + ((b * rows + r) * heads + o) * dv;
    for (int64_t d = 0; d < dv; d++) out[d] = value;
    rpp_scratch_values(&c->truth.lse)[i] = lse_value;
    any = true;
  }
  return any;
}
static bool empty_nan(rpp_changed *c, double number) {
  return empty_rows(c, NAN, number);
}
static bool empty_lse(rpp_changed *c, double number) {
  return empty_rows(c, 0, number);
}

/* What lies past the last key, times weight 0. */
static bool tail_nan(rpp_changed *c, double number) {
  const int64_t rows = c->truth.out.shape[1], heads = c->truth.out.shape[2], dv = c->truth.out.shape[3];
  if (c->inputs.cu_q || c->k.shape[1] % c->contract.key_tile == 0) return false;
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.out); i++) { /* b, r, o, d */
    const int64_t o = i / dv % heads, r = i / dv / heads % rows, b = i / dv / heads / rows;
    if (rpp_scratch_values(&c->truth.lse)[(b * heads + o) * rows + r] != -INFINITY) rpp_scratch_values(&c->truth.out)[i] = number;
  }
  return true;
}

/* ---- Places --------------------------------------------------------------------------------------------------------------- */

/* Slot (r, o) of out, written as if heads came before the length. */
static void heads_first(const rpp_changed *c, int64_t *o, int64_t *r) {
  const int64_t rows = c->truth.out.shape[1], heads = c->truth.out.shape[2], slot = *r * heads + *o;
  *o = slot / rows;
  *r = slot % rows;
}

/* Slot (o, r) of LSE, written as if the length came before heads. */
static void length_first(const rpp_changed *c, int64_t *o, int64_t *r) {
  const int64_t rows = c->truth.out.shape[1], heads = c->truth.out.shape[2], slot = *o * rows + *r;
  *r = slot / heads;
  *o = slot % heads;
}

static void reversed(const rpp_changed *c, int64_t *o, int64_t *r) {
  (void)r;
  *o = c->truth.out.shape[2] - 1 - *o;
}

static bool out_heads_first(rpp_changed *c, double number) {
  (void)number;
  return !c->rows && rpp_changed_permute(c, heads_first);
}

/* LSE of KV head g's head r where that of the group's member r and KV head g is asked for: r K + g in place of g (O / K) + r. */
static void by_member(const rpp_changed *c, int64_t *o, int64_t *r) {
  (void)r;
  *o = *o % c->counts.kv * (c->counts.output / c->counts.kv) + *o / c->counts.kv;
}

static bool permute_lse(rpp_changed *c, rpp_result_map *from) {
  const rpp_judged_truth right = c->truth;
  if (!rpp_changed_permute(c, from)) return false;
  c->truth.out = right.out;
  c->truth.out_bound = right.out_bound;
  c->truth.out_noise = right.out_noise;
  c->truth.out_likely = right.out_likely;
  c->truth.spread = right.spread;
  return c->of_lse = true;
}
static bool lse_length_first(rpp_changed *c, double number) {
  (void)number;
  return !c->rows && permute_lse(c, length_first);
}
static bool lse_by_member(rpp_changed *c, double number) {
  (void)number;
  return permute_lse(c, by_member);
}
static bool heads_reversed(rpp_changed *c, double number) {
  (void)number;
  return rpp_changed_permute(c, reversed);
}

/* Rounded to another type on its way; near a tie, to either side. */
static bool out_through(rpp_changed *c, double number) {
  const rpp_dtype dtype = (rpp_dtype)number;
  double *out = rpp_scratch_values(&c->truth.out);
  if (dtype == c->contract.output) return false;
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.out); i++) {
    const double bound = rpp_scratch_values(&c->truth.out_bound)[i], low = rpp_dtype_round(dtype, out[i] - bound),
                 high = rpp_dtype_round(dtype, out[i] + bound);
    out[i] = low == high ? low : low + (high - low) / 2;
    if (low == high) continue;
    rpp_scratch_values(&c->truth.out_bound)[i] += (high - low) / 2;
    rpp_scratch_values(&c->truth.out_likely)[i] += (high - low) / 2;
    rpp_scratch_values(&c->truth.out_noise)[i] += (high - low) / 2;
  }
  return true;
}

static bool out_zero(rpp_changed *c, double number) {
  for (int64_t i = 0; i < rpp_scratch_size(&c->truth.out); i++) rpp_scratch_values(&c->truth.out)[i] = number;
  return true;
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_results[] = {
    {"LSE in base 2", NULL, lse_times, 1 / LN_2},
    {"LSE too large by ln 2", NULL, lse_plus, LN_2},
    {"LSE too small by ln 2", NULL, lse_plus, -LN_2},
    {"LSE of the other sign", NULL, lse_times, -1},
    {"LSE without the maximum: the logarithm of the sum alone", NULL, lse_other_maximum, 0},
    {"LSE with the maximum from before the scale", NULL, lse_other_maximum, 1},
    {"LSE always 0", NULL, lse_times, 0},
    {"LSE laid out (b, l, h) in place of (b, h, l)", NULL, lse_length_first, 0},
    {"LSE of KV head g's head r at r K + g", NULL, lse_by_member, 0},
    {"out laid out (b, h, l, d) in place of (b, l, h, d)", NULL, out_heads_first, 0},
    {"out's heads in reverse", NULL, heads_reversed, 0},
    {"NaN in rows that see no key", NULL, empty_nan, NAN},
    {"NaN in rows that see no key, LSE -inf", NULL, empty_nan, -INFINITY},
    {"LSE 0 in rows that see no key", NULL, empty_lse, 0},
    {"NaN where the last tile is not full: what lies past the last key, times 0", NULL, tail_nan, NAN},
    {"out rounded to float16 on its way", NULL, out_through, RPP_F16},
    {"out rounded to bfloat16 on its way", NULL, out_through, RPP_BF16},
    {"out all zero", NULL, out_zero, 0},
    {0},
};
/* clang-format on */
