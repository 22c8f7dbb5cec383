#include "bounded_row.h"
#include "check_attention.h"
#include "check_tensor.h"
#include "contract.h"
#include "status.h"
#include "tensor.h"

#include <stdlib.h>

static rpp_status check(const rpp_rotary *rotary, rpp_part part, const rpp_contract *contract, const rpp_tensor *x,
                        const rpp_tensor *pos, const rpp_tensor *y, const rpp_tensor *bound) {
  if (part != RPP_PART_REAL && part != RPP_PART_IMAG) return rpp_fail(RPP_ERROR_VALUE, "part = %d: unknown", (int)part);
  RPP_TRY(rpp_check_contract(contract));
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  RPP_TRY(rpp_check_rotary(rotary, x->shape[3]));
  RPP_TRY(rpp_check_positions("pos", pos, x->shape[0], x->shape[1], rotary));
  const rpp_named_tensor read[] = {
      {"x", x}, {"pos", pos}, {"inv_freq", rotary->inv_freq}, {"cos", rotary->cos}, {"sin", rotary->sin}, {"y", y}};
  const rpp_named_tensor written[] = {{"y", y}, {"bound", bound}};
  for (int i = 0; i < 2; i++) {
    RPP_TRY(rpp_check_floating(written[i].name, written[i].tensor, 4, x->shape));
    if (written[i].tensor->dtype != RPP_F64)
      return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = %s: expected F64", written[i].name, rpp_dtype_name(written[i].tensor->dtype));
    RPP_TRY(rpp_check_output(written[i].name, written[i].tensor, 5 + i, read));
  }
  return RPP_OK;
}

rpp_status rpp_rotate_bound(const rpp_rotary *rotary, rpp_part part, const rpp_contract *contract, const rpp_tensor *x,
                            const rpp_tensor *pos, rpp_tensor *y, rpp_tensor *bound) {
  RPP_TRY(check(rotary, part, contract, x, pos, y, bound));
  rpp_bounded_rows rows;
  RPP_TRY(rpp_bounded_rows_open(contract, rotary, x->shape[3], &rows));
  void *buffer;
  const rpp_status status = rpp_allocate(2 * rows.layout.width + 2 * rows.angles.pairs, sizeof(double), &buffer);
  if (status == RPP_OK) {
    double *row = buffer, *left = row + rows.layout.width, *cosine = left + rows.layout.width, *sine = cosine + rows.angles.pairs;
    for (int64_t b = 0; b < x->shape[0]; b++)
      for (int64_t l = 0; l < x->shape[1]; l++)
        for (int64_t h = 0; h < x->shape[2]; h++) {
          rpp_row_load(&rows.layout, x, b, l, h, row);
          if (part == RPP_PART_IMAG) rpp_row_quarter_turn(&rows.layout, row);
          rpp_bounded_row_rotate(&rows, rpp_position(pos, b, l), cosine, sine, row, left);
          rpp_row_store(&rows.layout, y, b, l, h, row);
          rpp_row_store(&rows.layout, bound, b, l, h, left);
        }
  }
  free(buffer);
  rpp_bounded_rows_close(&rows);
  return status;
}
