/* hypotheses_heads.c: the quarter turn, the order of heads, which KV head a head reads. */
#include "explain/hypotheses.h"

#include <math.h>

static bool has_imaginary(const rpp_changed *c) {
  return c->attention.mode != RPP_MODE_ROPE;
}

static rpp_pairing other(rpp_pairing pairing) {
  return pairing == RPP_PAIRING_HALF ? RPP_PAIRING_INTERLEAVED : RPP_PAIRING_HALF;
}

/* ---- The quarter turn ----------------------------------------------------------------------------------------------------- */

/* The problem head by head, which only makes sense where the kernel turns q itself. */
static bool split_raw(rpp_changed *c) {
  return has_imaginary(c) && !c->attention.q_rotated && rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL);
}

/* Imaginary queries with their rotary columns negated: turned by a half turn more. */
static bool half_turn_more(rpp_changed *c) {
  const int64_t width = c->q.shape[3], heads = c->q.shape[2], size = rpp_scratch_size(&c->q);
  for (int64_t i = 0; i < size; i++)
    if (i / width % heads % 2 == 1 && i % width < c->attention.rotary.rotary_dim) rpp_scratch_values(&c->q)[i] *= -1;
  return true;
}

static bool turn_sign(rpp_changed *c, double number) {
  (void)number;
  return split_raw(c) && half_turn_more(c);
}

static int64_t real_of(const rpp_head_counts *counts, int64_t o) {
  (void)counts;
  return o - o % 2;
}
static int64_t imaginary_of(const rpp_head_counts *counts, int64_t o) {
  (void)counts;
  return o - o % 2 + 1;
}

static bool turn_missing(rpp_changed *c, double number) {
  (void)number;
  return has_imaginary(c) && rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL) &&
         rpp_changed_gather(c, &c->q, c->counts.output, real_of);
}

static bool turn_everywhere(rpp_changed *c, double number) {
  (void)number;
  return has_imaginary(c) && rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL) &&
         rpp_changed_gather(c, &c->q, c->counts.output, imaginary_of);
}

static bool turn_twice(rpp_changed *c, double number) {
  return turn_missing(c, number) && half_turn_more(c);
}

static bool turn_of_other_pairing(rpp_changed *c, double number) {
  (void)number;
  return has_imaginary(c) && !c->attention.q_rotated && rpp_changed_split(c, other(c->attention.rotary.pairing), NULL, NULL);
}

/* What comes rotated is turned already. */
static bool turn_again(rpp_changed *c, double number) {
  (void)number;
  rpp_tensor turned = rpp_scratch_zeros(&c->scratch, c->q.shape[0], c->q.shape[1], c->q.shape[2], c->q.shape[3]), even[2];
  if (!has_imaginary(c) || !c->attention.q_rotated || !turned.data ||
      rpp_quarter_turn(&c->attention.rotary, &c->q, &turned) != RPP_OK ||
      rpp_tensor_slice(&c->q, 2, 0, c->counts.projected, 2, &even[0]) != RPP_OK ||
      rpp_tensor_slice(&turned, 2, 0, c->counts.projected, 2, &even[1]) != RPP_OK)
    return false;
  rpp_scratch_assign(&even[0], &even[1]);
  c->q = turned;
  return true;
}

/* Imaginary queries with one column of every pair negated, the first or the second: mirrored. */
static void mirror(rpp_changed *c, bool second) {
  const int64_t width = c->q.shape[3], heads = c->q.shape[2], rotary = c->attention.rotary.rotary_dim;
  const bool half = c->attention.rotary.pairing == RPP_PAIRING_HALF;
  for (int64_t i = 0; i < rpp_scratch_size(&c->q); i++) {
    const int64_t d = i % width;
    if (i / width % heads % 2 == 1 && d < rotary && (half ? d >= rotary / 2 : d % 2 == 1) == second)
      rpp_scratch_values(&c->q)[i] *= -1;
  }
}

#define MIRROR_SECOND 1.0 /* else the first column of a pair */
#define MIRROR_RAW 2.0    /* before the rotation, else after it; to be added */
static bool turn_mirrored(rpp_changed *c, double number) {
  const rpp_rotary rotary = c->attention.rotary;
  const bool raw = number >= MIRROR_RAW;
  if (!split_raw(c) || (!raw && !rpp_changed_rotate_q(c, &rotary))) return false;
  mirror(c, number == MIRROR_SECOND || number == MIRROR_SECOND + MIRROR_RAW);
  return true;
}

static bool turn_k_for_all(rpp_changed *c, double number) {
  if (c->attention.q_rotated || !turn_missing(c, number)) return false;
  rpp_tensor turned = rpp_scratch_zeros(&c->scratch, c->k.shape[0], c->k.shape[1], c->k.shape[2], c->k.shape[3]);
  if (!turned.data || rpp_quarter_turn(&c->attention.rotary, &c->k, &turned) != RPP_OK) return false;
  c->k = turned;
  return true;
}

/* ---- Order of heads -------------------------------------------------------------------------------------------------------- */

