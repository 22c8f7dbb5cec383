/* bench_attention_blocked.c: the fast CPU kernel: seconds a call and GF/s (2 multiply-adds for each visible score and column). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "ropepp.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static rpp_tensor make(rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_tensor t = {0};
  int64_t count = 1;
  for (int d = 0; d < ndim; d++) count *= shape[d];
  void *data = malloc((size_t)count * rpp_dtype_size(dtype));
  if (!data || rpp_tensor_contiguous(data, dtype, ndim, shape, &t) != RPP_OK) exit(1);
  uint32_t state = 1;
  for (int64_t i = 0; i < count; i++) {
    const rpp_tensor one = {.data = (char *)data + i * (int64_t)rpp_dtype_size(dtype), .dtype = dtype, .ndim = 1, .shape = {1}};
    state = state * 1664525 + 1013904223;
    rpp_tensor_set(&one, (int64_t[]){0}, dtype == RPP_I64 ? (double)i : (double)(state >> 8) * 0x1p-23 - 1);
  }
  return t;
}

static void bench(rpp_mode mode, int64_t heads, int64_t kv_heads, int64_t q_len, int64_t k_len, int64_t d, rpp_dtype dtype) {
  rpp_attention a = {.mode = mode,
                     .heads = heads,
                     .kv_heads = kv_heads,
                     .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = d, .base = 10000},
                     .mask = RPP_MASK_CAUSAL,
                     .causal_offset = k_len - q_len,
                     .scale = 0.1};
  rpp_head_counts n;
  if (rpp_attention_heads(&a, &n) != RPP_OK) exit(1);
  rpp_tensor q = make(dtype, 4, (int64_t[]){1, q_len, n.projected, d}), k = make(dtype, 4, (int64_t[]){1, k_len, n.kv, d});
  rpp_tensor v = make(dtype, 4, (int64_t[]){1, k_len, n.kv, d}), out = make(dtype, 4, (int64_t[]){1, q_len, n.output, d});
  rpp_tensor lse = make(RPP_F32, 3, (int64_t[]){1, n.output, q_len}), pos_k = make(RPP_I64, 1, &k_len), pos_q;
  if (rpp_tensor_slice(&pos_k, 0, k_len - q_len, q_len, 1, &pos_q) != RPP_OK) exit(1);
  const rpp_attention_inputs in = {.q = &q, .k = &k, .v = &v, .pos_q = &pos_q, .pos_k = &pos_k};
  double best = 1e9, spent = 0;
  for (int run = 0; run < 3 || spent < 0.5; run++) {
    const double start = now();
    if (rpp_attention_blocked(&a, &in, &out, &lse) != RPP_OK) exit(1);
    const double took = now() - start;
    spent += took;
    if (took < best) best = took;
  }
  const double pairs = (double)q_len * (double)(k_len - q_len) + 0.5 * (double)q_len * (double)(q_len + 1);
  printf("%s %2d/%d heads, %5d queries, %6d keys, d %3d, %-4s  %9.3f ms  %6.1f GF/s\n",
         (const char *[]){"rope", "ec  ", "eh  "}[mode], (int)heads, (int)kv_heads, (int)q_len, (int)k_len, (int)d,
         rpp_dtype_name(dtype), best * 1e3, 4e-9 * pairs * (double)(d * n.output) / best);
  rpp_tensor *const all[] = {&q, &k, &v, &out, &lse, &pos_k};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->data);
}

int main(void) {
  printf("OpenBLAS runs as %s\n", rpp_blas_core());
  bench(RPP_MODE_ROPE, 8, 8, 64, 64, 128, RPP_F32);
  bench(RPP_MODE_EC, 8, 4, 64, 64, 128, RPP_F32);
  bench(RPP_MODE_ROPE, 8, 8, 2048, 2048, 128, RPP_F32);
  bench(RPP_MODE_ROPE, 8, 8, 4096, 4096, 128, RPP_F32);
  bench(RPP_MODE_ROPE, 8, 4, 4096, 4096, 128, RPP_F32);
  bench(RPP_MODE_EC, 8, 4, 4096, 4096, 128, RPP_F32);
  bench(RPP_MODE_EC, 8, 4, 4096, 4096, 128, RPP_BF16);
  bench(RPP_MODE_EC, 8, 4, 4096, 4096, 128, RPP_F16);
  bench(RPP_MODE_ROPE, 8, 8, 4096, 4096, 64, RPP_F32);
  bench(RPP_MODE_EC, 8, 4, 1, 32768, 128, RPP_F16);
  return 0;
}
