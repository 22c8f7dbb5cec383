/* tiles.h: the register micro-kernels of prefill: products of small tiles, and softmax over keys (sets.h). The rows of the attention
 * problem (a query's output heads, query by query) lie along the vectors' lanes, so that softmax never adds or compares across lanes. */
#ifndef RPP_TILES_H
#define RPP_TILES_H
#include <stdbool.h>
#include <stdint.h>

/* One tile's softmax, a number for each lane: (columns) each. Keys first .. last - 1 of the tile are seen, none where first = last. */
typedef struct {
  const int32_t *first, *last;
  float *largest, *sum; /* of what has been seen so far: -inf and 0 at first */
  float *rescale;       /* what sums over earlier tiles are to be multiplied by */
} rpp_tile_softmax;

typedef struct {
  int rows, columns; /* of a micro-tile; both multiples of 4, rows divides 16 */

  /* For each of count panels a (depth, rows), a_step floats apart, and its part of c (count rows, columns): c = a^T b, where b is (depth,
   * columns); or c = c * rescale + a^T b, by column, where rescale is not null. Products are added one by one in the order of depth. */
  void (*multiply)(int64_t count, int64_t depth, const float *a, int64_t a_step, const float *b, const float *rescale, float *c);

  /* Online softmax (Milakov and Gimelshein 2018) in base 2, as 2^(s log2 e) = e^s: scores (keys, columns) times scale become the weights
   * 2^(score - largest), 0 where a key is not seen, whatever its score was. A score of NaN gives NaN. */
  void (*softmax)(int64_t keys, float scale, const rpp_tile_softmax *state, float *scores);

  /* Whether all of x are numbers, float32 at any address. */
  bool (*is_finite)(int64_t count, const char *x);

  /* A row of count panels, to_step floats apart, from (count rows) that lie side by side, float32 at any address. */
  void (*split)(int64_t count, const char *from, float *to, int64_t to_step);

  /* to (columns, rows) = from (rows, columns), rows a multiple of 4; strides in floats. */
  void (*transpose)(int64_t rows, int64_t columns, const float *from, int64_t from_stride, float *to, int64_t to_stride);

  /* to (columns, count) = x (count, columns) over by, by column; count a multiple of 4. */
  void (*divide)(int64_t count, const float *by, const float *x, float *to);
} rpp_tiles;

#endif
