/* layout.h: where the elements of a tensor lie. */
#ifndef RPP_LAYOUT_H
#define RPP_LAYOUT_H
#include "cases/spec.h"

/* What a sparse tensor's parts start at a multiple of, in bytes: whole pages everywhere. */
enum { RPP_LAYOUT_GRANULE = 65536 };

/* The memory that a tensor takes, in elements: `part`, gaps and all, and again `step` further on, `parts` times. One part for all
 * but sparse tensors, whose parts have nothing but address space between them. */
typedef struct {
  int64_t parts, step, part;
} rpp_layout_memory;

/* Sets the strides and the byte offset of a tensor of 1 to 4 dimensions, the last ones (heads, width) of a 4-dimensional one. pad:
 * tensors of different pad have different gaps. Fused counts as padded here, and so does sparse for a tensor without a dimension
 * to take apart. Strides are positive and nested: all that a step holds, gaps too, lies before the next step of the same
 * dimension. */
rpp_layout_memory rpp_layout_apply(rpp_layout layout, int pad, rpp_tensor *t);

/* Whether q, k and v of this spec are slices of one buffer. */
bool rpp_layout_is_fused(const rpp_spec *spec);

/* Makes t heads first .. first + its own of a contiguous (B, L, heads, D) buffer; returns the buffer's memory. */
rpp_layout_memory rpp_layout_slice(int64_t heads, int64_t first, rpp_tensor *t);

/* The dimensions of t from the largest step to the smallest. */
void rpp_layout_order(const rpp_tensor *t, int *order);

/* Whether the byte at offset, counted from t's data, belongs to an element; then its index too. */
bool rpp_layout_find(const rpp_tensor *t, int64_t offset, int64_t *index);

#endif
