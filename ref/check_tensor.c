#include "check_tensor.h"

#include "status.h"

#include <inttypes.h>
#include <stdio.h>

rpp_status rpp_tensor_span(const char *name, const rpp_tensor *t, rpp_extent *extent) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  int64_t elements = 1, low = 0, high = 0;
  bool empty = false, fits = true;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] == 0) empty = true;
    int64_t reach = 0;
    if (t->shape[d] > 0) {
      fits &= !__builtin_mul_overflow(elements, t->shape[d], &elements);
      fits &= !__builtin_mul_overflow(t->shape[d] - 1, t->strides[d], &reach);
      fits &= !__builtin_mul_overflow(reach, size, &reach);
    }
    fits &= !__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high);
  }
  int64_t bytes;
  fits &= !__builtin_mul_overflow(elements, size, &bytes) && !__builtin_add_overflow(high, size, &high) &&
          !__builtin_sub_overflow(high, low, &bytes);
  if (!fits) {
    char shape[4 * 24] = "";
    for (int d = 0, used = 0; d < t->ndim; d++)
      used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%" PRId64, d ? ", " : "", t->shape[d]);
    return rpp_fail(RPP_ERROR_OVERFLOW, "%s.shape = (%s): its size in bytes does not fit 63 bits", name, shape);
  }
  *extent = empty ? (rpp_extent){0, 0, 0} : (rpp_extent){elements, low, high};
  return RPP_OK;
}

rpp_status rpp_check_tensor(const char *name, const rpp_tensor *t) {
  if (!t) return rpp_fail(RPP_ERROR_NULL, "%s = null: a tensor is required", name);
  if (rpp_dtype_size(t->dtype) == 0) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = %d: unknown", name, (int)t->dtype);
  if (t->ndim < 1 || t->ndim > RPP_MAX_DIMS)
    return rpp_fail(RPP_ERROR_SHAPE, "%s.ndim = %d: expected 1 to %d", name, t->ndim, RPP_MAX_DIMS);
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] < 0) return rpp_fail(RPP_ERROR_SHAPE, "%s.shape[%d] = %" PRId64 ": must not be negative", name, d, t->shape[d]);
  rpp_extent extent;
  RPP_TRY(rpp_tensor_span(name, t, &extent));
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] > RPP_MAX_SIZE)
      return rpp_fail(RPP_ERROR_OVERFLOW, "%s.shape[%d] = %" PRId64 ": must be at most 2^56", name, d, t->shape[d]);
  if (extent.elements > 0 && !t->data)
    return rpp_fail(RPP_ERROR_NULL, "%s.data = null: the tensor has %" PRId64 " elements", name, extent.elements);
  return RPP_OK;
}

bool rpp_tensor_is_empty(const rpp_tensor *t) {
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] == 0) return true;
  return false;
}

static rpp_status check_shape(const char *name, const rpp_tensor *t, int ndim, const int64_t *shape) {
  if (t->ndim != ndim) return rpp_fail(RPP_ERROR_SHAPE, "%s.ndim = %d: expected %d", name, t->ndim, ndim);
  for (int d = 0; d < ndim; d++)
    if (shape[d] >= 0 && t->shape[d] != shape[d])
      return rpp_fail(RPP_ERROR_SHAPE, "%s.shape[%d] = %" PRId64 ": expected %" PRId64, name, d, t->shape[d], shape[d]);
  return RPP_OK;
}

rpp_status rpp_check_floating(const char *name, const rpp_tensor *t, int ndim, const int64_t *shape) {
  RPP_TRY(rpp_check_tensor(name, t));
  if (t->dtype == RPP_I64) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = I64: expected a floating type", name);
  return check_shape(name, t, ndim, shape);
}

rpp_status rpp_check_integer(const char *name, const rpp_tensor *t, int ndim, const int64_t *shape) {
  RPP_TRY(rpp_check_tensor(name, t));
  if (t->dtype != RPP_I64) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = %s: expected I64", name, rpp_dtype_name(t->dtype));
  return check_shape(name, t, ndim, shape);
}

rpp_status rpp_check_output(const char *name, const rpp_tensor *t, int count, const rpp_named_tensor *others) {
  const int shared = rpp_tensor_self_overlap(t);
  if (shared >= 0)
    return rpp_fail(RPP_ERROR_OVERLAP, "%s.strides[%d] = %" PRId64 ": elements of an output share memory", name, shared,
                    t->strides[shared]);
  for (int i = 0; i < count; i++)
    if (others[i].tensor && rpp_tensors_overlap(t, others[i].tensor))
      return rpp_fail(RPP_ERROR_OVERLAP, "%s.data = %p: overlaps %s", name, t->data, others[i].name);
  return RPP_OK;
}
