#include "explain/changed.h"

#include <math.h>
#include <string.h>

#include "program/names.h"

bool rpp_changed_open(rpp_changed *c, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                      const rpp_contract *contract, const rpp_tensor *rows, const rpp_judged_truth *original) {
  *c = (rpp_changed){.attention = *attention, .contract = *contract, .rows = rows, .original = original};
  const rpp_tensor *const from[] = {inputs->q, inputs->k, inputs->v, inputs->pos_q, inputs->pos_k, inputs->cu_q, inputs->cu_k};
  rpp_tensor *const to[] = {&c->q, &c->k, &c->v, &c->pos_q, &c->pos_k, &c->cu_q, &c->cu_k};
  const rpp_tensor **const at[] = {&c->inputs.q,     &c->inputs.k,    &c->inputs.v,   &c->inputs.pos_q,
                                   &c->inputs.pos_k, &c->inputs.cu_q, &c->inputs.cu_k};
  for (int i = 0; i < 7; i++)
    if (from[i]) {
      *to[i] = *from[i];
      *at[i] = to[i];
    }
  return rpp_attention_heads(attention, &c->counts) == RPP_OK;
}

void rpp_changed_close(rpp_changed *c) {
  rpp_scratch_free(&c->scratch);
}

bool rpp_changed_compute(rpp_changed *c) {
  rpp_message error;
  return rpp_judged_truth_make(&c->scratch, &c->attention, &c->inputs, &c->contract, c->rows, &c->truth, &error);
}

/* ---- Tensors ------------------------------------------------------------------------------------------------------------- */

double *rpp_changed_values(rpp_changed *c, rpp_tensor *t) {
  const rpp_tensor made = rpp_scratch_tensor(&c->scratch, RPP_F64, t->ndim, t->shape);
  rpp_scratch_assign(t, &made);
  *t = made;
  return made.data;
}

bool rpp_changed_gather(rpp_changed *c, rpp_tensor *x, int64_t heads, rpp_head_map *from) {
  const rpp_tensor made = rpp_scratch_zeros(&c->scratch, x->shape[0], x->shape[1], heads, x->shape[3]);
  if (!made.data) return false;
  for (int64_t o = 0; o < heads; o++) {
    rpp_tensor source, target;
    if (rpp_tensor_slice(x, 2, from(&c->counts, o), 1, 1, &source) != RPP_OK ||
        rpp_tensor_slice(&made, 2, o, 1, 1, &target) != RPP_OK)
      return false;
    rpp_scratch_assign(&source, &target);
  }
  *x = made;
  return true;
}

static int64_t same_head(const rpp_head_counts *counts, int64_t o) {
  (void)counts;
  return o;
}
static int64_t right_kv_head(const rpp_head_counts *counts, int64_t o) {
  return o / (counts->output / counts->kv);
}
static int64_t projected_head(const rpp_head_counts *counts, int64_t o) {
  (void)counts;
  return o / 2;
}

/* Odd heads of the doubled q, turned. */
static bool turn_odd_heads(rpp_changed *c, rpp_pairing pairing) {
  rpp_rotary rotary = c->attention.rotary;
  rotary.pairing = pairing;
  rpp_tensor straight, odd,
      turned = rpp_scratch_zeros(&c->scratch, c->q.shape[0], c->q.shape[1], c->counts.projected, c->q.shape[3]);
  if (!turned.data || rpp_tensor_slice(&c->q, 2, 1, c->counts.projected, 2, &odd) != RPP_OK) return false;
  straight = rpp_scratch_copy(&c->scratch, &odd);
  if (!straight.data || rpp_quarter_turn(&rotary, &straight, &turned) != RPP_OK) return false;
  rpp_scratch_assign(&turned, &odd);
  return true;
}

bool rpp_changed_split(rpp_changed *c, rpp_pairing turn_pairing, rpp_head_map *k_map, rpp_head_map *v_map) {
  const bool doubles = c->attention.mode != RPP_MODE_ROPE && !c->attention.q_rotated;
  if (!rpp_changed_gather(c, &c->q, c->counts.output, doubles ? projected_head : same_head)) return false;
  if (doubles && !turn_odd_heads(c, turn_pairing)) return false;
  if (!rpp_changed_gather(c, &c->k, c->counts.output, k_map ? k_map : right_kv_head)) return false;
  if (!rpp_changed_gather(c, &c->v, c->counts.output, v_map ? v_map : right_kv_head)) return false;
  c->attention.mode = RPP_MODE_ROPE;
  c->attention.heads = c->attention.kv_heads = c->counts.output;
  return true;
}

