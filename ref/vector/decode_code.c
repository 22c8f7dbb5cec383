/* decode_code.c: the inner loops of decode.h (lanes.h). Sums stay in registers: of a few rows of q times a few keys, along the columns, or of
 * a few rows of out times a few vectors of columns, along the keys. */
#include <math.h>

#include "vector/decode.h"
#include "vector/lanes.h"

/* At least as many sums as an FMA takes cycles, times those that start in one, and beside them room for what they are made of: in 32 registers
 * or in 16; rows that are no more than a processor has registers for their addresses. */
enum { SUMS = LANES == 16 ? 16 : LANES == 8 ? 12 : 8, MOST = 8 };

/* Keys, or vectors of columns, that so many rows meet at a time. */
#define BESIDE(rows) (SUMS / (rows) < MOST ? SUMS / (rows) : MOST)

/* Lines that are still to be called. */
typedef struct {
  uintptr_t from; /* a line may lie past the tensor's end */
  const int64_t *offset;
  int64_t left;
} lines_ahead;

INLINE lines_ahead lines_of(const rpp_strip *s) {
  return (lines_ahead){(uintptr_t)s->ahead, s->ahead_offset, s->ahead_count};
}

INLINE void call_lines(int count, lines_ahead *ahead) {
  UNROLL
  for (int n = 0; n < count; n++) __builtin_prefetch((const char *)(ahead->from + (uintptr_t)ahead->offset[n]), 0, 3);
  ahead->offset += count;
}

/* So many lines at every step of a block are there, or else none from here on. A few at a time: a processor forgets those that it has no place
 * for. */
INLINE bool has_lines(lines_ahead *ahead, int64_t lines) {
  const bool has = lines > 0 && ahead->left >= lines;
  ahead->left = has ? ahead->left - lines : 0;
  return has;
}

/* Lines that a step calls to keep up, where it uses so many vectors. */
#define LINES_OF(dtype, vectors) (((vectors)*LANES * size_of(dtype) + 63) / 64)

INLINE int64_t size_of(rpp_dtype dtype) {
  return dtype == RPP_F32 ? 4 : 2;
}

/* The first count of LANES numbers, and 0: what follows them may not be read. */
INLINE lanes load_part(rpp_dtype dtype, const char *at, int64_t count) {
  char whole[4 * LANES] = {0};
  memcpy(whole, at, (size_t)(count * size_of(dtype)));
  return load_lanes(dtype, whole);
}

/* ---- Scores ------------------------------------------------------------------------------------------------------------- */

typedef float quad __attribute__((vector_size(16)));
typedef float four_floats __attribute__((vector_size(16), aligned(4), may_alias));
#if RPP_LANES == 16
typedef float eight __attribute__((vector_size(32)));
#endif

#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)

/* Within quarters of 16 bytes, as all processors shuffle at once: two low elements of each vector, two high ones; even ones, odd ones. */
#if RPP_LANES == 16
#define LOWS 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGHS 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define EVENS 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODDS 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#elif RPP_LANES == 8
#define LOWS 0, 1, 8, 9, 4, 5, 12, 13
#define HIGHS 2, 3, 10, 11, 6, 7, 14, 15
#define EVENS 0, 2, 8, 10, 4, 6, 12, 14
#define ODDS 1, 3, 9, 11, 5, 7, 13, 15
#else
#define LOWS 0, 1, 4, 5
#define HIGHS 2, 3, 6, 7
#define EVENS 0, 2, 4, 6
#define ODDS 1, 3, 5, 7
#endif

