/* sincos.h: cosine and sine of an angle given in turns, without a libm, so that the truth's bits do not depend on one. */
#ifndef RPP_SINCOS_H
#define RPP_SINCOS_H
#include "dd.h"

/* Largest |t turns| that can be reduced: past it a float64 holds no fraction of a quarter turn. */
#define RPP_MAX_TURNS 0x1p51

/* cosine[n], sine[n] = cos and sin of 2 pi t turns[n], n < count, within 2^-52 of the exact value while |t turns[n]| <= 2^40.
 * t is an integer, |t| <= 2^53, |t turns[n]| < RPP_MAX_TURNS. */
void rpp_sincos_turns(long count, double t, const rpp_dd *turns, double *cosine, double *sine);

/* Correctly rounded float32 cosine and sine of a float32 in radians, |x| <= 2^40. */
void rpp_sincos_f32(float x, float *cosine, float *sine);

#endif
