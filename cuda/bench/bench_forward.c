/* bench_forward.c: attention over whole sequences, 16384 tokens a batch, 2048 columns of heads; q and k raw, rotated inside. Operations
 * are 4 D a query, output head and key, half of them under the causal mask. */
#include <stdio.h>

#include "bench.h"

enum { TOKENS = 16384, COLUMNS = 2048 };

typedef rpp_status kernel(const rpp_attention *, const rpp_cuda_inputs *, const rpp_tensor *, const rpp_tensor *, void *, size_t,
                          rpp_cuda_stream);
typedef rpp_status workspace(const rpp_attention *, const rpp_cuda_inputs *, const rpp_tensor *, const rpp_tensor *, size_t *);

typedef struct {
  kernel *run;
  rpp_attention attention;
  rpp_tensor q, k, v, out, lse;
  rpp_cuda_integers pos;
  rpp_cuda_inputs inputs;
  void *workspace;
  size_t bytes;
} problem;

static rpp_status attend(const void *argument) {
  const problem *p = argument;
  return p->run(&p->attention, &p->inputs, &p->out, &p->lse, p->workspace, p->bytes, NULL);
}

static void one(const char *what, kernel *run, workspace *ask, rpp_dtype dtype, rpp_mode mode, int64_t width, rpp_mask mask,
                int64_t length) {
  static const char *const modes[] = {"RoPE", "EC", "EH"};
  char shape[96];
  rpp_head_counts n;
  const int64_t batch = TOKENS / length, heads = COLUMNS / width;
  problem p = {.run = run, .attention = bench_attention(mode, heads, heads, width, mask)};
  if (rpp_attention_heads(&p.attention, &n) != RPP_OK) return;
  p.q = bench_tensor(dtype, batch, length, n.projected, width);
  p.k = bench_tensor(dtype, batch, length, n.kv, width);
  p.v = bench_tensor(dtype, batch, length, n.kv, width);
  p.out = bench_tensor(dtype, batch, length, n.output, width);
  p.lse = bench_lse(batch, n.output, length);
  p.pos = bench_positions(0, length);
  p.inputs = (rpp_cuda_inputs){&p.q, &p.k, &p.v, &p.pos, &p.pos, NULL, NULL};
  snprintf(shape, sizeof shape, "%s %s %s D=%d L=%d B=%d P=%d K=%d O=%d", modes[mode], rpp_dtype_name(dtype),
           mask == RPP_MASK_FULL ? "full" : "causal", (int)width, (int)length, (int)batch, (int)n.projected, (int)n.kv,
           (int)n.output);
  if (ask(&p.attention, &p.inputs, &p.out, &p.lse, &p.bytes) == RPP_OK) {
    p.workspace = bench_room(p.bytes);
    const double keys = (double)length * (mask == RPP_MASK_FULL ? 1 : 0.5);
    bench_row_operations(what, shape, bench_seconds(attend, &p),
                         4 * (double)width * (double)batch * (double)length * (double)n.output * keys);
  } else
    printf("%s %s: left out: %s\n", what, shape, rpp_cuda_error_message());
  bench_free();
}

static void mma(rpp_dtype dtype, rpp_mode mode, int64_t width, rpp_mask mask) {
  for (int64_t length = 2048; length <= TOKENS; length *= 2)
    one("attention_mma", rpp_cuda_attention_mma, rpp_cuda_attention_mma_workspace, dtype, mode, width, mask, length);
}

void bench_forward(void) {
  static const rpp_mask masks[] = {RPP_MASK_CAUSAL, RPP_MASK_FULL};
  one("attention_f32", rpp_cuda_attention_f32, rpp_cuda_attention_f32_workspace, RPP_F32, RPP_MODE_EC, 128, RPP_MASK_CAUSAL, 2048);
  for (rpp_dtype dtype = RPP_F16; dtype <= RPP_BF16; dtype++)
    for (int64_t width = 64; width <= 128; width *= 2)
      for (int i = 0; i < 2; i++) {
        mma(dtype, RPP_MODE_ROPE, width, masks[i]);
        mma(dtype, RPP_MODE_EC, width, masks[i]);
      }
}
