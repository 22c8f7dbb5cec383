/* row.h: one head's row of a token, in float64 and in the library's own layout: the two columns of each pair side by side, pair by
 * pair, then the columns past the rotary width. Both pairings so give the same bits. */
#ifndef RPP_ROW_H
#define RPP_ROW_H
#include "ropepp.h"

typedef struct {
  rpp_pairing pairing;
  int64_t width, rotary_dim;
} rpp_row_layout;

/* Row (b, l, h, :) of a (B, L, heads, D) tensor. */
void rpp_row_load(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, double *row);
void rpp_row_store(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const double *row);

/* Each pair times R(-pi/2): (a, b) becomes (b, -a) (eq. 3). */
void rpp_row_quarter_turn(const rpp_row_layout *layout, double *row);

/* Each pair times R_phi: (a cos - b sin, b cos + a sin) (eq. 2). */
void rpp_row_rotate(const rpp_row_layout *layout, const double *cosine, const double *sine, double *row);

/* dots[j] = q . keys[j], j < count, keys (count, width): summed pair by pair in order, then column by column (eq. 7). */
void rpp_row_dots(const rpp_row_layout *layout, const double *q, const double *keys, int64_t count, double *dots);

#endif