static bool rotate(rpp_changed *c, const rpp_rotary *rotary, const rpp_tensor *pos, rpp_tensor *x) {
  rpp_tensor y = rpp_scratch_zeros(&c->scratch, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
  if (!y.data || rpp_rotate(rotary, RPP_PART_REAL, x, pos, &y) != RPP_OK) return false;
  *x = y;
  c->loose = true;
  return true;
}

bool rpp_changed_rotate_q(rpp_changed *c, const rpp_rotary *rotary) {
  if (c->attention.q_rotated || !rotate(c, rotary, &c->pos_q, &c->q)) return false;
  return c->attention.q_rotated = true;
}

bool rpp_changed_rotate_k(rpp_changed *c, const rpp_rotary *rotary) {
  if (c->attention.k_rotated || !rotate(c, rotary, &c->pos_k, &c->k)) return false;
  return c->attention.k_rotated = true;
}

bool rpp_changed_positions(rpp_changed *c, bool of_q, rpp_position_map *f, double number) {
  rpp_tensor *pos = of_q ? &c->pos_q : &c->pos_k;
  if (of_q ? c->attention.q_rotated : c->attention.k_rotated) return false;
  const int64_t batch = c->q.shape[0], length = pos->shape[pos->ndim - 1];
  const rpp_tensor made = rpp_scratch_tensor(&c->scratch, RPP_I64, 2, (int64_t[]){batch, length});
  if (!made.data) return false;
  for (int64_t b = 0; b < batch; b++)
    for (int64_t i = 0; i < length; i++) {
      const int64_t at[] = {pos->ndim == 1 ? i : b, i};
      rpp_scratch_integers(&made)[b * length + i] = f(c, b, i, (int64_t)rpp_tensor_get(pos, at), number);
    }
  *pos = made;
  return true;
}

/* ---- Results ------------------------------------------------------------------------------------------------------------- */

bool rpp_changed_permute(rpp_changed *c, rpp_result_map *from) {
  rpp_tensor *const all[] = {&c->truth.out, &c->truth.out_bound, &c->truth.out_noise, &c->truth.out_likely,
                             &c->truth.lse, &c->truth.lse_bound, &c->truth.spread};
  const int64_t batch = c->truth.out.shape[0], rows = c->truth.out.shape[1], heads = c->truth.out.shape[2],
                dv = c->truth.out.shape[3];
  for (int i = 0; i < 7; i++) {
    const rpp_tensor old = *all[i];
    const double *source = rpp_scratch_values(&old);
    double *target = rpp_changed_values(c, all[i]);
    if (!target) return false;
    for (int64_t b = 0; b < batch; b++)
      for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < heads; o++) {
          int64_t from_o = o, from_r = r;
          from(c, &from_o, &from_r);
          if (i < 4)
            memcpy(target + ((b * rows + r) * heads + o) * dv, source + ((b * rows + from_r) * heads + from_o) * dv,
                   (size_t)dv * sizeof *target);
          else
            target[(b * heads + o) * rows + r] = source[(b * heads + from_o) * rows + from_r];
        }
  }
  return true;
}

void rpp_changed_widen(rpp_judged_truth *truth, const rpp_judged_truth *original, double factor) {
  const int64_t batch = truth->out.shape[0], rows = truth->out.shape[1], heads = truth->out.shape[2], dv = truth->out.shape[3];
  const double *out = rpp_scratch_values(&original->out_bound), *lse = rpp_scratch_values(&original->lse_bound);
  for (int64_t b = 0; b < batch; b++)
    for (int64_t r = 0; r < rows; r++) {
      const int64_t first = (b * rows + r) * heads * dv;
      double of_out = 0, of_lse = 0;
      for (int64_t i = 0; i < heads * dv; i++) of_out = fmax(of_out, out[first + i]);
      for (int64_t o = 0; o < heads; o++) of_lse = fmax(of_lse, lse[(b * heads + o) * rows + r]);
      for (int64_t i = 0; i < heads * dv; i++) rpp_scratch_values(&truth->out_bound)[first + i] += factor * of_out;
      for (int64_t o = 0; o < heads; o++) rpp_scratch_values(&truth->lse_bound)[(b * heads + o) * rows + r] += factor * of_lse;
    }
}
