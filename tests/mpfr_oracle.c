#include "mpfr_oracle.h"

#include <math.h>

const oracle_scaling oracle_scalings[] = {
    {"none", {.kind = RPP_SCALING_NONE}},
    {"linear 8", {.kind = RPP_SCALING_LINEAR, .factor = 8}},
    {"linear 3.7", {.kind = RPP_SCALING_LINEAR, .factor = 3.7}},
    {"ntk 4", {.kind = RPP_SCALING_NTK, .factor = 4}},
    {"ntk 2.3", {.kind = RPP_SCALING_NTK, .factor = 2.3}},
    {"ntk-aware 4", {.kind = RPP_SCALING_NTK_AWARE, .factor = 4}},
    {"ntk-aware 17.1", {.kind = RPP_SCALING_NTK_AWARE, .factor = 17.1}},
    {"yarn 32, 4096", {.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096}},
    {"yarn 1, 2048", {.kind = RPP_SCALING_YARN, .factor = 1, .orig = 2048}},
    {"yarn 4.5, 32768", {.kind = RPP_SCALING_YARN, .factor = 4.5, .orig = 32768}},
    {"yarn 16, 1", {.kind = RPP_SCALING_YARN, .factor = 16, .orig = 1}},
    {"yarn-hf 32, 4096", {.kind = RPP_SCALING_YARN_HF, .factor = 32, .orig = 4096}},
    {"yarn-hf 1, 2048", {.kind = RPP_SCALING_YARN_HF, .factor = 1, .orig = 2048}},
    {"yarn-hf 4.5, 32768", {.kind = RPP_SCALING_YARN_HF, .factor = 4.5, .orig = 32768}},
    {"yarn-hf 16, 1", {.kind = RPP_SCALING_YARN_HF, .factor = 16, .orig = 1}},     /* the ramp's ends cross */
    {"yarn-hf 16, 6.1", {.kind = RPP_SCALING_YARN_HF, .factor = 16, .orig = 6.1}}, /* and meet at 0 */
    {"llama3 8, 1 .. 4, 8192", {.kind = RPP_SCALING_LLAMA3, .factor = 8, .orig = 8192, .low = 1, .high = 4}},
    {"llama3 32, 1 .. 4, 8192", {.kind = RPP_SCALING_LLAMA3, .factor = 32, .orig = 8192, .low = 1, .high = 4}},
    {"llama3 2.5, 0.3 .. 7.7, 1000", {.kind = RPP_SCALING_LLAMA3, .factor = 2.5, .orig = 1000, .low = 0.3, .high = 7.7}},
};
const int oracle_scaling_count = sizeof oracle_scalings / sizeof *oracle_scalings;

rpp_rotary oracle_rotary(int64_t rotary_dim, double base, rpp_scaling scaling) {
  return (rpp_rotary){
      .pairing = RPP_PAIRING_HALF, .rotary_dim = rotary_dim, .base = base, .scaling = scaling, .table_dtype = RPP_F64};
}

/* base^(-2n / W), the exponent formed without rounding before the power. */
static void plain_theta(mpfr_t theta, const mpfr_t base, int64_t width, int64_t n) {
  mpfr_log(theta, base, MPFR_RNDN);
  mpfr_mul_si(theta, theta, -2 * (long)n, MPFR_RNDN);
  mpfr_div_si(theta, theta, (long)width, MPFR_RNDN);
  mpfr_exp(theta, theta, MPFR_RNDN);
}

/* The base after the two scalings that act on it. */
static void scaled_base(mpfr_t base, const rpp_rotary *rotary) {
  const rpp_scaling *scaling = &rotary->scaling;
  mpfr_set_d(base, rotary->base, MPFR_RNDN);
  if (scaling->kind == RPP_SCALING_NTK) mpfr_mul_d(base, base, scaling->factor, MPFR_RNDN);
  if (scaling->kind == RPP_SCALING_NTK_AWARE) {
    mpfr_t power;
    mpfr_init2(power, ORACLE_BITS);
    mpfr_set_d(power, scaling->factor, MPFR_RNDN);
    mpfr_log(power, power, MPFR_RNDN);
    mpfr_mul_si(power, power, (long)rotary->rotary_dim, MPFR_RNDN);
    mpfr_div_si(power, power, (long)rotary->rotary_dim - 2, MPFR_RNDN);
    mpfr_exp(power, power, MPFR_RNDN);
    mpfr_mul(base, base, power, MPFR_RNDN);
    mpfr_clear(power);
  }
}

