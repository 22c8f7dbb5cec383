/* The float32 half of mpfr_oracle.h. Variables of 24 bits make every MPFR operation a correctly rounded float32 operation (no value
 * here comes near float32's exponent range). The order of steps is that of transformers' modeling_rope_utils.py; a Python number
 * divided by a tensor is, in PyTorch, the tensor's reciprocal times the number; a Python number meets a tensor as a float32. */
#include "mpfr_oracle.h"

#include <math.h>

enum { FLOAT_BITS = 24 };

static double python_two_pi(void) {
  return 2 * 0x1.921fb54442d18p+1;
}

/* x in place: number / x as PyTorch does it. */
static void divide_number(mpfr_t x, double number) {
  mpfr_ui_div(x, 1, x, MPFR_RNDN);
  mpfr_mul_d(x, x, (double)(float)number, MPFR_RNDN);
}

static void clamp(mpfr_t x) {
  if (mpfr_sgn(x) < 0) mpfr_set_ui(x, 0, MPFR_RNDN);
  if (mpfr_cmp_ui(x, 1) > 0) mpfr_set_ui(x, 1, MPFR_RNDN);
}

/* Python's float64: base * factor, or base * factor ** (W / (W - 2)). */
static double python_base(const rpp_rotary *rotary) {
  const double width = (double)rotary->rotary_dim, factor = rotary->scaling.factor;
  double base = rotary->base;
  if (rotary->scaling.kind == RPP_SCALING_NTK) base *= factor;
  if (rotary->scaling.kind == RPP_SCALING_NTK_AWARE) {
    mpfr_t power;
    mpfr_init2(power, 53);
    mpfr_set_d(power, factor, MPFR_RNDN);
    mpfr_t exponent;
    mpfr_init2(exponent, 53);
    mpfr_set_d(exponent, width / (width - 2), MPFR_RNDN);
    mpfr_pow(power, power, exponent, MPFR_RNDN);
    base *= mpfr_get_d(power, MPFR_RNDN);
    mpfr_clears(power, exponent, (mpfr_ptr)0);
  }
  return base;
}

/* find_correction_dim. At 53 bits, as Python: its floor or ceil differs from the exact one only next to an integer. */
static double correction_dim(const rpp_rotary *rotary, double rotations) {
  const double turns = rotary->scaling.orig / (rotations * 2 * (python_two_pi() / 2));
  mpfr_t a, b;
  mpfr_inits2(53, a, b, (mpfr_ptr)0);
  mpfr_set_d(a, turns, MPFR_RNDN);
  mpfr_log(a, a, MPFR_RNDN);
  mpfr_set_d(b, rotary->base, MPFR_RNDN);
  mpfr_log(b, b, MPFR_RNDN);
  const double dim = ((double)rotary->rotary_dim * mpfr_get_d(a, MPFR_RNDN)) / (2 * mpfr_get_d(b, MPFR_RNDN));
  mpfr_clears(a, b, (mpfr_ptr)0);
  return dim;
}

/* _compute_yarn_parameters; p holds base ** exponent on entry, the frequency on return. */
static void yarn_hf(mpfr_t p, const rpp_rotary *rotary, int64_t n) {
  const double low = fmax(floor(correction_dim(rotary, 32)), 0);
  double high = fmin(ceil(correction_dim(rotary, 1)), (double)(rotary->rotary_dim - 1));
  if (low == high) high += 0.001;
  mpfr_t slow, ramp, keep;
  mpfr_inits2(FLOAT_BITS, slow, ramp, keep, (mpfr_ptr)0);
  mpfr_mul_d(slow, p, (double)(float)rotary->scaling.factor, MPFR_RNDN);
  mpfr_ui_div(slow, 1, slow, MPFR_RNDN);
  mpfr_ui_div(p, 1, p, MPFR_RNDN);
  mpfr_set_si(ramp, (long)n, MPFR_RNDN);
  mpfr_sub_d(ramp, ramp, low, MPFR_RNDN);
  mpfr_div_d(ramp, ramp, (double)(float)(high - low), MPFR_RNDN);
  clamp(ramp);
  mpfr_ui_sub(keep, 1, ramp, MPFR_RNDN);
  mpfr_ui_sub(ramp, 1, keep, MPFR_RNDN);
  mpfr_mul(slow, slow, ramp, MPFR_RNDN);
  mpfr_mul(p, p, keep, MPFR_RNDN);
  mpfr_add(p, slow, p, MPFR_RNDN);
  mpfr_clears(slow, ramp, keep, (mpfr_ptr)0);
}

/* (1 - share) * f / factor + share * f: left to right, as both sources write it. */
static void blend(mpfr_t f, mpfr_t share, double factor) {
  mpfr_t slow;
  mpfr_init2(slow, FLOAT_BITS);
  mpfr_ui_sub(slow, 1, share, MPFR_RNDN);
  mpfr_mul(slow, slow, f, MPFR_RNDN);
  mpfr_div_d(slow, slow, (double)(float)factor, MPFR_RNDN);
  mpfr_mul(f, share, f, MPFR_RNDN);
  mpfr_add(f, slow, f, MPFR_RNDN);
  mpfr_clear(slow);
}

