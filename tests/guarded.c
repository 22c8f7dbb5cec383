#include "guarded.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { POISON = 0xa5, MARGIN = 64 };

bool guarded_next(const rpp_tensor *t, int64_t *index) {
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (++index[d] < t->shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

static int64_t elements_of(const rpp_tensor *t) {
  int64_t elements = 1;
  for (int d = 0; d < t->ndim; d++) elements *= t->shape[d];
  return elements;
}

guarded guarded_new(guarded_layout layout, rpp_dtype dtype, int ndim, const int64_t *shape) {
  guarded g = {.tensor = {.dtype = dtype, .ndim = ndim}};
  const int64_t gap = layout == LAYOUT_PADDED ? 3 : 0, sign = layout == LAYOUT_REVERSED ? -1 : 1;
  int64_t stride = layout == LAYOUT_PADDED ? 2 : 1, reach = 0;
  for (int i = 0; i < ndim; i++) {
    const int d = layout == LAYOUT_TRANSPOSED ? i : ndim - 1 - i;
    g.tensor.shape[d] = shape[d];
    g.tensor.strides[d] = sign * stride;
    reach += shape[d] > 0 ? (shape[d] - 1) * stride : 0;
    stride = stride * (shape[d] > 0 ? shape[d] : 1) + gap;
  }
  const size_t item = rpp_dtype_size(dtype), span = (size_t)(reach + 1) * item;
  g.size = MARGIN + span + MARGIN + 1;
  g.memory = malloc(g.size);
  ck_assert_ptr_nonnull(g.memory);
  memset(g.memory, POISON, g.size);
  g.tensor.data = g.memory;
  g.tensor.byte_offset = MARGIN + (layout == LAYOUT_UNALIGNED ? 1 : 0) + (layout == LAYOUT_REVERSED ? span - item : 0);
  return g;
}

void guarded_free(guarded *g) {
  free(g->memory);
  g->memory = NULL;
}

/* Bytes that are not poison, among those that belong to elements (inside) or among the others. */
static size_t changed_bytes(const guarded *g, bool inside) {
  const rpp_tensor *t = &g->tensor;
  const size_t item = rpp_dtype_size(t->dtype);
  unsigned char *owned = calloc(g->size, 1);
  ck_assert_ptr_nonnull(owned);
  int64_t index[RPP_MAX_DIMS] = {0};
  if (elements_of(t) > 0) do {
      int64_t at = (int64_t)t->byte_offset;
      for (int d = 0; d < t->ndim; d++) at += index[d] * t->strides[d] * (int64_t)item;
      memset(owned + at, 1, item);
    } while (guarded_next(t, index));
  size_t changed = 0;
  for (size_t i = 0; i < g->size; i++) changed += owned[i] == inside && g->memory[i] != POISON;
  free(owned);
  return changed;
}

size_t guarded_stray_bytes(const guarded *g) {
  return changed_bytes(g, false);
}
size_t guarded_written_bytes(const guarded *g) {
  return changed_bytes(g, true);
}
