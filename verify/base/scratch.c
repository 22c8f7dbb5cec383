#include "base/scratch.h"

#include <math.h>
#include <stdlib.h>

#include "base/elements.h"

rpp_tensor rpp_scratch_tensor(rpp_scratch *scratch, rpp_dtype dtype, int ndim, const int64_t *shape) {
  rpp_tensor t = {0};
  if (rpp_tensor_contiguous(NULL, dtype, ndim, shape, &t) != RPP_OK || scratch->count == RPP_SCRATCH_TENSORS) return t;
  const size_t size = (size_t)(t.shape[0] * t.strides[0]);
  t.data = calloc(size > 0 ? size : 1, rpp_dtype_size(dtype));
  if (t.data) scratch->blocks[scratch->count++] = t.data;
  return t;
}

void rpp_scratch_free(rpp_scratch *scratch) {
  for (int i = 0; i < scratch->count; i++) free(scratch->blocks[i]);
  scratch->count = 0;
}

rpp_tensor rpp_scratch_zeros(rpp_scratch *scratch, int64_t b, int64_t l, int64_t h, int64_t d) {
  return rpp_scratch_tensor(scratch, RPP_F64, 4, (int64_t[]){b, l, h, d});
}

rpp_tensor rpp_scratch_normal(rpp_scratch *scratch, rpp_random *random, int64_t b, int64_t l, int64_t h, int64_t d) {
  const rpp_tensor t = rpp_scratch_zeros(scratch, b, l, h, d);
  for (int64_t i = 0; i < rpp_scratch_size(&t); i++) rpp_scratch_values(&t)[i] = rpp_random_normal(random);
  return t;
}

rpp_tensor rpp_scratch_copy(rpp_scratch *scratch, const rpp_tensor *x) {
  const rpp_tensor t = rpp_scratch_tensor(scratch, x->dtype, x->ndim, x->shape);
  rpp_scratch_assign(x, &t);
  return t;
}

rpp_tensor rpp_scratch_positions(rpp_scratch *scratch, int64_t l, int64_t first, int64_t step) {
  const rpp_tensor t = rpp_scratch_tensor(scratch, RPP_I64, 1, &l);
  for (int64_t i = 0; i < rpp_scratch_size(&t); i++) rpp_scratch_integers(&t)[i] = first + i * step;
  return t;
}

int64_t rpp_scratch_size(const rpp_tensor *t) {
  int64_t size = t->data ? 1 : 0;
  for (int d = 0; d < t->ndim; d++) size *= t->shape[d];
  return size;
}

double *rpp_scratch_values(const rpp_tensor *t) {
  return t->data;
}
int64_t *rpp_scratch_integers(const rpp_tensor *t) {
  return t->data;
}

void rpp_scratch_assign(const rpp_tensor *x, const rpp_tensor *y) {
  int64_t index[RPP_MAX_DIMS] = {0};
  if (rpp_scratch_size(x) == 0 || rpp_scratch_size(y) == 0) return;
  do rpp_tensor_set(y, index, rpp_tensor_get(x, index));
  while (rpp_elements_next(x, index));
}

double rpp_scratch_deviation(const rpp_tensor *a, const rpp_tensor *b) {
  if (a->ndim != b->ndim || !a->data || !b->data) return INFINITY;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] != b->shape[d]) return INFINITY;
  if (rpp_scratch_size(a) == 0) return INFINITY; /* nothing compared is no agreement */
  double largest = 0, scale = 1;
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    const double x = rpp_tensor_get(a, index), y = rpp_tensor_get(b, index);
    if (isinf(x) && x == y) continue;
    const double error = fabs(x - y);
    if (!isfinite(error)) return INFINITY;
    largest = fmax(largest, error);
    scale = fmax(scale, fabs(x));
  } while (rpp_elements_next(a, index));
  return largest / scale;
}
