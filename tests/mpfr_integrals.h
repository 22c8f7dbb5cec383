/* mpfr_integrals.h: sine and cosine integrals at 640 bits, which MPFR has not: by their power series, and past 200 by their asymptotic
 * one, whose smallest term there is below 1e-86. */
#ifndef MPFR_INTEGRALS_H
#define MPFR_INTEGRALS_H
#include <mpfr.h>

#define INTEGRALS_BITS 640

/* x > 0; the results have INTEGRALS_BITS. */
void oracle_integrals(mpfr_t ci, mpfr_t si, const mpfr_t x);

/* value - [Ci(t) - Ci(t / base)] / ln base, or with Si. */
double oracle_closed_form_error(double value, int of_im, double base, double t);

#endif
