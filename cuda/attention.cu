// attention.cu: the checks of attention.h, and a problem as kernels get it. No kernel is here.
#include "attention.h"

#include <cfloat>

namespace RPP_TARGET {

rpp_status check_description(const rpp_attention *a, rpp_head_counts *counts) {
  if (!a) return fail(RPP_ERROR_NULL, "attention = null: a description is required");
  if (rpp_attention_heads(a, counts) != RPP_OK) return fail(RPP_ERROR_VALUE, "%s", rpp_error_message());
  if (a->mask < RPP_MASK_CAUSAL || a->mask > RPP_MASK_WINDOW)
    return fail(RPP_ERROR_VALUE, "mask = %d: unknown", static_cast<int>(a->mask));
  if (a->mask == RPP_MASK_WINDOW && a->window < 1)
    return fail(RPP_ERROR_VALUE, "window = %lld: must be at least 1", static_cast<long long>(a->window));
  if (!std::isfinite(a->scale)) return fail(RPP_ERROR_VALUE, "scale = %g: must be finite", a->scale);
  const double scale = std::fabs(a->scale);
  if (scale > static_cast<double>(FLT_MAX) || (scale > 0 && scale < static_cast<double>(FLT_MIN)))
    return fail(RPP_ERROR_UNSUPPORTED, "scale = %g: not a normal float32", a->scale);
  return RPP_OK;
}

rpp_status check_tables(AttentionCall *c, Data data) {
  const rpp_rotary *r = &c->attention->rotary;
  c->q_bytes = c->k_bytes = 0;
  if (c->attention->q_rotated && c->attention->k_rotated) return RPP_OK;
  if (r->pairing != RPP_PAIRING_INTERLEAVED && r->pairing != RPP_PAIRING_HALF)
    return fail(RPP_ERROR_VALUE, "pairing = %d: unknown", static_cast<int>(r->pairing));
  if (r->rotary_dim > c->head_dim)
    return fail(RPP_ERROR_VALUE, "rotary_dim = %lld: must not pass the head width %lld", static_cast<long long>(r->rotary_dim),
                static_cast<long long>(c->head_dim));
  if (!c->attention->q_rotated) {
    RPP_TRY(check_positions("pos_q", c->in->pos_q, data, c->batch, c->q_len));
    RPP_TRY(angle_table_bytes(r, c->in->pos_q, &c->q_bytes));
  }
  if (!c->attention->k_rotated) {
    RPP_TRY(check_positions("pos_k", c->in->pos_k, data, c->batch, c->k_len));
    RPP_TRY(angle_table_bytes(r, c->in->pos_k, &c->k_bytes));
  }
  return RPP_OK;
}

static rpp_status check_packing(const AttentionCall &c, Data data) {
  const rpp_cuda_integers *q = c.in->cu_q, *k = c.in->cu_k;
  if (!q && !k) return RPP_OK;
  if (!q || !k) return fail(RPP_ERROR_NULL, "%s = null: cu_q and cu_k are given together", q ? "cu_k" : "cu_q");
  RPP_TRY(check_integers("cu_q", q, data, -1));
  RPP_TRY(check_integers("cu_k", k, data, q->shape[0]));
  if (q->shape[0] < 2)
    return fail(RPP_ERROR_SHAPE, "cu_q.shape[0] = %lld: expected at least 2", static_cast<long long>(q->shape[0]));
  return RPP_OK;
}

rpp_status check_attention(AttentionCall *c, Data data, rpp_dtype dtype, int block_rows) {
  RPP_TRY(check_description(c->attention, &c->counts));
  if (!c->in) return fail(RPP_ERROR_NULL, "inputs = null: tensors are required");
  int64_t shape[] = {-1, -1, c->attention->q_rotated ? c->counts.output : c->counts.projected, -1};
  RPP_TRY(check_tensor("q", c->in->q, data, dtype, 4, shape));
  c->batch = c->in->q->shape[0], c->q_len = c->in->q->shape[1], c->head_dim = c->in->q->shape[3];
  if (c->head_dim < 1 || c->head_dim > MAX_WIDTH)
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->head_dim));
  shape[0] = c->batch, shape[2] = c->counts.kv, shape[3] = c->head_dim;
  RPP_TRY(check_tensor("k", c->in->k, data, dtype, 4, shape));
  c->k_len = shape[1] = c->in->k->shape[1], shape[3] = -1;
  RPP_TRY(check_tensor("v", c->in->v, data, dtype, 4, shape));
  c->v_dim = c->in->v->shape[3];
  if (c->v_dim < 1 || c->v_dim > MAX_WIDTH)
    return fail(RPP_ERROR_UNSUPPORTED, "v.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->v_dim));
  RPP_TRY(check_tables(c, data));
  RPP_TRY(check_packing(*c, data));
  if (!c->out && !c->lse) return fail(RPP_ERROR_NULL, "out = null: out, lse or both are required");
  const int64_t out[] = {c->batch, c->q_len, c->counts.output, c->v_dim}, lse[] = {c->batch, c->counts.output, c->q_len};
  if (c->out) RPP_TRY(check_tensor("out", c->out, data, dtype, 4, out));
  if (c->lse) RPP_TRY(check_tensor("lse", c->lse, data, RPP_F32, 3, lse));
  const double rows = static_cast<double>(c->q_len) * static_cast<double>(c->counts.output / c->counts.kv) / block_rows + 1;
  const double blocks = rows * static_cast<double>(c->counts.kv) * static_cast<double>(c->batch);
  if (!(blocks < 0x1p31 - 1))
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[1] = %lld: more than 2^31 - 1 blocks", static_cast<long long>(c->q_len));
  return RPP_OK;
}

