/* float_deviation.h: how far a float32 attention is from the truth, in units of what float32 may cost. */
#ifndef FLOAT_DEVIATION_H
#define FLOAT_DEVIATION_H
#include "attention_problem.h"

typedef struct {
  double out, lse; /* the largest error past its store's half step, over the allowance: right up to 1; NaN where only one is NaN */
} float_deviation;

/* The outputs of p against rpp_attention_forward for this attention, p's own or, as a control, a spoiled one.
 *
 * One score is off by at most eta = u (x (D + 16) + 2 x + 8), x = scale m^2 |q| |k| of the longest rows, u = 2^-24: rotation (5 u each of q
 * and k, from table, products and sum), a dot product of D terms in any order, the scale, the subtraction, the exponential. A weight is then
 * off by that much, relatively, and so are the sum of weights and its quotient: out by (2 eta + 2 (keys + 8) u) sum p |v|, lse by
 * eta + (keys + 8) u (1 + |lse|). */
float_deviation float_deviation_of(const problem *p, const rpp_attention *attention);

#endif
