#include "float_angles.h"

#include "check_tensor.h"
#include "tensor.h"

/* By one step: (c + i s) (step_c + i step_s). */
static void turn(int64_t pairs, const double *step_c, const double *step_s, double *restrict c, double *restrict s) {
  for (int64_t n = 0; n < pairs; n++) {
    const double a = c[n], b = s[n];
    c[n] = a * step_c[n] - b * step_s[n];
    s[n] = b * step_c[n] + a * step_s[n];
  }
}

static void store(int64_t pairs, double magnitude, const double *restrict x, float *restrict y) {
  for (int64_t n = 0; n < pairs; n++) y[n] = (float)(x[n] * magnitude);
}

void rpp_float_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count,
                          double *scratch, float *cosine, float *sine) {
  const rpp_rotary *rotary = source->rotary;
  const int64_t pairs = source->pairs;
  const bool turns = !rotary->cos && rotary->angles == RPP_ANGLES_EXACT && rotary->table_dtype == RPP_F64;
  rpp_angle_source unit = *source; /* the magnitude is multiplied in at the end */
  if (turns) unit.magnitude = 1;
  double *c = scratch, *s = c + pairs, *step_c = s + pairs, *step_s = step_c + pairs;
  if (turns && count > 1) rpp_angle_row(&unit, 1, step_c, step_s);
  for (int64_t l = 0; l < count; l++) {
    const int64_t t = rpp_position(pos, b, first + l);
    if (turns && l % RPP_ANGLE_RESYNC != 0 && t == rpp_position(pos, b, first + l - 1) + 1)
      turn(pairs, step_c, step_s, c, s);
    else
      rpp_angle_row(&unit, t, c, s);
    store(pairs, turns ? source->magnitude : 1, c, cosine + l * pairs);
    store(pairs, turns ? source->magnitude : 1, s, sine + l * pairs);
  }
}
