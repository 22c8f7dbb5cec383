#include "cases/layout.h"

static int64_t at_least_one(int64_t x) {
  return x > 0 ? x : 1;
}

/* ---- Sparse: one dimension whose steps are far apart --------------------------------------------------------------------- */

/* Which: not always the same one, nor the same for q, k, v and out; -1: none. Each of its elements costs a page, at least. */
static int far_dimension(rpp_layout layout, int pad, const rpp_tensor *t) {
  enum { CHOICE = 3, MOST = 1024 };
  int64_t first = pad;
  if (layout != RPP_LAYOUT_SPARSE || t->ndim < CHOICE) return -1;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] == 0) return -1;
    first += t->shape[d] % CHOICE;
  }
  for (int i = 0; i < CHOICE; i++) {
    const int d = (int)((first + i) % CHOICE);
    if (t->shape[d] >= 2 && t->shape[d] <= MOST) return d;
  }
  return -1;
}

/* A third of the elements lie within 2^31 of the first, which 32 bits can count, a third within the next 2^31, which they count
 * without a sign, and a third past 2^32: of two, the second is past 2^31. Of another size for every pad. */
static int64_t far_step(int64_t parts, int64_t part, int pad, int64_t size) {
  const int64_t granule = RPP_LAYOUT_GRANULE / size, even = 3 * ((int64_t)1 << 31) / parts;
  return ((even > part ? even : part) / granule + 2 * pad + 2) * granule;
}

/* ---- All ------------------------------------------------------------------------------------------------------------------ */

/* The dimensions from the outermost in memory to the innermost. */
static void nest(rpp_layout layout, int far, int ndim, int *order) {
  for (int d = 0; d < ndim; d++) order[d] = d;
  if (layout == RPP_LAYOUT_HEAD_MAJOR && ndim == 4) order[1] = 2, order[2] = 1;
  for (int d = far; d > 0; d--) order[d] = d - 1;
  if (far > 0) order[0] = far;
}

rpp_layout_memory rpp_layout_apply(rpp_layout layout, int pad, rpp_tensor *t) {
  const bool sliced = layout == RPP_LAYOUT_SLICED && t->ndim >= 3;
  const bool padded = layout != RPP_LAYOUT_CONTIGUOUS && layout != RPP_LAYOUT_HEAD_MAJOR && t->ndim >= 2;
  const int far = far_dimension(layout, pad, t);
  int order[RPP_MAX_DIMS];
  int64_t extent = 1, offset = 0;
  nest(layout, far, t->ndim, order);
  for (int i = t->ndim - 1; i > (far >= 0 ? 0 : -1); i--) {
    const int d = order[i];
    const bool every_second = sliced && (d == t->ndim - 1 || (t->ndim == 4 && d == 2));
    if (every_second) offset += extent; /* starting inside */
    t->strides[d] = extent * (every_second ? 2 : 1);
    extent = t->strides[d] * at_least_one(t->shape[d]) + (padded ? pad + t->ndim - i : 0);
  }
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  t->byte_offset = (uint64_t)(offset * size);
  if (far < 0) return (rpp_layout_memory){1, 0, extent + offset};
  t->strides[far] = far_step(t->shape[far], extent, pad, size);
  return (rpp_layout_memory){t->shape[far], t->strides[far], extent};
}

bool rpp_layout_is_fused(const rpp_spec *spec) {
  return spec->layout == RPP_LAYOUT_FUSED && spec->q_len == spec->k_len && spec->head_dim == spec->v_dim;
}

rpp_layout_memory rpp_layout_slice(int64_t heads, int64_t first, rpp_tensor *t) {
  const int64_t width = t->shape[3], token = heads * width;
  t->strides[3] = 1;
  t->strides[2] = width;
  t->strides[1] = token;
  t->strides[0] = token * at_least_one(t->shape[1]);
  t->byte_offset = (uint64_t)(first * width) * rpp_dtype_size(t->dtype);
  return (rpp_layout_memory){1, 0, t->strides[0] * at_least_one(t->shape[0])};
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
