/* closed_form.h: the characteristic curves of infinitely many pairs: the sum over pairs becomes an integral over the logarithm of the
 * frequency, from 1 down to 1 / base (the paper's equations 5 and 7 with the factor 1 / ln base that they lack; notes/errata.md). */
#ifndef RPP_CLOSED_FORM_H
#define RPP_CLOSED_FORM_H
#include "ropepp.h"

/* re = [Ci(t) - Ci(t / base)] / ln base, im = [Si(t) - Si(t / base)] / ln base; 1 and 0 at t = 0. t finite, >= 0, in radians of the
 * fastest pair; base finite, > 1. Within 1e-13, and past t = base within 1e-7 of the envelope base / (t ln base), up to t = 1e12. NaN for
 * other arguments. */
void rpp_closed_form(double base, double t, double *re, double *im);

/* The base and the stretch of t under which a rotary's frequencies run from 1 to 1 / base: none, linear, ntk and ntk-aware scaling.
 * False for the others, which have no closed form. */
bool rpp_closed_form_of(const rpp_rotary *rotary, double *base, double *stretch);

/* Where im is largest, base pi / (base + 1), and what it tends to while 1 << t << base, pi / (2 ln base). */
double rpp_closed_form_peak(double base);
double rpp_closed_form_plateau(double base);

/* The root of re (or of im) between low and high, where it is positive and negative, to a relative 1e-12; of t as above. NaN when the
 * signs there are not as they should be. */
double rpp_closed_form_root(double base, bool of_im, double low, double high);

#endif