static void two_pi(mpfr_t x) {
  mpfr_const_pi(x, MPFR_RNDN);
  mpfr_mul_2ui(x, x, 1, MPFR_RNDN);
}

static void clip(mpfr_t x) {
  if (mpfr_sgn(x) < 0) mpfr_set_ui(x, 0, MPFR_RNDN);
  if (mpfr_cmp_ui(x, 1) > 0) mpfr_set_ui(x, 1, MPFR_RNDN);
}

/* The dimension index at which a pair turns `turns` times over the original context. */
static void correction_dim(mpfr_t x, const rpp_rotary *rotary, unsigned turns) {
  mpfr_t log_base;
  mpfr_init2(log_base, ORACLE_BITS);
  two_pi(x);
  mpfr_mul_ui(x, x, turns, MPFR_RNDN);
  mpfr_d_div(x, rotary->scaling.orig, x, MPFR_RNDN);
  mpfr_log(x, x, MPFR_RNDN);
  mpfr_mul_si(x, x, (long)rotary->rotary_dim, MPFR_RNDN);
  mpfr_set_d(log_base, rotary->base, MPFR_RNDN);
  mpfr_log(log_base, log_base, MPFR_RNDN);
  mpfr_div(x, x, log_base, MPFR_RNDN);
  mpfr_div_2ui(x, x, 1, MPFR_RNDN);
  mpfr_clear(log_base);
}

/* The ends of Hugging Face's ramp; 0.001 apart where they would meet, as the float64 that Python's max += 0.001 gives. */
static void correction_range(double *low, double *high, const rpp_rotary *rotary) {
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  correction_dim(x, rotary, 32);
  mpfr_floor(x, x);
  *low = fmax(mpfr_get_d(x, MPFR_RNDN), 0);
  correction_dim(x, rotary, 1);
  mpfr_ceil(x, x);
  *high = fmin(mpfr_get_d(x, MPFR_RNDN), (double)(rotary->rotary_dim - 1));
  mpfr_clear(x);
  if (*low == *high) *high += 0.001;
}

/* How much of theta is kept, 0 .. 1; the rest is theta / factor. */
static void kept_share(mpfr_t share, const rpp_rotary *rotary, const mpfr_t theta, int64_t n) {
  const rpp_scaling *scaling = &rotary->scaling;
  mpfr_t turn;
  mpfr_init2(turn, ORACLE_BITS);
  two_pi(turn);
  if (scaling->kind == RPP_SCALING_YARN_HF) {
    double low, high;
    correction_range(&low, &high, rotary);
    mpfr_set_d(share, high, MPFR_RNDN);
    mpfr_sub_d(share, share, low, MPFR_RNDN);
    mpfr_set_d(turn, low, MPFR_RNDN);
    mpfr_si_sub(turn, (long)n, turn, MPFR_RNDN);
    mpfr_div(share, turn, share, MPFR_RNDN); /* the ramp, which counts the other way */
    clip(share);
    mpfr_ui_sub(share, 1, share, MPFR_RNDN);
  } else { /* both ramp over the turns that the pair makes in the original context */
    const double first = scaling->kind == RPP_SCALING_YARN ? 1 : scaling->low,
                 last = scaling->kind == RPP_SCALING_YARN ? 32 : scaling->high;
    mpfr_mul_d(share, theta, scaling->orig, MPFR_RNDN);
    mpfr_div(share, share, turn, MPFR_RNDN);
    mpfr_sub_d(share, share, first, MPFR_RNDN);
    mpfr_set_d(turn, last, MPFR_RNDN);
    mpfr_sub_d(turn, turn, first, MPFR_RNDN);
    mpfr_div(share, share, turn, MPFR_RNDN);
    clip(share);
  }
  mpfr_clear(turn);
}

void oracle_theta(mpfr_t theta, const rpp_rotary *rotary, int64_t n) {
  const rpp_scaling_kind kind = rotary->scaling.kind;
  mpfr_t base, share;
  mpfr_inits2(ORACLE_BITS, base, share, (mpfr_ptr)0);
  scaled_base(base, rotary);
  plain_theta(theta, base, rotary->rotary_dim, n);
  if (kind == RPP_SCALING_LINEAR) mpfr_div_d(theta, theta, rotary->scaling.factor, MPFR_RNDN);
  if (kind == RPP_SCALING_YARN || kind == RPP_SCALING_YARN_HF || kind == RPP_SCALING_LLAMA3) {
    kept_share(share, rotary, theta, n);
    mpfr_mul(base, theta, share, MPFR_RNDN);
    mpfr_ui_sub(share, 1, share, MPFR_RNDN);
    mpfr_mul(theta, theta, share, MPFR_RNDN);
    mpfr_div_d(theta, theta, rotary->scaling.factor, MPFR_RNDN);
    mpfr_add(theta, theta, base, MPFR_RNDN);
  }
  mpfr_clears(base, share, (mpfr_ptr)0);
}

