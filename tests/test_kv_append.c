/* kv_append.cu: what fuzz and the tests of decode do not draw: slots outside of the cache, refusals. */
#include <math.h>

#include "cache_store.h"

START_TEST(slots_outside_are_left_out) {
  int64_t slots[] = {-1, 3, INT64_MAX, INT64_MIN}, at[4] = {0, 3, 0, 0};
  store s;
  const rpp_tensor k = TENSOR(RPP_F32, B, 4, KV, D), v = TENSOR(RPP_F32, B, 4, KV, DV);
  store_fill(&k, 1), store_fill(&v, 2);
  store_of(RPP_F32, 4, 0, &s);
  const rpp_cuda_integers places = {slots, RPP_CUDA_I64, 1, {4}, {1}};
  store_accepted(rpp_cuda_kv_append(NULL, &k, &v, NULL, &places, &s.cache, NULL, 0, NULL));
  for (at[1] = 0; at[1] < 4; at[1]++) {
    const double got = rpp_tensor_get(&s.k, at), from = rpp_tensor_get(&k, (int64_t[]){0, 1, 0, 0});
    ck_assert(at[1] == 3 ? got == from : isnan(got));
  }
}
END_TEST

START_TEST(append_refuses) {
  const int64_t numbers[] = {0, 1};
  const rpp_rotary rotary = store_attention(RPP_MASK_CAUSAL).rotary;
  store s;
  store_of(RPP_F16, 8, 4, &s);
  const rpp_tensor k = TENSOR(RPP_F16, B, 2, KV, D), v = TENSOR(RPP_F16, B, 2, KV, DV);
  rpp_tensor bad = v;
  rpp_cuda_integers pos = {numbers, RPP_CUDA_I64, 1, {2}, {1}}, slots = pos;
  rpp_cuda_cache other = s.cache;
  size_t bytes;
  store_accepted(rpp_cuda_rotate_workspace(&rotary, &pos, &bytes));
  void *space = store_room(bytes);
#define APPEND(k, v, pos, slots, cache) rpp_cuda_kv_append(&rotary, k, v, pos, slots, cache, space, bytes, NULL)
  store_refused(APPEND(NULL, &v, &pos, &slots, &s.cache), RPP_ERROR_NULL, "k = null");
  store_refused(APPEND(&k, NULL, &pos, &slots, &s.cache), RPP_ERROR_NULL, "v = null");
  store_refused(APPEND(&k, &v, NULL, &slots, &s.cache), RPP_ERROR_NULL, "pos = null");
  store_refused(APPEND(&k, &v, &pos, NULL, &s.cache), RPP_ERROR_NULL, "slots = null");
  store_refused(APPEND(&k, &v, &pos, &slots, NULL), RPP_ERROR_NULL, "cache = null");
  store_refused(rpp_cuda_kv_append(&rotary, &k, &v, &pos, &slots, &s.cache, space, 8, NULL), RPP_ERROR_MEMORY, "bytes = 8");
  bad.shape[3] = DV - 1;
  store_refused(APPEND(&k, &bad, &pos, &slots, &s.cache), RPP_ERROR_SHAPE, "cache.v.shape[3] = 24");
  bad = v, bad.dtype = RPP_BF16;
  store_refused(APPEND(&k, &bad, &pos, &slots, &s.cache), RPP_ERROR_DTYPE, "v.dtype = BF16");
  slots.shape[0] = 3;
  store_refused(APPEND(&k, &v, &pos, &slots, &s.cache), RPP_ERROR_SHAPE, "slots.shape[0] = 3");
  slots = pos, bad = s.k, bad.data = v.data, bad.shape[0] = 1, other.k = &bad;
  rpp_tensor one = s.v;
  one.shape[0] = 1, other.v = &one;
  store_refused(APPEND(&k, &v, &pos, &slots, &other), RPP_ERROR_OVERLAP, "cache.k.data");
  bad = s.k, bad.strides[1] = 0, other.k = &bad, other.v = &s.v;
  store_refused(APPEND(&k, &v, &pos, &slots, &other), RPP_ERROR_OVERLAP, "cache.k.strides[1]");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kv_append");
  TCase *tests = tcase_create("kv_append");
  tcase_add_test(tests, slots_outside_are_left_out);
  tcase_add_test(tests, append_refuses);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
