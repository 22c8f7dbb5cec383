/* curves.h: the characteristic curves, the mean over the rotated pairs of cos(t theta_n) and sin(t theta_n) (notes/math.md eq. 18). A
 * query against a like key scores in proportion to c_re at distance t, its imaginary head to c_im. yarn's magnitude is left out: scores
 * carry its square besides. */
#ifndef RPP_CURVES_H
#define RPP_CURVES_H
#include "ropepp.h"

/* Distances up to which cosines are right to 1e-15 (rpp_angles). */
#define RPP_CURVES_FARTHEST 1000000000

/* cos and sin of t theta_n, (count, pairs) each, without the magnitude. t: 0 .. RPP_CURVES_FARTHEST. Errors: those of rpp_angles. */
rpp_status rpp_curves_angles(const rpp_rotary *rotary, int64_t count, const int64_t *t, double *cosine, double *sine);

/* re[i], im[i]: the curves at t = first + i, i < count, within 1e-14. One thread: a matrix product of cosines and sines around centres,
 * and of those of the steps away from them. first >= 0, first + count - 1 at most RPP_CURVES_FARTHEST. Errors: those of rpp_angles. */
rpp_status rpp_curves_range(const rpp_rotary *rotary, int64_t first, int64_t count, double *re, double *im);

/* The same at count distances of any order, each 0 .. RPP_CURVES_FARTHEST, straight from their cosines. Errors: those of rpp_angles. */
rpp_status rpp_curves_at(const rpp_rotary *rotary, int64_t count, const int64_t *t, double *re, double *im);

#endif
