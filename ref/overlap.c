/* overlap.c: whether strided tensors share bytes, exactly. The distance between an element of one and an element of another is a sum of
 * strides times bounded integers; the search for one that is too short takes the largest stride first, which leaves few values to try. */
#include "check_tensor.h"
#include "status.h"

/* Sums of spans, each of which fits 63 bits. */
__extension__ typedef __int128 wide;

/* stride (bytes, > 0) times an integer from low to high. */
typedef struct {
  int64_t stride, low, high;
} term;

typedef struct {
  int count;
  term terms[2 * RPP_MAX_DIMS]; /* strides descending, all different */
} sum;

/* Steps after which a search gives up and calls it an overlap: layouts that people use take a handful. */
enum { SEARCH_STEPS = 100000 };

static void add_term(sum *s, int64_t stride, int64_t low, int64_t high) {
  if (stride < 0) {
    const int64_t swapped = -low;
    stride = -stride, low = -high, high = swapped;
  }
  if (stride == 0 || (low == 0 && high == 0)) return;
  int at = 0;
  while (at < s->count && s->terms[at].stride > stride) at++;
  if (at < s->count && s->terms[at].stride == stride) {
    s->terms[at].low += low, s->terms[at].high += high;
    return;
  }
  for (int i = s->count++; i > at; i--) s->terms[i] = s->terms[i - 1];
  s->terms[at] = (term){stride, low, high};
}

static wide floor_divide(wide a, wide b) {
  return a / b - (a % b < 0);
}

/* Whether the terms from first on can sum to a value from low to high. */
static bool can_reach(const sum *s, int first, wide low, wide high, int *steps) {
  if (first == s->count) return low <= 0 && 0 <= high;
  wide rest_low = 0, rest_high = 0;
  for (int i = first + 1; i < s->count; i++)
    rest_low += (wide)s->terms[i].stride * s->terms[i].low, rest_high += (wide)s->terms[i].stride * s->terms[i].high;
  const term t = s->terms[first];
  wide from = -floor_divide(-(low - rest_high), t.stride), to = floor_divide(high - rest_low, t.stride);
  if (from < t.low) from = t.low;
  if (to > t.high) to = t.high;
  for (wide x = from; x <= to; x++)
    if (--*steps < 0 || can_reach(s, first + 1, low - x * t.stride, high - x * t.stride, steps)) return true;
  return false;
}

bool rpp_tensors_overlap(const rpp_tensor *a, const rpp_tensor *b) {
  rpp_extent span_a, span_b;
  if (rpp_tensor_span("a", a, &span_a) != RPP_OK || rpp_tensor_span("b", b, &span_b) != RPP_OK) return true;
  if (span_a.elements == 0 || span_b.elements == 0) return false;
  const uintptr_t at_a = (uintptr_t)a->data + a->byte_offset, at_b = (uintptr_t)b->data + b->byte_offset;
  const uintptr_t low_a = at_a + (uintptr_t)span_a.low, high_a = at_a + (uintptr_t)span_a.high;
  const uintptr_t low_b = at_b + (uintptr_t)span_b.low, high_b = at_b + (uintptr_t)span_b.high;
  if (high_a <= low_b || high_b <= low_a) return false;
  const int64_t size_a = (int64_t)rpp_dtype_size(a->dtype), size_b = (int64_t)rpp_dtype_size(b->dtype);
  const wide base = (wide)at_a - (wide)at_b;
  sum s = {0};
  for (int d = 0; d < a->ndim; d++) /* a dimension of one has a stride that says nothing, and may be anything */
    if (a->shape[d] > 1) add_term(&s, a->strides[d] * size_a, 0, a->shape[d] - 1);
  for (int d = 0; d < b->ndim; d++)
    if (b->shape[d] > 1) add_term(&s, b->strides[d] * size_b, 1 - b->shape[d], 0);
  int steps = SEARCH_STEPS;
  return can_reach(&s, 0, 1 - size_a - base, size_b - 1 - base, &steps);
}

int rpp_tensor_self_overlap(const rpp_tensor *t) {
  rpp_extent span;
  if (rpp_tensor_span("t", t, &span) != RPP_OK) return 0;
  if (span.elements < 2) return -1;
  /* Two elements differ first, by largest stride, in dimension d: by 1 or more there, by anything in the smaller ones. */
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] < 2) continue;
    const int64_t size = (int64_t)rpp_dtype_size(t->dtype), stride = t->strides[d] < 0 ? -t->strides[d] : t->strides[d];
    if (stride == 0) return d;
    sum s = {0};
    for (int e = 0; e < t->ndim; e++) {
      if (e == d || t->shape[e] < 2) continue;
      const int64_t other = t->strides[e] < 0 ? -t->strides[e] : t->strides[e];
      if (other == stride) return d;
      if (other < stride) add_term(&s, other * size, 1 - t->shape[e], t->shape[e] - 1);
    }
    add_term(&s, stride * size, 1, t->shape[d] - 1);
    int steps = SEARCH_STEPS;
    if (can_reach(&s, 0, 1 - size, size - 1, &steps)) return d;
  }
  return -1;
}
