/* bench_decode.c: one new query for each of 8 sequences over contiguous caches; nominally 32 heads over 4 KV heads of 128 columns, so EH
 * caches 2. Bytes are K and V read once, q and out; q is raw, rotated inside. */
#include <stdio.h>

#include "bench.h"

enum { BATCH = 8, HEADS = 32, KV_HEADS = 4, WIDTH = 128 };

typedef struct {
  rpp_attention attention;
  rpp_tensor q, k, v, out;
  rpp_cuda_integers pos, lengths;
  rpp_cuda_decode_inputs inputs;
  void *workspace;
  size_t bytes;
} problem;

static rpp_status decode(const void *argument) {
  const problem *p = argument;
  return rpp_cuda_decode(&p->attention, &p->inputs, &p->out, NULL, p->workspace, p->bytes, NULL);
}

static void one(rpp_mode mode, int64_t keys, double copy) {
  static const char *const modes[] = {"RoPE", "EC", "EH"};
  char shape[96];
  rpp_head_counts n;
  problem p = {.attention = bench_attention(mode, HEADS, KV_HEADS, WIDTH, RPP_MASK_CAUSAL)};
  p.attention.k_rotated = true;
  if (rpp_attention_heads(&p.attention, &n) != RPP_OK) return;
  const double bytes = 2.0 * BATCH * WIDTH * (2 * (double)n.kv * (double)keys + (double)(n.projected + n.output));
  snprintf(shape, sizeof shape, "%s BF16 D=%d Lk=%d B=%d P=%d K=%d O=%d", modes[mode], WIDTH, (int)keys, BATCH, (int)n.projected,
           (int)n.kv, (int)n.output);
  if (!bench_fits(shape, 1.2 * bytes)) return;
  p.q = bench_tensor(RPP_BF16, BATCH, 1, n.projected, WIDTH);
  p.k = bench_tensor(RPP_BF16, BATCH, keys, n.kv, WIDTH);
  p.v = bench_tensor(RPP_BF16, BATCH, keys, n.kv, WIDTH);
  p.out = bench_tensor(RPP_BF16, BATCH, 1, n.output, WIDTH);
  p.pos = bench_positions(keys - 1, 1);
  p.lengths = bench_constant(keys, BATCH);
  p.inputs = (rpp_cuda_decode_inputs){&p.q, {&p.k, &p.v, NULL}, &p.pos, &p.lengths};
  if (rpp_cuda_decode_workspace(&p.attention, &p.inputs, &p.out, NULL, &p.bytes) == RPP_OK) {
    p.workspace = bench_room(p.bytes);
    bench_row_bytes("decode", shape, bench_seconds(decode, &p), bytes, copy);
  } else
    printf("decode %s: left out: %s\n", shape, rpp_cuda_error_message());
  bench_free();
}

void bench_decode(double copy) {
  for (rpp_mode mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++)
    for (int64_t keys = 2048; keys <= 131072; keys *= 4) one(mode, keys, copy);
}
