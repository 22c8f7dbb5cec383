/* status.h: how a function of the library fails. */
#ifndef RPP_STATUS_H
#define RPP_STATUS_H
#include "ropepp.h"

/* Stores the formatted message for rpp_error_message() and returns status, so that a check reads `return rpp_fail(...)`. */
rpp_status rpp_fail(rpp_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns from the calling function when an expression of type rpp_status is not RPP_OK. */
#define RPP_TRY(expression)                                                                                                        \
  do {                                                                                                                             \
    const rpp_status rpp_try_status = (expression);                                                                                \
    if (rpp_try_status != RPP_OK) return rpp_try_status;                                                                           \
  } while (0)

/* *buffer = room for count items of size bytes each (at least one byte), or OVERFLOW or MEMORY. For free(). */
rpp_status rpp_allocate(int64_t count, size_t size, void **buffer);

/* a * b, or OVERFLOW. a, b >= 0. */
rpp_status rpp_multiply(const char *what, int64_t a, int64_t b, int64_t *product);

#endif
