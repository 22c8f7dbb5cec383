/* hypotheses_keys.c: which keys a query sees, and the scale of its scores. */
#include "explain/hypotheses.h"

#include <math.h>

/* ---- Masks ---------------------------------------------------------------------------------------------------------------- */

static bool set_offset(rpp_changed *c, int64_t offset) {
  if (c->attention.mask == RPP_MASK_FULL || c->attention.causal_offset == offset) return false;
  c->attention.causal_offset = offset;
  return true;
}

static bool first_corner(rpp_changed *c, double number) {
  (void)number;
  return set_offset(c, 0);
}
static bool last_corner(rpp_changed *c, double number) {
  (void)number;
  return set_offset(c, c->k.shape[1] - c->q.shape[1]);
}
static bool other_sign(rpp_changed *c, double number) {
  (void)number;
  return set_offset(c, -c->attention.causal_offset);
}

/* Diagonal moved by number; a window's other edge stays. */
static bool diagonal(rpp_changed *c, double number) {
  c->attention.window += (int64_t)number;
  return (c->attention.mask != RPP_MASK_WINDOW || c->attention.window >= 1) &&
         set_offset(c, c->attention.causal_offset + (int64_t)number);
}

static bool window_width(rpp_changed *c, double number) {
  c->attention.window += (int64_t)number;
  return c->attention.mask == RPP_MASK_WINDOW && c->attention.window >= 1;
}

static bool other_mask(rpp_changed *c, double number) {
  const rpp_mask mask = (rpp_mask)number;
  if (c->attention.mask == mask || mask == RPP_MASK_WINDOW) return false;
  c->attention.mask = mask;
  return true;
}

static bool not_packed(rpp_changed *c, double number) {
  if (!c->inputs.cu_q) return false;
  c->inputs.cu_q = c->inputs.cu_k = NULL;
  return number == 0 || set_offset(c, c->k.shape[1] - c->q.shape[1]);
}

/* ---- Keys lost or made up -------------------------------------------------------------------------------------------------- */

static bool keep_keys(rpp_changed *c, int64_t first, int64_t count) {
  if (c->inputs.cu_q || first < 0 || count < 0 || first + count > c->k.shape[1] || count == c->k.shape[1]) return false;
  rpp_tensor *const all[] = {&c->k, &c->v, &c->pos_k};
  for (int i = 0; i < (c->attention.k_rotated ? 2 : 3); i++)
    if (rpp_tensor_slice(all[i], i < 2 ? 1 : all[i]->ndim - 1, first, count, 1, all[i]) != RPP_OK) return false;
  return true;
}

/* 0 stands for the contract's tile, and is what a number that is the same is left to: 0 then, and no hypothesis of its own. */
static int64_t tile_of(const rpp_changed *c, double number) {
  return number == 0 ? c->contract.key_tile : (int64_t)number == c->contract.key_tile ? 0 : (int64_t)number;
}

static bool whole_tiles(rpp_changed *c, double number) {
  const int64_t tile = tile_of(c, number);
  return tile > 0 && keep_keys(c, 0, c->k.shape[1] / tile * tile);
}
static bool without_last(rpp_changed *c, double number) {
  (void)number;
  return keep_keys(c, 0, c->k.shape[1] - 1);
}
static bool without_first(rpp_changed *c, double number) {
  (void)number;
  c->attention.causal_offset--; /* every key's index is one less now */
  return keep_keys(c, 1, c->k.shape[1] - 1);
}
static bool first_tile_only(rpp_changed *c, double number) {
  const int64_t tile = tile_of(c, number);
  return tile > 0 && keep_keys(c, 0, tile);
}

/* The last tile filled up with keys that score 0 and have value 0, seen by every query. */
static bool filled_tile(rpp_changed *c, double number) {
  const int64_t keys = c->k.shape[1], tile = tile_of(c, number), rows = c->truth.out.shape[1], heads = c->truth.out.shape[2],
                dv = c->truth.out.shape[3];
  const double added = tile > 0 ? (double)((keys + tile - 1) / tile * tile - keys) : 0;
  double *out = rpp_scratch_values(&c->truth.out), *lse = rpp_scratch_values(&c->truth.lse);
  if (c->inputs.cu_q || added == 0) return false;
  for (int64_t i = 0; i < c->truth.out.shape[0] * heads * rows; i++) { /* b, o, r */
    const int64_t b = i / (heads * rows), o = i / rows % heads, r = i % rows;
    if (lse[i] == -INFINITY) continue;
    const double m = fmax(lse[i], 0), sum = m + log(exp(lse[i] - m) + added * exp(-m)), share = exp(lse[i] - sum);
    for (int64_t d = 0; d < dv; d++) out[((b * rows + r) * heads + o) * dv + d] *= share;
    lse[i] = sum;
  }
  return c->loose = true;
}

/* ---- What is multiplied ---------------------------------------------------------------------------------------------------- */