/* _compute_llama3_parameters. */
static void llama3(mpfr_t f, const rpp_scaling *scaling) {
  mpfr_t wavelength;
  mpfr_init2(wavelength, FLOAT_BITS);
  mpfr_set(wavelength, f, MPFR_RNDN);
  divide_number(wavelength, python_two_pi());
  const bool longer = mpfr_cmp_d(wavelength, (double)(float)(scaling->orig / scaling->low)) > 0;
  const bool shorter = mpfr_cmp_d(wavelength, (double)(float)(scaling->orig / scaling->high)) < 0;
  if (longer) {
    mpfr_div_d(f, f, (double)(float)scaling->factor, MPFR_RNDN);
  } else if (!shorter) {
    divide_number(wavelength, scaling->orig);
    mpfr_sub_d(wavelength, wavelength, (double)(float)scaling->low, MPFR_RNDN);
    mpfr_div_d(wavelength, wavelength, (double)(float)(scaling->high - scaling->low), MPFR_RNDN);
    blend(f, wavelength, scaling->factor);
  }
  mpfr_clear(wavelength);
}

/* The RoPE++ authors' YaRN: r = orig f / (2 pi), share = (r - 1) / 31 clipped. */
static void yarn(mpfr_t f, const rpp_scaling *scaling) {
  mpfr_t share;
  mpfr_init2(share, FLOAT_BITS);
  mpfr_mul_d(share, f, (double)(float)scaling->orig, MPFR_RNDN);
  mpfr_div_d(share, share, (double)(float)python_two_pi(), MPFR_RNDN);
  mpfr_sub_ui(share, share, 1, MPFR_RNDN);
  mpfr_div_ui(share, share, 31, MPFR_RNDN);
  clamp(share);
  blend(f, share, scaling->factor);
  mpfr_clear(share);
}

void oracle_hf_frequencies(float *inv_freq, const rpp_rotary *rotary) {
  const rpp_scaling *scaling = &rotary->scaling;
  mpfr_t base, f;
  mpfr_inits2(FLOAT_BITS, base, f, (mpfr_ptr)0);
  mpfr_set_d(base, python_base(rotary), MPFR_RNDN);
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    mpfr_set_si(f, 2 * (long)n, MPFR_RNDN);
    mpfr_div_si(f, f, (long)rotary->rotary_dim, MPFR_RNDN);
    mpfr_pow(f, base, f, MPFR_RNDN);
    if (scaling->kind == RPP_SCALING_YARN_HF)
      yarn_hf(f, rotary, n);
    else
      mpfr_ui_div(f, 1, f, MPFR_RNDN);
    if (scaling->kind == RPP_SCALING_LINEAR) mpfr_div_d(f, f, (double)(float)scaling->factor, MPFR_RNDN);
    if (scaling->kind == RPP_SCALING_LLAMA3) llama3(f, scaling);
    if (scaling->kind == RPP_SCALING_YARN) yarn(f, scaling);
    inv_freq[n] = mpfr_get_flt(f, MPFR_RNDN);
  }
  mpfr_clears(base, f, (mpfr_ptr)0);
}

float oracle_hf_magnitude(const rpp_rotary *rotary) {
  if (rotary->scaling.kind != RPP_SCALING_YARN && rotary->scaling.kind != RPP_SCALING_YARN_HF) return 1;
  mpfr_t x;
  mpfr_init2(x, 53);
  mpfr_set_d(x, rotary->scaling.factor, MPFR_RNDN);
  mpfr_log(x, x, MPFR_RNDN);
  const double magnitude = 0.1 * mpfr_get_d(x, MPFR_RNDN) + 1.0; /* Python's float64 */
  mpfr_clear(x);
  return (float)magnitude;
}

void oracle_hf_cos_sin(float *cosine, float *sine, float inv_freq, float magnitude, int64_t position) {
  mpfr_t angle, c, s;
  mpfr_inits2(FLOAT_BITS, angle, c, s, (mpfr_ptr)0);
  mpfr_set_d(angle, (double)inv_freq, MPFR_RNDN);
  mpfr_mul_si(angle, angle, (long)position, MPFR_RNDN);
  mpfr_sin_cos(s, c, angle, MPFR_RNDN);
  mpfr_mul_d(c, c, (double)magnitude, MPFR_RNDN);
  mpfr_mul_d(s, s, (double)magnitude, MPFR_RNDN);
  *cosine = mpfr_get_flt(c, MPFR_RNDN);
  *sine = mpfr_get_flt(s, MPFR_RNDN);
  mpfr_clears(angle, c, s, (mpfr_ptr)0);
}
