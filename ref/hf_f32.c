#include "hf_f32.h"

#include "frequencies.h"

/* x^y of float32 values, correctly rounded: double-double leaves 2^-100, and no float32 power with 0 <= y < 1 is a tie. */
static float power(float x, float y) {
  return rpp_dd_to_f32(rpp_dd_pow((rpp_dd){(double)x, 0}, (rpp_dd){(double)y, 0}));
}

static float clamp(float x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* In PyTorch a number divided by a tensor is the number times the tensor's reciprocal. */
static float divide_number(float number, float tensor) {
  return (1.0f / tensor) * number;
}

/* The authors' formula, one float32 step after the other: r = orig f / (2 pi), g = (r - 1) / 31 clipped. */
static float yarn(const rpp_scaling *scaling, float f) {
  const float factor = (float)scaling->factor, turns = (float)scaling->orig * f / (float)RPP_DD_TWO_PI.hi;
  const float g = clamp((turns - 1) / 31), slow = (1 - g) * f / factor, fast = g * f;
  return slow + fast;
}

/* _compute_yarn_parameters: p = base^e; 1 / (factor p) and 1 / p mixed by a ramp over n. */
static float yarn_hf(const rpp_scaling *scaling, float p, float n, double low, double high) {
  const float slow = 1.0f / ((float)scaling->factor * p), fast = 1.0f / p;
  const float ramp = clamp((n - (float)low) / (float)(high - low)), keep = 1 - ramp;
  const float a = slow * (1 - keep), b = fast * keep;
  return a + b;
}

/* _compute_llama3_parameters. */
static float llama3(const rpp_scaling *scaling, float f) {
  const float factor = (float)scaling->factor, orig = (float)scaling->orig, low = (float)scaling->low;
  const float wavelength = divide_number((float)RPP_DD_TWO_PI.hi, f);
  const float longest = (float)(scaling->orig / scaling->low), shortest = (float)(scaling->orig / scaling->high);
  if (wavelength > longest) return f / factor;
  if (wavelength < shortest) return f;
  const float smooth = (divide_number(orig, wavelength) - low) / (float)(scaling->high - scaling->low);
  const float a = (1 - smooth) * f / factor, b = smooth * f;
  return a + b;
}

void rpp_hf_inv_freq(const rpp_rotary *rotary, float *inv_freq) {
  const rpp_scaling *scaling = &rotary->scaling;
  const float base = (float)rpp_scaled_base(rotary).hi, width = (float)rotary->rotary_dim;
  double low = 0, high = 0;
  if (scaling->kind == RPP_SCALING_YARN_HF) rpp_yarn_hf_range(rotary, &low, &high);
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    const float p = power(base, (float)(2 * n) / width), f = 1.0f / p;
    switch (scaling->kind) {
    case RPP_SCALING_LINEAR:
      inv_freq[n] = f / (float)scaling->factor;
      break;
    case RPP_SCALING_YARN:
      inv_freq[n] = yarn(scaling, f);
      break;
    case RPP_SCALING_YARN_HF:
      inv_freq[n] = yarn_hf(scaling, p, (float)n, low, high);
      break;
    case RPP_SCALING_LLAMA3:
      inv_freq[n] = llama3(scaling, f);
      break;
    default:
      inv_freq[n] = f;
      break;
    }
  }
}
