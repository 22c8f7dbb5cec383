/* check_tensor.h: tensor arguments, checked before their memory is touched. Every message names the argument by `name`. */
#ifndef RPP_CHECK_TENSOR_H
#define RPP_CHECK_TENSOR_H
#include "ropepp.h"

/* The largest size of a dimension: sums of a few still fit. Only strides of 0 and tensors without elements come near. */
#define RPP_MAX_SIZE ((int64_t)1 << 56)

/* Bytes from element (0, ..., 0): the lowest, and one past the highest; both 0 without elements. */
typedef struct {
  int64_t elements, low, high;
} rpp_extent;

rpp_status rpp_tensor_span(const char *name, const rpp_tensor *t, rpp_extent *extent);

/* Not null, a known dtype, a rank, sizes, strides and a span that fit, and data where there are elements. */
rpp_status rpp_check_tensor(const char *name, const rpp_tensor *t);

/* rpp_check_tensor, a floating dtype, and this shape (a negative size allows any). */
rpp_status rpp_check_floating(const char *name, const rpp_tensor *t, int ndim, const int64_t *shape);

/* rpp_check_tensor, I64, and this shape. */
rpp_status rpp_check_integer(const char *name, const rpp_tensor *t, int ndim, const int64_t *shape);

/* No two elements of t share memory, and none is shared with the count others; null entries are skipped. */
typedef struct {
  const char *name;
  const rpp_tensor *tensor;
} rpp_named_tensor;
rpp_status rpp_check_output(const char *name, const rpp_tensor *t, int count, const rpp_named_tensor *others);

/* No elements: a size is 0, and others may be larger than any loop should run. The tensor has been checked. */
bool rpp_tensor_is_empty(const rpp_tensor *t);

#endif
