#include "tensor.h"

#include "check_tensor.h"
#include "status.h"

#include <inttypes.h>
#include <math.h>

double rpp_load(rpp_dtype dtype, const char *at) {
  switch (dtype) {
  case RPP_F64: {
    double x;
    memcpy(&x, at, sizeof x);
    return x;
  }
  case RPP_F32: {
    float x;
    memcpy(&x, at, sizeof x);
    return (double)x;
  }
  case RPP_F16:
  case RPP_BF16: {
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return dtype == RPP_F16 ? rpp_f64_from_f16(bits) : rpp_f64_from_bf16(bits);
  }
  case RPP_I64:
    return (double)rpp_load_i64(at);
  }
  return NAN;
}

void rpp_store(rpp_dtype dtype, char *at, double value) {
  switch (dtype) {
  case RPP_F64:
    memcpy(at, &value, sizeof value);
    break;
  case RPP_F32: {
    const float x = rpp_f32_from_f64(value);
    memcpy(at, &x, sizeof x);
    break;
  }
  case RPP_F16:
  case RPP_BF16: {
    const uint16_t bits = dtype == RPP_F16 ? rpp_f16_from_f64(value) : rpp_bf16_from_f64(value);
    memcpy(at, &bits, sizeof bits);
    break;
  }
  case RPP_I64: {
    /* Nearest, saturating; a conversion out of range would be undefined. */
    const int64_t integer = !(value > -0x1p63) ? (isnan(value) ? 0 : INT64_MIN)
                            : value >= 0x1p63  ? INT64_MAX
                                               : (int64_t)rint(value);
    memcpy(at, &integer, sizeof integer);
    break;
  }
  }
}

rpp_status rpp_tensor_contiguous(void *data, rpp_dtype dtype, int ndim, const int64_t *shape, rpp_tensor *t) {
  if (!t) return rpp_fail(RPP_ERROR_NULL, "t = null: a tensor to fill is required");
  if (!shape) return rpp_fail(RPP_ERROR_NULL, "shape = null: ndim sizes are required");
  if (ndim < 1 || ndim > RPP_MAX_DIMS) return rpp_fail(RPP_ERROR_SHAPE, "ndim = %d: expected 1 to %d", ndim, RPP_MAX_DIMS);
  rpp_tensor made = {.data = data, .dtype = dtype, .ndim = ndim};
  int64_t stride = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    if (shape[d] < 0) return rpp_fail(RPP_ERROR_SHAPE, "shape[%d] = %" PRId64 ": must not be negative", d, shape[d]);
    made.shape[d] = shape[d];
    made.strides[d] = stride;
    RPP_TRY(rpp_multiply("elements", stride, shape[d] > 0 ? shape[d] : 1, &stride));
  }
  rpp_tensor layout = made; /* null data is the caller's business until the tensor is used */
  if (!layout.data) layout.data = &layout;
  RPP_TRY(rpp_check_tensor("t", &layout));
  *t = made;
  return RPP_OK;
}

rpp_status rpp_tensor_slice(const rpp_tensor *t, int dim, int64_t start, int64_t length, int64_t step, rpp_tensor *view) {
  if (!view) return rpp_fail(RPP_ERROR_NULL, "view = null: a tensor to fill is required");
  RPP_TRY(rpp_check_tensor("t", t));
  if (dim < 0 || dim >= t->ndim) return rpp_fail(RPP_ERROR_VALUE, "dim = %d: expected 0 to %d", dim, t->ndim - 1);
  const int64_t size = t->shape[dim];
  if (length < 0 || length > size) return rpp_fail(RPP_ERROR_VALUE, "length = %" PRId64 ": expected 0 to %" PRId64, length, size);
  if (start < 0 || start > size || (length > 0 && start == size))
    return rpp_fail(RPP_ERROR_VALUE, "start = %" PRId64 ": dimension %d has %" PRId64 " elements", start, dim, size);
  int64_t last = start, reach;
  if (length > 1 && (step == 0 || __builtin_mul_overflow(length - 1, step, &reach) || __builtin_add_overflow(start, reach, &last) ||
                     last < 0 || last >= size))
    return rpp_fail(RPP_ERROR_VALUE, "step = %" PRId64 ": %" PRId64 " elements from %" PRId64 " leave the dimension's %" PRId64,
                    step, length, start, size);
  rpp_tensor made = *t;
  made.shape[dim] = length;
  if (length > 1) made.strides[dim] = t->strides[dim] * step;
  if (length > 0 && !rpp_tensor_is_empty(t))
    made.data = (char *)t->data + start * t->strides[dim] * (int64_t)rpp_dtype_size(t->dtype);
  *view = made;
  return RPP_OK;
}

rpp_status rpp_tensor_extent(const rpp_tensor *t, int64_t *elements, int64_t *bytes) {
  RPP_TRY(rpp_check_tensor("t", t));
  rpp_extent extent;
  RPP_TRY(rpp_tensor_span("t", t, &extent));
  if (elements) *elements = extent.elements;
  if (bytes) *bytes = extent.high - extent.low;
  return RPP_OK;
}

double rpp_tensor_get(const rpp_tensor *t, const int64_t *index) {
  int64_t full[RPP_MAX_DIMS] = {0};
  for (int d = 0; d < t->ndim; d++) full[d] = index[d];
  return rpp_load(t->dtype, rpp_tensor_at(t, full[0], full[1], full[2], full[3]));
}

void rpp_tensor_set(const rpp_tensor *t, const int64_t *index, double value) {
  int64_t full[RPP_MAX_DIMS] = {0};
  for (int d = 0; d < t->ndim; d++) full[d] = index[d];
  rpp_store(t->dtype, rpp_tensor_at(t, full[0], full[1], full[2], full[3]), value);
}