static bool same_shape(const rpp_tensor *a, const rpp_tensor *b) {
  for (int d = 0; d < 4; d++)
    if (a->shape[d] != b->shape[d]) return false;
  return true;
}

static bool crossed(rpp_changed *c, double number) {
  const rpp_tensor q = c->q, k = c->k;
  (void)number;
  if (!same_shape(&q, &k)) return false;
  c->q = k;
  c->k = q;
  return true;
}

static bool k_as_v(rpp_changed *c, double number) {
  (void)number;
  if (!same_shape(&c->k, &c->v)) return false;
  c->v = c->k;
  return true;
}

/* number: 1 k, 2 v. */
static bool first_sequence(rpp_changed *c, double number) {
  rpp_tensor *x = number == 1 ? &c->k : &c->v, first, one;
  const int64_t batch = x->shape[0];
  const rpp_tensor whole = *x;
  if (batch < 2 || !rpp_changed_values(c, x) || rpp_tensor_slice(&whole, 0, 0, 1, 1, &first) != RPP_OK) return false;
  for (int64_t b = 1; b < batch; b++) {
    if (rpp_tensor_slice(x, 0, b, 1, 1, &one) != RPP_OK) return false;
    rpp_scratch_assign(&first, &one);
  }
  return true;
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_keys[] = {
    {"the causal mask aligned at the first key (offset 0)", first_corner, NULL, 0},
    {"the causal mask aligned at the last key (offset lk - lq)", last_corner, NULL, 0},
    {"the causal offset of the other sign", other_sign, NULL, 0},
    {"a strict mask: the query's own key hidden", diagonal, NULL, -1},
    {"a mask one key too wide at the diagonal", diagonal, NULL, 1},
    {"a window one key too narrow", window_width, NULL, -1},
    {"a window one key too wide", window_width, NULL, 1},
    {"no window: causal alone", other_mask, NULL, RPP_MASK_CAUSAL},
    {"no mask", other_mask, NULL, RPP_MASK_FULL},
    {"packed sequences not kept apart", not_packed, NULL, 0},
    {"packed sequences not kept apart, aligned at the last key", not_packed, NULL, 1},
    {"the last key left out", without_last, NULL, 0},
    {"the first key left out", without_first, NULL, 0},
    {"a last tile that is not full left out", whole_tiles, NULL, 0},
    {"keys past the last whole 4 left out", whole_tiles, NULL, 4},
    {"keys past the last whole 8 left out", whole_tiles, NULL, 8},
    {"keys past the last whole 16 left out", whole_tiles, NULL, 16},
    {"keys past the last whole 32 left out", whole_tiles, NULL, 32},
    {"keys past the last whole 64 left out", whole_tiles, NULL, 64},
    {"keys past the last whole 128 left out", whole_tiles, NULL, 128},
    {"the first tile alone", first_tile_only, NULL, 0},
    {"the first 64 keys alone", first_tile_only, NULL, 64},
    {"the first 128 keys alone", first_tile_only, NULL, 128},
    {"the last tile filled up with keys that score 0", NULL, filled_tile, 0},
    {"keys filled up to 8 with ones that score 0", NULL, filled_tile, 8},
    {"keys filled up to 16 with ones that score 0", NULL, filled_tile, 16},
    {"keys filled up to 32 with ones that score 0", NULL, filled_tile, 32},
    {"keys filled up to 64 with ones that score 0", NULL, filled_tile, 64},
    {"keys filled up to 128 with ones that score 0", NULL, filled_tile, 128},
    {"scale missing (1)", rpp_hypothesis_scale, NULL, RPP_SCALE_ONE},
    {"scale applied twice", rpp_hypothesis_scale, NULL, RPP_SCALE_SQUARED},
    {"scale doubled", rpp_hypothesis_scale, NULL, 2},
    {"scale halved", rpp_hypothesis_scale, NULL, 0.5},
    {"scale of the other sign", rpp_hypothesis_scale, NULL, RPP_SCALE_NEGATED},
    {"scale = d^-1/2, whatever is given", rpp_hypothesis_scale, NULL, RPP_SCALE_WIDTH},
    {"scale = dv^-1/2", rpp_hypothesis_scale, NULL, RPP_SCALE_VALUES},
    {"scale = rotary^-1/2", rpp_hypothesis_scale, NULL, RPP_SCALE_ROTARY},
    {"scale of base-2 exponentials without log2 e", rpp_hypothesis_scale, NULL, 0.69314718055994531},
    {"scale times log2 e in natural exponentials", rpp_hypothesis_scale, NULL, 1.4426950408889634},
    {"q and k crossed", crossed, NULL, 0},
    {"the first sequence's K for the whole batch", first_sequence, NULL, 1},
    {"the first sequence's V for the whole batch", first_sequence, NULL, 2},
    {"K in place of V", k_as_v, NULL, 0},
    {0},
};
/* clang-format on */
