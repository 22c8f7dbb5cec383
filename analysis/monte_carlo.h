/* monte_carlo.h: the curves estimated by drawing queries and keys: E[q'R(q + e)] - E[q'Rk] = 2 sum cos for independent standard normal q, k
 * and e (the paper's Appendix B; eq. 17 and 18 of notes/math.md), and 2 sum sin for the imaginary head. */
#ifndef RPP_MONTE_CARLO_H
#define RPP_MONTE_CARLO_H
#include <stdint.h>

#include "program/message.h"
#include "ropepp.h"

typedef struct rpp_monte_carlo rpp_monte_carlo;

/* Draws samples of (q, e, k) over the rotated columns. One draw's estimate at t is a linear form of cos(t theta_n) and sin(t theta_n), so
 * their mean and covariance are all that is kept, and any t is then exact for this sample. samples >= 2. Null, with a message. */
rpp_monte_carlo *rpp_monte_carlo_draw(const rpp_rotary *rotary, int64_t samples, uint64_t seed, rpp_message *error);

typedef struct {
  double mean, half_width; /* of the 95 % confidence interval: 1.96 standard errors */
} rpp_estimate;

/* The estimates of c_re and c_im from the cosines and sines of t, pairs of each. */
void rpp_monte_carlo_at(const rpp_monte_carlo *drawn, const double *cosine, const double *sine, rpp_estimate *re, rpp_estimate *im);

void rpp_monte_carlo_free(rpp_monte_carlo *drawn);

#endif
