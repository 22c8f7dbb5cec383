/* bench_attention_mma.c: attention_mma.cu in the SIMT runtime: milliseconds of processor time a call, on one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "simt/ropepp_simt.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Numbers in [-1, 1). */
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
    rpp_tensor_set(&one, (int64_t[]){0}, (double)(state >> 8) * 0x1p-23 - 1);
  }
  return t;
}

static void bench(rpp_mode mode, int64_t heads, int64_t length, int64_t d, rpp_dtype dtype) {
  const rpp_attention a = {.mode = mode,
                           .heads = heads,
                           .kv_heads = heads,
                           .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = d, .base = 10000, .table_dtype = RPP_F64},
                           .mask = RPP_MASK_CAUSAL,
                           .scale = 0.125};
  rpp_head_counts n;
  if (rpp_attention_heads(&a, &n) != RPP_OK) exit(1);
  rpp_tensor q = make(dtype, 4, (int64_t[]){1, length, n.projected, d}), k = make(dtype, 4, (int64_t[]){1, length, n.kv, d});
  rpp_tensor v = make(dtype, 4, (int64_t[]){1, length, n.kv, d}), out = make(dtype, 4, (int64_t[]){1, length, n.output, d});
  int64_t *positions = malloc((size_t)length * sizeof *positions);
  if (!positions) exit(1);
  for (int64_t i = 0; i < length; i++) positions[i] = i;
  const rpp_cuda_integers pos = {positions, RPP_CUDA_I64, 1, {length}, {1}};
  const rpp_cuda_inputs in = {.q = &q, .k = &k, .v = &v, .pos_q = &pos, .pos_k = &pos};
  size_t bytes;
  if (rpp_cuda_attention_mma_workspace(&a, &in, &out, NULL, &bytes) != RPP_OK) exit(1);
  void *workspace = aligned_alloc(16, (bytes + 15) / 16 * 16);
  double best = 1e9, spent = 0;
  for (int run = 0; run < 3 || spent < 1; run++) {
    const double start = now();
    if (rpp_cuda_attention_mma(&a, &in, &out, NULL, workspace, bytes, NULL) != RPP_OK) exit(1);
    const double took = now() - start;
    spent += took;
    if (took < best) best = took;
  }
  printf("%s %d heads, length %4d, d %3d, %-4s  %8.2f ms\n", (const char *[]){"rope", "ec  ", "eh  "}[mode], (int)heads,
         (int)length, (int)d, rpp_dtype_name(dtype), best * 1e3);
  rpp_tensor *const all[] = {&q, &k, &v, &out};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->data);
  free(positions), free(workspace);
}

int main(void) {
  bench(RPP_MODE_ROPE, 4, 128, 64, RPP_BF16);
  bench(RPP_MODE_EC, 4, 128, 64, RPP_BF16);
  bench(RPP_MODE_ROPE, 4, 128, 64, RPP_F16);
  bench(RPP_MODE_ROPE, 4, 512, 128, RPP_BF16);
  return 0;
}
