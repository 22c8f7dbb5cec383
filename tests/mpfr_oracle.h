/* mpfr_oracle.h: frequencies, magnitudes and angles at 300 bits, from the formulas of notes/math.md (eq. 1, 2, 4, 5) and nothing of
 * ref/ but its header's types; and Hugging Face's float32 chain, each step a correctly rounded MPFR operation of 24 bits. */
#ifndef MPFR_ORACLE_H
#define MPFR_ORACLE_H
#include <stdint.h>
#include <mpfr.h>
#include "ropepp.h"

#define ORACLE_BITS 300

/* Scalings of every kind, with usual and unusual parameters; the first of each kind is the usual one. */
typedef struct {
  const char *name;
  rpp_scaling scaling;
} oracle_scaling;
extern const oracle_scaling oracle_scalings[];
extern const int oracle_scaling_count;

/* A rotary with exact angles, unrounded tables, half pairing and this scaling. */
rpp_rotary oracle_rotary(int64_t rotary_dim, double base, rpp_scaling scaling);

/* theta_n of the base and scaling, and the magnitude that multiplies cos and sin. */
void oracle_theta(mpfr_t theta, const rpp_rotary *rotary, int64_t n);
void oracle_magnitude(mpfr_t magnitude, const rpp_rotary *rotary);

/* m cos(position theta_n) and m sin(position theta_n), theta and m as the two above gave them. */
void oracle_cos_sin(mpfr_t cosine, mpfr_t sine, const mpfr_t theta, const mpfr_t magnitude, int64_t position);

/* (y_a, y_b) = R_phi (a, b), or R_phi (b, -a) for the imaginary part, with c = m cos phi and s = m sin phi. */
void oracle_rotate(mpfr_t y_a, mpfr_t y_b, rpp_part part, double a, double b, const mpfr_t c, const mpfr_t s);

/* hi + lo - x, and that over x: float64 is enough for a difference, which is formed at full precision. */
double oracle_error(double hi, double lo, const mpfr_t x);
double oracle_relative_error(double hi, double lo, const mpfr_t x);

/* x rounded once to the nearest value of a floating dtype, ties to even; the distance between its neighbours there. */
double oracle_round(rpp_dtype dtype, const mpfr_t x);
double oracle_spacing(rpp_dtype dtype, double x);

/* Hugging Face's chain: inv_freq[n], n < W / 2; the magnitude; then the angle position * inv_freq, its cosine and sine, and both times
 * the magnitude, all in float32. */
void oracle_hf_frequencies(float *inv_freq, const rpp_rotary *rotary);
float oracle_hf_magnitude(const rpp_rotary *rotary);
void oracle_hf_cos_sin(float *cosine, float *sine, float inv_freq, float magnitude, int64_t position);

#endif
