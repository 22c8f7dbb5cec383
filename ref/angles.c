#include "angles.h"

#include "check_attention.h"
#include "check_tensor.h"
#include "frequencies.h"
#include "sincos.h"
#include "status.h"
#include "tensor.h"
#include "team.h"

#include <stdlib.h>

rpp_status rpp_angle_source_open(const rpp_rotary *rotary, rpp_angle_source *source) {
  *source = (rpp_angle_source){.rotary = rotary, .pairs = rotary->rotary_dim / 2, .magnitude = rpp_magnitude(rotary)};
  if (rotary->cos) return RPP_OK;
  void *theta;
  RPP_TRY(rpp_allocate(source->pairs, sizeof(rpp_dd), &theta));
  source->theta = theta;
  const rpp_status status = rpp_thetas(rotary, source->theta);
  if (status != RPP_OK) rpp_angle_source_close(source);
  if (status == RPP_OK && rotary->angles == RPP_ANGLES_EXACT)
    for (int64_t n = 0; n < source->pairs; n++) source->theta[n] = rpp_dd_multiply(source->theta[n], RPP_DD_TURNS);
  return status;
}

void rpp_angle_source_close(rpp_angle_source *source) {
  free(source->theta);
  source->theta = NULL;
}

static void hf_row(const rpp_angle_source *source, int64_t t, double *cosine, double *sine) {
  const float magnitude = (float)source->magnitude;
  for (int64_t n = 0; n < source->pairs; n++) {
    float c, s;
    rpp_sincos_f32((float)t * (float)source->theta[n].hi, &c, &s);
    cosine[n] = (double)(c * magnitude), sine[n] = (double)(s * magnitude);
  }
}

void rpp_angle_row(const rpp_angle_source *source, int64_t t, double *cosine, double *sine) {
  const rpp_rotary *rotary = source->rotary;
  if (rotary->cos)
    for (int64_t n = 0; n < source->pairs; n++) {
      cosine[n] = rpp_load(rotary->cos->dtype, rpp_tensor_at(rotary->cos, t, n, 0, 0));
      sine[n] = rpp_load(rotary->sin->dtype, rpp_tensor_at(rotary->sin, t, n, 0, 0));
    }
  else if (rotary->angles == RPP_ANGLES_HF_F32)
    hf_row(source, t, cosine, sine);
  else {
    rpp_sincos_turns(source->pairs, (double)t, source->theta, cosine, sine);
    if (source->magnitude != 1)
      for (int64_t n = 0; n < source->pairs; n++) cosine[n] *= source->magnitude, sine[n] *= source->magnitude;
  }
  if (rotary->table_dtype != RPP_F64 && !rotary->cos)
    for (int64_t n = 0; n < source->pairs; n++) {
      cosine[n] = rpp_dtype_round(rotary->table_dtype, cosine[n]);
      sine[n] = rpp_dtype_round(rotary->table_dtype, sine[n]);
    }
}

void rpp_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count, double *cosine,
                    double *sine) {
#pragma omp parallel for schedule(static) num_threads(rpp_threads(32.0 * (double)count * (double)source->pairs))
  for (int64_t l = 0; l < count; l++)
    rpp_angle_row(source, rpp_position(pos, b, first + l), cosine + l * source->pairs, sine + l * source->pairs);
}

rpp_status rpp_check_angles(const rpp_rotary *rotary, const rpp_tensor *pos, const rpp_tensor *cos, const rpp_tensor *sin) {
  RPP_TRY(rpp_check_rotary(rotary, -1));
  RPP_TRY(rpp_check_integer("pos", pos, 1, (int64_t[]){-1}));
  const int64_t length = pos->shape[0], shape[] = {length, rotary->rotary_dim / 2};
  RPP_TRY(rpp_check_positions("pos", pos, -1, length, rotary));
  RPP_TRY(rpp_check_floating("cos", cos, 2, shape));
  RPP_TRY(rpp_check_floating("sin", sin, 2, shape));
  const rpp_named_tensor others[] = {
      {"pos", pos}, {"inv_freq", rotary->inv_freq}, {"rotary.cos", rotary->cos}, {"rotary.sin", rotary->sin}, {"cos", cos}};
  RPP_TRY(rpp_check_output("cos", cos, 4, others));
  return rpp_check_output("sin", sin, 5, others);
}

rpp_status rpp_angles(const rpp_rotary *rotary, const rpp_tensor *pos, rpp_tensor *cos, rpp_tensor *sin) {
  RPP_TRY(rpp_check_angles(rotary, pos, cos, sin));
  const int64_t length = pos->shape[0], pairs = rotary->rotary_dim / 2;
  rpp_angle_source source;
  void *row;
  RPP_TRY(rpp_angle_source_open(rotary, &source));
  const rpp_status status = rpp_allocate(pairs, 2 * sizeof(double), &row);
  if (status == RPP_OK) {
    double *c = row, *s = c + pairs;
    for (int64_t l = 0; l < length; l++) {
      rpp_angle_row(&source, rpp_position(pos, 0, l), c, s);
      for (int64_t n = 0; n < pairs; n++) {
        rpp_store(cos->dtype, rpp_tensor_at(cos, l, n, 0, 0), c[n]);
        rpp_store(sin->dtype, rpp_tensor_at(sin, l, n, 0, 0), s[n]);
      }
    }
  }
  free(row);
  rpp_angle_source_close(&source);
  return status;
}