static void swapped_from(const rpp_changed *c, int64_t *o, int64_t *r) {
  (void)c;
  (void)r;
  *o ^= 1;
}
static void stacked_from(const rpp_changed *c, int64_t *o, int64_t *r) {
  (void)r;
  *o = *o < c->counts.projected ? 2 * *o : 2 * (*o - c->counts.projected) + 1;
}

static bool swapped(rpp_changed *c, double number) {
  (void)number;
  return rpp_changed_permute(c, swapped_from);
}
static bool stacked(rpp_changed *c, double number) {
  (void)number;
  return rpp_changed_permute(c, stacked_from);
}

static bool imaginary_only(rpp_changed *c, double number) {
  (void)number;
  return has_imaginary(c);
}

/* Stacked inside, too: head i of the stacked order reads KV head i / (O / K). */
static int64_t unstacked(const rpp_head_counts *counts, int64_t o) {
  return o < counts->projected ? 2 * o : 2 * (o - counts->projected) + 1;
}
static bool stacked_inside(rpp_changed *c, double number) {
  (void)number;
  return has_imaginary(c) && rpp_changed_split(c, c->attention.rotary.pairing, NULL, NULL) &&
         rpp_changed_gather(c, &c->q, c->counts.output, unstacked);
}

/* ---- KV heads ------------------------------------------------------------------------------------------------------------- */

static int64_t clip(const rpp_head_counts *counts, int64_t g) {
  return g < counts->kv ? g : counts->kv - 1;
}
static int64_t kv_not_doubled(const rpp_head_counts *counts, int64_t o) {
  return clip(counts, o / (counts->projected / counts->kv));
}
static int64_t kv_not_doubled_round(const rpp_head_counts *counts, int64_t o) {
  return o / (counts->projected / counts->kv) % counts->kv;
}
static int64_t kv_tiled(const rpp_head_counts *counts, int64_t o) {
  return o % counts->kv;
}
static int64_t kv_tiled_pairs(const rpp_head_counts *counts, int64_t o) {
  return o / (counts->output / counts->projected) % counts->kv;
}
static int64_t kv_by_count(const rpp_head_counts *counts, int64_t o) {
  return clip(counts, o / counts->kv);
}
static int64_t kv_of_stacked(const rpp_head_counts *counts, int64_t o) {
  return o % counts->projected / (counts->projected / counts->kv);
}
static int64_t kv_first(const rpp_head_counts *counts, int64_t o) {
  (void)counts;
  (void)o;
  return 0;
}
static int64_t kv_by_shift(const rpp_head_counts *counts, int64_t o) {
  int64_t g = o;
  for (int64_t group = counts->output / counts->kv; group > 1; group /= 2) g /= 2;
  return clip(counts, g);
}
static int64_t kv_last_first(const rpp_head_counts *counts, int64_t o) {
  return counts->kv - 1 - o / (counts->output / counts->kv);
}

static rpp_head_map *const kv_maps[] = {kv_not_doubled, kv_not_doubled_round, kv_tiled,
                                        kv_tiled_pairs, kv_by_count,          kv_of_stacked,
                                        kv_first,       kv_last_first,        kv_by_shift};

/* number: which of the maps. */
static bool map_kv(rpp_changed *c, double number) {
  rpp_head_map *map = kv_maps[(int)number];
  return c->counts.kv > 1 && rpp_changed_split(c, c->attention.rotary.pairing, map, map);
}
static bool map_kv_of_pairs(rpp_changed *c, double number) {
  return has_imaginary(c) && map_kv(c, number);
}
static bool map_k(rpp_changed *c, double number) {
  return c->counts.kv > 1 && rpp_changed_split(c, c->attention.rotary.pairing, kv_maps[(int)number], NULL);
}
static bool map_v(rpp_changed *c, double number) {
  return c->counts.kv > 1 && rpp_changed_split(c, c->attention.rotary.pairing, NULL, kv_maps[(int)number]);
}

/* ---- Imaginary heads' softmax ---------------------------------------------------------------------------------------------- */

static bool imaginary_scale(rpp_changed *c, double number) {
  return has_imaginary(c) && rpp_hypothesis_scale(c, number);
}

/* Real heads as asked for: only the imaginary ones are changed. */
static bool keep_real(rpp_changed *c, double number) {
  (void)number;
  const rpp_judged_truth *o = c->original;
  const rpp_tensor *const from[] = {&o->out, &o->out_bound, &o->out_noise, &o->out_likely, &o->lse, &o->lse_bound, &o->spread};
  const rpp_tensor *const to[] = {&c->truth.out, &c->truth.out_bound, &c->truth.out_noise, &c->truth.out_likely,
                                  &c->truth.lse, &c->truth.lse_bound, &c->truth.spread};
  for (int i = 0; i < 7; i++) {
    rpp_tensor source, target;
    const int dim = i < 4 ? 2 : 1;
    if (rpp_tensor_slice(from[i], dim, 0, c->counts.projected, 2, &source) != RPP_OK ||
        rpp_tensor_slice(to[i], dim, 0, c->counts.projected, 2, &target) != RPP_OK)
      return false;
    rpp_scratch_assign(&source, &target);
  }
  return true;
}

