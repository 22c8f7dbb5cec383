#include "visible.h"

#include "tensor.h"

/* Sums of three 64-bit numbers. */
__extension__ typedef __int128 wide;

static int64_t clamp(wide x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : (int64_t)x;
}

/* The sequence that holds query i: the last n with cu_q[n] <= i (empty sequences come before it). */
static int64_t sequence_of(const rpp_tensor *cu_q, int64_t i) {
  int64_t low = 0, high = cu_q->shape[0] - 1;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (rpp_load_i64(rpp_tensor_at(cu_q, middle, 0, 0, 0)) <= i)
      low = middle;
    else
      high = middle;
  }
  return low;
}

rpp_key_range rpp_visible_keys(const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t k_len, int64_t i) {
  int64_t start = 0, stop = k_len;
  if (inputs->cu_q) {
    const int64_t n = sequence_of(inputs->cu_q, i);
    i -= rpp_load_i64(rpp_tensor_at(inputs->cu_q, n, 0, 0, 0));
    start = rpp_load_i64(rpp_tensor_at(inputs->cu_k, n, 0, 0, 0));
    stop = rpp_load_i64(rpp_tensor_at(inputs->cu_k, n + 1, 0, 0, 0));
  }
  int64_t first = 0, last = stop - start;
  if (attention->mask != RPP_MASK_FULL) {
    const wide end = (wide)i + attention->causal_offset + 1;
    last = clamp(end, 0, last);
    if (attention->mask == RPP_MASK_WINDOW) first = clamp(end - attention->window, 0, last);
  }
  return first < last ? (rpp_key_range){start + first, start + last} : (rpp_key_range){0, 0};
}
