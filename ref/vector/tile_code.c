/* tile_code.c: the micro-kernels of tiles.h (lanes.h). RPP_ROWS and RPP_VECTORS are a micro-tile's; its sums stay in registers: rows times
 * vectors of them, a row's vectors of b and one number of a. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "vector/lanes.h"
#include "vector/tiles.h"

enum { ROWS = RPP_ROWS, VECTORS = RPP_VECTORS, COLUMNS = LANES * VECTORS };

/* ---- Products ----------------------------------------------------------------------------------------------------------- */

/* A step of depth. The first one of all makes sums of its products: a processor takes as long to clear sums as for two steps more. */
INLINE void add_products(bool first, const float *a, const float *b, lanes sums[ROWS][VECTORS]) {
  lanes row[VECTORS];
  UNROLL
  for (int v = 0; v < VECTORS; v++) row[v] = LOAD(b + v * LANES);
  UNROLL
  for (int r = 0; r < ROWS; r++) {
    const lanes x = ALL(a[r]);
    UNROLL
    for (int v = 0; v < VECTORS; v++)
      if (first)
        sums[r][v] = x * row[v];
      else
        ADD_PRODUCT(sums[r][v], x, row[v]);
  }
}

enum { TOGETHER = 8 }; /* steps of a turn of the loop */

INLINE void add_turn(bool first, const float **a, const float **b, lanes sums[ROWS][VECTORS]) {
  UNROLL
  for (int p = 0; p < TOGETHER; p++) add_products(first && p == 0, *a + p * ROWS, *b + p * COLUMNS, sums);
  *a += TOGETHER * ROWS, *b += TOGETHER * COLUMNS;
  HOLD_ADDRESS(*a);
  HOLD_ADDRESS(*b);
}

INLINE void micro_tile(int64_t depth, const float *a, const float *b, const float *rescale, float *c) {
  lanes sums[ROWS][VECTORS];
  const int64_t turns = depth / TOGETHER;
  if (turns > 0)
    add_turn(true, &a, &b, sums);
  else
    UNROLL
  for (int r = 0; r < ROWS; r++) UNROLL
  for (int v = 0; v < VECTORS; v++) sums[r][v] = ALL(0);
  for (int64_t n = 1; n < turns; n++) add_turn(false, &a, &b, sums);
  for (int64_t n = depth % TOGETHER; n > 0; n--, a += ROWS, b += COLUMNS) add_products(false, a, b, sums);
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

INLINE bool any(masks x) {
  int32_t found = 0;
  UNROLL
  for (int i = 0; i < LANES; i++) found |= x[i];
  return found != 0;
}

INLINE masks load_integers(const int32_t *at) {
  return (masks)LOAD((const float *)at);
}

INLINE masks seen(const rpp_tile_softmax *state, int64_t key, int v) {
  const masks at = (masks){0} + (int32_t)key;
  return (at >= load_integers(state->first + v * LANES)) & (at < load_integers(state->last + v * LANES));
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
  for (int v = 0; v < VECTORS; v++) {
    const lanes x = LOAD(scores + key * COLUMNS + v * LANES) * by;
    tops[v] = larger(masked ? SELECT(seen(state, key, v), x, ALL(-INFINITY)) : x, tops[v]);
  }
}

/* POWER_SHIFT less a zero of up to this is a number of POWER_SHIFT's size. */
#define LARGEST_ZERO 0x1p21f

INLINE lanes magnitude(lanes x) {
  return (lanes)((masks)x & 0x7fffffff);
}

/* An even whole number, less than 2 from x: sums of weights have the same bits, but for their exponent, whichever such number they are relative to,
 * as long as nothing is rounded below normal numbers. So no row's result tells what other rows, or keys that it does not see, are like. */
INLINE lanes even(lanes x) {
  const masks small = magnitude(x) < 0x1p24f; /* others are even; and no integer may be made of them */
  const masks half = __builtin_convertvector(SELECT(small, x * 0.5f, ALL(0)), masks);
  return SELECT(small, __builtin_convertvector(half, lanes) * 2, x);
}

/* Whether weights can be taken without a look at the scores: each is known to lie where 2^(x - zero) is a normal number, and no sum of it can
 * pass the largest float32 (split). Not where a zero or a norm is infinite. */
INLINE bool are_near(const rpp_tile_softmax *state, float by, const lanes *zeros) {
  const float key_norm = state->key_norm * fabsf(by);
  masks far = {0};
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    const lanes most = LOAD(state->norm + v * LANES) * key_norm; /* Cauchy and Schwarz */
    far |= ~((most - zeros[v] <= 40) & (-most - zeros[v] >= -120));
  }
  return !any(far);
}

