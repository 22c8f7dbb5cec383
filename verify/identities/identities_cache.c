/* identities_cache.c: the KV cache of RoPE, EC and EH. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

static double finish(rpp_sample *s, bool worked, const rpp_answer *a, const rpp_answer *b) {
  const double deviation = worked ? rpp_answer_deviation(a, b) : INFINITY;
  rpp_scratch_free(&s->scratch);
  return deviation;
}

static rpp_kv_cache make_cache(rpp_sample *s) {
  return (rpp_kv_cache){rpp_scratch_zeros(&s->scratch, s->batch, s->k_len, s->counts.kv, s->head_dim),
                        rpp_scratch_zeros(&s->scratch, s->batch, s->k_len, s->counts.kv, s->v_dim), 0};
}

static bool append(const rpp_sample *s, int64_t count, bool restart, rpp_kv_cache *cache) {
  rpp_tensor k, v, pos;
  const int64_t first = cache->length;
  return rpp_tensor_slice(&s->k, 1, first, count, 1, &k) == RPP_OK && rpp_tensor_slice(&s->v, 1, first, count, 1, &v) == RPP_OK &&
         rpp_tensor_slice(&s->pos_k, 0, restart ? 0 : first, count, 1, &pos) == RPP_OK &&
         rpp_kv_cache_append(cache, &s->attention.rotary, &k, &v, &pos) == RPP_OK;
}

/* Queries q0 .. q0 + count - 1 against what the cache holds, into their rows of *all. */
static bool attend(rpp_sample *s, int64_t q0, int64_t count, int64_t offset, const rpp_kv_cache *cache, const rpp_answer *all) {
  rpp_tensor q, pos_q, k, v, out, lse;
  rpp_attention attention = s->attention;
  attention.k_rotated = true;
  attention.causal_offset = offset;
  const rpp_attention_inputs inputs = {.q = &q, .k = &k, .v = &v, .pos_q = &pos_q};
  return rpp_tensor_slice(&s->q, 1, q0, count, 1, &q) == RPP_OK && rpp_tensor_slice(&s->pos_q, 0, q0, count, 1, &pos_q) == RPP_OK &&
         rpp_tensor_slice(&all->out, 1, q0, count, 1, &out) == RPP_OK &&
         rpp_tensor_slice(&all->lse, 2, q0, count, 1, &lse) == RPP_OK && rpp_kv_cache_view(cache, &k, &v) == RPP_OK &&
         rpp_attention_forward(&attention, &inputs, NULL, &out, &lse) == RPP_OK;
}

typedef enum { NO_PLANT, OFFSET_SHORT, POSITIONS_RESTART } plant;

/* Prefill of the keys before the first query, then the queries in chunks, each appended before it attends. */
static double chunks(rpp_random *random, int64_t longest, plant planted) {
  rpp_sample s;
  rpp_answer whole, parts;
  rpp_sample_make(&s, random, (rpp_mode)rpp_random_integer(random, 0, 2));
  if (s.attention.mask == RPP_MASK_FULL) s.attention.mask = RPP_MASK_CAUSAL; /* a full mask would look ahead */
  for (int64_t l = 0; l < s.k_len; l++) rpp_scratch_integers(&s.pos_k)[l] = 1000 + l;
  for (int64_t i = 0; i < s.q_len; i++) rpp_scratch_integers(&s.pos_q)[i] = 1000 + s.k_len - s.q_len + i;
  rpp_kv_cache cache = make_cache(&s);
  bool worked = rpp_sample_answer(&s, &s.attention, &s.inputs, &whole) && rpp_sample_answer(&s, &s.attention, &s.inputs, &parts);
  worked = worked && append(&s, s.k_len - s.q_len, false, &cache);
  for (int64_t i = 0; worked && i < s.q_len;) {
    int64_t count = rpp_random_integer(random, 1, longest);
    if (count > s.q_len - i) count = s.q_len - i;
    worked = append(&s, count, planted == POSITIONS_RESTART, &cache) &&
             attend(&s, i, count, cache.length - count - (planted == OFFSET_SHORT), &cache, &parts);
    i += count;
  }
  return finish(&s, worked, &whole, &parts);
}

static double decode_is_prefill(rpp_random *random, bool planted) {
  return chunks(random, 1, planted ? OFFSET_SHORT : NO_PLANT);
}

static double chunked_is_whole(rpp_random *random, bool planted) {
  return chunks(random, 5, planted ? POSITIONS_RESTART : NO_PLANT);
}

/* EC, real and imaginary heads alike, from the cache that a RoPE model filled. */
static double cache_is_shared(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  rpp_kv_cache cache = make_cache(&s);
  rpp_sample_set_mode(&s, RPP_MODE_ROPE);
  bool worked = append(&s, s.k_len, false, &cache);
  if (planted) worked &= rpp_rotate(&s.attention.rotary, RPP_PART_IMAG, &s.k, &s.pos_k, &cache.k) == RPP_OK;
  rpp_sample_set_mode(&s, RPP_MODE_EC);
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &s.attention, &s.inputs, &b) &&
           attend(&s, 0, s.q_len, s.attention.causal_offset, &cache, &b);
  return finish(&s, worked, &a, &b);
}

static double cache_ratio(rpp_random *random, bool planted) {
  const int64_t kv = 2 * rpp_random_integer(random, 1, 8), batch = rpp_random_integer(random, 1, 8),
                d = rpp_random_integer(random, 1, 256);
  const int64_t tokens = rpp_random_integer(random, 1, 1 << 20), dv = rpp_random_integer(random, 1, 256);
  const rpp_dtype dtype = (rpp_dtype)rpp_random_integer(random, RPP_F64, RPP_BF16);
  rpp_attention attention = {.heads = kv * rpp_random_integer(random, 1, 8), .kv_heads = kv};
  int64_t bytes[3];
  for (int mode = 0; mode < 3; mode++) {
    attention.mode = planted && mode == RPP_MODE_EH ? RPP_MODE_EC : (rpp_mode)mode;
    if (rpp_kv_cache_bytes(&attention, batch, tokens, d, dv, dtype, &bytes[mode]) != RPP_OK) return INFINITY;
  }
  const int64_t counted = batch * tokens * kv * (d + dv) * (int64_t)rpp_dtype_size(dtype);
  return fabs((double)(bytes[0] - counted)) + fabs((double)(bytes[1] - bytes[0])) + fabs((double)(2 * bytes[2] - bytes[0]));
}

const rpp_identity rpp_identities_cache[] = {
    {"decode-is-prefill", "9, 11", "one token at a time from a cache = all at once; plant: the new key unseen", 0, 100,
     decode_is_prefill},
    {"chunked-is-whole", "9, 11", "prefill in chunks = all at once; plant: key positions restart in a chunk", 0, 100,
     chunked_is_whole},
    {"cache-is-shared", "2, 12", "real and imaginary heads read the cache RoPE filled; plant: quarter turn on k", 0, 100,
     cache_is_shared},
    {"cache-bytes-2-2-1", "15", "cache bytes RoPE : EC : EH = 2 : 2 : 1; plant: EH with EC's KV heads", 0, 200, cache_ratio},
    {0}};
