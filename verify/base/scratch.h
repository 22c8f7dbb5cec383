/* scratch.h: tensors that live until a check is done, freed together. */
#ifndef RPP_SCRATCH_H
#define RPP_SCRATCH_H
#include "base/random.h"
#include "ropepp.h"

#define RPP_SCRATCH_TENSORS 64

typedef struct {
  void *blocks[RPP_SCRATCH_TENSORS];
  int count;
} rpp_scratch;

/* A contiguous tensor of zeros. When memory (or the table of tensors) is out, its data is null, which the library refuses and the
 * functions here leave alone. */
rpp_tensor rpp_scratch_tensor(rpp_scratch *scratch, rpp_dtype dtype, int ndim, const int64_t *shape);
void rpp_scratch_free(rpp_scratch *scratch);

/* Shorthands: (b, l, h, d) of float64 zeros, of normal numbers, and a copy of any floating tensor. */
rpp_tensor rpp_scratch_zeros(rpp_scratch *scratch, int64_t b, int64_t l, int64_t h, int64_t d);
rpp_tensor rpp_scratch_normal(rpp_scratch *scratch, rpp_random *random, int64_t b, int64_t l, int64_t h, int64_t d);
rpp_tensor rpp_scratch_copy(rpp_scratch *scratch, const rpp_tensor *x);

/* (l) of I64: first, first + step, ... */
rpp_tensor rpp_scratch_positions(rpp_scratch *scratch, int64_t l, int64_t first, int64_t step);

/* Element i of a contiguous tensor of rpp_scratch_tensor, in memory order. */
int64_t rpp_scratch_size(const rpp_tensor *t);
double *rpp_scratch_values(const rpp_tensor *t);    /* float64 */
int64_t *rpp_scratch_integers(const rpp_tensor *t); /* I64 */

/* Copies x into y element by element: same shape, any strides. Does nothing when either has no data. */
void rpp_scratch_assign(const rpp_tensor *x, const rpp_tensor *y);

/* The largest |a - b| over all elements, divided by the largest finite |a|, or by 1 if that is larger. Equal infinities agree; NaN on
 * either side, different shapes and no data are infinite. */
double rpp_scratch_deviation(const rpp_tensor *a, const rpp_tensor *b);

#endif
