// arguments.cu: the checks of arguments.h. No kernel is here.
#include "arguments.h"

#include <cinttypes>
#include <cstdarg>

namespace RPP_TARGET {

static thread_local char message[512];

rpp_status fail(rpp_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

// Sound in itself: ropepp's own check, whose message begins with a name of its own.
static rpp_status check_sound(const char *name, const rpp_tensor *t, Data data) {
  if (!t) return fail(RPP_ERROR_NULL, "%s = null: a tensor is required", name);
  rpp_tensor checked = *t;
  if (data == Data::absent) checked.data = message; // somewhere: it is not read
  int64_t elements;
  const rpp_status status = rpp_tensor_extent(&checked, &elements, nullptr);
  return status == RPP_OK ? RPP_OK : fail(status, "%s: %s", name, rpp_error_message());
}

rpp_status check_tensor(const char *name, const rpp_tensor *t, Data data, rpp_dtype dtype, int ndim, const int64_t *shape) {
  RPP_TRY(check_sound(name, t, data));
  if (t->dtype != dtype)
    return fail(RPP_ERROR_DTYPE, "%s.dtype = %s: expected %s", name, rpp_dtype_name(t->dtype), rpp_dtype_name(dtype));
  if (t->ndim != ndim) return fail(RPP_ERROR_SHAPE, "%s.ndim = %d: expected %d", name, t->ndim, ndim);
  for (int d = 0; d < ndim; d++)
    if (shape[d] >= 0 && t->shape[d] != shape[d])
      return fail(RPP_ERROR_SHAPE, "%s.shape[%d] = %" PRId64 ": expected %" PRId64, name, d, t->shape[d], shape[d]);
  if (data == Data::present && reinterpret_cast<uintptr_t>(data_of<char>(*t)) % rpp_dtype_size(dtype) != 0)
    return fail(RPP_ERROR_UNSUPPORTED, "%s.data = %p + %" PRIu64 ": must be aligned to its elements", name, t->data,
                t->byte_offset);
  return RPP_OK;
}

rpp_tensor bytes_of(const rpp_cuda_integers *t) {
  rpp_tensor bytes = {};
  bytes.data = const_cast<void *>(t->data);
  bytes.dtype = t->type == RPP_CUDA_I32 ? RPP_F32 : RPP_I64;
  bytes.ndim = t->ndim;
  for (int d = 0; d < t->ndim; d++) bytes.shape[d] = t->shape[d], bytes.strides[d] = t->strides[d];
  return bytes;
}

static rpp_status check_integers_sound(const char *name, const rpp_cuda_integers *t, Data data) {
  if (!t) return fail(RPP_ERROR_NULL, "%s = null: integers are required", name);
  if (t->type != RPP_CUDA_I64 && t->type != RPP_CUDA_I32)
    return fail(RPP_ERROR_DTYPE, "%s.type = %d: unknown", name, static_cast<int>(t->type));
  if (t->ndim != 1 && t->ndim != 2) return fail(RPP_ERROR_SHAPE, "%s.ndim = %d: expected 1 or 2", name, t->ndim);
  const rpp_tensor bytes = bytes_of(t);
  RPP_TRY(check_sound(name, &bytes, data));
  if (data == Data::present && reinterpret_cast<uintptr_t>(t->data) % rpp_dtype_size(bytes.dtype) != 0)
    return fail(RPP_ERROR_UNSUPPORTED, "%s.data = %p: must be aligned to its elements", name, t->data);
  return RPP_OK;
}

rpp_status check_integers(const char *name, const rpp_cuda_integers *t, Data data, int64_t length) {
  RPP_TRY(check_integers_sound(name, t, data));
  if (t->ndim != 1) return fail(RPP_ERROR_SHAPE, "%s.ndim = %d: expected 1", name, t->ndim);
  if (length >= 0 && t->shape[0] != length)
    return fail(RPP_ERROR_SHAPE, "%s.shape[0] = %" PRId64 ": expected %" PRId64, name, t->shape[0], length);
  return RPP_OK;
}

rpp_status check_positions(const char *name, const rpp_cuda_integers *t, Data data, int64_t batch, int64_t length) {
  RPP_TRY(check_integers_sound(name, t, data));
  const int64_t shape[] = {batch, length};
  for (int d = 0; d < t->ndim; d++) {
    const int64_t expected = shape[d + 2 - t->ndim];
    if (t->shape[d] != expected)
      return fail(RPP_ERROR_SHAPE, "%s.shape[%d] = %" PRId64 ": expected %" PRId64, name, d, t->shape[d], expected);
  }
  return RPP_OK;
}

rpp_status check_output(const char *name, const rpp_tensor *t, int count, const Named *others) {
  const int shared = rpp_tensor_self_overlap(t);
  if (shared >= 0)
    return fail(RPP_ERROR_OVERLAP, "%s.strides[%d] = %" PRId64 ": elements of an output share memory", name, shared,
                t->strides[shared]);
  for (int i = 0; i < count; i++)
    if (others[i].tensor && rpp_tensors_overlap(t, others[i].tensor))
      return fail(RPP_ERROR_OVERLAP, "%s.data = %p: overlaps %s", name, t->data, others[i].name);
  return RPP_OK;
}

rpp_status check_workspace(void *workspace, size_t bytes, size_t need, rpp_tensor *t) {
  *t = {};
  t->data = workspace, t->dtype = RPP_F32, t->ndim = 1;
  t->shape[0] = static_cast<int64_t>(need / sizeof(float)), t->strides[0] = 1;
  if (need == 0) return RPP_OK;
  if (!workspace) return fail(RPP_ERROR_NULL, "workspace = null: %zu bytes are required", need);
  if (bytes < need) return fail(RPP_ERROR_MEMORY, "bytes = %zu: a workspace of %zu is required", bytes, need);
  if (reinterpret_cast<uintptr_t>(workspace) % 16 != 0)
    return fail(RPP_ERROR_UNSUPPORTED, "workspace = %p: must be aligned to 16 bytes", workspace);
  return RPP_OK;
}

} // namespace RPP_TARGET

extern "C" const char *rpp_cuda_error_message(void) {
  return RPP_TARGET::message;
}
