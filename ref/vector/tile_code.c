/* tile_code.c: the micro-kernels of tiles.h (lanes.h). RPP_ROWS and RPP_VECTORS are a micro-tile's; its sums stay in registers: rows times
 * vectors of them, a row's vectors of b and one number of a. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "vector/lanes.h"
#include "vector/tiles.h"

enum { ROWS = RPP_ROWS, VECTORS = RPP_VECTORS, COLUMNS = LANES * VECTORS };

/* ---- Products ----------------------------------------------------------------------------------------------------------- */

/* A step of depth. */
INLINE void add_products(const float *a, const float *b, lanes sums[ROWS][VECTORS]) {
  lanes row[VECTORS];
  UNROLL
  for (int v = 0; v < VECTORS; v++) row[v] = LOAD(b + v * LANES);
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    const lanes x = ALL(a[r]);
    UNROLL
    for (int v = 0; v < VECTORS; v++) ADD_PRODUCT(sums[r][v], x, row[v]);
  }
}

INLINE void micro_tile(int64_t depth, const float *a, const float *b, const float *rescale, float *c) {
  enum { TOGETHER = 8 }; /* steps of a turn of the loop */
  lanes sums[ROWS][VECTORS];
  UNROLL
  for (int r = 0; r < ROWS; r++) UNROLL
  for (int v = 0; v < VECTORS; v++) sums[r][v] = ALL(0);
  for (; depth >= TOGETHER; depth -= TOGETHER) {
    UNROLL
    for (int p = 0; p < TOGETHER; p++) add_products(a + p * ROWS, b + p * COLUMNS, sums);
    a += TOGETHER * ROWS, b += TOGETHER * COLUMNS;
    HOLD_ADDRESS(a);
    HOLD_ADDRESS(b);
  }
  for (; depth > 0; depth--, a += ROWS, b += COLUMNS) add_products(a, b, sums);
  if (rescale) {
    UNROLL
    for (int r = 0; r < ROWS; r++) UNROLL
    for (int v = 0; v < VECTORS; v++) sums[r][v] += LOAD(c + r * COLUMNS + v * LANES) * LOAD(rescale + v * LANES);
  }
  UNROLL
  for (int r = 0; r < ROWS; r++) UNROLL
  for (int v = 0; v < VECTORS; v++) STORE(c + r * COLUMNS + v * LANES, sums[r][v]);
}

static void multiply(int64_t count, int64_t depth, const float *a, int64_t a_step, const float *b, const float *rescale, float *c) {
  for (int64_t n = 0; n < count; n++) micro_tile(depth, a + n * a_step, b, rescale, c + n * ROWS * COLUMNS);
}

/* ---- Softmax ------------------------------------------------------------------------------------------------------------ */

INLINE masks load_integers(const int32_t *at) {
  return (masks)LOAD((const float *)at);
}

/* The scores of a key, scaled; -inf where it is not seen. */
INLINE lanes scaled(const rpp_tile_softmax *state, bool masked, int64_t key, int v, float by, const float *scores) {
  lanes x = LOAD(scores + key * COLUMNS + v * LANES) * by;
  ROUND(x); /* as the largest is, or a large score would differ from itself, and weigh more than 1 */
  if (!masked) return x;
  const masks at = (masks){0} + (int32_t)key;
  return SELECT((at >= load_integers(state->first + v * LANES)) & (at < load_integers(state->last + v * LANES)), x, ALL(-INFINITY));
}

INLINE void find_largest(const rpp_tile_softmax *state, bool masked, int64_t from, int64_t to, float by, const float *scores,
                         lanes *tops) {
  if (!masked && by > 0) { /* rounding keeps order: the largest scaled score is the largest score, scaled */
    lanes most[VECTORS];
    UNROLL
    for (int v = 0; v < VECTORS; v++) most[v] = ALL(-INFINITY);
    for (int64_t key = from; key < to; key++) UNROLL
    for (int v = 0; v < VECTORS; v++) most[v] = larger(LOAD(scores + key * COLUMNS + v * LANES), most[v]);
    UNROLL
    for (int v = 0; v < VECTORS; v++) tops[v] = larger(most[v] * by, tops[v]);
    return;
  }
  for (int64_t key = from; key < to; key++) UNROLL
  for (int v = 0; v < VECTORS; v++) tops[v] = larger(scaled(state, masked, key, v, by, scores), tops[v]);
}

INLINE void weigh(const rpp_tile_softmax *state, bool masked, int64_t from, int64_t to, float by, const lanes *zeros, float *scores,
                  lanes *sums) {
  for (int64_t key = from; key < to; key++) {
    lanes weights[VECTORS];
    UNROLL
    for (int v = 0; v < VECTORS; v++) weights[v] = scaled(state, masked, key, v, by, scores) - zeros[v];
    powers_of_two(VECTORS, weights);
    UNROLL
    for (int v = 0; v < VECTORS; v++) {
      STORE(scores + key * COLUMNS + v * LANES, weights[v]);
      sums[v] += weights[v];
    }
  }
}

