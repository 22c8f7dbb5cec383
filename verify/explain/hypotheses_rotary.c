/* hypotheses_rotary.c: pairing, frequencies, magnitude, width of the rotation. */
#include "explain/hypotheses.h"

#include <math.h>

static bool rotates(const rpp_changed *c) {
  return !c->attention.q_rotated && !c->attention.k_rotated;
}

/* The problem head by head: what q and k become apart can be chosen. */
static bool split(rpp_changed *c) {
  return rotates(c) && rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL);
}

/* ---- Pairing -------------------------------------------------------------------------------------------------------------- */

static bool pairing(rpp_changed *c, double number) {
  if (!rotates(c) || c->attention.rotary.pairing == (rpp_pairing)number || c->attention.rotary.rotary_dim < 4) return false;
  c->attention.rotary.pairing = (rpp_pairing)number;
  return true;
}

static bool pairing_of_k(rpp_changed *c, double number) {
  rpp_rotary rotary = c->attention.rotary;
  if (!rotates(c) || rotary.pairing == (rpp_pairing)number || rotary.rotary_dim < 4) return false;
  rotary.pairing = (rpp_pairing)number;
  return rpp_changed_rotate_k(c, &rotary);
}

/* Both q's turn and its rotation. */
static bool pairing_of_q(rpp_changed *c, double number) {
  const rpp_rotary rotary = c->attention.rotary;
  return pairing(c, number) && split(c) && rpp_changed_rotate_q(c, &c->attention.rotary) && rpp_changed_rotate_k(c, &rotary);
}

/* Columns n + D / 2 into the place of n + W / 2, or back. */
static bool move_columns(rpp_changed *c, rpp_tensor *x, bool back) {
  const int64_t half = c->attention.rotary.rotary_dim / 2, width = x->shape[3], middle = width / 2;
  const rpp_tensor old = *x;
  if (!rpp_changed_values(c, x)) return false;
  for (int64_t i = 0; i < rpp_scratch_size(x); i++) {
    /* Blocks half .. middle - 1 and middle .. middle + half - 1 change places. */
    const int64_t d = i % width, row = i / width, l = row / x->shape[2] % x->shape[1], b = row / x->shape[2] / x->shape[1];
    const int64_t from = d < half || d >= middle + half ? d : d < 2 * half ? d + middle - half : d - half;
    const int64_t at[] = {b, l, row % x->shape[2], back ? from : d}, source[] = {b, l, row % x->shape[2], back ? d : from};
    rpp_tensor_set(x, at, rpp_tensor_get(&old, source));
  }
  return true;
}

/* What half pairing makes of it when it takes the head's width for the rotary one. */
static bool half_of_head(rpp_changed *c, double number) {
  (void)number;
  const rpp_rotary rotary = c->attention.rotary;
  return rotary.pairing == RPP_PAIRING_HALF && rotary.rotary_dim < c->q.shape[3] && move_columns(c, &c->q, false) &&
         move_columns(c, &c->k, false) && split(c) && rpp_changed_rotate_q(c, &rotary) && rpp_changed_rotate_k(c, &rotary) &&
         move_columns(c, &c->q, true) && move_columns(c, &c->k, true);
}

/* ---- Frequencies ---------------------------------------------------------------------------------------------------------- */

static bool base(rpp_changed *c, double number) {
  if (!rotates(c) || c->attention.rotary.base == number) return false;
  c->attention.rotary.base = number;
  return true;
}

/* number: the kind, with the options given as far as they go. */
static bool scaling(rpp_changed *c, double number) {
  rpp_scaling *s = &c->attention.rotary.scaling;
  const rpp_scaling_kind before = s->kind, kind = (rpp_scaling_kind)number;
  if (!rotates(c) || before == RPP_SCALING_NONE || kind == before) return false;
  s->kind = kind;
  if (before < RPP_SCALING_YARN && kind >= RPP_SCALING_YARN) s->orig = 4096;
  if (kind == RPP_SCALING_LLAMA3) s->low = 1, s->high = 4;
  return true;
}

/* base^(-2n/D): the base that gives it with W in the place of D. */
static bool frequencies_of_head(rpp_changed *c, double number) {
  (void)number;
  rpp_rotary *r = &c->attention.rotary;
  if (!rotates(c) || r->rotary_dim == c->q.shape[3]) return false;
  r->base = pow(r->base, (double)r->rotary_dim / (double)c->q.shape[3]);
  return true;
}

