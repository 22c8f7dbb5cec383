/* rows.h: rows of storage as float32 and back, and their rotation, in vectors (sets.h). Every operation is rounded by
 * itself, so that all instruction sets, both pairings and every length of a row give the same bits. */
#ifndef RPP_ROWS_H
#define RPP_ROWS_H
#include "ropepp.h"

/* A head's row whose columns lie side by side, the pairs first. */
typedef struct {
  rpp_dtype dtype; /* F32, F16 or BF16, here and below */
  rpp_pairing pairing;
  rpp_part part;
  int64_t pairs, rest; /* rest: columns past the rotary width */
} rpp_turn;

typedef struct {
  /* Exact, from F16 and BF16 as from F32; a NaN stays one. `from` needs no alignment. */
  void (*load)(rpp_dtype dtype, int64_t count, const char *from, float *to);
  /* Elements 0, 2, .. and 1, 3, .. of 2 pairs. */
  void (*load_pairs)(rpp_dtype dtype, int64_t pairs, const char *from, float *first, float *second);

  /* Rounded once, to nearest even, as rpp_store rounds. */
  void (*store)(rpp_dtype dtype, int64_t count, const float *from, char *to);
  void (*store_pairs)(rpp_dtype dtype, int64_t pairs, const float *first, const float *second, char *to);

  /* Rows of `heads` heads, strides in bytes, from x to y by one token's angles (pairs): each pair times R_phi in float32, and times
   * R(-pi/2) for the imaginary part (eq. 2, 3). y is x with its stride, or apart from it. */
  void (*rotate)(const rpp_turn *turn, int64_t heads, const char *x, int64_t x_stride, char *y, int64_t y_stride,
                 const float *cosine, const float *sine);
} rpp_row_code;

#endif
