/* frequencies.h: what the two angle models share of the scalings. */
#ifndef RPP_FREQUENCIES_H
#define RPP_FREQUENCIES_H
#include "dd.h"
#include "ropepp.h"

/* The base after ntk and ntk-aware scaling; the base itself otherwise (eq. 4b, 4c). */
rpp_dd rpp_scaled_base(const rpp_rotary *rotary);

/* First and last dimension index of yarn-hf's ramp: floor and ceil of the correction dimensions, kept in 0 .. W - 1 (eq. 4e). */
void rpp_yarn_hf_range(const rpp_rotary *rotary, double *low, double *high);

/* m = 0.1 ln factor + 1 for yarn and yarn-hf, else 1; 1 when tables are given. */
double rpp_magnitude(const rpp_rotary *rotary);

/* theta_n, n < W / 2, of a checked rotary without cos and sin tables, under its angle model. */
rpp_status rpp_thetas(const rpp_rotary *rotary, rpp_dd *theta);

#endif
