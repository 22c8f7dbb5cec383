#include "bench/case_work.h"

#include "visible.h"

int64_t rpp_visible_pairs(const rpp_attention *attention, const rpp_attention_inputs *inputs) {
  int64_t pairs = 0;
  for (int64_t i = 0; i < inputs->q->shape[1]; i++) {
    const rpp_key_range keys = rpp_visible_keys(attention, inputs, inputs->k->shape[1], i);
    pairs += keys.last - keys.first;
  }
  return pairs * inputs->q->shape[0];
}

double rpp_forward_operations(const rpp_attention *attention, const rpp_attention_inputs *inputs) {
  rpp_head_counts heads = {0};
  rpp_attention_heads(attention, &heads);
  const double width = (double)(inputs->k->shape[3] + inputs->v->shape[3]);
  return 2 * (double)rpp_visible_pairs(attention, inputs) * width * (double)heads.output;
}

double rpp_tensor_bytes(const rpp_tensor *t) {
  double elements = 1;
  for (int d = 0; d < t->ndim; d++) elements *= (double)t->shape[d];
  return elements * (double)rpp_dtype_size(t->dtype);
}
