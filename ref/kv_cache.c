#include "check_attention.h"
#include "check_tensor.h"
#include "row.h"
#include "status.h"
#include "tensor.h"

#include <inttypes.h>

static rpp_status check_cache(const rpp_kv_cache *cache) {
  if (!cache) return rpp_fail(RPP_ERROR_NULL, "cache = null: a KV cache is required");
  RPP_TRY(rpp_check_floating("cache.k", &cache->k, 4, (int64_t[]){-1, -1, -1, -1}));
  const int64_t *shape = cache->k.shape;
  RPP_TRY(rpp_check_floating("cache.v", &cache->v, 4, (int64_t[]){shape[0], shape[1], shape[2], -1}));
  if (cache->length < 0 || cache->length > shape[1])
    return rpp_fail(RPP_ERROR_VALUE, "cache.length = %" PRId64 ": the capacity is %" PRId64, cache->length, shape[1]);
  return RPP_OK;
}

static void copy(const rpp_tensor *x, const rpp_tensor *y) {
  if (rpp_tensor_is_empty(x)) return;
  for (int64_t b = 0; b < x->shape[0]; b++)
    for (int64_t l = 0; l < x->shape[1]; l++)
      for (int64_t h = 0; h < x->shape[2]; h++)
        for (int64_t c = 0; c < x->shape[3]; c++)
          rpp_store(y->dtype, rpp_tensor_at(y, b, l, h, c), rpp_load(x->dtype, rpp_tensor_at(x, b, l, h, c)));
}

rpp_status rpp_kv_cache_append(rpp_kv_cache *cache, const rpp_rotary *rotary, const rpp_tensor *k, const rpp_tensor *v,
                               const rpp_tensor *pos) {
  RPP_TRY(check_cache(cache));
  const int64_t batch = cache->k.shape[0], capacity = cache->k.shape[1], heads = cache->k.shape[2];
  RPP_TRY(rpp_check_floating("k", k, 4, (int64_t[]){batch, -1, heads, cache->k.shape[3]}));
  const int64_t length = k->shape[1];
  RPP_TRY(rpp_check_floating("v", v, 4, (int64_t[]){batch, length, heads, cache->v.shape[3]}));
  if (length > capacity - cache->length)
    return rpp_fail(RPP_ERROR_VALUE, "k.shape[1] = %" PRId64 ": the cache has room for %" PRId64 " more tokens", length,
                    capacity - cache->length);
  rpp_tensor new_k, new_v;
  RPP_TRY(rpp_tensor_slice(&cache->k, 1, cache->length, length, 1, &new_k));
  RPP_TRY(rpp_tensor_slice(&cache->v, 1, cache->length, length, 1, &new_v));
  RPP_TRY(rpp_check_rotary(rotary, k->shape[3]));
  RPP_TRY(rpp_check_tensor("pos", pos));
  const rpp_named_tensor others[] = {{"k", k},
                                     {"v", v},
                                     {"pos", pos},
                                     {"inv_freq", rotary->inv_freq},
                                     {"cos", rotary->cos},
                                     {"sin", rotary->sin},
                                     {"cache.k", &cache->k}};
  RPP_TRY(rpp_check_output("cache.k", &cache->k, 6, others));
  RPP_TRY(rpp_check_output("cache.v", &cache->v, 7, others));
  RPP_TRY(rpp_rotate(rotary, RPP_PART_REAL, k, pos, &new_k)); /* checks the rest before it writes */
  copy(v, &new_v);
  cache->length += length;
  return RPP_OK;
}

rpp_status rpp_kv_cache_view(const rpp_kv_cache *cache, rpp_tensor *k, rpp_tensor *v) {
  RPP_TRY(check_cache(cache));
  if (!k || !v) return rpp_fail(RPP_ERROR_NULL, "%s = null: a tensor to fill is required", k ? "v" : "k");
  RPP_TRY(rpp_tensor_slice(&cache->k, 1, 0, cache->length, 1, k));
  return rpp_tensor_slice(&cache->v, 1, 0, cache->length, 1, v);
}

rpp_status rpp_kv_cache_bytes(const rpp_attention *attention, int64_t batch, int64_t tokens, int64_t head_dim, int64_t v_dim,
                              rpp_dtype dtype, int64_t *bytes) {
  rpp_head_counts counts;
  RPP_TRY(rpp_attention_heads(attention, &counts));
  if (!bytes) return rpp_fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  if (batch < 0) return rpp_fail(RPP_ERROR_VALUE, "batch = %" PRId64 ": must not be negative", batch);
  if (tokens < 0) return rpp_fail(RPP_ERROR_VALUE, "tokens = %" PRId64 ": must not be negative", tokens);
  if (head_dim < 1) return rpp_fail(RPP_ERROR_VALUE, "head_dim = %" PRId64 ": must be at least 1", head_dim);
  if (v_dim < 1) return rpp_fail(RPP_ERROR_VALUE, "v_dim = %" PRId64 ": must be at least 1", v_dim);
  if (rpp_dtype_size(dtype) == 0 || dtype == RPP_I64)
    return rpp_fail(RPP_ERROR_DTYPE, "dtype = %d: expected a floating type", (int)dtype);
  int64_t total;
  if (__builtin_add_overflow(head_dim, v_dim, &total))
    return rpp_fail(RPP_ERROR_OVERFLOW, "head_dim = %" PRId64 ": with v_dim = %" PRId64 " it does not fit 64 bits", head_dim,
                    v_dim);
  RPP_TRY(rpp_multiply("bytes", total, (int64_t)rpp_dtype_size(dtype), &total));
  RPP_TRY(rpp_multiply("bytes", total, counts.kv, &total));
  RPP_TRY(rpp_multiply("bytes", total, batch, &total));
  RPP_TRY(rpp_multiply("bytes", total, tokens, &total));
  *bytes = total;
  return RPP_OK;
}
