#include "sincos.h"

#include <math.h>

/* The nearest integer, for |x| < 2^51. */
static inline double nearest(double x) {
  return (x + 0x1.8p52) - 0x1.8p52;
}

/* Taylor series on [-pi/4, pi/4], whose first dropped terms are below 2^-61 (sine, relative) and 2^-58 (cosine). */
static inline void kernel(double r, double tail, double *sine, double *cosine) {
  const double z = r * r;
  double s = 1.0 / 355687428096000.0;
  s = s * z - 1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  *sine = r + (r * z * s + tail * (1 - 0.5 * z));
  double c = 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  /* 1 - z/2 is rounded; what it lost goes back in with the rest. */
  const double half = 0.5 * z, most = 1 - half;
  *cosine = most + (((1 - most) - half) + (z * z * c - r * tail));
}

/* From the sine and cosine after k quarter turns were taken away. */
static inline void turn_back(double k, double s, double c, double *sine, double *cosine) {
  const double quarter = k - 4 * nearest(0.25 * k); /* -2 .. 2 */
  const int odd = quarter == 1 || quarter == -1;
  const double a = odd ? c : s, b = odd ? s : c;
  *sine = quarter == 2 || quarter == -2 || quarter == -1 ? -a : a;
  *cosine = quarter == 2 || quarter == -2 || quarter == 1 ? -b : b;
}

/* hi + lo turns less their nearest multiple of a quarter, whose number (modulo 4) is *k. */
static inline rpp_dd reduce(double hi, double lo, double *k) {
  const rpp_dd fraction = rpp_dd_two_sum(hi - nearest(hi), lo);
  *k = nearest(4 * fraction.hi);
  return rpp_dd_two_sum(fraction.hi - 0.25 * *k, fraction.lo);
}

void rpp_sincos_turns(long count, double t, const rpp_dd *turns, double *cosine, double *sine) {
  for (long n = 0; n < count; n++) {
    const rpp_dd product = rpp_dd_two_product(t, turns[n].hi);
    double k, s, c;
    const rpp_dd rest = reduce(product.hi, product.lo + t * turns[n].lo, &k);
    const rpp_dd r = rpp_dd_multiply(rest, RPP_DD_TWO_PI);
    kernel(r.hi, r.lo, &s, &c);
    turn_back(k, s, c, &sine[n], &cosine[n]);
  }
}

/* v rounded to float32 when every value within its error rounds alike. */
static int rounds_safely(double v, float *rounded) {
  const float below = (float)(v * (1 - 0x1p-48)), above = (float)(v * (1 + 0x1p-48));
  *rounded = below;
  return below == above;
}

void rpp_sincos_f32(float x, float *cosine, float *sine) {
  if (x == 0) { /* its sign stays */
    *cosine = 1, *sine = x;
    return;
  }
  const rpp_dd product = rpp_dd_two_product((double)x, RPP_DD_TURNS.hi), middle = rpp_dd_two_product((double)x, RPP_DD_TURNS.lo);
  double k, s, c, sd, cd;
  rpp_dd rest = reduce(product.hi, product.lo, &k);
  rest = rpp_dd_add(rest, middle);
  rest = rpp_dd_add_double(rest, (double)x * RPP_DD_TURNS_REST);
  const rpp_dd r = rpp_dd_multiply(rest, RPP_DD_TWO_PI);
  kernel(r.hi, r.lo, &s, &c);
  turn_back(k, s, c, &sd, &cd);
  if (rounds_safely(sd, sine) & rounds_safely(cd, cosine)) return;
  rpp_dd exact_s, exact_c;
  rpp_dd_sincos(r, &exact_s, &exact_c);
  /* Rounding to nearest even is symmetric, so the quarter turns may follow it. */
  turn_back(k, (double)rpp_dd_to_f32(exact_s), (double)rpp_dd_to_f32(exact_c), &sd, &cd);
  *sine = (float)sd, *cosine = (float)cd;
}