/* The sum of a vector's quarters. */
INLINE quad add_quarters(lanes x) {
#if RPP_LANES == 16
  const eight y = SHUFFLE(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + SHUFFLE(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  return SHUFFLE(y, y, 0, 1, 2, 3) + SHUFFLE(y, y, 4, 5, 6, 7);
#elif RPP_LANES == 8
  return SHUFFLE(x, x, 0, 1, 2, 3) + SHUFFLE(x, x, 4, 5, 6, 7);
#else
  return x;
#endif
}

/* The sums over the lanes of four vectors, in their order: x[0], x[step], .. */
INLINE quad totals(const lanes *x, int step) {
  const lanes a = SHUFFLE(x[0], x[step], LOWS) + SHUFFLE(x[0], x[step], HIGHS);
  const lanes b = SHUFFLE(x[2 * step], x[3 * step], LOWS) + SHUFFLE(x[2 * step], x[3 * step], HIGHS);
  return add_quarters(SHUFFLE(a, b, EVENS) + SHUFFLE(a, b, ODDS));
}

/* sums[r * keys + n] += row r of q times key n, LANES columns at p, of which `part` count where it is not 0. Keys and rows are held in registers:
 * a compiler that folds their loads into the products loads each several times, more than a processor can. */
INLINE void add_products(rpp_dtype dtype, int rows, int keys, const char *k, int64_t step, const float *q, int64_t q_stride,
                         int64_t part, lanes *sums) {
  lanes key[MOST];
  UNROLL
  for (int n = 0; n < keys; n++) {
    key[n] = part > 0 ? load_part(dtype, k + n * step, part) : load_lanes(dtype, k + n * step);
    HOLD(key[n]);
  }
  UNROLL
  for (int r = 0; r < rows; r++) {
    lanes row = LOAD(q + r * q_stride);
    HOLD(row);
    UNROLL
    for (int n = 0; n < keys; n++) ADD_PRODUCT(sums[r * keys + n], row, key[n]);
  }
}

/* All of the width, of keys j .. j + keys - 1 of the strip. One address for the keys and one for the rows go from step to step, so that few
 * registers hold all. */
INLINE void multiply(rpp_dtype dtype, int rows, int keys, const rpp_strip *s, lines_ahead *ahead, int64_t j, const float *q,
                     int64_t q_stride, lanes *sums) {
  const int lines = LINES_OF(dtype, keys);
  const char *k = s->rows + j * s->step;
  const int64_t step = s->step, steps = s->width / LANES, part = s->width % LANES;
  UNROLL
  for (int i = 0; i < rows * keys; i++) sums[i] = ALL(0);
#define STEP                                                                                                                       \
  do {                                                                                                                             \
    add_products(dtype, rows, keys, k, step, q, q_stride, 0, sums);                                                                \
    k += LANES * size_of(dtype), q += LANES;                                                                                       \
    HOLD_ADDRESS(k);                                                                                                               \
    HOLD_ADDRESS(q);                                                                                                               \
  } while (0)
  if (has_lines(ahead, steps * lines)) {
    lines_ahead now = *ahead;
    for (int64_t n = steps; n > 0; n--) {
      call_lines(lines, &now);
      HOLD_ADDRESS(now.offset);
      STEP;
    }
    ahead->offset = now.offset;
  } else
    for (int64_t n = steps; n > 0; n--) STEP;
#undef STEP
  if (part > 0) add_products(dtype, rows, keys, k, step, q, q_stride, part, sums);
}

/* One or two rows: sums are added across lanes by four keys. */
INLINE void score_few(rpp_dtype dtype, int rows, const rpp_strip *s, lines_ahead *ahead, const float *q, int64_t q_stride,
                      float *scores, int64_t score_stride) {
  enum { FOUR = 4 };
  lanes sums[SUMS];
  int64_t j = 0;
  for (; j + FOUR <= s->count; j += FOUR) {
    multiply(dtype, rows, FOUR, s, ahead, j, q, q_stride, sums);
    UNROLL
    for (int r = 0; r < rows; r++) *(four_floats *)(scores + r * score_stride + j) = totals(sums + r * FOUR, 1);
  }
  for (; j < s->count; j++) {
    multiply(dtype, rows, 1, s, ahead, j, q, q_stride, sums);
    for (int r = 0; r < rows; r++) scores[r * score_stride + j] = totals(sums + r, 0)[0];
  }
}

/* Four rows and the keys from j on, TURNED at most: sums are added across lanes by rows, so that they need not wait in memory for more keys; then
 * four keys are turned into four rows. */
enum { KEYS = BESIDE(4), TURNED = 4 * KEYS };

INLINE void score_four(rpp_dtype dtype, const rpp_strip *s, lines_ahead *ahead, int64_t j, const float *q, int64_t q_stride,
                       float *scores, int64_t score_stride) {
  quad of_key[TURNED];
  lanes sums[SUMS];
  int64_t done = 0;
  for (; done + KEYS <= TURNED && j + done + KEYS <= s->count; done += KEYS) {
    multiply(dtype, 4, KEYS, s, ahead, j + done, q, q_stride, sums);
    UNROLL
    for (int n = 0; n < KEYS; n++) of_key[done + n] = totals(sums + n, KEYS);
  }
  for (; done < TURNED && j + done < s->count; done++) {
    multiply(dtype, 4, 1, s, ahead, j + done, q, q_stride, sums);
    of_key[done] = totals(sums, 1);
  }
  for (; done < TURNED; done++) of_key[done] = (quad){0};
  UNROLL
  for (int n = 0; n < TURNED; n += 4) {
    const quad a = SHUFFLE(of_key[n], of_key[n + 1], 0, 4, 1, 5), b = SHUFFLE(of_key[n + 2], of_key[n + 3], 0, 4, 1, 5);
    const quad c = SHUFFLE(of_key[n], of_key[n + 1], 2, 6, 3, 7), d = SHUFFLE(of_key[n + 2], of_key[n + 3], 2, 6, 3, 7);
    float *to = scores + j + n;
    *(four_floats *)to = SHUFFLE(a, b, 0, 1, 4, 5);
    *(four_floats *)(to + score_stride) = SHUFFLE(a, b, 2, 3, 6, 7);
    *(four_floats *)(to + 2 * score_stride) = SHUFFLE(c, d, 0, 1, 4, 5);
    *(four_floats *)(to + 3 * score_stride) = SHUFFLE(c, d, 2, 3, 6, 7);
  }
}

/* Some keys meet all fours of rows before the next ones do, as rows of a head lie where they drive each other out of the first cache. */
INLINE void score_typed(rpp_dtype dtype, const rpp_strip *s, int64_t rows, const float *q, int64_t q_stride, float *scores,
                        int64_t score_stride) {
  lines_ahead ahead = lines_of(s), none = {0};
  int64_t r = rows / 4 * 4;
  for (int64_t j = 0; r > 0 && j < s->count; j += TURNED)
    for (int64_t i = 0; i < r; i += 4)
      score_four(dtype, s, i == 0 ? &ahead : &none, j, q + i * q_stride, q_stride, scores + i * score_stride, score_stride);
  for (; r < rows; r += r + 2 <= rows ? 2 : 1)
    if (r + 2 <= rows)
      score_few(dtype, 2, s, r == 0 ? &ahead : &none, q + r * q_stride, q_stride, scores + r * score_stride, score_stride);
    else
      score_few(dtype, 1, s, r == 0 ? &ahead : &none, q + r * q_stride, q_stride, scores + r * score_stride, score_stride);
}

static void score(const rpp_strip *s, int64_t rows, const float *q, int64_t q_stride, float *scores, int64_t score_stride) {
  if (s->dtype == RPP_F32)
    score_typed(RPP_F32, s, rows, q, q_stride, scores, score_stride);
  else if (s->dtype == RPP_F16)
    score_typed(RPP_F16, s, rows, q, q_stride, scores, score_stride);
  else
    score_typed(RPP_BF16, s, rows, q, q_stride, scores, score_stride);
}

/* ---- Values ------------------------------------------------------------------------------------------------------------- */

/* Columns c .. c + vectors * LANES - 1; part: fewer, of one vector. */
INLINE void add_block(rpp_dtype dtype, int rows, int vectors, int64_t part, const rpp_strip *s, lines_ahead *ahead, int64_t c,
                      const float *weights, int64_t weight_stride, float *out, int64_t out_stride) {
  const int lines = LINES_OF(dtype, vectors);
  const char *at = s->rows + c * size_of(dtype);
  const int64_t step = s->step;
  lanes sums[SUMS], v[MOST];
  UNROLL
  for (int r = 0; r < rows; r++) UNROLL
  for (int n = 0; n < vectors; n++) sums[r * vectors + n] = LOAD(out + r * out_stride + c + n * LANES);
#define STEP                                                                                                                       \
  do {                                                                                                                             \
    UNROLL                                                                                                                         \
    for (int n = 0; n < vectors; n++) {                                                                                            \
      v[n] = part > 0 ? load_part(dtype, at, part) : load_lanes(dtype, at + n * LANES * size_of(dtype));                           \
      HOLD(v[n]);                                                                                                                  \
    }                                                                                                                              \
    UNROLL                                                                                                                         \
    for (int r = 0; r < rows; r++) {                                                                                               \
      lanes weight = ALL(weights[r * weight_stride]);                                                                              \
      HOLD(weight);                                                                                                                \
      UNROLL                                                                                                                       \
      for (int n = 0; n < vectors; n++) sums[r * vectors + n] += weight * v[n];                                                    \
    }                                                                                                                              \
    at += step, weights++;                                                                                                         \
    HOLD_ADDRESS(at);                                                                                                              \
    HOLD_ADDRESS(weights);                                                                                                         \
  } while (0)
  if (has_lines(ahead, s->count * lines)) {
    lines_ahead now = *ahead;
    for (int64_t j = s->count; j > 0; j--) {
      call_lines(lines, &now);
      HOLD_ADDRESS(now.offset);
      STEP;
    }
    ahead->offset = now.offset;
  } else
    for (int64_t j = s->count; j > 0; j--) STEP;
#undef STEP
  UNROLL
  for (int r = 0; r < rows; r++) UNROLL
  for (int n = 0; n < vectors; n++) STORE(out + r * out_stride + c + n * LANES, sums[r * vectors + n]);
}

INLINE void add_rows(rpp_dtype dtype, int rows, const rpp_strip *s, lines_ahead *ahead, const float *weights, int64_t weight_stride,
                     float *out, int64_t out_stride) {
  const int vectors = BESIDE(rows);
  const int64_t width = s->width;
  int64_t c = 0;
  /* Of three at a time, the last four are two and two, not three and one, whose sums would be too few to keep a processor busy. */
  for (; c + vectors * LANES <= width && !(vectors == 3 && (width - c) / LANES == 4); c += vectors * LANES)
    add_block(dtype, rows, vectors, 0, s, ahead, c, weights, weight_stride, out, out_stride);
  for (; vectors > 2 && c + 2 * LANES <= width; c += 2 * LANES)
    add_block(dtype, rows, 2, 0, s, ahead, c, weights, weight_stride, out, out_stride);
  for (; c + LANES <= width; c += LANES) add_block(dtype, rows, 1, 0, s, ahead, c, weights, weight_stride, out, out_stride);
  if (c < width) add_block(dtype, rows, 1, width - c, s, ahead, c, weights, weight_stride, out, out_stride);
}

INLINE void add_typed(rpp_dtype dtype, const rpp_strip *s, int64_t rows, const float *weights, int64_t weight_stride, float *out,
                      int64_t out_stride) {
  lines_ahead ahead = lines_of(s), none = {0};
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    add_rows(dtype, 4, s, r == 0 ? &ahead : &none, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
  for (; r + 2 <= rows; r += 2)
    add_rows(dtype, 2, s, r == 0 ? &ahead : &none, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
  for (; r < rows; r++)
    add_rows(dtype, 1, s, r == 0 ? &ahead : &none, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
}

static void add_values(const rpp_strip *s, int64_t rows, const float *weights, int64_t weight_stride, float *out,
                       int64_t out_stride) {
  if (s->dtype == RPP_F32)
    add_typed(RPP_F32, s, rows, weights, weight_stride, out, out_stride);
  else if (s->dtype == RPP_F16)
    add_typed(RPP_F16, s, rows, weights, weight_stride, out, out_stride);
  else
    add_typed(RPP_BF16, s, rows, weights, weight_stride, out, out_stride);
}

/* ---- Softmax ------------------------------------------------------------------------------------------------------------ */

enum { TOGETHER = 3 }; /* vectors whose powers are taken step by step; a whole tile has a multiple of them */

/* count vectors of scores become weights; their sum. */
INLINE lanes weigh(int count, float by, float zero, float *scores) {
  lanes x[TOGETHER], sum = ALL(0);
  UNROLL
  for (int i = 0; i < count; i++) {
    x[i] = LOAD(scores + i * LANES) * by;
    ROUND(x[i]); /* as the largest is (tile_code.c) */
    x[i] -= zero;
  }
  powers_of_two(count, x);
  UNROLL
  for (int i = 0; i < count; i++) {
    STORE(scores + i * LANES, x[i]);
    sum += x[i];
  }
  return sum;
}

/* Whole vectors. */
INLINE float take_in(rpp_decode_softmax *row, float by, int64_t count, float *scores) {
  lanes most = ALL(row->largest);
  for (int64_t j = 0; j < count; j += LANES) {
    const lanes x = LOAD(scores + j) * by;
    most = larger(x, most); /* a NaN is passed over here, and reaches the sum */
  }
  float largest = row->largest;
  for (int i = 0; i < LANES; i++) largest = most[i] > largest ? most[i] : largest;
  /* While all scores are -inf, their weights are 2^(-inf), not 2^(-inf + inf). */
  const float zero = largest == -INFINITY ? 0 : largest;
  lanes sums = ALL(0);
  int64_t j = 0;
  for (; j + TOGETHER * LANES <= count; j += TOGETHER * LANES) sums += weigh(TOGETHER, by, zero, scores + j);
  for (; j < count; j += LANES) sums += weigh(1, by, zero, scores + j);
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += sums[i];
  const float rescale = largest == row->largest ? 1 : power_of_two(ALL(row->largest - zero))[0];
  row->largest = largest;
  row->sum = row->sum * rescale + sum;
  return rescale;
}

static float softmax(rpp_decode_softmax *row, float by, int64_t first, int64_t last, float *scores) {
  if (first == last) return 1;
  /* Whole vectors from low to high; what is masked in them weighs 2^(-inf) = 0. */
  const int64_t low = first - first % LANES, high = low + (last - low + LANES - 1) / LANES * LANES;
  if (by == 0) /* so that NaN and infinity become NaN, and what is masked does not */
    for (int64_t j = first; j < last; j++) scores[j] *= by;
  const float factor = by == 0 ? 1 : by, masked = by < 0 ? INFINITY : -INFINITY;
  for (int64_t j = low; j < first; j++) scores[j] = masked;
  for (int64_t j = last; j < high; j++) scores[j] = masked;
  return take_in(row, factor, high - low, scores + low);
}

extern const rpp_decode IN_SET(rpp_decode);
const rpp_decode IN_SET(rpp_decode) = {score, add_values, softmax};
