#include "float_row.h"

#include "tensor.h"

static inline float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint16_t bits_at(const char *at) {
  uint16_t bits;
  memcpy(&bits, at, sizeof bits);
  return bits;
}

/* Exact, branch-free so that loops of it become vector code, and without subnormal float32 on the way, which a program may have told
 * its processor to take for zero. */
static inline float widen_f16(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = h & 0x7fff, field = magnitude & 0x7c00;
  const float subnormal = (float)(int32_t)magnitude * 0x1p-24f;
  uint32_t bits, normal = (magnitude << 13) + (112u << 23);
  memcpy(&bits, &subnormal, sizeof bits);
  if (field == 0x7c00) normal |= 0x7f800000;
  if (field != 0) bits = normal;
  return from_bits(sign | bits);
}

/* count elements, stride elements apart, as float32. The three dtypes of the fast kernel. */
static void load_run(rpp_dtype dtype, const char *at, int64_t stride, int64_t count, float *row) {
  if (dtype == RPP_F32) {
    if (stride == 1) {
      memcpy(row, at, (size_t)count * sizeof *row);
      return;
    }
    for (int64_t p = 0; p < count; p++) memcpy(&row[p], at + p * stride * 4, sizeof *row);
  } else if (dtype == RPP_F16 || dtype == RPP_BF16) {
    const int64_t step = stride * 2;
    if (dtype == RPP_F16)
      for (int64_t p = 0; p < count; p++) row[p] = widen_f16(bits_at(at + p * step));
    else
      for (int64_t p = 0; p < count; p++) row[p] = from_bits((uint32_t)bits_at(at + p * step) << 16);
  } else
    for (int64_t p = 0; p < count; p++) row[p] = (float)rpp_load(dtype, at + p * stride * (int64_t)rpp_dtype_size(dtype));
}

static void store_run(rpp_dtype dtype, char *at, int64_t stride, int64_t count, const float *row) {
  const int64_t size = (int64_t)rpp_dtype_size(dtype), step = stride * size;
  if (dtype == RPP_F32 && stride == 1)
    memcpy(at, row, (size_t)(count * size));
  else
    for (int64_t p = 0; p < count; p++) rpp_store(dtype, at + p * step, (double)row[p]);
}

/* A row lies in the tensor as up to three runs: first columns of the pairs, second ones, the rest. */
typedef struct {
  int64_t column, step, count;
} run;

static int runs_of(const rpp_row_layout *layout, run *runs) {
  const int64_t pairs = layout->rotary_dim / 2, rest = layout->width - layout->rotary_dim;
  if (layout->pairing == RPP_PAIRING_HALF || pairs == 0) {
    runs[0] = (run){0, 1, layout->width};
    return 1;
  }
  runs[0] = (run){0, 2, pairs};
  runs[1] = (run){1, 2, pairs};
  runs[2] = (run){layout->rotary_dim, 1, rest};
  return 3;
}

void rpp_float_row_load(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, float *row) {
  const char *start = rpp_tensor_at(t, b, l, h, 0);
  const int64_t stride = t->strides[3], size = (int64_t)rpp_dtype_size(t->dtype);
  run runs[3];
  const int count = runs_of(layout, runs);
  for (int i = 0; i < count; row += runs[i++].count)
    load_run(t->dtype, start + runs[i].column * stride * size, runs[i].step * stride, runs[i].count, row);
}

void rpp_float_row_store(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const float *row) {
  char *start = rpp_tensor_at(t, b, l, h, 0);
  const int64_t stride = t->strides[3], size = (int64_t)rpp_dtype_size(t->dtype);
  run runs[3];
  const int count = runs_of(layout, runs);
  for (int i = 0; i < count; row += runs[i++].count)
    store_run(t->dtype, start + runs[i].column * stride * size, runs[i].step * stride, runs[i].count, row);
}

void rpp_float_row_rotate(const rpp_row_layout *layout, const float *cosine, const float *sine, float *row) {
  const int64_t pairs = layout->rotary_dim / 2;
  float *first = row, *second = row + pairs;
#pragma omp simd
  for (int64_t n = 0; n < pairs; n++) {
    const float a = first[n], b = second[n];
    first[n] = a * cosine[n] - b * sine[n];
    second[n] = b * cosine[n] + a * sine[n];
  }
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
