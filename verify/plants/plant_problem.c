/* plant_problem.c: faults that are the right answer to another problem. */
#include "plants/plant_steps.h"

#include <math.h>

/* ---- Mask --------------------------------------------------------------------------------------------------------------- */

bool rpp_change_causal_top_left(rpp_planted *p) {
  if (!p->inputs.cu_q) p->attention.causal_offset -= p->k_len - p->q_len;
  return true;
}

bool rpp_change_causal_strict(rpp_planted *p) {
  p->attention.causal_offset--;
  return true;
}

bool rpp_change_causal_lost(rpp_planted *p) {
  p->attention.mask = RPP_MASK_FULL;
  return true;
}

bool rpp_change_window_wider(rpp_planted *p) {
  p->attention.window++;
  return true;
}

bool rpp_change_window_narrower(rpp_planted *p) {
  p->attention.window--;
  return true;
}

bool rpp_change_window_lost(rpp_planted *p) {
  if (p->attention.mask == RPP_MASK_WINDOW) p->attention.mask = RPP_MASK_CAUSAL;
  return true;
}

bool rpp_change_packing_lost(rpp_planted *p) {
  p->inputs.cu_q = p->inputs.cu_k = NULL;
  return true;
}

/* ---- Positions ------------------------------------------------------------------------------------------------------------ */

/* Positions become (B, L) of the plant's own, to be written to. */
static int64_t *own_positions(rpp_planted *p, const rpp_tensor **pos, rpp_tensor *own, int64_t length) {
  const int64_t shape[] = {p->batch, length};
  const rpp_tensor copy = rpp_scratch_tensor(&p->scratch, RPP_I64, 2, shape), *old = *pos;
  if (!copy.data) return NULL;
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t l = 0; l < length; l++)
      rpp_scratch_integers(&copy)[b * length + l] =
          (int64_t)rpp_tensor_get(old, old->ndim == 1 ? (int64_t[]){l, 0} : (int64_t[]){b, l});
  *own = copy;
  *pos = own;
  return rpp_scratch_integers(own);
}

typedef int64_t position_map(const int64_t *of_sequence, int64_t b, int64_t l, int64_t length);

static bool map_positions(rpp_planted *p, bool of_k, position_map *map) {
  const int64_t length = of_k ? p->k_len : p->q_len;
  if (of_k ? p->attention.k_rotated : p->attention.q_rotated) return true;
  int64_t *pos = own_positions(p, of_k ? &p->inputs.pos_k : &p->inputs.pos_q, of_k ? &p->pos_k : &p->pos_q, length);
  /* From the last on, so that what a map reads is still there. */
  for (int64_t i = p->batch * length - 1; pos && i >= 0; i--)
    pos[i] = map(pos + i / length * length, i / length, i % length, length);
  return pos != NULL;
}

static int64_t shifted(const int64_t *pos, int64_t b, int64_t l, int64_t length) {
  (void)b, (void)length;
  return pos[l] + 1;
}
static int64_t index_alone(const int64_t *pos, int64_t b, int64_t l, int64_t length) {
  (void)pos, (void)b, (void)length;
  return l;
}
static int64_t of_first_sequence(const int64_t *pos, int64_t b, int64_t l, int64_t length) {
  return pos[l - b * length];
}
static int64_t of_first_1024(const int64_t *pos, int64_t b, int64_t l, int64_t length) {
  (void)b, (void)length;
  return pos[l % 1024];
}

bool rpp_change_q_shifted(rpp_planted *p) {
  return map_positions(p, false, shifted);
}
bool rpp_change_k_by_index(rpp_planted *p) {
  return map_positions(p, true, index_alone);
}
bool rpp_change_first_batch_positions(rpp_planted *p) {
  return map_positions(p, false, of_first_sequence);
}
bool rpp_change_positions_past_1024(rpp_planted *p) {
  return map_positions(p, true, of_first_1024);
}

/* ---- Angles --------------------------------------------------------------------------------------------------------------- */

bool rpp_change_half_only(rpp_planted *p) {
  p->attention.rotary.pairing = RPP_PAIRING_HALF;
  return true;
}

bool rpp_change_interleaved_only(rpp_planted *p) {
  p->attention.rotary.pairing = RPP_PAIRING_INTERLEAVED;
  return true;
}

bool rpp_change_base_fixed(rpp_planted *p) {
  p->attention.rotary.base = 10000;
  return true;
}

bool rpp_change_scaling_lost(rpp_planted *p) {
  p->attention.rotary.scaling = (rpp_scaling){.kind = RPP_SCALING_NONE};
  return true;
}

bool rpp_change_ntk_confused(rpp_planted *p) {
  rpp_scaling_kind *kind = &p->attention.rotary.scaling.kind;
  if (*kind == RPP_SCALING_NTK && p->attention.rotary.rotary_dim > 2)
    *kind = RPP_SCALING_NTK_AWARE;
  else if (*kind == RPP_SCALING_NTK_AWARE)
    *kind = RPP_SCALING_NTK;
  return true;
}

bool rpp_change_yarn_confused(rpp_planted *p) {
  rpp_scaling_kind *kind = &p->attention.rotary.scaling.kind;
  if (*kind == RPP_SCALING_YARN || *kind == RPP_SCALING_YARN_HF)
    *kind = *kind == RPP_SCALING_YARN ? RPP_SCALING_YARN_HF : RPP_SCALING_YARN;
  return true;
}

/* theta_n = base^(-2n / D) where W < D. */
bool rpp_change_head_width_frequencies(rpp_planted *p) {
  rpp_rotary *rotary = &p->attention.rotary;
  const int64_t pairs = rotary->rotary_dim / 2;
  if (rotary->inv_freq || rotary->cos || rotary->scaling.kind != RPP_SCALING_NONE || rotary->rotary_dim >= p->head_dim) return true;
  p->inv_freq = rpp_scratch_tensor(&p->scratch, RPP_F64, 1, &pairs);
  for (int64_t n = 0; n < rpp_scratch_size(&p->inv_freq); n++)
    rpp_scratch_values(&p->inv_freq)[n] = pow(rotary->base, -2 * (double)n / (double)p->head_dim);
  rotary->inv_freq = &p->inv_freq;
  return p->inv_freq.data != NULL;
}

/* ---- Scale ---------------------------------------------------------------------------------------------------------------- */

bool rpp_change_scale_lost(rpp_planted *p) {
  p->attention.scale = 1;
  return true;
}

bool rpp_change_scale_twice(rpp_planted *p) {
  p->attention.scale *= p->attention.scale;
  return true;
}
