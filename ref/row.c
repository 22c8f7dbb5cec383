#include "row.h"

#include "tensor.h"

/* The column of the tensor that place p of the library's layout stands for. */
static inline int64_t column(const rpp_row_layout *layout, int64_t p) {
  if (layout->pairing == RPP_PAIRING_INTERLEAVED || p >= layout->rotary_dim) return p;
  return p % 2 == 0 ? p / 2 : p / 2 + layout->rotary_dim / 2;
}

void rpp_row_load(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, double *row) {
  if (layout->width == 0) return; /* there may be no data to point into */
  const char *start = rpp_tensor_at(t, b, l, h, 0);
  const int64_t stride = t->strides[3] * (int64_t)rpp_dtype_size(t->dtype);
  for (int64_t p = 0; p < layout->width; p++) row[p] = rpp_load(t->dtype, start + column(layout, p) * stride);
}

void rpp_row_store(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const double *row) {
  if (layout->width == 0) return;
  char *start = rpp_tensor_at(t, b, l, h, 0);
  const int64_t stride = t->strides[3] * (int64_t)rpp_dtype_size(t->dtype);
  for (int64_t p = 0; p < layout->width; p++) rpp_store(t->dtype, start + column(layout, p) * stride, row[p]);
}

void rpp_row_quarter_turn(const rpp_row_layout *layout, double *row) {
  for (int64_t p = 0; p < layout->rotary_dim; p += 2) {
    const double a = row[p];
    row[p] = row[p + 1];
    row[p + 1] = -a;
  }
}

void rpp_row_rotate(const rpp_row_layout *layout, const double *cosine, const double *sine, double *row) {
  for (int64_t p = 0; p < layout->rotary_dim; p += 2) {
    const double a = row[p], b = row[p + 1], c = cosine[p / 2], s = sine[p / 2];
    row[p] = a * c - b * s;
    row[p + 1] = b * c + a * s;
  }
}

static double dot(const rpp_row_layout *layout, const double *q, const double *k) {
  double sum = 0;
  for (int64_t p = 0; p < layout->rotary_dim; p += 2) sum += q[p] * k[p] + q[p + 1] * k[p + 1];
  for (int64_t p = layout->rotary_dim; p < layout->width; p++) sum += q[p] * k[p];
  return sum;
}

/* Four keys side by side, each summed in dot's order: the sums wait for each other less. */
static void four_dots(const rpp_row_layout *layout, const double *q, const double *k, double *dots) {
  const double *k0 = k, *k1 = k0 + layout->width, *k2 = k1 + layout->width, *k3 = k2 + layout->width;
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (int64_t p = 0; p < layout->rotary_dim; p += 2) {
    s0 += q[p] * k0[p] + q[p + 1] * k0[p + 1];
    s1 += q[p] * k1[p] + q[p + 1] * k1[p + 1];
    s2 += q[p] * k2[p] + q[p + 1] * k2[p + 1];
    s3 += q[p] * k3[p] + q[p + 1] * k3[p + 1];
  }
  for (int64_t p = layout->rotary_dim; p < layout->width; p++) {
    s0 += q[p] * k0[p];
    s1 += q[p] * k1[p];
    s2 += q[p] * k2[p];
    s3 += q[p] * k3[p];
  }
  dots[0] = s0, dots[1] = s1, dots[2] = s2, dots[3] = s3;
}

void rpp_row_dots(const rpp_row_layout *layout, const double *q, const double *keys, int64_t count, double *dots) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) four_dots(layout, q, keys + j * layout->width, dots + j);
  for (; j < count; j++) dots[j] = dot(layout, q, keys + j * layout->width);
}
