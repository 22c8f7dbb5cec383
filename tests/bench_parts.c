/* bench_parts.c: the fast CPU kernel's inner loops alone, all they need in the caches, each thread against multiply-adds in registers on that
 * thread at that moment: what the machine grants to code that also loads. bench_parts: a line for each loop, a column for each thread. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/probe_code.h"
#include "bench/statistics.h"
#include "blocked.h"

enum { WIDTH = 128, KEYS = RPP_BLOCKED_KEYS, STRIP = 12, ROUNDS = 151, MOST_THREADS = 64, ROOM = 1 << 17, ENOUGH = 16000000 };

typedef struct {
  float *a, *b, *c; /* ROOM floats each, all 0 */
} buffers;

typedef struct {
  const char *name;
  void (*run)(const rpp_vector_set *set, const buffers *at, int64_t width, rpp_dtype dtype, int rows);
  int64_t keys, width;
  rpp_dtype dtype;
  int rows; /* 0: a micro-tile's columns */
} part;

static void tile_scores(const rpp_vector_set *set, const buffers *at, int64_t width, rpp_dtype dtype, int rows) {
  (void)dtype, (void)rows;
  set->tiles->multiply(KEYS / set->tiles->rows, width, at->a, set->tiles->rows * width, at->b, NULL, at->c);
}

static void tile_values(const rpp_vector_set *set, const buffers *at, int64_t width, rpp_dtype dtype, int rows) {
  (void)dtype, (void)rows;
  set->tiles->multiply(width / set->tiles->rows, KEYS, at->a, set->tiles->rows * KEYS, at->b, at->b, at->c);
}

static rpp_strip strip_of(const buffers *at, int64_t width, rpp_dtype dtype) {
  return (rpp_strip){
      .dtype = dtype, .count = STRIP, .width = width, .rows = (const char *)at->a, .step = width * (int64_t)rpp_dtype_size(dtype)};
}

static void strip_scores(const rpp_vector_set *set, const buffers *at, int64_t width, rpp_dtype dtype, int rows) {
  const rpp_strip strip = strip_of(at, width, dtype);
  set->decode->score(&strip, rows, at->b, width, at->c, KEYS);
}

static void strip_values(const rpp_vector_set *set, const buffers *at, int64_t width, rpp_dtype dtype, int rows) {
  const rpp_strip strip = strip_of(at, width, dtype);
  set->decode->add_values(&strip, rows, at->b, KEYS, at->c, width);
}

static const part parts[] = {{"prefill, scores of a tile, d 128", tile_scores, KEYS, WIDTH, RPP_F32, 0},
                             {"prefill, scores of a tile, d 64", tile_scores, KEYS, WIDTH / 2, RPP_F32, 0},
                             {"prefill, values of a tile, d 128", tile_values, KEYS, WIDTH, RPP_F32, 0},
                             {"decode, scores, F32, 1 row", strip_scores, STRIP, WIDTH, RPP_F32, 1},
                             {"decode, scores, F32, 2 rows", strip_scores, STRIP, WIDTH, RPP_F32, 2},
                             {"decode, scores, F16, 4 rows", strip_scores, STRIP, WIDTH, RPP_F16, 4},
                             {"decode, scores, BF16, 4 rows", strip_scores, STRIP, WIDTH, RPP_BF16, 4},
                             {"decode, values, F32, 1 row", strip_values, STRIP, WIDTH, RPP_F32, 1},
                             {"decode, values, F32, 2 rows", strip_values, STRIP, WIDTH, RPP_F32, 2},
                             {"decode, values, F16, 4 rows", strip_values, STRIP, WIDTH, RPP_F16, 4},
                             {"decode, values, BF16, 4 rows", strip_values, STRIP, WIDTH, RPP_BF16, 4}};
enum { PARTS = sizeof parts / sizeof *parts };

static volatile float sink;

/* Operations a second of multiply-adds in registers. */
static double probe(const rpp_probe_set *set) {
  const int64_t rounds = ENOUGH / set->operations;
  const double start = rpp_clock_seconds();
  sink = set->multiply_add(rounds, 0.9375f, 0.0625f);
  return (double)(set->operations * rounds) / (rpp_clock_seconds() - start);
}

static double rate(const rpp_vector_set *set, const part *p, const buffers *at) {
  const double operations = 2.0 * (p->rows > 0 ? p->rows : set->tiles->columns) * (double)(p->keys * p->width);
  const int repeats = 1 + (int)(ENOUGH / operations);
  const double start = rpp_clock_seconds();
  for (int i = 0; i < repeats; i++) p->run(set, at, p->width, p->dtype, p->rows);
  return operations * repeats / (rpp_clock_seconds() - start);
}

static double measured[MOST_THREADS][PARTS];

static void measure(const rpp_vector_set *set, double *medians) {
  static _Thread_local double ratio[PARTS][ROUNDS];
  float *x = aligned_alloc(64, 3 * ROOM * sizeof *x); /* as the kernel's own memory is */
  if (!x) abort();
  memset(x, 0, 3 * ROOM * sizeof *x);
  const buffers at = {x, x + ROOM, x + 2 * ROOM};
  for (int r = 0; r < ROUNDS; r++)
    for (int n = 0; n < PARTS; n++) ratio[n][r] = rate(set, &parts[n], &at) / probe(rpp_probe_sets()[0]);
  for (int n = 0; n < PARTS; n++) medians[n] = rpp_median(ratio[n], ROUNDS);
  free(x);
}

int main(void) {
  const rpp_vector_set *set = rpp_vector_sets()[0];
  const int threads = omp_get_max_threads() < MOST_THREADS ? omp_get_max_threads() : MOST_THREADS;
#pragma omp parallel num_threads(threads)
  measure(set, measured[omp_get_thread_num()]);
  printf("of multiply-adds in registers (%s), by thread\n", rpp_probe_sets()[0]->name);
  for (int n = 0; n < PARTS; n++) {
    printf("%-34s", parts[n].name);
    for (int t = 0; t < threads; t++) printf(" %6.3f", measured[t][n]);
    printf("\n");
  }
  return 0;
}
