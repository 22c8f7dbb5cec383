/* rotate_blocked.c: the fast kernel's rotation, by itself. */
#include "angles.h"
#include "check_attention.h"
#include "check_tensor.h"
#include "float_angles.h"
#include "float_row.h"
#include "status.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

/* Whether y is x: every element at its own place. */
static bool in_place(const rpp_tensor *x, const rpp_tensor *y) {
  return (char *)x->data + x->byte_offset == (char *)y->data + y->byte_offset && x->dtype == y->dtype &&
         memcmp(x->strides, y->strides, sizeof x->strides) == 0;
}

static rpp_status check(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, const rpp_tensor *y) {
  if (part != RPP_PART_REAL && part != RPP_PART_IMAG) return rpp_fail(RPP_ERROR_VALUE, "part = %d: unknown", (int)part);
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  if (x->dtype == RPP_F64) return rpp_fail(RPP_ERROR_DTYPE, "x.dtype = F64: expected F32, F16 or BF16");
  RPP_TRY(rpp_check_rotary(rotary, x->shape[3]));
  RPP_TRY(rpp_check_positions("pos", pos, x->shape[0], x->shape[1], rotary));
  RPP_TRY(rpp_check_floating("y", y, 4, x->shape));
  const rpp_named_tensor inputs[] = {
      {"x", in_place(x, y) ? NULL : x}, {"pos", pos}, {"inv_freq", rotary->inv_freq}, {"cos", rotary->cos}, {"sin", rotary->sin}};
  return rpp_check_output("y", y, 5, inputs);
}

rpp_status rpp_rotate_blocked(const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y) {
  RPP_TRY(check(rotary, part, x, pos, y));
  rpp_angle_source source;
  RPP_TRY(rpp_angle_source_open(rotary, &source));
  const rpp_row_layout layout = {rotary->pairing, x->shape[3], rotary->rotary_dim};
  void *angles, *rows;
  rpp_status status = rpp_allocate(source.pairs, 4 * sizeof(double) + 2 * sizeof(float), &angles);
  if (status == RPP_OK) {
    status = rpp_allocate(layout.width, 2 * sizeof(float), &rows);
    if (status != RPP_OK) free(angles);
  }
  if (status == RPP_OK) {
    double *scratch = angles;
    float *cosine = (float *)(scratch + 4 * source.pairs), *sine = cosine + source.pairs, *row = rows, *turned = row + layout.width;
    for (int64_t b = 0; b < x->shape[0]; b++)
      for (int64_t l = 0; l < x->shape[1]; l++) {
        rpp_float_angle_rows(&source, pos, b, l, 1, scratch, cosine, sine);
        for (int64_t h = 0; h < x->shape[2]; h++) {
          rpp_float_row_load(&layout, x, b, l, h, row); /* all of it before any of it is written: y may be x */
          rpp_float_row_rotate(&layout, cosine, sine, row);
          if (part == RPP_PART_IMAG) rpp_float_row_quarter_turn(&layout, row, turned);
          rpp_float_row_store(&layout, y, b, l, h, part == RPP_PART_IMAG ? turned : row);
        }
      }
    free(angles);
    free(rows);
  }
  rpp_angle_source_close(&source);
  return status;
}