void oracle_magnitude(mpfr_t magnitude, const rpp_rotary *rotary) {
  mpfr_set_ui(magnitude, 1, MPFR_RNDN);
  if (rotary->scaling.kind != RPP_SCALING_YARN && rotary->scaling.kind != RPP_SCALING_YARN_HF) return;
  mpfr_set_d(magnitude, rotary->scaling.factor, MPFR_RNDN);
  mpfr_log(magnitude, magnitude, MPFR_RNDN);
  mpfr_div_ui(magnitude, magnitude, 10, MPFR_RNDN);
  mpfr_add_ui(magnitude, magnitude, 1, MPFR_RNDN);
}

void oracle_cos_sin(mpfr_t cosine, mpfr_t sine, const mpfr_t theta, const mpfr_t magnitude, int64_t position) {
  mpfr_mul_si(cosine, theta, (long)position, MPFR_RNDN);
  mpfr_sin_cos(sine, cosine, cosine, MPFR_RNDN);
  mpfr_mul(cosine, cosine, magnitude, MPFR_RNDN);
  mpfr_mul(sine, sine, magnitude, MPFR_RNDN);
}

void oracle_rotate(mpfr_t y_a, mpfr_t y_b, rpp_part part, double a, double b, const mpfr_t c, const mpfr_t s) {
  const double first = part == RPP_PART_IMAG ? b : a, second = part == RPP_PART_IMAG ? -a : b;
  mpfr_t product;
  mpfr_init2(product, ORACLE_BITS);
  mpfr_mul_d(y_a, c, first, MPFR_RNDN);
  mpfr_mul_d(product, s, second, MPFR_RNDN);
  mpfr_sub(y_a, y_a, product, MPFR_RNDN);
  mpfr_mul_d(y_b, c, second, MPFR_RNDN);
  mpfr_mul_d(product, s, first, MPFR_RNDN);
  mpfr_add(y_b, y_b, product, MPFR_RNDN);
  mpfr_clear(product);
}

double oracle_error(double hi, double lo, const mpfr_t x) {
  mpfr_t difference;
  mpfr_init2(difference, ORACLE_BITS);
  mpfr_set_d(difference, hi, MPFR_RNDN);
  mpfr_add_d(difference, difference, lo, MPFR_RNDN);
  mpfr_sub(difference, difference, x, MPFR_RNDN);
  const double error = mpfr_get_d(difference, MPFR_RNDN);
  mpfr_clear(difference);
  return error;
}

double oracle_relative_error(double hi, double lo, const mpfr_t x) {
  return oracle_error(hi, lo, x) / mpfr_get_d(x, MPFR_RNDN);
}

/* Fraction bits, and the exponent of the lowest bit of a subnormal. */
static int fraction_bits(rpp_dtype dtype) {
  return dtype == RPP_F64 ? 52 : dtype == RPP_F32 ? 23 : dtype == RPP_F16 ? 10 : 7;
}
static int lowest_exponent(rpp_dtype dtype) {
  return dtype == RPP_F64 ? -1074 : dtype == RPP_F32 ? -149 : dtype == RPP_F16 ? -24 : -133;
}

double oracle_round(rpp_dtype dtype, const mpfr_t x) {
  if (mpfr_zero_p(x) || !mpfr_number_p(x)) return mpfr_get_d(x, MPFR_RNDN);
  const int own = (int)mpfr_get_exp(x) - 1 - fraction_bits(dtype), lowest = lowest_exponent(dtype),
            grid = own > lowest ? own : lowest;
  mpfr_t units;
  mpfr_init2(units, ORACLE_BITS);
  mpfr_mul_2si(units, x, -grid, MPFR_RNDN);
  mpfr_roundeven(units, units);
  mpfr_mul_2si(units, units, grid, MPFR_RNDN);
  const double rounded = mpfr_get_d(units, MPFR_RNDN);
  mpfr_clear(units);
  return rounded;
}

double oracle_spacing(rpp_dtype dtype, double x) {
  const int lowest = lowest_exponent(dtype), own = x == 0 ? lowest : ilogb(x) - fraction_bits(dtype);
  return ldexp(1, own > lowest ? own : lowest);
}