/* Weights 2^(score - zero). far: of scores that are not near; huge: some zeros are past LARGEST_ZERO. */
INLINE void weigh(const rpp_tile_softmax *state, bool masked, bool far, bool huge, int64_t from, int64_t to, float scale,
                  const lanes *zeros, float *scores, lanes *sums) {
  lanes shift[VECTORS], by[VECTORS];
  masks past[VECTORS];
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    past[v] = magnitude(zeros[v]) > LARGEST_ZERO;
    shift[v] = POWER_SHIFT - (huge ? SELECT(past[v], ALL(0), zeros[v]) : zeros[v]);
    by[v] = huge ? SELECT(past[v], ALL(1), ALL(scale)) : ALL(scale);
  }
  for (int64_t key = from; key < to; key++) {
    lanes shifted[VECTORS], r[VECTORS], weights[VECTORS];
    UNROLL
    for (int v = 0; v < VECTORS; v++) {
      lanes x = LOAD(scores + key * COLUMNS + v * LANES);
      if (huge) {
        lanes y = x * scale;
        ROUND(y); /* as the largest is, or a large score would differ from itself, and weigh more than 1 */
        x = SELECT(past[v], y - zeros[v], x);
      }
      shifted[v] = x * by[v] + shift[v];
      r[v] = x * by[v] - (shifted[v] - shift[v]);
    }
    powers_of_parts(VECTORS, r, shifted, weights);
    UNROLL
    for (int v = 0; v < VECTORS; v++) {
      if (far) weights[v] = SELECT(shifted[v] < POWER_SHIFT - 150, ALL(0), weights[v]);
      if (masked) weights[v] = SELECT(seen(state, key, v), weights[v], ALL(0));
      STORE(scores + key * COLUMNS + v * LANES, weights[v]);
      sums[v] += weights[v];
    }
  }
}

INLINE void weigh_all(const rpp_tile_softmax *state, bool far, bool huge, const int64_t *bounds, float by, const lanes *zeros,
                      float *scores, lanes *sums) {
  weigh(state, true, far, huge, bounds[0], bounds[1], by, zeros, scores, sums);
  weigh(state, false, far, huge, bounds[1], bounds[2], by, zeros, scores, sums);
  weigh(state, true, far, huge, bounds[2], bounds[3], by, zeros, scores, sums);
}

