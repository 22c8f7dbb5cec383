#include "cases/layout.h"

static int64_t at_least_one(int64_t x) {
  return x > 0 ? x : 1;
}

int64_t rpp_layout_apply(rpp_layout layout, int pad, rpp_tensor *t) {
  const bool sliced = layout == RPP_LAYOUT_SLICED && t->ndim >= 3, swapped = layout == RPP_LAYOUT_HEAD_MAJOR && t->ndim == 4;
  const bool padded = (layout == RPP_LAYOUT_PADDED || layout == RPP_LAYOUT_FUSED || layout == RPP_LAYOUT_SLICED) && t->ndim >= 2;
  int64_t extent = 1, offset = 0;
  for (int i = t->ndim - 1; i >= 0; i--) {
    const int d = swapped && (i == 1 || i == 2) ? 3 - i : i;
    const bool every_second = sliced && (d == t->ndim - 1 || (t->ndim == 4 && d == 2));
    if (every_second) offset += extent; /* starting inside */
    t->strides[d] = extent * (every_second ? 2 : 1);
    extent = t->strides[d] * at_least_one(t->shape[d]) + (padded ? pad + t->ndim - i : 0);
  }
  t->byte_offset = (uint64_t)offset * rpp_dtype_size(t->dtype);
  return extent + offset;
}

bool rpp_layout_is_fused(const rpp_spec *spec) {
  return spec->layout == RPP_LAYOUT_FUSED && spec->q_len == spec->k_len && spec->head_dim == spec->v_dim;
}

int64_t rpp_layout_slice(int64_t heads, int64_t first, rpp_tensor *t) {
  const int64_t width = t->shape[3], token = heads * width;
  t->strides[3] = 1;
  t->strides[2] = width;
  t->strides[1] = token;
  t->strides[0] = token * at_least_one(t->shape[1]);
  t->byte_offset = (uint64_t)(first * width) * rpp_dtype_size(t->dtype);
  return t->strides[0] * at_least_one(t->shape[0]);
}

void rpp_layout_order(const rpp_tensor *t, int *order) {
  for (int d = 0; d < t->ndim; d++) {
    int at = d;
    /* Where steps are equal, one of the two dimensions is of size 1 and lies inside the other. */
    for (; at > 0; at--) {
      const int before = order[at - 1];
      if (t->strides[before] > t->strides[d] || (t->strides[before] == t->strides[d] && t->shape[before] >= t->shape[d])) break;
      order[at] = before;
    }
    order[at] = d;
  }
}

bool rpp_layout_find(const rpp_tensor *t, int64_t offset, int64_t *index) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  int order[RPP_MAX_DIMS];
  offset -= (int64_t)t->byte_offset;
  if (offset < 0) return false;
  rpp_layout_order(t, order);
  for (int i = 0; i < t->ndim; i++) {
    const int64_t step = t->strides[order[i]] * size;
    index[order[i]] = offset / step;
    if (index[order[i]] >= t->shape[order[i]]) return false;
    offset %= step;
  }
  return offset < size;
}
