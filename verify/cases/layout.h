/* layout.h: where the elements of a tensor lie. */
#ifndef RPP_LAYOUT_H
#define RPP_LAYOUT_H
#include "cases/spec.h"

/* Sets the strides and the byte offset of a tensor of 1 to 4 dimensions, the last ones (heads, width) of a 4-dimensional one;
 * returns how many elements of memory it takes, gaps and all. pad: tensors of different pad have different gaps. Fused counts as
 * padded here. Strides are positive and nested: all that a step holds, gaps too, lies before the next step of the same
 * dimension. */
int64_t rpp_layout_apply(rpp_layout layout, int pad, rpp_tensor *t);

/* Whether q, k and v of this spec are slices of one buffer. */
bool rpp_layout_is_fused(const rpp_spec *spec);

/* Makes t heads first .. first + its own of a contiguous (B, L, heads, D) buffer; returns the buffer's elements. */
int64_t rpp_layout_slice(int64_t heads, int64_t first, rpp_tensor *t);

/* The dimensions of t from the largest step to the smallest. */
void rpp_layout_order(const rpp_tensor *t, int *order);

/* Whether the byte at offset, counted from t's data, belongs to an element; then its index too. */
bool rpp_layout_find(const rpp_tensor *t, int64_t offset, int64_t *index);

#endif
