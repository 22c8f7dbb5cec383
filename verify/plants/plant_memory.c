/* plant_memory.c: faults of addresses. Nothing outside of a tensor's own span is touched, so that a plant is caught for what it computes
 * and not by a crash; but for what a sparse tensor's span has no memory for. */
#include "plants/plant_steps.h"

#include <string.h>

/* Element offset past t's first, as if it were t's; 0 outside of its span. */
static double read_at(const rpp_tensor *t, int64_t offset) {
  int64_t elements, bytes;
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  rpp_tensor one = {.data = t->data, .dtype = t->dtype, .ndim = 1, .shape = {1}, .strides = {1}};
  if (rpp_tensor_extent(t, &elements, &bytes) != RPP_OK || offset < 0 || (offset + 1) * size > bytes) return 0;
  one.byte_offset = t->byte_offset + (uint64_t)(offset * size);
  return rpp_tensor_get(&one, (int64_t[]){0});
}

/* Where a fault looks for an element. */
typedef int64_t offset_map(const rpp_planted *p, const rpp_tensor *t, const int64_t *index);

static bool reread(rpp_planted *p, const rpp_tensor **t, rpp_tensor *own, offset_map *map) {
  const rpp_tensor old = **t, copy = rpp_scratch_tensor(&p->scratch, old.dtype, 4, old.shape);
  if (!copy.data) return false;
  int64_t i[4];
  for (i[0] = 0; i[0] < old.shape[0]; i[0]++)
    for (i[1] = 0; i[1] < old.shape[1]; i[1]++)
      for (i[2] = 0; i[2] < old.shape[2]; i[2]++)
        for (i[3] = 0; i[3] < old.shape[3]; i[3]++) rpp_tensor_set(&copy, i, read_at(&old, map(p, &old, i)));
  *own = copy;
  *t = own;
  return true;
}

static int64_t by(const int64_t *strides, const int64_t *index) {
  return index[0] * strides[0] + index[1] * strides[1] + index[2] * strides[2] + index[3] * strides[3];
}

static int64_t contiguous(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  const int64_t row = t->shape[2] * t->shape[3], strides[] = {t->shape[1] * row, row, t->shape[3], 1};
  (void)p;
  return by(strides, index);
}

bool rpp_change_qk_contiguous(rpp_planted *p) {
  return reread(p, &p->inputs.q, &p->q, contiguous) && reread(p, &p->inputs.k, &p->k, contiguous);
}

static int64_t rest_contiguous(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  return index[3] < p->attention.rotary.rotary_dim ? by(t->strides, index) : contiguous(p, t, index);
}

bool rpp_change_rest_contiguous(rpp_planted *p) {
  return reread(p, &p->inputs.q, &p->q, rest_contiguous) && reread(p, &p->inputs.k, &p->k, rest_contiguous);
}

static int64_t head_stride_of_q(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  const int64_t strides[] = {t->strides[0], t->strides[1], p->q.strides[2], t->strides[3]};
  return by(strides, index);
}

bool rpp_change_k_by_q_head_stride(rpp_planted *p) {
  return reread(p, &p->inputs.k, &p->k, head_stride_of_q);
}

static int64_t strides_of_k(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  (void)t;
  return by(p->k.strides, index);
}

bool rpp_change_v_by_k_strides(rpp_planted *p) {
  return reread(p, &p->inputs.v, &p->v, strides_of_k);
}

static int64_t wrapped(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  (void)p;
  return rpp_offset_int32(by(t->strides, index));
}

bool rpp_change_offset_int32(rpp_planted *p) {
  return reread(p, &p->inputs.v, &p->v, wrapped);
}

static int64_t first_batch(const rpp_planted *p, const rpp_tensor *t, const int64_t *index) {
  (void)p;
  return by(t->strides, index) - index[0] * t->strides[0];
}

bool rpp_change_first_batch_v(rpp_planted *p) {
  return reread(p, &p->inputs.v, &p->v, first_batch);
}

bool rpp_change_q_k_crossed(rpp_planted *p) {
  const bool alike = p->q_len == p->k_len && p->counts.projected == p->counts.kv && !p->attention.q_rotated;
  if (!alike) return true;
  p->inputs.q = &p->k, p->inputs.k = &p->q;
  return true;
}

/* ---- Outputs -------------------------------------------------------------------------------------------------------------- */

void rpp_place_out_contiguous(rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  out->strides[3] = 1;
  for (int d = 2; d >= 0; d--) out->strides[d] = out->strides[d + 1] * out->shape[d + 1];
}

void rpp_place_out_head_major(rpp_tensor *out, rpp_tensor *lse) {
  (void)lse;
  out->strides[3] = 1;
  out->strides[1] = out->shape[3];
  out->strides[2] = out->shape[1] * out->shape[3];
  out->strides[0] = out->shape[2] * out->strides[2];
}

void rpp_place_lse_contiguous(rpp_tensor *out, rpp_tensor *lse) {
  (void)out;
  lse->strides[2] = 1;
  for (int d = 1; d >= 0; d--) lse->strides[d] = lse->strides[d + 1] * lse->shape[d + 1];
}

void rpp_place_lse_nowhere(rpp_tensor *out, rpp_tensor *lse) {
  (void)out;
  lse->data = NULL;
}

void rpp_place_nowhere(rpp_tensor *out, rpp_tensor *lse) {
  out->data = lse->data = NULL;
}
