/* decode.h: the inner loops of the fast CPU kernel where few query rows meet many keys: K and V are used where they lie, converted in
 * registers, and read once for all rows (sets.h). */
#ifndef RPP_DECODE_H
#define RPP_DECODE_H
#include "ropepp.h"

/* What vectors round counts up to: rows of q and out have room for a multiple, rows of scores for so many more than they hold. */
enum { RPP_DECODE_PAD = 16 };

/* Rows of one KV head, of keys that follow each other: row j starts step * j bytes after `rows`, its width elements side by side, at any
 * address. dtype: F32, F16, BF16. While they are worked on, lines that will be needed later are called into cache, a few at every step: those at
 * ahead + ahead_offset[i], i < ahead_count, in that order. */
typedef struct {
  rpp_dtype dtype;
  int64_t count, width;
  const char *rows;
  int64_t step;
  const char *ahead;
  const int64_t *ahead_offset;
  int64_t ahead_count;
} rpp_strip;

/* What a row has seen so far, in base 2: the largest score, -inf at first, and the sum of 2^(x - largest). */
typedef struct {
  float largest, sum;
} rpp_decode_softmax;

typedef struct {
  /* scores[r * score_stride + j] = q_r . k_j; q: (rows, width), 0 from width up to the next multiple of the pad. Scores past the strip's
   * count, as far as the pad, are written too. */
  void (*score)(const rpp_strip *k, int64_t rows, const float *q, int64_t q_stride, float *scores, int64_t score_stride);

  /* out_r += sum over j of weights[r * weight_stride + j] v_j, one key after another; out: (rows, width up to a multiple of the pad). */
  void (*add_values)(const rpp_strip *v, int64_t rows, const float *weights, int64_t weight_stride, float *out, int64_t out_stride);

  /* Takes in by * scores[first .. last - 1], which become the weights 2^(x - largest). Returns what sums over earlier scores are to be
   * multiplied by: 1 when the largest has not changed. A row that sees nothing (first = last) stays as it is. */
  float (*softmax)(rpp_decode_softmax *row, float by, int64_t first, int64_t last, float *scores);
} rpp_decode;

#endif
