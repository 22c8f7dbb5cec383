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

/* Lines that are still to be called: a few at every step, as a processor forgets those that it has no place for. Rows without a gap between
 * them count as one. */
typedef struct {
  const char *at, *row;
  int64_t left, rows, step, lines; /* of this row; rows from this one on */
  int64_t each;
} lines_ahead;

INLINE lines_ahead lines_of(const rpp_strip *s, bool looks, int64_t steps) {
  const bool dense = s->ahead_step == s->ahead_bytes;
  const int64_t rows = !looks ? 0 : dense && s->ahead_count > 0 ? 1 : s->ahead_count;
  const int64_t lines = ((dense ? s->ahead_count : 1) * s->ahead_bytes + 63) / 64;
  if (rows <= 0 || steps <= 0) return (lines_ahead){0};
  return (lines_ahead){s->ahead, s->ahead, lines, rows, s->ahead_step, lines, (rows * lines + steps - 1) / steps};
}

INLINE void look_ahead(lines_ahead *ahead) {
  for (int64_t n = ahead->each; n > 0; n--) {
    __builtin_prefetch(ahead->at, 0, 2);
    ahead->at += 64;
    if (--ahead->left > 0) continue;
    ahead->at = ahead->row += ahead->step;
    ahead->left = ahead->lines;
    if (--ahead->rows > 0) continue;
    ahead->each = 0;
    return;
  }
}

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

#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)

