#include "online_softmax.h"

#include <math.h>
#include <string.h>

/* GCC's vectors, eight lanes whatever the machine has: sums so have one order everywhere. Functions take them by address, as passing
 * them by value differs between machines. */
typedef float lanes __attribute__((vector_size(4 * RPP_SOFTMAX_LANES), aligned(4), may_alias));
typedef int32_t masks __attribute__((vector_size(4 * RPP_SOFTMAX_LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

/* x where the mask is set, else y. */
#define SELECT(mask, x, y) ((lanes)(((mask) & (masks)(x)) | (~(mask) & (masks)(y))))
#define ALL(x) ((lanes){0} + (x))

/* x = n ln 2 + r, |r| <= ln 2 / 2; e^r by Cephes' polynomial. 2^n is multiplied in as two halves, so that results below 2^-126 are
 * rounded once into the subnormals; below -104 all round to 0. NaN comes through. */
INLINE void exponential(lanes *values) {
  const lanes x = SELECT(*values < -104.0f, ALL(-104.0f), *values);
  const lanes shifted = x * 1.44269504088896341f + 0x1.8p23f, n = shifted - 0x1.8p23f;
  const lanes r = (x - n * 0.693359375f) - n * -2.12194440e-4f; /* the first product is exact */
  lanes p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const lanes e = (p * (r * r) + r) + 1.0f;
  /* The low 23 bits of shifted are 2^22 + n. A NaN's are anything, and anything times NaN is NaN. */
  const masks whole = ((masks)shifted & 0x7fffff) - 0x400000, half = whole >> 1;
  *values = e * (lanes)((half + 127) << 23) * (lanes)((whole - half + 127) << 23);
}

INLINE void take_in(rpp_online_softmax *row, int64_t count, float *scores, float *rescale) {
  lanes most = ALL(row->largest);
  for (int64_t j = 0; j < count; j += RPP_SOFTMAX_LANES) {
    const lanes x = *(lanes *)(scores + j);
    most = SELECT(x > most, x, most); /* a NaN is passed over here, and reaches the sum below */
  }
  float largest = row->largest;
  for (int i = 0; i < RPP_SOFTMAX_LANES; i++) largest = most[i] > largest ? most[i] : largest;
  /* While all scores are -inf, their weights are e^(-inf), not e^(-inf + inf). */
  const float zero = largest == -INFINITY ? 0 : largest;
  lanes sums = ALL(0);
  for (int64_t j = 0; j < count; j += RPP_SOFTMAX_LANES) {
    lanes x = *(lanes *)(scores + j) - zero;
    exponential(&x);
    *(lanes *)(scores + j) = x;
    sums += x;
  }
  float sum = 0;
  for (int i = 0; i < RPP_SOFTMAX_LANES; i++) sum += sums[i];
  lanes earlier = ALL(row->largest - zero);
  exponential(&earlier);
  *rescale = largest == row->largest ? 1 : earlier[0];
  row->largest = largest;
  row->sum = row->sum * *rescale + sum;
}

static void take_in_anywhere(rpp_online_softmax *row, int64_t count, float *scores, float *rescale) {
  take_in(row, count, scores, rescale);
}

#if defined(__x86_64__)
/* The same arithmetic, and so the same bits, twice as fast. */
__attribute__((target("avx2"))) static void take_in_avx2(rpp_online_softmax *row, int64_t count, float *scores, float *rescale) {
  take_in(row, count, scores, rescale);
}
#endif

float rpp_exp_f32(float x) {
  lanes values = ALL(x);
  exponential(&values);
  return values[0];
}

float rpp_online_softmax_add(rpp_online_softmax *row, int64_t count, int64_t first, int64_t last, float *scores) {
  if (first == last) {
    memset(scores, 0, (size_t)count * sizeof *scores);
    return 1;
  }
  /* Whole vectors from low to high; what is masked in them weighs e^(-inf) = 0. */
  const int64_t low = first - first % RPP_SOFTMAX_LANES,
                high = low + (last - low + RPP_SOFTMAX_LANES - 1) / RPP_SOFTMAX_LANES * RPP_SOFTMAX_LANES;
  memset(scores, 0, (size_t)low * sizeof *scores);
  for (int64_t j = low; j < first; j++) scores[j] = -INFINITY;
  for (int64_t j = last; j < high; j++) scores[j] = -INFINITY;
  for (int64_t j = high; j < count; j++) scores[j] = 0;
  float rescale;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    take_in_avx2(row, high - low, scores + low, &rescale);
    return rescale;
  }
#endif
  take_in_anywhere(row, high - low, scores + low, &rescale);
  return rescale;
}

double rpp_online_softmax_lse(const rpp_online_softmax *row) {
  return row->largest == -INFINITY ? NAN : (double)row->largest + log((double)row->sum);
}
