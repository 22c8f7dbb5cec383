#include "check_attention.h"

#include "check_tensor.h"
#include "frequencies.h"
#include "sincos.h"
#include "status.h"
#include "tensor.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static rpp_status check_scaling(const rpp_rotary *rotary) {
  const rpp_scaling *s = &rotary->scaling;
  if (s->kind == RPP_SCALING_NONE) return RPP_OK;
  if (s->kind < RPP_SCALING_NONE || s->kind > RPP_SCALING_LLAMA3)
    return rpp_fail(RPP_ERROR_VALUE, "scaling.kind = %d: unknown", (int)s->kind);
  if (!(s->factor >= 1 && s->factor <= DBL_MAX))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.factor = %.17g: must be finite and at least 1", s->factor);
  if (s->kind == RPP_SCALING_NTK_AWARE && rotary->rotary_dim == 2)
    return rpp_fail(RPP_ERROR_VALUE, "rotary_dim = 2: ntk-aware scaling is undefined there");
  if (s->kind < RPP_SCALING_YARN) return RPP_OK;
  if (!(s->orig >= 1 && s->orig <= DBL_MAX))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.orig = %.17g: must be finite and at least 1", s->orig);
  if (s->kind != RPP_SCALING_LLAMA3) return RPP_OK;
  if (!(s->low > 0 && s->low <= DBL_MAX))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.low = %.17g: must be finite and positive", s->low);
  if (!(s->high > s->low && s->high <= DBL_MAX))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.high = %.17g: must be finite and above low", s->high);
  return RPP_OK;
}

/* The powers behind the frequencies must neither overflow nor run out of float64, or float32, range. */
static rpp_status check_base(const rpp_rotary *rotary) {
  const double largest = rotary->angles == RPP_ANGLES_HF_F32 ? 0x1p126 : 0x1p900;
  if (!(rotary->base > 1 && rotary->base <= largest))
    return rpp_fail(RPP_ERROR_VALUE, "base = %.17g: must be above 1 and at most %g", rotary->base, largest);
  RPP_TRY(check_scaling(rotary));
  const rpp_scaling *s = &rotary->scaling;
  const double width = (double)rotary->rotary_dim;
  const double power = s->kind == RPP_SCALING_NTK ? 1 : s->kind == RPP_SCALING_NTK_AWARE ? width / (width - 2) : 0;
  const bool by_frequency = s->kind != RPP_SCALING_NONE && power == 0;
  const double size = log2(rotary->base) + (power > 0 ? power * log2(s->factor) : 0) + (by_frequency ? log2(s->factor) : 0);
  if (!(size <= log2(largest)))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.factor = %.17g: too large for base %g", s->factor, rotary->base);
  if (s->kind >= RPP_SCALING_YARN && !(s->orig <= largest))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.orig = %.17g: must be at most %g", s->orig, largest);
  if (s->kind == RPP_SCALING_LLAMA3 && !(s->high <= largest && s->low >= 1 / largest))
    return rpp_fail(RPP_ERROR_VALUE, "scaling.high = %.17g, low = %.17g: must lie in %g .. %g", s->high, s->low, 1 / largest,
                    largest);
  return RPP_OK;
}

static rpp_status check_given_frequencies(const rpp_rotary *rotary) {
  const int64_t shape[] = {rotary->rotary_dim / 2};
  const rpp_tensor *given = rotary->inv_freq;
  RPP_TRY(rpp_check_floating("inv_freq", given, 1, shape));
  for (int64_t n = 0; n < shape[0]; n++) {
    const double theta = rpp_load(given->dtype, rpp_tensor_at(given, n, 0, 0, 0));
    const double limit = rotary->angles == RPP_ANGLES_HF_F32 ? FLT_MAX : DBL_MAX;
    if (!(fabs(theta) <= limit)) return rpp_fail(RPP_ERROR_VALUE, "inv_freq[%" PRId64 "] = %.17g: must be finite", n, theta);
  }
  return RPP_OK;
}

