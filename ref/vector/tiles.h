/* tiles.h: the register micro-kernels of prefill: products of small tiles, and softmax over keys (sets.h). The rows of the attention
 * problem (a query's output heads, query by query) lie along the vectors' lanes, so that softmax never adds or compares across lanes. */
#ifndef RPP_TILES_H
#define RPP_TILES_H
#include <stdbool.h>
#include <stdint.h>

/* One tile's softmax, a number for each lane: (columns) each. Keys first .. last - 1 of the tile are seen, none where first = last. */
typedef struct {
  const int32_t *first, *last;
  float *zero, *sum; /* of what has been seen so far: -inf and 0 at first */
  float *rescale;    /* what sums over earlier tiles are to be multiplied by */
  const float *norm; /* of the rows of q */
  float key_norm;    /* no row of k has a larger one; infinite where that is unknown, or values are not small */
} rpp_tile_softmax;

typedef struct {
  int rows, columns; /* of a micro-tile; both multiples of 4, rows divides 16 */

  /* For each of count panels a (depth, rows), a_step floats apart, and its part of c (count rows, columns): c = a^T b, where b is (depth,
   * columns); or c = c * rescale + a^T b, by column, where rescale is not null. Products are added one by one in the order of depth. */
  void (*multiply)(int64_t count, int64_t depth, const float *a, int64_t a_step, const float *b, const float *rescale, float *c);

  /* Online softmax (Milakov and Gimelshein 2018) in base 2, as 2^(s log2 e) = e^s: scores (keys, columns) times scale become the weights
   * 2^(score - zero), 0 where a key is not seen, whatever its score was; sum: theirs. A score of NaN gives NaN. A zero is an even whole number
   * less than 2 from the largest score so far, that score itself from 2^24 on; or one that is up to 40 below it, or more above it, where norms
   * tell that all weights will be normal numbers: to look for the largest score takes time. */
  void (*softmax)(int64_t keys, float scale, const rpp_tile_softmax *state, float *scores);

  /* The norms of b's columns, (depth, columns), and the largest of a's, (depth, rows): within float32's rounding and 2^-63 sqrt(depth), not
   * less; infinite where something in them is. A NaN is nobody's norm: it reaches the weights by itself. */
  void (*norms)(int64_t depth, const float *b, float *norm);
  float (*largest_norm)(int64_t depth, const float *a);

  /* A row of count panels, to_step floats apart, from (count rows) that lie side by side, float32 at any address. Whether all are small: below
   * 2^30 in magnitude, so that 2^36 of them, each times a weight of softmax, have a sum in float32. */
  bool (*split)(int64_t count, const char *from, float *to, int64_t to_step);

  /* to (columns, rows) = from (rows, columns), rows a multiple of 4; strides in floats. */
  void (*transpose)(int64_t rows, int64_t columns, const float *from, int64_t from_stride, float *to, int64_t to_stride);

  /* to (columns, count) = x (count, columns) over by, by column; count a multiple of 4. */
  void (*divide)(int64_t count, const float *by, const float *x, float *to);
} rpp_tiles;

#endif
