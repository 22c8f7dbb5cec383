/* float_row.h: one head's row of a token in float32, in the fast kernel's layout: the first column of each pair, pair by pair, then the
 * second ones, then the columns past the rotary width. Rotation so runs over three straight arrays, and both pairings give the same
 * bits. (row.h is the truth's, and has code of its own.) */
#ifndef RPP_FLOAT_ROW_H
#define RPP_FLOAT_ROW_H
#include "row.h"

/* Of a (B, L, heads, D) tensor: a row's columns lie side by side, in one of the fast kernel's storage types. */
bool rpp_float_row_is_straight(const rpp_tensor *t);

/* Row (b, l, h, :) of a (B, L, heads, D) tensor; loading is exact from F32, F16 and BF16, storing rounds once. */
void rpp_float_row_load(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, float *row);
void rpp_float_row_store(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const float *row);

/* Each pair times R_phi, in float32, every operation rounded (eq. 2). */
void rpp_float_row_rotate(const rpp_row_layout *layout, const float *cosine, const float *sine, float *row);

/* to = each pair of from times R(-pi/2), exactly (eq. 3). Rotations commute, so it may follow R_phi as well as come before it. */
void rpp_float_row_quarter_turn(const rpp_row_layout *layout, const float *from, float *to);

/* A row as it lies, column by column, without that layout's order: each pair times R_phi, and for imag, where it is not null, times
 * R(-pi/2) as well. The numbers are those of the functions above. */
void rpp_float_row_load_rotated(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h,
                                const float *cosine, const float *sine, float *real, float *imag);

#endif