/* Tops are the largest scores, made even: of all keys so far, or, where that will do, of earlier tiles, or of the first few keys of this one. */
static void softmax(int64_t keys, float by, const rpp_tile_softmax *state, float *scores) {
  enum { FEW = 16 };
  int64_t from = 0, to = keys; /* what every lane sees; of the others some see some */
  for (int c = 0; c < COLUMNS; c++) {
    from = state->first[c] > from ? state->first[c] : from;
    to = state->last[c] < to ? state->last[c] : to;
  }
  if (from >= to) from = to = keys;
  const int64_t few = from + FEW < to ? from + FEW : to, bounds[] = {0, from, to, keys};
  lanes tops[VECTORS], zeros[VECTORS], sums[VECTORS];
  UNROLL
  for (int v = 0; v < VECTORS; v++) tops[v] = LOAD(state->zero + v * LANES);
  bool near = are_near(state, by, tops);
  if (!near) {
    find_largest(state, true, 0, from, by, scores, tops);
    find_largest(state, false, from, few, by, scores, tops);
    near = are_near(state, by, tops);
  }
  if (!near) {
    find_largest(state, false, few, to, by, scores, tops);
    find_largest(state, true, to, keys, by, scores, tops);
  }
  masks huge = {0};
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    tops[v] = even(tops[v]);
    /* While all scores are -inf, their weights are 2^(-inf), not 2^(-inf + inf). */
    zeros[v] = SELECT(tops[v] == -INFINITY, ALL(0), tops[v]);
    huge |= magnitude(zeros[v]) > LARGEST_ZERO;
    sums[v] = ALL(0);
  }
  if (near)
    weigh_all(state, false, false, bounds, by, zeros, scores, sums);
  else if (!any(huge))
    weigh_all(state, true, false, bounds, by, zeros, scores, sums);
  else
    weigh_all(state, true, true, bounds, by, zeros, scores, sums);
  UNROLL
  for (int v = 0; v < VECTORS; v++) {
    const lanes before = LOAD(state->zero + v * LANES);
    const lanes rescale = SELECT(before == tops[v], ALL(1), power_of_two(before - zeros[v]));
    STORE(state->rescale + v * LANES, rescale);
    STORE(state->sum + v * LANES, LOAD(state->sum + v * LANES) * rescale + sums[v]);
    STORE(state->zero + v * LANES, tops[v]);
  }
}

/* What squares below normal numbers may lose of a sum. */
#define LOST(depth) ((float)(depth)*0x1p-126f)

static void norms(int64_t depth, const float *b, float *norm) {
  lanes even[VECTORS] = {{0}}, odd[VECTORS] = {{0}};
  for (int64_t p = 0; p < depth; p += 2) UNROLL
  for (int v = 0; v < VECTORS; v++) {
    const lanes x = LOAD(b + p * COLUMNS + v * LANES), y = p + 1 < depth ? LOAD(b + (p + 1) * COLUMNS + v * LANES) : ALL(0);
    ADD_PRODUCT(even[v], x, x);
    ADD_PRODUCT(odd[v], y, y);
  }
  for (int c = 0; c < COLUMNS; c++) norm[c] = sqrtf(even[c / LANES][c % LANES] + odd[c / LANES][c % LANES] + LOST(depth));
}

typedef float step __attribute__((vector_size(4 * RPP_ROWS)));
typedef float step_memory __attribute__((vector_size(4 * RPP_ROWS), aligned(1), may_alias));
typedef int32_t step_bits __attribute__((vector_size(4 * RPP_ROWS)));

static float largest_norm(int64_t depth, const float *a) {
  enum { SUMS = 4 };
  step squares[SUMS] = {{0}};
  int64_t p = 0;
  for (; p + SUMS <= depth; p += SUMS) UNROLL
  for (int n = 0; n < SUMS; n++) {
    const step x = *(const step_memory *)(a + (p + n) * ROWS);
    squares[n] += x * x;
  }
  for (; p < depth; p++) {
    const step x = *(const step_memory *)(a + p * ROWS);
    squares[0] += x * x;
  }
  const step all = squares[0] + squares[1] + (squares[2] + squares[3]);
  float most = 0;
  for (int r = 0; r < ROWS; r++) most = all[r] > most ? all[r] : most;
  return sqrtf(most + LOST(depth));
}

/* ---- Packing ------------------------------------------------------------------------------------------------------------ */

static bool split(int64_t count, const char *from, float *to, int64_t to_step) {
  enum { SMALL = (127 + 30) << 23 }; /* the bits of 2^30; those of what is not a number are more */
  step_bits large = {0};
  for (int64_t n = 0; n < count; n++) {
    const step x = *(const step_memory *)(from + n * ROWS * 4);
    large |= ((step_bits)x & 0x7fffffff) >= SMALL;
    *(step_memory *)(to + n * to_step) = x;
  }
  int32_t found = 0;
  for (int r = 0; r < ROWS; r++) found |= large[r];
  return found == 0;
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
const rpp_tiles IN_SET(rpp_tiles) = {ROWS, COLUMNS, multiply, softmax, norms, largest_norm, split, transpose, divide};