/* number 0: both heads get the values weighted by one softmax over the scores of both; 1: each gets its own share of them. */
static bool joint_softmax(rpp_changed *c, double number) {
  double *out = rpp_scratch_values(&c->truth.out), *lse = rpp_scratch_values(&c->truth.lse);
  const int64_t rows = c->truth.out.shape[1], heads = c->truth.out.shape[2], dv = c->truth.out.shape[3];
  for (int64_t row = 0; row < c->truth.out.shape[0] * rows; row++)
    for (int64_t j = 0; j < heads; j += 2) {
      double *real = out + (row * heads + j) * dv, *imaginary = real + dv;
      double *lse_real = lse + (row / rows * heads + j) * rows + row % rows, *lse_imaginary = lse_real + rows;
      const double m = fmax(*lse_real, *lse_imaginary);
      if (!isfinite(m)) continue;
      const double joint = m + log(exp(*lse_real - m) + exp(*lse_imaginary - m));
      const double share = exp(*lse_real - joint), other_share = exp(*lse_imaginary - joint);
      for (int64_t d = 0; d < dv; d++) {
        const double a = share * real[d], b = other_share * imaginary[d];
        real[d] = number == 0 ? a + b : a;
        imaginary[d] = number == 0 ? a + b : b;
      }
      *lse_real = *lse_imaginary = joint;
    }
  return c->loose = true;
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_heads[] = {
    {"a quarter turn of +pi/2, or one on k instead of q", turn_sign, NULL, 0},
    {"imaginary heads like the real ones: no quarter turn, or one on q and k both", turn_missing, NULL, 0},
    {"imaginary heads turned by -pi: the quarter turn made twice", turn_twice, NULL, 0},
    {"imaginary queries (b, a) in place of (b, -a): mirrored, not turned", turn_mirrored, NULL, MIRROR_SECOND},
    {"imaginary queries (-b, -a) in place of (b, -a): mirrored, not turned", turn_mirrored, NULL, 0},
    {"imaginary queries (b, a) in place of (b, -a) and then rotated", turn_mirrored, NULL, MIRROR_RAW + MIRROR_SECOND},
    {"imaginary queries (-b, -a) in place of (b, -a) and then rotated", turn_mirrored, NULL, MIRROR_RAW},
    {"imaginary heads that come rotated turned once more", turn_again, NULL, 0},
    {"real heads like the imaginary ones: a quarter turn on every query", turn_everywhere, NULL, 0},
    {"the quarter turn of the other pairing", turn_of_other_pairing, NULL, 0},
    {"the quarter turn on k instead of q, for real heads too", turn_k_for_all, NULL, 0},
    {"real and imaginary heads swapped", imaginary_only, swapped, 0},
    {"heads stacked: all real, then all imaginary", imaginary_only, stacked, 0},
    {"heads stacked, KV heads assigned in that order", stacked_inside, NULL, 0},
    {"KV head o / (P / K) of output head o: not doubled", map_kv, NULL, 0},
    {"KV head o / (P / K) mod K of output head o: not doubled", map_kv, NULL, 1},
    {"KV head o mod K: tiled instead of repeated", map_kv, NULL, 2},
    {"KV head j mod K of projected head j: tiled instead of repeated", map_kv_of_pairs, NULL, 3},
    {"KV head o / K: right only where the group has K heads", map_kv, NULL, 4},
    {"the KV heads of stacked heads", map_kv, NULL, 5},
    {"KV head 0 for every head", map_kv, NULL, 6},
    {"KV heads in reverse", map_kv, NULL, 7},
    {"KV head by a shift: groups of the next smaller power of two", map_kv, NULL, 8},
    {"V of head o / (P / K) of output head o: not doubled", map_v, NULL, 0},
    {"V of head o mod K", map_v, NULL, 2},
    {"V of head 0 for every head", map_v, NULL, 6},
    {"V of the KV heads in reverse", map_v, NULL, 7},
    {"K of head o / (P / K) of output head o: not doubled", map_k, NULL, 0},
    {"K of head o mod K", map_k, NULL, 2},
    {"K of head 0 for every head", map_k, NULL, 6},
    {"real and imaginary heads sharing one softmax", imaginary_only, joint_softmax, 0},
    {"real and imaginary heads each weighted by their share of one softmax", imaginary_only, joint_softmax, 1},
    {"imaginary scores scaled by 1 / sqrt 2 more", imaginary_scale, keep_real, 0.70710678118654752},
    {"imaginary scores scaled by sqrt 2 more", imaginary_scale, keep_real, 1.4142135623730951},
    {"imaginary scores scaled by 1 / 2 more", imaginary_scale, keep_real, 0.5},
    {"imaginary scores scaled by 2 more", imaginary_scale, keep_real, 2},
    {"imaginary scores not scaled", imaginary_scale, keep_real, RPP_SCALE_ONE},
    {"imaginary scores scaled twice", imaginary_scale, keep_real, RPP_SCALE_SQUARED},
    {"imaginary scores all 0", imaginary_scale, keep_real, 0},
    {0},
};
/* clang-format on */
