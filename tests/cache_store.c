#include "cache_store.h"

enum { ARENA = 1 << 23 };

static _Alignas(64) unsigned char arena[ARENA];
static size_t used;

void *store_room(size_t bytes) {
  void *at = arena + used;
  used += (bytes + 63) / 64 * 64;
  ck_assert_uint_le(used, ARENA);
  memset(at, 0xff, bytes); /* NaN */
  return at;
}

size_t store_mark(void) {
  return used;
}

void store_restart(size_t mark) {
  used = mark;
}

rpp_tensor store_tensor(rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_tensor t;
  size_t bytes = rpp_dtype_size(dtype);
  for (int d = 0; d < ndim; d++) bytes *= (size_t)shape[d];
  support_accepted(rpp_tensor_contiguous(store_room(bytes), dtype, ndim, shape, &t));
  return t;
}

void store_fill(const rpp_tensor *t, uint64_t seed) {
  const int64_t *n = t->shape;
  for (int64_t i = 0; i < n[0] * n[1] * n[2] * n[3]; i++)
    rpp_tensor_set(t, (int64_t[]){i / n[3] / n[2] / n[1], i / n[3] / n[2] % n[1], i / n[3] % n[2], i % n[3]},
                   support_uniform(&seed, -2, 2));
}

rpp_attention store_attention(rpp_mask mask) {
  return (rpp_attention){.mode = RPP_MODE_EC,
                         .heads = PROJECTED,
                         .kv_heads = KV,
                         .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = 12, .base = 10000, .table_dtype = RPP_F64},
                         .mask = mask,
                         .window = 21,
                         .scale = 0.3,
                         .k_rotated = true};
}

void store_accepted(rpp_status status) {
  ck_assert_msg(status == RPP_OK, "%s", rpp_cuda_error_message());
}

void store_of(rpp_dtype dtype, int64_t capacity, int64_t page_size, store *s) {
  if (page_size == 0) {
    s->k = TENSOR(dtype, B, capacity, KV, D), s->v = TENSOR(dtype, B, capacity, KV, DV);
    s->cache = (rpp_cuda_cache){&s->k, &s->v, NULL};
    return;
  }
  const int64_t each = (capacity + page_size - 1) / page_size, entries = each + 2;
  int32_t *pages = store_room((size_t)(B * entries) * sizeof *pages);
  for (int64_t n = 0; n < B * entries; n++)
    pages[n] = (int32_t)(n % entries < each ? B * each - 1 - (n / entries + B * (n % entries)) : INT32_MIN);
  s->k = TENSOR(dtype, B * each, page_size, KV, D), s->v = TENSOR(dtype, B * each, page_size, KV, DV);
  s->table = (rpp_cuda_integers){pages, RPP_CUDA_I32, 2, {B, entries}, {entries, 1}};
  s->cache = (rpp_cuda_cache){&s->k, &s->v, &s->table};
}

void store_append(const store *s, const rpp_tensor *k, const rpp_tensor *v, int64_t from, int64_t count, int64_t lag) {
  const rpp_attention attention = store_attention(RPP_MASK_CAUSAL);
  int64_t *positions = store_room(2 * B * (size_t)count * sizeof *positions), *slots = positions + B * count;
  rpp_tensor part_k, part_v;
  size_t bytes;
  for (int64_t n = 0; n < B * count; n++)
    slots[n] = from + n % count - lag * (n / count), positions[n] = 100 * (n / count) + slots[n];
  const rpp_cuda_integers pos = {positions, RPP_CUDA_I64, 2, {B, count}, {count, 1}},
                          at = {slots, RPP_CUDA_I64, 2, {B, count}, {count, 1}};
  support_accepted(rpp_tensor_slice(k, 1, from, count, 1, &part_k));
  support_accepted(rpp_tensor_slice(v, 1, from, count, 1, &part_v));
  store_accepted(rpp_cuda_rotate_workspace(&attention.rotary, &pos, &bytes));
  store_accepted(rpp_cuda_kv_append(&attention.rotary, &part_k, &part_v, &pos, &at, &s->cache, store_room(bytes), bytes, NULL));
}
