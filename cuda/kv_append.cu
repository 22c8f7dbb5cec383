// kv_append.cu: rotates keys and writes them, and values, into a cache (eq. 2, 15).
//
// k (B, L, K, D) and v (B, L, K, Dv), float32, float16 or bfloat16, any strides, to a contiguous or paged cache (decode.h). A warp takes a row
// (b, l, h); a lane takes the pairs lane, lane + 32, ... of k, the columns past W, which pass unchanged, and columns of v. Arithmetic is
// float32, rounded once. Rows whose slot is outside of the cache are left out.
// Contract: RPP_CUDA_ROTATE_CONTRACT. Launch: 128 threads, no shared memory, at most 65,536 blocks, which stride over the rows.
#include "decode.h"

namespace RPP_TARGET {

namespace {

constexpr unsigned WARPS = 4, LANES = 32;

struct Slots { // (L) or (B, L)
  const void *data;
  rpp_cuda_integer type;
  int64_t strides[2];
};

template <class T> struct Append {
  int64_t batch, length, heads, capacity, head_dim, v_dim;
  rpp_pairing pairing;
  AngleTable table; // pairs 0: k is copied
  Slots slots;
  PageTable pages;
  Rows<const T> k, v;
  Rows<T> to_k, to_v;
};

__device__ inline int64_t slot_of(const Slots &s, int64_t b, int64_t l) {
  const int64_t at = b * s.strides[0] + l * s.strides[1];
  return s.type == RPP_CUDA_I32 ? static_cast<const int32_t *>(s.data)[at] : static_cast<const int64_t *>(s.data)[at];
}

template <class T> __global__ void kv_append(const Append<T> p) {
  const int64_t rows = p.batch * p.length * p.heads, step = static_cast<int64_t>(gridDim.x) * WARPS;
  const int64_t lane = threadIdx.x % LANES, from_stride = p.k.strides[3], to_stride = p.to_k.strides[3];
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / LANES; row < rows; row += step) {
    const int64_t h = row % p.heads, l = row / p.heads % p.length, b = row / p.heads / p.length, slot = slot_of(p.slots, b, l);
    if (slot < 0 || slot >= p.capacity) continue;
    const Token at = token_at(p.pages, b, static_cast<int>(slot));
    const T *k = p.k.row(b, l, h), *v = p.v.row(b, l, h);
    T *to_k = p.to_k.row(at.row, at.slot, h), *to_v = p.to_v.row(at.row, at.slot, h);
    const int64_t pairs = p.table.pairs, angles = p.table.row(b, l);
    for (int64_t n = lane; n < pairs; n += LANES) {
      const int64_t one = p.pairing == RPP_PAIRING_HALF ? n : 2 * n, two = p.pairing == RPP_PAIRING_HALF ? n + pairs : 2 * n + 1;
      const float x = rpp_widen(k[one * from_stride]), y = rpp_widen(k[two * from_stride]);
      const float cosine = p.table.cosine[angles + n], sine = p.table.sine[angles + n];
      rpp_narrow(x * cosine - y * sine, to_k + one * to_stride);
      rpp_narrow(y * cosine + x * sine, to_k + two * to_stride);
    }
    for (int64_t c = 2 * pairs + lane; c < p.head_dim; c += LANES) to_k[c * to_stride] = k[c * from_stride];
    for (int64_t c = lane; c < p.v_dim; c += LANES) to_v[c * p.to_v.strides[3]] = v[c * p.v.strides[3]];
  }
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

struct AppendCall {
  const rpp_rotary *rotary; // null: k is rotated
  const rpp_tensor *k, *v;
  const rpp_cuda_integers *pos, *slots;
  const rpp_cuda_cache *cache;
  int64_t capacity;
  size_t need;
};

rpp_status check_rotation(AppendCall *c) {
  const rpp_rotary *r = c->rotary;
  if (!r) return RPP_OK;
  RPP_TRY(check_positions("pos", c->pos, Data::present, c->k->shape[0], c->k->shape[1]));
  RPP_TRY(angle_table_bytes(r, c->pos, &c->need));
  if (r->pairing != RPP_PAIRING_INTERLEAVED && r->pairing != RPP_PAIRING_HALF)
    return fail(RPP_ERROR_VALUE, "pairing = %d: unknown", static_cast<int>(r->pairing));
  if (r->rotary_dim > c->k->shape[3])
    return fail(RPP_ERROR_VALUE, "rotary_dim = %lld: must not pass the head width %lld", static_cast<long long>(r->rotary_dim),
                static_cast<long long>(c->k->shape[3]));
  return RPP_OK;
}

rpp_status check_shapes(AppendCall *c) {
  int64_t shape[] = {-1, -1, -1, -1};
  if (!c->k) return fail(RPP_ERROR_NULL, "k = null: a tensor is required");
  if (!c->cache) return fail(RPP_ERROR_NULL, "cache = null: a cache is required");
  const rpp_dtype dtype = c->k->dtype;
  if (dtype != RPP_F32 && dtype != RPP_F16 && dtype != RPP_BF16)
    return fail(RPP_ERROR_DTYPE, "k.dtype = %s: expected F32, F16 or BF16", rpp_dtype_name(dtype));
  RPP_TRY(check_tensor("k", c->k, Data::present, dtype, 4, shape));
  for (int d = 0; d < 3; d++) shape[d] = c->k->shape[d];
  RPP_TRY(check_tensor("v", c->v, Data::present, dtype, 4, shape));
  RPP_TRY(check_cache(c->cache, Data::present, dtype, shape[0], shape[2], &c->capacity));
  const int64_t widths[] = {c->k->shape[3], c->v->shape[3]}, got[] = {c->cache->k->shape[3], c->cache->v->shape[3]};
  for (int n = 0; n < 2; n++)
    if (got[n] != widths[n])
      return fail(RPP_ERROR_SHAPE, "cache.%s.shape[3] = %lld: expected %lld", n == 0 ? "k" : "v", static_cast<long long>(got[n]),
                  static_cast<long long>(widths[n]));
  RPP_TRY(check_positions("slots", c->slots, Data::present, shape[0], shape[1]));
  return check_rotation(c);
}

rpp_status check_append_memory(const AppendCall &c, void *workspace, size_t bytes) {
  rpp_tensor scratch, pos = {}, slots = bytes_of(c.slots), pages = {};
  RPP_TRY(check_workspace(workspace, bytes, c.need, &scratch));
  if (c.rotary) pos = bytes_of(c.pos);
  if (c.cache->page_table) pages = bytes_of(c.cache->page_table);
  const Named others[] = {{"k", c.k},
                          {"v", c.v},
                          {"slots", &slots},
                          {"pos", c.rotary ? &pos : nullptr},
                          {"page_table", c.cache->page_table ? &pages : nullptr},
                          {"workspace", c.need > 0 ? &scratch : nullptr}};
  if (c.need > 0) RPP_TRY(check_output("workspace", &scratch, 5, others));
  RPP_TRY(check_output("cache.k", c.cache->k, 6, others));
  RPP_TRY(check_output("cache.v", c.cache->v, 6, others));
  if (rpp_tensors_overlap(c.cache->k, c.cache->v))
    return fail(RPP_ERROR_OVERLAP, "cache.v.data = %p: overlaps cache.k", c.cache->v->data);
  return RPP_OK;
}

Slots slots_of(const rpp_cuda_integers &t) {
  return {t.data, t.type, {t.ndim == 1 ? 0 : t.strides[0], t.strides[t.ndim - 1]}};
}

template <class T> rpp_status run(const AppendCall &c, void *workspace, void *stream) {
  char report[REPORT];
  Append<T> p = {};
  p.batch = c.k->shape[0], p.length = c.k->shape[1], p.heads = c.k->shape[2], p.capacity = c.capacity;
  p.head_dim = c.k->shape[3], p.v_dim = c.v->shape[3];
  p.slots = slots_of(*c.slots), p.pages = page_table_of(*c.cache);
  p.k = rows_of<const T>(c.k), p.v = rows_of<const T>(c.v), p.to_k = rows_of<T>(c.cache->k), p.to_v = rows_of<T>(c.cache->v);
  if (p.batch == 0 || p.length == 0 || p.heads == 0) return RPP_OK;
  if (c.rotary) {
    p.pairing = c.rotary->pairing;
    RPP_TRY(angle_table_fill(c.rotary, c.pos, workspace, stream, &p.table));
  }
  const int64_t blocks = (p.batch * p.length * p.heads + WARPS - 1) / WARPS;
  if (!launch("kv_append", kv_append<T>, dim3(static_cast<unsigned>(blocks < 65536 ? blocks : 65536)), dim3(WARPS * LANES), 0,
              stream, report, p))
    return fail(RPP_ERROR_DEVICE, "%s", report);
  return RPP_OK;
}

} // namespace

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_kv_append(const rpp_rotary *rotary, const rpp_tensor *k, const rpp_tensor *v,
                                         const rpp_cuda_integers *pos, const rpp_cuda_integers *slots, const rpp_cuda_cache *cache,
                                         void *workspace, size_t bytes, rpp_cuda_stream stream) {
  AppendCall c = {rotary, k, v, pos, slots, cache, 0, 0};
  RPP_TRY(check_shapes(&c));
  RPP_TRY(check_append_memory(c, workspace, bytes));
  return k->dtype == RPP_F32   ? run<float>(c, workspace, stream)
         : k->dtype == RPP_F16 ? run<rpp_f16>(c, workspace, stream)
                               : run<rpp_bf16>(c, workspace, stream);
}