/* Keys from .. to - 1 are seen by every lane, the others of the tile by some or none. */
static void softmax(int64_t keys, float by, const rpp_tile_softmax *state, float *scores) {
  int64_t from = 0, to = keys;
  for (int c = 0; c < COLUMNS; c++) {
    from = state->first[c] > from ? state->first[c] : from;
    to = state->last[c] < to ? state->last[c] : to;
  }
  if (from >= to) from = to = keys;
  lanes tops[VECTORS], zeros[VECTORS], sums[VECTORS];
  UNROLL
  for (int v = 0; v < VECTORS; v++) tops[v] = LOAD(state->largest + v * LANES);
  find_largest(state, true, 0, from, by, scores, tops);
  find_largest(state, false, from, to, by, scores, tops);
  find_largest(state, true, to, keys, by, scores, tops);
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    /* While all scores are -inf, their weights are 2^(-inf), not 2^(-inf + inf). */
    zeros[v] = SELECT(tops[v] == -INFINITY, ALL(0), tops[v]);
    sums[v] = ALL(0);
  }
  weigh(state, true, 0, from, by, zeros, scores, sums);
  weigh(state, false, from, to, by, zeros, scores, sums);
  weigh(state, true, to, keys, by, zeros, scores, sums);
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    const lanes before = LOAD(state->largest + v * LANES);
    const lanes rescale = SELECT(before == tops[v], ALL(1), power_of_two(before - zeros[v]));
    STORE(state->rescale + v * LANES, rescale);
    STORE(state->sum + v * LANES, LOAD(state->sum + v * LANES) * rescale + sums[v]);
    STORE(state->largest + v * LANES, tops[v]);
  }
}

/* 0 times what is not finite is NaN. */
static bool is_finite(int64_t count, const char *x) {
  masks found = {0};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) found |= load_lanes(RPP_F32, x + i * 4) * 0 != 0;
  if (i < count) {
    char rest[4 * LANES] = {0};
    memcpy(rest, x + i * 4, (size_t)(count - i) * 4);
    found |= load_lanes(RPP_F32, rest) * 0 != 0;
  }
  int32_t any = 0;
  UNROLL
  for (int j = 0; j < LANES; j++) any |= found[j];
  return any == 0;
}

/* ---- Packing ------------------------------------------------------------------------------------------------------------ */

static void split(int64_t count, const char *from, float *to, int64_t to_step) {
  for (int64_t n = 0; n < count; n++) memcpy(to + n * to_step, from + n * ROWS * 4, ROWS * 4);
}

typedef float four __attribute__((vector_size(16)));
typedef float four_memory __attribute__((vector_size(16), aligned(4), may_alias));

INLINE four load_four(const float *at) {
  return *(const four_memory *)at;
}

INLINE void transpose_4x4(const float *from, int64_t from_stride, float *to, int64_t to_stride) {
  const four a = load_four(from), b = load_four(from + from_stride), c = load_four(from + 2 * from_stride),
             d = load_four(from + 3 * from_stride);
  const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const four ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(four_memory *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(four_memory *)(to + to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(four_memory *)(to + 2 * to_stride) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
  *(four_memory *)(to + 3 * to_stride) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}

static void transpose(int64_t rows, int64_t columns, const float *from, int64_t from_stride, float *to, int64_t to_stride) {
  for (int64_t r = 0; r < rows; r += 4) {
    int64_t c = 0;
    for (; c + 4 <= columns; c += 4) transpose_4x4(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
    for (; c < columns; c++)
      for (int i = 0; i < 4; i++) to[c * to_stride + r + i] = from[(r + i) * from_stride + c];
  }
}

/* Together, as dividers and shuffles work side by side. */
static void divide(int64_t count, const float *by, const float *x, float *to) {
  for (int64_t r = 0; r < count; r += 4) UNROLL
  for (int v = 0; v < VECTORS; v++) {
    float quotients[4][LANES];
    UNROLL
    for (int i = 0; i < 4; i++) STORE(quotients[i], LOAD(x + (r + i) * COLUMNS + v * LANES) / LOAD(by + v * LANES));
    UNROLL
    for (int c = 0; c < LANES; c += 4) transpose_4x4(quotients[0] + c, LANES, to + (v * LANES + c) * count + r, count);
  }
}

extern const rpp_tiles IN_SET(rpp_tiles);
const rpp_tiles IN_SET(rpp_tiles) = {ROWS, COLUMNS, multiply, softmax, is_finite, split, transpose, divide};