rpp_status check_attention_memory(const AttentionCall &c, void *workspace, size_t bytes, size_t need, rpp_tensor *scratch) {
  RPP_TRY(check_workspace(workspace, bytes, need, scratch));
  rpp_tensor integers[4] = {};
  const rpp_cuda_integers *given[] = {c.q_bytes ? c.in->pos_q : nullptr, c.k_bytes ? c.in->pos_k : nullptr, c.in->cu_q, c.in->cu_k};
  for (int n = 0; n < 4; n++)
    if (given[n]) integers[n] = bytes_of(given[n]);
  const Named inputs[] = {{"q", c.in->q},
                          {"k", c.in->k},
                          {"v", c.in->v},
                          {"pos_q", given[0] ? &integers[0] : nullptr},
                          {"pos_k", given[1] ? &integers[1] : nullptr},
                          {"cu_q", given[2] ? &integers[2] : nullptr},
                          {"cu_k", given[3] ? &integers[3] : nullptr},
                          {"lse", nullptr}};
  Named others[8];
  for (int n = 0; n < 8; n++) others[n] = inputs[n];
  if (scratch->shape[0] > 0) RPP_TRY(check_output("workspace", scratch, 7, others));
  others[7] = {"workspace", scratch->shape[0] > 0 ? scratch : nullptr};
  if (c.lse) RPP_TRY(check_output("lse", c.lse, 8, others));
  if (c.out) RPP_TRY(check_output("out", c.out, 8, others));
  if (c.out && c.lse && rpp_tensors_overlap(c.out, c.lse))
    return fail(RPP_ERROR_OVERLAP, "out.data = %p: overlaps lse", c.out->data);
  return RPP_OK;
}

static Cumulative cumulative_of(const rpp_cuda_integers *t) {
  return t ? Cumulative{t->data, t->type, t->strides[0], t->shape[0] - 1} : Cumulative{nullptr, RPP_CUDA_I64, 0, 0};
}

// x + y - z, never further than FAR.
static int64_t near(int64_t x, int64_t y, int64_t z) {
  __extension__ typedef __int128 wide;
  const wide sum = static_cast<wide>(x) + y - z;
  return sum < -FAR ? -FAR : sum > FAR ? FAR : static_cast<int64_t>(sum);
}

Attention describe_attention(const AttentionCall &c, int rows) {
  const rpp_attention *a = c.attention;
  Attention p = {};
  p.q_len = c.q_len, p.k_len = c.k_len, p.kv_heads = c.counts.kv, p.group = c.counts.output / c.counts.kv;
  p.tiles = (c.q_len * p.group + rows - 1) / rows;
  p.head_dim = static_cast<int>(c.head_dim), p.v_dim = static_cast<int>(c.v_dim);
  p.paired = a->mode != RPP_MODE_ROPE, p.q_rotated = a->q_rotated, p.k_rotated = a->k_rotated;
  p.pairing = a->rotary.pairing;
  p.scale = static_cast<float>(a->scale);
  p.end = a->mask == RPP_MASK_FULL ? FAR : near(a->causal_offset, 1, 0);
  p.begin = a->mask == RPP_MASK_WINDOW ? near(a->causal_offset, 1, a->window) : -FAR;
  p.cu_q = cumulative_of(c.in->cu_q), p.cu_k = cumulative_of(c.in->cu_k);
  if (c.lse) p.lse = data_of<float>(*c.lse);
  for (int n = 0; c.lse && n < 3; n++) p.lse_strides[n] = c.lse->strides[n];
  return p;
}

rpp_status fill_attention_tables(const AttentionCall &c, char *workspace, void *stream, Attention *p) {
  const rpp_rotary *rotary = &c.attention->rotary;
  if (!p->q_rotated) RPP_TRY(angle_table_fill(rotary, c.in->pos_q, workspace, stream, &p->q_table));
  if (!p->k_rotated) RPP_TRY(angle_table_fill(rotary, c.in->pos_k, workspace + c.q_bytes, stream, &p->k_table));
  return RPP_OK;
}

} // namespace RPP_TARGET
