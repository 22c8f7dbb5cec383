/* bench_sampled_rows.c: seconds for the truth on 64 sampled query rows of one head, each seeing all 131,072 keys, D = 128, rotation included:
 * median of five. Not a test: `meson test -C build --benchmark --verbose`. */
#include "ropepp.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { LENGTH = 131072, WIDTH = 128, ROWS = 64, RUNS = 5 };

static int ascending(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static rpp_tensor make(rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_tensor t = {0};
  int64_t elements = 1;
  for (int d = 0; d < ndim; d++) elements *= shape[d];
  if (rpp_tensor_contiguous(calloc((size_t)elements, rpp_dtype_size(dtype)), dtype, ndim, shape, &t) != RPP_OK || !t.data) abort();
  return t;
}

int main(void) {
  const int64_t shape[] = {1, LENGTH, 1, WIDTH}, out_shape[] = {1, ROWS, 1, WIDTH};
  rpp_tensor x[3], pos = make(RPP_I64, 1, (int64_t[]){LENGTH}), rows = make(RPP_I64, 1, (int64_t[]){ROWS}),
                   out = make(RPP_F64, 4, out_shape);
  unsigned state = 1;
  for (int i = 0; i < 3; i++) {
    x[i] = make(RPP_F64, 4, shape);
    for (int64_t j = 0; j < (int64_t)LENGTH * WIDTH; j++) {
      state = state * 1664525u + 1013904223u;
      ((double *)x[i].data)[j] = (double)state / 2147483648.0 - 1;
    }
  }
  for (int64_t l = 0; l < LENGTH; l++) ((int64_t *)pos.data)[l] = l;
  for (int64_t r = 0; r < ROWS; r++) ((int64_t *)rows.data)[r] = LENGTH - 1 - r * (LENGTH / ROWS);
  const rpp_attention attention = {
      .heads = 1, .kv_heads = 1, .scale = 1 / sqrt(WIDTH), .rotary = {.rotary_dim = WIDTH, .base = 1e4}};
  const rpp_attention_inputs inputs = {.q = &x[0], .k = &x[1], .v = &x[2], .pos_q = &pos, .pos_k = &pos};
  double seconds[RUNS];
  for (int run = 0; run < RUNS; run++) {
    const double start = omp_get_wtime();
    if (rpp_attention_forward(&attention, &inputs, &rows, &out, NULL) != RPP_OK) {
      fprintf(stderr, "%s\n", rpp_error_message());
      return 1;
    }
    seconds[run] = omp_get_wtime() - start;
  }
  qsort(seconds, RUNS, sizeof *seconds, ascending);
  printf("64 sampled rows, L = 131072, D = 128, one head, %d threads: median %.3f s (%.3f to %.3f)\n", omp_get_max_threads(),
         seconds[RUNS / 2], seconds[0], seconds[RUNS - 1]);
  return 0;
}