rpp_status rpp_check_rotary(const rpp_rotary *rotary, int64_t head_dim) {
  if (!rotary) return rpp_fail(RPP_ERROR_NULL, "rotary = null: a description is required");
  if (rotary->pairing != RPP_PAIRING_INTERLEAVED && rotary->pairing != RPP_PAIRING_HALF)
    return rpp_fail(RPP_ERROR_VALUE, "pairing = %d: unknown", (int)rotary->pairing);
  if (rotary->angles != RPP_ANGLES_EXACT && rotary->angles != RPP_ANGLES_HF_F32)
    return rpp_fail(RPP_ERROR_VALUE, "angles = %d: unknown", (int)rotary->angles);
  if (rpp_dtype_size(rotary->table_dtype) == 0 || rotary->table_dtype == RPP_I64)
    return rpp_fail(RPP_ERROR_DTYPE, "table_dtype = %d: expected a floating type", (int)rotary->table_dtype);
  if (rotary->rotary_dim < 2 || rotary->rotary_dim % 2 != 0)
    return rpp_fail(RPP_ERROR_VALUE, "rotary_dim = %" PRId64 ": must be even and at least 2", rotary->rotary_dim);
  if (head_dim >= 0 && rotary->rotary_dim > head_dim)
    return rpp_fail(RPP_ERROR_VALUE, "rotary_dim = %" PRId64 ": must not pass the head width %" PRId64, rotary->rotary_dim,
                    head_dim);
  if (!rotary->cos != !rotary->sin)
    return rpp_fail(RPP_ERROR_NULL, "%s = null: cos and sin are given together", rotary->cos ? "sin" : "cos");
  if (rotary->cos) {
    int64_t shape[] = {-1, rotary->rotary_dim / 2};
    RPP_TRY(rpp_check_floating("cos", rotary->cos, 2, shape));
    shape[0] = rotary->cos->shape[0];
    return rpp_check_floating("sin", rotary->sin, 2, shape);
  }
  return rotary->inv_freq ? check_given_frequencies(rotary) : check_base(rotary);
}

int64_t rpp_largest_position(const rpp_rotary *rotary) {
  const int64_t largest = rotary->angles == RPP_ANGLES_HF_F32 ? (int64_t)1 << 24 : (int64_t)1 << 53;
  double fastest = 1;
  for (int64_t n = 0; rotary->inv_freq && n < rotary->rotary_dim / 2; n++)
    fastest = fmax(fastest, fabs(rpp_load(rotary->inv_freq->dtype, rpp_tensor_at(rotary->inv_freq, n, 0, 0, 0))));
  const double turns = rotary->angles == RPP_ANGLES_HF_F32 ? 0x1p38 : RPP_MAX_TURNS, limit = floor(turns * 6.28 / fastest);
  return limit < (double)largest ? (int64_t)limit : largest;
}

rpp_status rpp_check_positions(const char *name, const rpp_tensor *pos, int64_t batch, int64_t length, const rpp_rotary *rotary) {
  if (batch >= 0 && pos && pos->ndim == 2)
    RPP_TRY(rpp_check_integer(name, pos, 2, (int64_t[]){batch, length}));
  else
    RPP_TRY(rpp_check_integer(name, pos, 1, (int64_t[]){length}));
  int64_t low = 0, high = 0;
  if (rotary->cos)
    high = rotary->cos->shape[0] - 1;
  else {
    high = rpp_largest_position(rotary);
    low = -high;
  }
  const int64_t rows = pos->ndim == 2 ? batch : 1;
  for (int64_t b = 0; b < rows; b++)
    for (int64_t l = 0; l < length; l++) {
      const int64_t t = rpp_position(pos, b, l);
      if (t < low || t > high)
        return rpp_fail(RPP_ERROR_VALUE, "%s[%" PRId64 "] = %" PRId64 ": %s", name, b * length + l, t,
                        rotary->cos ? "outside the given cos and sin tables" : "outside the range of the angle model");
    }
  return RPP_OK;
}
