/* tensor.h: unchecked access to the elements of tensors that have been checked. */
#ifndef RPP_TENSOR_H
#define RPP_TENSOR_H
#include "ropepp.h"

#include <string.h>

/* The address of an element; missing indices are 0. */
static inline char *rpp_tensor_at(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
  const int64_t index[RPP_MAX_DIMS] = {i0, i1, i2, i3};
  int64_t offset = 0;
#pragma GCC unroll 4
  for (int d = 0; d < RPP_MAX_DIMS; d++) offset += d < t->ndim ? index[d] * t->strides[d] : 0;
  return (char *)t->data + t->byte_offset + offset * (int64_t)rpp_dtype_size(t->dtype);
}

static inline int64_t rpp_load_i64(const char *at) {
  int64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

/* Position l of sequence b in a (L) or (B, L) tensor of I64. */
static inline int64_t rpp_position(const rpp_tensor *pos, int64_t b, int64_t l) {
  const int64_t at = pos->ndim == 1 ? l * pos->strides[0] : b * pos->strides[0] + l * pos->strides[1];
  return rpp_load_i64((const char *)pos->data + pos->byte_offset + at * (int64_t)sizeof(int64_t));
}

double rpp_load(rpp_dtype dtype, const char *at);
void rpp_store(rpp_dtype dtype, char *at, double value);

#endif