/* The sums over the lanes of each of LANES vectors, in their order. */
INLINE lanes totals(lanes *x) {
#if RPP_LANES == 16
  for (int i = 0; i < 8; i++)
    x[i] = SHUFFLE(x[i], x[i + 8], 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31) +
           SHUFFLE(x[i], x[i + 8], 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
  for (int i = 0; i < 4; i++)
    x[i] = SHUFFLE(x[i], x[i + 4], 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31) +
           SHUFFLE(x[i], x[i + 4], 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
  for (int i = 0; i < 4; i += 2)
    x[i] = SHUFFLE(x[i], x[i + 1], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           SHUFFLE(x[i], x[i + 1], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  return SHUFFLE(x[0], x[2], 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +
         SHUFFLE(x[0], x[2], 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
#elif RPP_LANES == 8
  for (int i = 0; i < 4; i++)
    x[i] = SHUFFLE(x[i], x[i + 4], 0, 1, 2, 3, 12, 13, 14, 15) + SHUFFLE(x[i], x[i + 4], 4, 5, 6, 7, 8, 9, 10, 11);
  for (int i = 0; i < 4; i += 2)
    x[i] = SHUFFLE(x[i], x[i + 1], 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(x[i], x[i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return SHUFFLE(x[0], x[2], 0, 2, 8, 10, 4, 6, 12, 14) + SHUFFLE(x[0], x[2], 1, 3, 9, 11, 5, 7, 13, 15);
#else
  for (int i = 0; i < 4; i += 2) x[i] = SHUFFLE(x[i], x[i + 1], 0, 1, 4, 5) + SHUFFLE(x[i], x[i + 1], 2, 3, 6, 7);
  return SHUFFLE(x[0], x[2], 0, 2, 4, 6) + SHUFFLE(x[0], x[2], 1, 3, 5, 7);
#endif
}

INLINE void add_products(int rows, int keys, const lanes *k, const float *q, int64_t q_stride, lanes *sums) {
  UNROLL
  for (int r = 0; r < rows; r++) {
    const lanes row = *(const memory *)(q + r * q_stride);
    UNROLL
    for (int n = 0; n < keys; n++) sums[r * keys + n] += row * k[n];
  }
}

/* Rows of q by keys j .. j + BESIDE(rows) - 1; where the strip has no such key, its last one. */
INLINE void score_block(rpp_dtype dtype, int rows, const rpp_strip *s, lines_ahead *ahead, int64_t j, const float *q,
                        int64_t q_stride, float *scores, int64_t score_stride) {
  enum { ROOM = (SUMS + LANES - 1) / LANES * LANES };
  const int keys = BESIDE(rows);
  const char *row[MOST];
  lanes sums[ROOM], k[MOST];
  UNROLL
  for (int n = 0; n < keys; n++) row[n] = s->rows + (j + n < s->count ? j + n : s->count - 1) * s->step;
  UNROLL
  for (int i = 0; i < ROOM; i++) sums[i] = ALL(0);
  int64_t p = 0;
  for (; p + LANES <= s->width; p += LANES) {
    look_ahead(ahead);
    UNROLL
    for (int n = 0; n < keys; n++) k[n] = load_lanes(dtype, row[n] + p * size_of(dtype));
    add_products(rows, keys, k, q + p, q_stride, sums);
  }
  if (p < s->width) {
    for (int n = 0; n < keys; n++) k[n] = load_part(dtype, row[n] + p * size_of(dtype), s->width - p);
    add_products(rows, keys, k, q + p, q_stride, sums);
  }
  float all[ROOM];
  UNROLL
  for (int i = 0; i < rows * keys; i += LANES) *(memory *)(all + i) = totals(sums + i);
  UNROLL
  for (int r = 0; r < rows; r++) memcpy(scores + r * score_stride + j, all + r * keys, (size_t)keys * sizeof *all);
}

INLINE void score_rows(rpp_dtype dtype, int rows, const rpp_strip *s, bool looks_ahead, const float *q, int64_t q_stride,
                       float *scores, int64_t score_stride) {
  const int keys = BESIDE(rows);
  lines_ahead ahead = lines_of(s, looks_ahead, (s->count + keys - 1) / keys * (s->width / LANES + 1));
  for (int64_t j = 0; j < s->count; j += keys) score_block(dtype, rows, s, &ahead, j, q, q_stride, scores, score_stride);
}

INLINE void score_typed(rpp_dtype dtype, const rpp_strip *s, int64_t rows, const float *q, int64_t q_stride, float *scores,
                        int64_t score_stride) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    score_rows(dtype, 4, s, r == 0, q + r * q_stride, q_stride, scores + r * score_stride, score_stride);
  for (; r + 2 <= rows; r += 2)
    score_rows(dtype, 2, s, r == 0, q + r * q_stride, q_stride, scores + r * score_stride, score_stride);
  for (; r < rows; r++) score_rows(dtype, 1, s, r == 0, q + r * q_stride, q_stride, scores + r * score_stride, score_stride);
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
  lanes sums[SUMS], v[MOST];
  UNROLL
  for (int r = 0; r < rows; r++) UNROLL
  for (int n = 0; n < vectors; n++) sums[r * vectors + n] = *(const memory *)(out + r * out_stride + c + n * LANES);
  for (int64_t j = 0; j < s->count; j++) {
    look_ahead(ahead);
    const char *at = s->rows + j * s->step + c * size_of(dtype);
    UNROLL
    for (int n = 0; n < vectors; n++)
      v[n] = part > 0 ? load_part(dtype, at, part) : load_lanes(dtype, at + n * LANES * size_of(dtype));
    UNROLL
    for (int r = 0; r < rows; r++) {
      const float weight = weights[r * weight_stride + j];
      UNROLL
      for (int n = 0; n < vectors; n++) sums[r * vectors + n] += weight * v[n];
    }
  }
  UNROLL
  for (int r = 0; r < rows; r++) UNROLL
  for (int n = 0; n < vectors; n++) *(memory *)(out + r * out_stride + c + n * LANES) = sums[r * vectors + n];
}

INLINE void add_rows(rpp_dtype dtype, int rows, const rpp_strip *s, bool looks_ahead, const float *weights, int64_t weight_stride,
                     float *out, int64_t out_stride) {
  const int vectors = BESIDE(rows);
  const int64_t width = s->width, blocks = width / (vectors * LANES) + vectors;
  lines_ahead ahead = lines_of(s, looks_ahead, blocks * s->count);
  int64_t c = 0;
  for (; c + vectors * LANES <= width; c += vectors * LANES)
    add_block(dtype, rows, vectors, 0, s, &ahead, c, weights, weight_stride, out, out_stride);
  for (; c + LANES <= width; c += LANES) add_block(dtype, rows, 1, 0, s, &ahead, c, weights, weight_stride, out, out_stride);
  if (c < width) add_block(dtype, rows, 1, width - c, s, &ahead, c, weights, weight_stride, out, out_stride);
}

INLINE void add_typed(rpp_dtype dtype, const rpp_strip *s, int64_t rows, const float *weights, int64_t weight_stride, float *out,
                      int64_t out_stride) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4)
    add_rows(dtype, 4, s, r == 0, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
  for (; r + 2 <= rows; r += 2)
    add_rows(dtype, 2, s, r == 0, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
  for (; r < rows; r++) add_rows(dtype, 1, s, r == 0, weights + r * weight_stride, weight_stride, out + r * out_stride, out_stride);
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

enum { TOGETHER = 4 }; /* vectors whose powers are taken step by step */

/* count vectors of scores become weights; their sum. */
INLINE lanes weigh(int count, float by, float zero, float *scores) {
  lanes x[TOGETHER], sum = ALL(0);
  UNROLL
  for (int i = 0; i < count; i++) x[i] = LOAD(scores + i * LANES) * by - zero;
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
