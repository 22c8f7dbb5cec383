#include "status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local char message[256];

const char *rpp_error_message(void) {
  return message;
}

rpp_status rpp_fail(rpp_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

rpp_status rpp_multiply(const char *what, int64_t a, int64_t b, int64_t *product) {
  if (__builtin_mul_overflow(a, b, product))
    return rpp_fail(RPP_ERROR_OVERFLOW, "%s = %" PRId64 " x %" PRId64 ": does not fit 64 bits", what, a, b);
  return RPP_OK;
}

rpp_status rpp_allocate(int64_t count, size_t size, void **buffer) {
  int64_t bytes;
  *buffer = NULL;
  RPP_TRY(rpp_multiply("bytes", count, (int64_t)size, &bytes));
  if (posix_memalign(buffer, 64, bytes > 0 ? (size_t)bytes : 1) != 0)
    return rpp_fail(RPP_ERROR_MEMORY, "bytes = %" PRId64 ": out of memory", bytes);
  return RPP_OK;
}