/* The frequencies as a given list, which has no magnitude; stored in dtype. */
static bool listed(rpp_changed *c, rpp_rotary *rotary, rpp_dtype dtype) {
  const int64_t pairs = rotary->rotary_dim / 2;
  const rpp_tensor theta = rpp_scratch_tensor(&c->scratch, RPP_F64, 1, &pairs);
  if (!rotates(c) || !theta.data || rpp_frequencies(rotary, rpp_scratch_values(&theta), NULL, NULL) != RPP_OK) return false;
  for (int64_t n = 0; n < pairs; n++) rpp_scratch_values(&theta)[n] = rpp_dtype_round(dtype, rpp_scratch_values(&theta)[n]);
  c->inv_freq = theta;
  rotary->inv_freq = &c->inv_freq;
  return true;
}

static bool frequencies_rounded(rpp_changed *c, double number) {
  double m;
  return rpp_frequencies(&c->attention.rotary, NULL, NULL, &m) == RPP_OK && m == 1 &&
         listed(c, &c->attention.rotary, (rpp_dtype)number);
}

/* ---- Magnitude ------------------------------------------------------------------------------------------------------------ */

static bool has_magnitude(const rpp_changed *c) {
  double m;
  return rotates(c) && rpp_frequencies(&c->attention.rotary, NULL, NULL, &m) == RPP_OK && m != 1;
}

static bool no_magnitude(rpp_changed *c, double number) {
  (void)number;
  return has_magnitude(c) && listed(c, &c->attention.rotary, RPP_F64);
}

static bool magnitude_of_q(rpp_changed *c, double number) {
  (void)number;
  rpp_rotary without = c->attention.rotary;
  return has_magnitude(c) && listed(c, &without, RPP_F64) && rpp_changed_rotate_k(c, &without);
}

static bool magnitude_of_k(rpp_changed *c, double number) {
  (void)number;
  rpp_rotary without = c->attention.rotary;
  return has_magnitude(c) && listed(c, &without, RPP_F64) && split(c) && rpp_changed_rotate_q(c, &without);
}

/* ---- Width and direction --------------------------------------------------------------------------------------------------- */

static bool whole_head(rpp_changed *c, double number) {
  (void)number;
  rpp_rotary *r = &c->attention.rotary;
  if (!rotates(c) || r->rotary_dim >= c->q.shape[3] - 1) return false;
  r->rotary_dim = c->q.shape[3] - c->q.shape[3] % 2;
  return true;
}

static bool without_rest(rpp_changed *c, double number) {
  (void)number;
  const int64_t width = c->q.shape[3];
  if (!rotates(c) || c->attention.rotary.rotary_dim == width) return false;
  double *q = rpp_changed_values(c, &c->q);
  for (int64_t i = 0; q && i < rpp_scratch_size(&c->q); i++)
    if (i % width >= c->attention.rotary.rotary_dim) q[i] = 0;
  return q != NULL;
}

static int64_t opposite(const rpp_changed *c, int64_t b, int64_t i, int64_t position, double number) {
  (void)c;
  (void)b;
  (void)i;
  (void)number;
  return -position;
}

static bool backwards(rpp_changed *c, double number) {
  return rpp_changed_positions(c, true, opposite, number) && rpp_changed_positions(c, false, opposite, number);
}

static int64_t nowhere(const rpp_changed *c, int64_t b, int64_t i, int64_t position, double number) {
  return 0 * opposite(c, b, i, position, number);
}

/* number: 1 q, 2 k, 3 both. */
static bool not_rotated(rpp_changed *c, double number) {
  const int which = (int)number;
  return (!(which & 1) || rpp_changed_positions(c, true, nowhere, 0)) &&
         (!(which & 2) || rpp_changed_positions(c, false, nowhere, 0));
}

/* ---- What becomes of memory ------------------------------------------------------------------------------------------------ */

/* x in the pairs of a rotary, the second column computed from the first one's new value. */
static bool overwrite(rpp_changed *c, rpp_tensor *x, const rpp_tensor *pos) {
  const rpp_rotary *r = &c->attention.rotary;
  const int64_t pairs = r->rotary_dim / 2, length = x->shape[1], heads = x->shape[2];
  const rpp_tensor raw = *x;
  rpp_tensor cosine = rpp_scratch_tensor(&c->scratch, RPP_F64, 2, (int64_t[]){length, pairs}),
             sine = rpp_scratch_copy(&c->scratch, &cosine);
  if (!cosine.data || !sine.data || !rpp_changed_values(c, x)) return false;
  for (int64_t b = 0; b < x->shape[0]; b++) {
    rpp_tensor of_b = *pos;
    if (pos->ndim == 2) {
      if (rpp_tensor_slice(pos, 0, b, 1, 1, &of_b) != RPP_OK) return false;
      of_b.ndim = 1, of_b.shape[0] = pos->shape[1], of_b.strides[0] = pos->strides[1];
    }
    if (rpp_angles(r, &of_b, &cosine, &sine) != RPP_OK) return false;
    for (int64_t i = 0; i < length * heads * pairs; i++) {
      const int64_t n = i % pairs, h = i / pairs % heads, l = i / pairs / heads;
      const bool half = r->pairing == RPP_PAIRING_HALF;
      const int64_t first[] = {b, l, h, half ? n : 2 * n}, second[] = {b, l, h, half ? n + pairs : 2 * n + 1};
      const double cos_n = rpp_scratch_values(&cosine)[l * pairs + n], sin_n = rpp_scratch_values(&sine)[l * pairs + n];
      const double a = rpp_tensor_get(&raw, first), old = rpp_tensor_get(&raw, second);
      const double new = rpp_dtype_round(c->contract.rotated, a * cos_n - old * sin_n);
      rpp_tensor_set(x, first, new);
      rpp_tensor_set(x, second, old * cos_n + new *sin_n);
    }
  }
  return true;
}

