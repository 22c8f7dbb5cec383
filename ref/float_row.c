#include "float_row.h"

#include "tensor.h"
#include "vector/sets.h"

static const rpp_row_code *row_code(void) {
  return rpp_vector_sets()[0]->rows;
}

bool rpp_float_row_is_straight(const rpp_tensor *t) {
  return (t->strides[3] == 1 || t->shape[3] == 1) && (t->dtype == RPP_F32 || t->dtype == RPP_F16 || t->dtype == RPP_BF16);
}

/* Where column p of the tensor's row is in a float row. */
static inline int64_t place(const rpp_row_layout *layout, int64_t p) {
  if (layout->pairing == RPP_PAIRING_HALF || p >= layout->rotary_dim) return p;
  return p / 2 + p % 2 * (layout->rotary_dim / 2);
}

/* Columns that lie pair by pair, in a row that is straight. */
static int64_t joined(const rpp_row_layout *layout) {
  return layout->pairing == RPP_PAIRING_HALF ? 0 : layout->rotary_dim;
}

void rpp_float_row_load(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, float *row) {
  const char *at = rpp_tensor_at(t, b, l, h, 0);
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), pairs = joined(layout) / 2, rest = layout->width - 2 * pairs;
  if (rpp_float_row_is_straight(t)) {
    if (pairs > 0) row_code()->load_pairs(t->dtype, pairs, at, row, row + pairs);
    if (rest > 0) row_code()->load(t->dtype, rest, at + 2 * pairs * size, row + 2 * pairs);
  } else
    for (int64_t p = 0; p < layout->width; p++) row[place(layout, p)] = (float)rpp_load(t->dtype, at + p * t->strides[3] * size);
}

void rpp_float_row_store(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const float *row) {
  char *at = rpp_tensor_at(t, b, l, h, 0);
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), pairs = joined(layout) / 2, rest = layout->width - 2 * pairs;
  if (rpp_float_row_is_straight(t)) {
    if (pairs > 0) row_code()->store_pairs(t->dtype, pairs, row, row + pairs, at);
    if (rest > 0) row_code()->store(t->dtype, rest, row + 2 * pairs, at + 2 * pairs * size);
  } else
    for (int64_t p = 0; p < layout->width; p++) rpp_store(t->dtype, at + p * t->strides[3] * size, (double)row[place(layout, p)]);
}

void rpp_float_row_rotate(const rpp_row_layout *layout, const float *cosine, const float *sine, float *row) {
  const rpp_turn turn = {
      .dtype = RPP_F32, .pairing = RPP_PAIRING_HALF, .part = RPP_PART_REAL, .pairs = layout->rotary_dim / 2, .rest = 0};
  row_code()->rotate(&turn, 1, (const char *)row, 0, (char *)row, 0, cosine, sine);
}

void rpp_float_row_quarter_turn(const rpp_row_layout *layout, const float *from, float *to) {
  const int64_t pairs = layout->rotary_dim / 2;
  for (int64_t n = 0; n < pairs; n++) {
    const float a = from[n];
    to[n] = from[pairs + n];
    to[pairs + n] = -a;
  }
  for (int64_t p = layout->rotary_dim; p < layout->width; p++) to[p] = from[p];
}

void rpp_float_row_load_rotated(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h,
                                const float *cosine, const float *sine, float *real, float *imag) {
  const rpp_row_layout as_it_lies = {RPP_PAIRING_INTERLEAVED, layout->width, 0};
  const int64_t pairs = layout->rotary_dim / 2;
  const bool direct = t->dtype == RPP_F32 && rpp_float_row_is_straight(t);
  const char *from = direct ? rpp_tensor_at(t, b, l, h, 0) : (const char *)real;
  if (!direct) rpp_float_row_load(&as_it_lies, t, b, l, h, real);
  rpp_turn turn = {
      .dtype = RPP_F32, .pairing = layout->pairing, .part = RPP_PART_IMAG, .pairs = pairs, .rest = layout->width - 2 * pairs};
  if (imag) row_code()->rotate(&turn, 1, from, 0, (char *)imag, 0, cosine, sine);
  turn.part = RPP_PART_REAL; /* last, as it may lie where it comes from */
  row_code()->rotate(&turn, 1, from, 0, (char *)real, 0, cosine, sine);
}
