/* float_angles.h: cosines and sines in float32 for the fast kernel, many positions at a time. */
#ifndef RPP_FLOAT_ANGLES_H
#define RPP_FLOAT_ANGLES_H
#include "angles.h"

/* Positions between two that are computed afresh. */
enum { RPP_ANGLE_RESYNC = 64 };

/* rpp_angle_row rounded to float32, for positions first .. first + count - 1 of sequence b: cosine, sine (count, pairs). Where a position
 * follows the one before it, exact angles are turned on by one step in float64, at most RPP_ANGLE_RESYNC - 1 times in a row, counted from
 * first: within 2e-14 of rpp_angle_row's before rounding. scratch: 4 pairs. */
void rpp_float_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count,
                          double *scratch, float *cosine, float *sine);

#endif
