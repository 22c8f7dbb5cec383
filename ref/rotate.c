#include "angles.h"
#include "check_attention.h"
#include "check_tensor.h"
#include "row.h"
#include "status.h"
#include "tensor.h"

#include <stdlib.h>

/* x and y of one shape (B, L, heads, D), apart from each other and from what the rotary reads. */
static rpp_status check_pair(const rpp_rotary *rotary, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y) {
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  RPP_TRY(rpp_check_rotary(rotary, x->shape[3]));
  RPP_TRY(rpp_check_floating("y", y, 4, x->shape));
  const rpp_named_tensor inputs[] = {
      {"x", x}, {"pos", pos}, {"inv_freq", rotary->inv_freq}, {"cos", rotary->cos}, {"sin", rotary->sin}};
  return rpp_check_output("y", y, 5, inputs);
}

rpp_status rpp_rotate(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y) {
  if (part != RPP_PART_REAL && part != RPP_PART_IMAG) return rpp_fail(RPP_ERROR_VALUE, "part = %d: unknown", (int)part);
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  RPP_TRY(rpp_check_rotary(rotary, x->shape[3]));
  RPP_TRY(rpp_check_positions("pos", pos, x->shape[0], x->shape[1], rotary));
  RPP_TRY(check_pair(rotary, x, pos, y));
  if (rpp_tensor_is_empty(y)) return RPP_OK;
  rpp_angle_source source;
  RPP_TRY(rpp_angle_source_open(rotary, &source));
  const rpp_row_layout layout = {rotary->pairing, x->shape[3], rotary->rotary_dim};
  void *buffer;
  const rpp_status status = rpp_allocate(layout.width + 2 * source.pairs, sizeof(double), &buffer);
  if (status == RPP_OK) {
    double *cosine = buffer, *sine = cosine + source.pairs, *row = sine + source.pairs;
    for (int64_t b = 0; b < x->shape[0]; b++)
      for (int64_t l = 0; l < x->shape[1]; l++) {
        rpp_angle_row(&source, rpp_position(pos, b, l), cosine, sine);
        for (int64_t h = 0; h < x->shape[2]; h++) {
          rpp_row_load(&layout, x, b, l, h, row);
          if (part == RPP_PART_IMAG) rpp_row_quarter_turn(&layout, row);
          rpp_row_rotate(&layout, cosine, sine, row);
          rpp_row_store(&layout, y, b, l, h, row);
        }
      }
  }
  free(buffer);
  rpp_angle_source_close(&source);
  return status;
}

rpp_status rpp_quarter_turn(const rpp_rotary *rotary, const rpp_tensor *x, rpp_tensor *y) {
  RPP_TRY(check_pair(rotary, x, NULL, y));
  if (rpp_tensor_is_empty(y)) return RPP_OK;
  const rpp_row_layout layout = {rotary->pairing, x->shape[3], rotary->rotary_dim};
  void *buffer;
  RPP_TRY(rpp_allocate(layout.width, sizeof(double), &buffer));
  double *row = buffer;
  for (int64_t b = 0; b < x->shape[0]; b++)
    for (int64_t l = 0; l < x->shape[1]; l++)
      for (int64_t h = 0; h < x->shape[2]; h++) {
        rpp_row_load(&layout, x, b, l, h, row);
        rpp_row_quarter_turn(&layout, row);
        rpp_row_store(&layout, y, b, l, h, row);
      }
  free(buffer);
  return RPP_OK;
}
