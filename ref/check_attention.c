#include "check_attention.h"

#include "check_tensor.h"
#include "status.h"
#include "tensor.h"

#include <inttypes.h>
#include <math.h>

rpp_status rpp_check_attention(const rpp_attention *attention, int64_t head_dim, rpp_head_counts *counts) {
  RPP_TRY(rpp_attention_heads(attention, counts));
  if (attention->mask < RPP_MASK_CAUSAL || attention->mask > RPP_MASK_WINDOW)
    return rpp_fail(RPP_ERROR_VALUE, "mask = %d: unknown", (int)attention->mask);
  if (attention->mask == RPP_MASK_WINDOW && attention->window < 1)
    return rpp_fail(RPP_ERROR_VALUE, "window = %" PRId64 ": must be at least 1", attention->window);
  if (!isfinite(attention->scale)) return rpp_fail(RPP_ERROR_VALUE, "scale = %g: must be finite", attention->scale);
  if (!attention->q_rotated || !attention->k_rotated) RPP_TRY(rpp_check_rotary(&attention->rotary, head_dim));
  return RPP_OK;
}

/* Cumulative lengths: n + 1 of them, from 0 to length, never decreasing. */
static rpp_status check_cumulative(const char *name, const rpp_tensor *cu, int64_t length) {
  RPP_TRY(rpp_check_integer(name, cu, 1, (int64_t[]){-1}));
  const int64_t last = cu->shape[0] - 1;
  if (last < 1) return rpp_fail(RPP_ERROR_SHAPE, "%s.shape[0] = %" PRId64 ": expected at least 2", name, cu->shape[0]);
  int64_t before = 0;
  for (int64_t n = 0; n <= last; n++) {
    const int64_t value = rpp_load_i64(rpp_tensor_at(cu, n, 0, 0, 0));
    if (value < before || value > length || (n == 0 && value != 0) || (n == last && value != length))
      return rpp_fail(RPP_ERROR_VALUE, "%s[%" PRId64 "] = %" PRId64 ": must rise from 0 to the length %" PRId64, name, n, value,
                      length);
    before = value;
  }
  return RPP_OK;
}

static rpp_status check_packing(const rpp_attention_inputs *inputs, int64_t q_len, int64_t k_len) {
  if (!inputs->cu_q && !inputs->cu_k) return RPP_OK;
  if (!inputs->cu_q || !inputs->cu_k)
    return rpp_fail(RPP_ERROR_NULL, "%s = null: cu_q and cu_k are given together", inputs->cu_q ? "cu_k" : "cu_q");
  RPP_TRY(check_cumulative("cu_q", inputs->cu_q, q_len));
  RPP_TRY(check_cumulative("cu_k", inputs->cu_k, k_len));
  if (inputs->cu_q->shape[0] != inputs->cu_k->shape[0])
    return rpp_fail(RPP_ERROR_SHAPE, "cu_k.shape[0] = %" PRId64 ": expected %" PRId64 ", as cu_q", inputs->cu_k->shape[0],
                    inputs->cu_q->shape[0]);
  return RPP_OK;
}

rpp_status rpp_check_inputs(const rpp_attention *attention, const rpp_attention_inputs *inputs, bool with_values,
                            rpp_problem *problem) {
  if (!attention) return rpp_fail(RPP_ERROR_NULL, "attention = null: a description is required");
  if (!inputs) return rpp_fail(RPP_ERROR_NULL, "inputs = null: tensors are required");
  RPP_TRY(rpp_check_floating("q", inputs->q, 4, (int64_t[]){-1, -1, -1, -1}));
  rpp_problem p = {.batch = inputs->q->shape[0], .q_len = inputs->q->shape[1], .head_dim = inputs->q->shape[3]};
  if (p.head_dim < 1) return rpp_fail(RPP_ERROR_SHAPE, "q.shape[3] = %" PRId64 ": must be at least 1", p.head_dim);
  RPP_TRY(rpp_check_attention(attention, p.head_dim, &p.counts));
  const int64_t q_heads = attention->q_rotated ? p.counts.output : p.counts.projected;
  RPP_TRY(rpp_check_floating("q", inputs->q, 4, (int64_t[]){p.batch, p.q_len, q_heads, p.head_dim}));
  RPP_TRY(rpp_check_floating("k", inputs->k, 4, (int64_t[]){p.batch, -1, p.counts.kv, p.head_dim}));
  p.k_len = inputs->k->shape[1];
  if (!attention->q_rotated) RPP_TRY(rpp_check_positions("pos_q", inputs->pos_q, p.batch, p.q_len, &attention->rotary));
  if (!attention->k_rotated) RPP_TRY(rpp_check_positions("pos_k", inputs->pos_k, p.batch, p.k_len, &attention->rotary));
  if (with_values) {
    RPP_TRY(rpp_check_floating("v", inputs->v, 4, (int64_t[]){p.batch, p.k_len, p.counts.kv, -1}));
    p.v_dim = inputs->v->shape[3];
    RPP_TRY(check_packing(inputs, p.q_len, p.k_len));
  }
  *problem = p;
  return RPP_OK;
}
