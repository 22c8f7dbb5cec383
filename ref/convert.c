#include "check_attention.h"
#include "check_tensor.h"
#include "row.h"
#include "status.h"
#include "tensor.h"

#include <inttypes.h>
#include <stdlib.h>

static rpp_status check_pair(const rpp_tensor *x, rpp_tensor *y) {
  RPP_TRY(rpp_check_floating("x", x, 4, (int64_t[]){-1, -1, -1, -1}));
  RPP_TRY(rpp_check_floating("y", y, 4, x->shape));
  return rpp_check_output("y", y, 1, &(rpp_named_tensor){"x", x});
}

static rpp_status check_pairing(const char *name, rpp_pairing pairing) {
  if (pairing == RPP_PAIRING_INTERLEAVED || pairing == RPP_PAIRING_HALF) return RPP_OK;
  return rpp_fail(RPP_ERROR_VALUE, "%s = %d: unknown pairing", name, (int)pairing);
}

static rpp_status check_order(const char *name, rpp_head_order order) {
  if (order == RPP_ORDER_INTERLEAVED || order == RPP_ORDER_STACKED) return RPP_OK;
  return rpp_fail(RPP_ERROR_VALUE, "%s = %d: unknown head order", name, (int)order);
}

rpp_status rpp_pairing_convert(int64_t rotary_dim, rpp_pairing from, rpp_pairing to, const rpp_tensor *x, rpp_tensor *y) {
  RPP_TRY(check_pairing("from", from));
  RPP_TRY(check_pairing("to", to));
  RPP_TRY(check_pair(x, y));
  const int64_t width = x->shape[3];
  if (rotary_dim < 2 || rotary_dim % 2 != 0 || rotary_dim > width)
    return rpp_fail(RPP_ERROR_VALUE, "rotary_dim = %" PRId64 ": must be even, from 2 to the width %" PRId64, rotary_dim, width);
  if (rpp_tensor_is_empty(y)) return RPP_OK;
  const rpp_row_layout layout_x = {from, width, rotary_dim}, layout_y = {to, width, rotary_dim};
  void *row;
  RPP_TRY(rpp_allocate(width, sizeof(double), &row));
  for (int64_t b = 0; b < x->shape[0]; b++)
    for (int64_t l = 0; l < x->shape[1]; l++)
      for (int64_t h = 0; h < x->shape[2]; h++) {
        rpp_row_load(&layout_x, x, b, l, h, row);
        rpp_row_store(&layout_y, y, b, l, h, row);
      }
  free(row);
  return RPP_OK;
}

/* The place in interleaved order of head h of the given order. */
static int64_t interleaved_place(rpp_head_order order, int64_t heads, int64_t h) {
  if (order == RPP_ORDER_INTERLEAVED) return h;
  return h < heads / 2 ? 2 * h : 2 * (h - heads / 2) + 1;
}

rpp_status rpp_heads_convert(rpp_head_order from, rpp_head_order to, const rpp_tensor *x, rpp_tensor *y) {
  RPP_TRY(check_order("from", from));
  RPP_TRY(check_order("to", to));
  RPP_TRY(check_pair(x, y));
  const int64_t heads = x->shape[2];
  if (heads % 2 != 0) return rpp_fail(RPP_ERROR_SHAPE, "x.shape[2] = %" PRId64 ": real and imaginary heads come in pairs", heads);
  if (rpp_tensor_is_empty(y)) return RPP_OK;
  const rpp_row_layout layout = {RPP_PAIRING_INTERLEAVED, x->shape[3], 0};
  void *row;
  RPP_TRY(rpp_allocate(layout.width, sizeof(double), &row));
  for (int64_t h = 0; h < heads; h++) {
    int64_t target = 0;
    while (interleaved_place(to, heads, target) != interleaved_place(from, heads, h)) target++;
    for (int64_t b = 0; b < x->shape[0]; b++)
      for (int64_t l = 0; l < x->shape[1]; l++) {
        rpp_row_load(&layout, x, b, l, h, row);
        rpp_row_store(&layout, y, b, l, target, row);
      }
  }
  free(row);
  return RPP_OK;
}
