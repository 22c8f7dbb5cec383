#include "frequencies.h"

#include "check_attention.h"
#include "hf_f32.h"
#include "status.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>

rpp_dd rpp_scaled_base(const rpp_rotary *rotary) {
  const double width = (double)rotary->rotary_dim;
  const rpp_dd base = {rotary->base, 0};
  switch (rotary->scaling.kind) {
  case RPP_SCALING_NTK:
    return rpp_dd_scale(base, rotary->scaling.factor);
  case RPP_SCALING_NTK_AWARE:
    return rpp_dd_multiply(
        base, rpp_dd_pow((rpp_dd){rotary->scaling.factor, 0}, rpp_dd_divide((rpp_dd){width, 0}, (rpp_dd){width - 2, 0})));
  default:
    return base;
  }
}

/* The dimension index at which a frequency makes this many turns over the original context. */
static double correction_dim(const rpp_rotary *rotary, double turns) {
  const rpp_dd context = rpp_dd_multiply((rpp_dd){rotary->scaling.orig, 0}, RPP_DD_TURNS);
  const rpp_dd power = rpp_dd_log(rpp_dd_divide(context, (rpp_dd){turns, 0}));
  const rpp_dd twice_log = rpp_dd_scale(rpp_dd_log((rpp_dd){rotary->base, 0}), 2);
  return rpp_dd_divide(rpp_dd_scale(power, (double)rotary->rotary_dim), twice_log).hi;
}

void rpp_yarn_hf_range(const rpp_rotary *rotary, double *low, double *high) {
  *low = fmax(floor(correction_dim(rotary, 32)), 0);
  *high = fmin(ceil(correction_dim(rotary, 1)), (double)rotary->rotary_dim - 1);
  if (*low == *high) *high += 0.001;
}

double rpp_magnitude(const rpp_rotary *rotary) {
  const rpp_scaling_kind kind = rotary->scaling.kind;
  if (rotary->inv_freq || rotary->cos || (kind != RPP_SCALING_YARN && kind != RPP_SCALING_YARN_HF)) return 1;
  const rpp_dd log_factor = rpp_dd_log((rpp_dd){rotary->scaling.factor, 0});
  return rpp_dd_add_double(rpp_dd_divide(log_factor, (rpp_dd){10, 0}), 1).hi;
}

static rpp_dd clip(rpp_dd x) {
  if (!(x.hi > 0)) return (rpp_dd){0, 0};
  return x.hi >= 1 ? (rpp_dd){1, 0} : x;
}

/* (1 - g) theta / factor + g theta. */
static rpp_dd blend(rpp_dd theta, double factor, rpp_dd g) {
  const rpp_dd rest = rpp_dd_add_double(rpp_dd_negate(g), 1);
  return rpp_dd_add(rpp_dd_divide(rpp_dd_multiply(rest, theta), (rpp_dd){factor, 0}), rpp_dd_multiply(g, theta));
}

/* theta_n after scaling by frequency (eq. 4a, 4d, 4e, 4f). */
static rpp_dd scale_theta(const rpp_rotary *rotary, rpp_dd theta, double n, double low, double high) {
  const rpp_scaling *scaling = &rotary->scaling;
  const rpp_dd turns = rpp_dd_scale(rpp_dd_multiply(theta, RPP_DD_TURNS), scaling->orig); /* over the original context */
  switch (scaling->kind) {
  case RPP_SCALING_LINEAR:
    return rpp_dd_divide(theta, (rpp_dd){scaling->factor, 0});
  case RPP_SCALING_YARN:
    return blend(theta, scaling->factor, clip(rpp_dd_divide(rpp_dd_add_double(turns, -1), (rpp_dd){31, 0})));
  case RPP_SCALING_YARN_HF: {
    const rpp_dd ramp = clip(rpp_dd_divide(rpp_dd_two_sum(n, -low), rpp_dd_two_sum(high, -low)));
    return blend(theta, scaling->factor, rpp_dd_add_double(rpp_dd_negate(ramp), 1));
  }
  case RPP_SCALING_LLAMA3: {
    const rpp_dd band = rpp_dd_two_sum(scaling->high, -scaling->low);
    return blend(theta, scaling->factor, clip(rpp_dd_divide(rpp_dd_add_double(turns, -scaling->low), band)));
  }
  default:
    return theta;
  }
}

/* base^(-2 n / d) (eq. 1). */
static rpp_dd power(rpp_dd log_base, int64_t n, int64_t d) {
  const rpp_dd exponent = rpp_dd_divide((rpp_dd){-2.0 * (double)n, 0}, (rpp_dd){(double)d, 0});
  return rpp_dd_exp(rpp_dd_multiply(exponent, log_base));
}

rpp_status rpp_thetas(const rpp_rotary *rotary, rpp_dd *theta) {
  const int64_t pairs = rotary->rotary_dim / 2;
  if (rotary->inv_freq) {
    for (int64_t n = 0; n < pairs; n++) {
      const double given = rpp_load(rotary->inv_freq->dtype, rpp_tensor_at(rotary->inv_freq, n, 0, 0, 0));
      theta[n] = (rpp_dd){rotary->angles == RPP_ANGLES_HF_F32 ? (double)(float)given : given, 0};
    }
    return RPP_OK;
  }
  if (rotary->angles == RPP_ANGLES_HF_F32) {
    void *inv_freq;
    RPP_TRY(rpp_allocate(pairs, sizeof(float), &inv_freq));
    rpp_hf_inv_freq(rotary, inv_freq);
    for (int64_t n = 0; n < pairs; n++) theta[n] = (rpp_dd){(double)((float *)inv_freq)[n], 0};
    free(inv_freq);
    return RPP_OK;
  }
  double low = 0, high = 0;
  if (rotary->scaling.kind == RPP_SCALING_YARN_HF) rpp_yarn_hf_range(rotary, &low, &high);
  /* base^(-2 n / d), a product of two powers: an exponential for each of these instead of for each n. */
  enum { NEAR = 8 };
  rpp_dd near[NEAR], far = {1, 0};
  const rpp_dd log_base = rpp_dd_log(rpp_scaled_base(rotary));
  for (int64_t n = 0; n < pairs; n++) {
    if (n < NEAR) near[n] = power(log_base, n, rotary->rotary_dim);
    if (n % NEAR == 0) far = power(log_base, n, rotary->rotary_dim);
    theta[n] = scale_theta(rotary, rpp_dd_multiply(far, near[n % NEAR]), (double)n, low, high);
  }
  return RPP_OK;
}

rpp_status rpp_frequencies(const rpp_rotary *rotary, double *hi, double *lo, double *magnitude) {
  RPP_TRY(rpp_check_rotary(rotary, -1));
  if (rotary->cos) return rpp_fail(RPP_ERROR_UNSUPPORTED, "rotary.cos = given: there are no frequencies behind it");
  const int64_t pairs = rotary->rotary_dim / 2;
  void *buffer;
  RPP_TRY(rpp_allocate(pairs, sizeof(rpp_dd), &buffer));
  rpp_dd *theta = buffer;
  const rpp_status status = rpp_thetas(rotary, theta);
  if (status == RPP_OK) {
    for (int64_t n = 0; n < pairs; n++) {
      if (hi) hi[n] = theta[n].hi;
      if (lo) lo[n] = theta[n].lo;
    }
    if (magnitude) *magnitude = rpp_magnitude(rotary);
  }
  free(buffer);
  return status;
}
