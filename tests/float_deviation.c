#include "float_deviation.h"

#include <math.h>
#include <stdlib.h>
#include "support.h"

static double get(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
  return rpp_tensor_get(t, (int64_t[]){i0, i1, i2, i3});
}

static rpp_tensor make(rpp_dtype dtype, int ndim, const int64_t *shape) {
  int64_t count = 1;
  for (int d = 0; d < ndim; d++) count *= shape[d];
  rpp_tensor t;
  void *data = calloc((size_t)count + 1, 8);
  ck_assert_ptr_nonnull(data);
  support_accepted(rpp_tensor_contiguous(data, dtype, ndim, shape, &t));
  return t;
}

/* The largest |x| of a row, over all tokens and heads: what a rotation may not enlarge but by sqrt 2 and the magnitude. */
static double largest_norm(const rpp_tensor *t) {
  double largest = 0;
  for (int64_t b = 0; b < t->shape[0]; b++)
    for (int64_t l = 0; l < t->shape[1]; l++)
      for (int64_t h = 0; h < t->shape[2]; h++) {
        double square = 0;
        for (int64_t c = 0; c < t->shape[3]; c++) square += get(t, b, l, h, c) * get(t, b, l, h, c);
        if (isfinite(square) && square > largest) largest = square;
      }
  return sqrt(largest);
}

/* What is left of an error when half a step of the dtype, which storing costs, is taken away. */
static double excess(rpp_dtype dtype, double want, double got) {
  const int mantissa = dtype == RPP_F64 ? 53 : dtype == RPP_F32 ? 24 : dtype == RPP_F16 ? 11 : 8;
  const double smallest = dtype == RPP_F16 ? 0x1p-25 : dtype == RPP_F64 ? 0 : dtype == RPP_F32 ? 0x1p-150 : 0x1p-134;
  if (want == got || (isnan(want) && isnan(got))) return 0;
  const double left = fabs(got - want) - fmax(fabs(want) * ldexp(1, -mantissa), smallest);
  return left > 0 || isnan(left) ? left : 0;
}

float_deviation float_deviation_of(const problem *p, const rpp_attention *attention) {
  const rpp_tensor *out = &p->out.tensor, *lse = &p->lse.tensor;
  const double u = 0x1p-24;
  const rpp_tensor *v = &p->v.tensor;
  rpp_head_counts counts;
  double magnitude = 1;
  support_accepted(rpp_attention_heads(attention, &counts));
  if (!attention->rotary.cos && !(attention->q_rotated && attention->k_rotated))
    support_accepted(rpp_frequencies(&attention->rotary, NULL, NULL, &magnitude));
  const int64_t batch = v->shape[0], k_len = v->shape[1], v_dim = v->shape[3], q_len = out->shape[1],
                head_dim = p->q.tensor.shape[3];
  rpp_tensor sizes = make(RPP_F64, 4, (int64_t[]){batch, k_len, counts.kv, v_dim});
  rpp_tensor exact = make(RPP_F64, 4, (int64_t[]){batch, q_len, counts.output, v_dim}), spread = make(RPP_F64, 4, exact.shape);
  rpp_tensor exact_lse = make(RPP_F64, 3, (int64_t[]){batch, counts.output, q_len});
  int64_t index[RPP_MAX_DIMS] = {0};
  if (batch * k_len * counts.kv * v_dim > 0) do
      rpp_tensor_set(&sizes, index, fabs(rpp_tensor_get(v, index)));
    while (guarded_next(v, index));
  rpp_attention_inputs inputs = p->inputs;
  support_accepted(rpp_attention_forward(attention, &inputs, NULL, &exact, &exact_lse));
  inputs.v = &sizes;
  support_accepted(rpp_attention_forward(attention, &inputs, NULL, &spread, NULL)); /* sum p |v| */
  const double product = fabs(attention->scale) * magnitude * magnitude * largest_norm(&p->q.tensor) * largest_norm(&p->k.tensor);
  const double eta = u * (product * (double)(head_dim + 16) + 2 * product + 8), n = u * (double)(k_len + 8);
  float_deviation worst = {0, 0};
  for (int64_t b = 0; b < batch; b++)
    for (int64_t o = 0; o < counts.output; o++)
      for (int64_t i = 0; i < q_len; i++) {
        const double want = get(&exact_lse, b, o, i, 0), got = get(lse, b, o, i, 0);
        const double of_lse = excess(lse->dtype, want, got) / (eta + n * (1 + fabs(want)));
        if (of_lse > worst.lse || isnan(of_lse)) worst.lse = of_lse; /* a NaN stays */
        for (int64_t c = 0; c < v_dim; c++) {
          const double x = get(&exact, b, i, o, c), y = get(out, b, i, o, c), size = get(&spread, b, i, o, c);
          const double of_out = excess(out->dtype, x, y) / (2 * (eta + n) * size + 0x1p-140);
          if (of_out > worst.out || isnan(of_out)) worst.out = of_out;
        }
      }
  free(sizes.data), free(exact.data), free(spread.data), free(exact_lse.data);
  return worst;
}
