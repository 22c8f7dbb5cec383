/* storage.h: vectors of float32 from what is stored as F32, F16 or BF16, and back (lanes.h). Of two 16-bit numbers in a word the first is the
 * lower: memory is little-endian. */
#ifndef RPP_STORAGE_H
#define RPP_STORAGE_H
#include "vector/lanes.h"

/* ---- Shuffles ----------------------------------------------------------------------------------------------------------- */

/* EVEN and ODD take two vectors of pairs apart, LOW and HIGH put them together. The NEAR ones do the same with less work, moving nothing
 * across the quarters that processors shuffle within: what they take apart is in the order ORDER. */
#if RPP_LANES == 4
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define EVEN_NEAR EVEN
#define ODD_NEAR ODD
#define LOW_NEAR LOW
#define HIGH_NEAR HIGH
#define ORDER 0, 1, 2, 3
#elif RPP_LANES == 8
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define EVEN_NEAR 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_NEAR 1, 3, 9, 11, 5, 7, 13, 15
#define LOW_NEAR 0, 8, 1, 9, 4, 12, 5, 13
#define HIGH_NEAR 2, 10, 3, 11, 6, 14, 7, 15
#define ORDER 0, 1, 4, 5, 2, 3, 6, 7
#else
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define EVEN_NEAR 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_NEAR 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#define LOW_NEAR 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH_NEAR 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define ORDER 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15
#endif
#define SHUFFLE(x, y, order) SHUFFLE_OF(x, y, order)
#define SHUFFLE_OF(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)

/* ---- Storage ------------------------------------------------------------------------------------------------------------ */

#define WORDS(x) ((words){0} + (x))
#define CHOOSE(mask, x, y) (((words)(mask) & (x)) | (~(words)(mask) & (y)))

/* Of words that fit. */
INLINE halves narrow(words x) {
#if RPP_LANES == 16 && defined(__AVX512F__)
  return (halves)_mm512_cvtepi32_epi16((__m512i)x);
#elif RPP_LANES == 8 && defined(__AVX2__)
  return (halves)_mm_packus_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
#else
  typedef uint16_t eight __attribute__((vector_size(16)));
  return __builtin_shufflevector((eight)x, (eight)x, 0, 2, 4, 6);
#endif
}

INLINE halves narrow_f16(lanes value) {
#if RPP_LANES == 16 && defined(__AVX512F__)
  return (halves)_mm512_cvtps_ph((__m512)value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif RPP_LANES == 8 && defined(__F16C__)
  return (halves)_mm256_cvtps_ph((__m256)value, _MM_FROUND_TO_NEAREST_INT);
#else
  const words x = (words)value;
  const masks magnitude = (masks)(x & 0x7fffffff);
  const words normal =
      ((words)magnitude + 0xfff + ((words)magnitude >> 13 & 1) - (112u << 23)) >> 13; /* carries into the exponent */
  const words subnormal = (words)((lanes)magnitude + 0.5f) - 0x3f000000;              /* 0.5's last bit is 2^-24 */
  const words finite = CHOOSE(magnitude < 0x38800000, subnormal, normal);
  const words nan = 0x7e00 | ((words)magnitude >> 13 & 0x3ff);
  const words large = CHOOSE(magnitude > 0x7f800000, nan, WORDS(0x7c00));
  return narrow((x >> 16 & 0x8000) | CHOOSE(magnitude >= 0x477ff000, large, finite));
#endif
}

/* To bfloat16 in the upper half of a word; the lower holds what is left over. A quiet NaN is not rounded, and so stays one; another's payload
 * may be in the lower half alone. */
INLINE words round_bf16(lanes value) {
  const words x = (words)value, number = (words)(value == value);
  return x + (((x >> 16 & 1) + 0x7fff) & number);
}

INLINE lanes quiet(lanes value) {
  return (lanes)((words)value | ((words)(value != value) & 0x400000));
}

INLINE int64_t size_of(rpp_dtype dtype) {
  return dtype == RPP_F32 ? 4 : 2;
}

/* The first count lanes; the others are 0, and their memory is left alone. */
INLINE lanes fetch(rpp_dtype dtype, const char *from, int64_t count) {
  if (count >= LANES) return load_lanes(dtype, from);
  char room[4 * LANES] = {0};
  if (count > 0) memcpy(room, from, (size_t)(count * size_of(dtype)));
  return load_lanes(dtype, room);
}

INLINE void put(rpp_dtype dtype, lanes x, char *to, int64_t count) {
  const size_t bytes = (size_t)(count * size_of(dtype));
  if (dtype == RPP_F32) {
    memcpy(to, &x, bytes);
    return;
  }
  const halves h = dtype == RPP_F16 ? narrow_f16(x) : narrow(round_bf16(quiet(x)) >> 16);
  memcpy(to, &h, bytes);
}

typedef struct {
  lanes first, second;
} both;

/* count pairs that lie side by side. */
INLINE both fetch_pairs(rpp_dtype dtype, const char *from, int64_t count) {
  const int64_t some = 2 * count < LANES ? 2 * count : LANES;
  const lanes x = fetch(dtype, from, some), y = fetch(dtype, from + some * size_of(dtype), 2 * count - some);
  return (both){SHUFFLE(x, y, EVEN), SHUFFLE(x, y, ODD)};
}

INLINE void put_pairs(rpp_dtype dtype, both x, char *to, int64_t count) {
  const int64_t some = 2 * count < LANES ? 2 * count : LANES;
  put(dtype, SHUFFLE(x.first, x.second, LOW), to, some);
  put(dtype, SHUFFLE(x.first, x.second, HIGH), to + some * size_of(dtype), 2 * count - some);
}

#endif
