/* bench_rotate.c: rotation of q, (1, 65536, 16, 128): the angles' table and the rotation, as one call. */
#include <stdio.h>

#include "bench.h"

enum { TOKENS = 65536, HEADS = 16, WIDTH = 128 };

typedef struct {
  rpp_rotary rotary;
  rpp_tensor x, real, imag;
  bool wants_imag, in_place;
  rpp_cuda_integers pos;
  void *workspace;
  size_t bytes;
} problem;

static rpp_status rotate(const void *argument) {
  const problem *p = argument;
  return rpp_cuda_rotate(&p->rotary, &p->x, &p->pos, p->in_place ? &p->x : &p->real, p->wants_imag ? &p->imag : NULL, p->workspace,
                         p->bytes, NULL);
}

static void one(rpp_dtype dtype, bool wants_imag, bool in_place, double copy) {
  char shape[96];
  problem p = {.rotary = bench_attention(RPP_MODE_ROPE, HEADS, HEADS, WIDTH, RPP_MASK_FULL).rotary,
               .wants_imag = wants_imag,
               .in_place = in_place};
  p.x = bench_tensor(dtype, 1, TOKENS, HEADS, WIDTH);
  if (!in_place) p.real = bench_tensor(dtype, 1, TOKENS, HEADS, WIDTH);
  if (wants_imag) p.imag = bench_tensor(dtype, 1, TOKENS, HEADS, WIDTH);
  p.pos = bench_positions(0, TOKENS);
  if (rpp_cuda_rotate_workspace(&p.rotary, &p.pos, &p.bytes) != RPP_OK) return;
  p.workspace = bench_room(p.bytes);
  snprintf(shape, sizeof shape, "%s L=%d heads=%d D=%d, %s", rpp_dtype_name(dtype), TOKENS, HEADS, WIDTH,
           wants_imag ? "real and imaginary"
           : in_place ? "real, in place"
                      : "real");
  const double bytes = (double)rpp_dtype_size(dtype) * TOKENS * HEADS * WIDTH * (wants_imag ? 3 : 2);
  bench_row_bytes("rotate", shape, bench_seconds(rotate, &p), bytes, copy);
  bench_free();
}

void bench_rotate(double copy) {
  static const rpp_dtype dtypes[] = {RPP_F32, RPP_F16, RPP_BF16};
  for (int i = 0; i < 3; i++) {
    one(dtypes[i], false, false, copy);
    one(dtypes[i], false, true, copy);
    one(dtypes[i], true, false, copy);
  }
}