static bool overwritten_pairs(rpp_changed *c, double number) {
  (void)number;
  if (!split(c) || !overwrite(c, &c->q, &c->pos_q) || !overwrite(c, &c->k, &c->pos_k)) return false;
  return c->attention.q_rotated = c->attention.k_rotated = c->loose = true;
}

/* Poison past the rotary width: what an out-of-place rotation leaves where it does not copy. */
static bool rest_not_copied(rpp_changed *c, double number) {
  (void)number;
  const rpp_rotary rotary = c->attention.rotary;
  rpp_tensor *const all[] = {&c->q, &c->k};
  if (rotary.rotary_dim == c->q.shape[3] || !split(c) || !rpp_changed_rotate_q(c, &rotary) || !rpp_changed_rotate_k(c, &rotary))
    return false;
  for (int t = 0; t < 2; t++)
    for (int64_t i = 0; i < rpp_scratch_size(all[t]); i++)
      if (i % all[t]->shape[3] >= rotary.rotary_dim) rpp_scratch_values(all[t])[i] = NAN;
  return true;
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_rotary[] = {
    {"pairing=half", pairing, NULL, RPP_PAIRING_HALF},
    {"pairing=interleaved", pairing, NULL, RPP_PAIRING_INTERLEAVED},
    {"pairing mixed: half for k alone", pairing_of_k, NULL, RPP_PAIRING_HALF},
    {"pairing mixed: interleaved for k alone", pairing_of_k, NULL, RPP_PAIRING_INTERLEAVED},
    {"pairing mixed: half for q alone", pairing_of_q, NULL, RPP_PAIRING_HALF},
    {"pairing mixed: interleaved for q alone", pairing_of_q, NULL, RPP_PAIRING_INTERLEAVED},
    {"pairs (n, n + d / 2) in place of (n, n + rotary / 2)", half_of_head, NULL, 0},
    {"the whole head rotated, rotary=d", whole_head, NULL, 0},
    {"frequencies from d in place of rotary", frequencies_of_head, NULL, 0},
    {"the columns past rotary left out", without_rest, NULL, 0},
    {"base=10000", base, NULL, 10000},
    {"base=500000", base, NULL, 500000},
    {"base=1000000", base, NULL, 1000000},
    {"yarn's magnitude m missing", no_magnitude, NULL, 0},
    {"yarn's magnitude m on q alone", magnitude_of_q, NULL, 0},
    {"yarn's magnitude m on k alone", magnitude_of_k, NULL, 0},
    {"scaling=none", scaling, NULL, RPP_SCALING_NONE},
    {"scaling=linear", scaling, NULL, RPP_SCALING_LINEAR},
    {"scaling=ntk", scaling, NULL, RPP_SCALING_NTK},
    {"scaling=ntk-aware", scaling, NULL, RPP_SCALING_NTK_AWARE},
    {"scaling=yarn", scaling, NULL, RPP_SCALING_YARN},
    {"scaling=yarn-hf", scaling, NULL, RPP_SCALING_YARN_HF},
    {"scaling=llama3", scaling, NULL, RPP_SCALING_LLAMA3},
    {"rotation backwards: the sine of the other sign", backwards, NULL, 0},
    {"q not rotated", not_rotated, NULL, 1},
    {"k not rotated", not_rotated, NULL, 2},
    {"q and k not rotated", not_rotated, NULL, 3},
    {"a rotation in place that reads a pair's first column after writing it", overwritten_pairs, NULL, 0},
    {"the columns past rotary not written", rest_not_copied, NULL, 0},
    {"frequencies in bfloat16", frequencies_rounded, NULL, RPP_BF16},
    {"frequencies in float16", frequencies_rounded, NULL, RPP_F16},
    {0},
};
/* clang-format on */
