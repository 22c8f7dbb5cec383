/* lanes.h: GCC's vectors for the *_code.c of this folder, which are compiled once for each instruction set: RPP_SET is its name,
 * RPP_LANES the floats of its vectors. In these files alone, row_code.c apart, a product may be fused with the sum it is added to
 * (meson.build): that is what the instruction sets are for, it rounds once less, and the contracts' bounds hold for both. */
#ifndef RPP_LANES_H
#define RPP_LANES_H
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "ropepp.h"

enum { LANES = RPP_LANES };

typedef float lanes __attribute__((vector_size(4 * RPP_LANES)));
typedef int32_t masks __attribute__((vector_size(4 * RPP_LANES)));
typedef float memory __attribute__((vector_size(4 * RPP_LANES), aligned(4), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * RPP_LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * RPP_LANES)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* x where the mask is set, else y. */
#define SELECT(mask, x, y) ((lanes)(((mask) & (masks)(x)) | (~(mask) & (masks)(y))))
#define ALL(x) ((x) - (lanes){0}) /* x + 0 is not x where x is -0, and takes an addition */

#define LOAD(at) ((lanes) * (const memory *)(at))
#define STORE(at, x) (*(memory *)(at) = (x))

/* Keeps x in a register from here on: the compiler may not load it again where it is used. */
#if defined(__x86_64__)
#define HOLD(x) __asm__("" : "+v"(x))
#elif defined(__aarch64__)
#define HOLD(x) __asm__("" : "+w"(x))
#else
#define HOLD(x) ((void)0)
#endif
/* Rounds the product x here and now: the compiler may not fuse it with the sum or difference that it becomes part of. */
#if defined(__x86_64__) || defined(__aarch64__)
#define ROUND(x) HOLD(x)
#else
#define ROUND(x) __asm__("" : "+m"(x))
#endif
/* Keeps the compiler from counting on from what an address was before: it would hold each of a loop's addresses in a register of its own. */
#define HOLD_ADDRESS(x) __asm__("" : "+r"(x))

/* sum += x * y, fused where the instruction set does it, in the register that the sum is in: GCC 12 copies sums from one to another in long
 * loops, which takes as many places in the processor's queues as products do. */
#if defined(__FMA__) || defined(__AVX512F__)
#define ADD_PRODUCT(sum, x, y) __asm__("vfmadd231ps {%1, %2, %0|%0, %2, %1}" : "+v"(sum) : "v"(x), "v"(y))
#else
#define ADD_PRODUCT(sum, x, y) ((sum) += (x) * (y))
#endif

/* A table's name in this set: IN_SET(rpp_tiles) is rpp_tiles_avx2. */
#define IN_SET_OF(name, set) name##_##set
#define IN_SET_NAMED(name, set) IN_SET_OF(name, set)
#define IN_SET(name) IN_SET_NAMED(name, RPP_SET)

/* x where x > y, else y: y too where either is NaN. */
INLINE lanes larger(lanes x, lanes y) {
#if RPP_LANES == 16 && defined(__AVX512F__)
  return _mm512_max_ps(x, y);
#elif RPP_LANES == 8 && defined(__AVX__)
  return _mm256_max_ps(x, y);
#elif RPP_LANES == 4 && defined(__SSE__)
  return _mm_max_ps(x, y);
#else
  return SELECT(x > y, x, y);
#endif
}

/* Numbers of its size are whole: of it plus x the low bits are n + 127 + 64, where n is x to the nearest whole number. */
#define POWER_SHIFT (0x1.8p23f + 127 + 64)

/* x = 2^(n + r), where |r| <= 1/2 and shifted = POWER_SHIFT + n, -150 <= n <= 63. The polynomial, by Remez with its coefficients rounded to float32
 * one after another, is within 3e-9 of 2^r. It gives 2^(r - 64), and 2^(n + 64) is always a normal number, so that results below 2^-126 are
 * rounded once. A NaN in r comes through, whatever shifted is. Step by step for all vectors, as a processor looks ahead of one of them but a
 * little. */
INLINE void powers_of_parts(int count, const lanes *r, const lanes *shifted, lanes *x) {
  enum { TERMS = 6 };
  static const float factors[TERMS] = {0x1.5f082ep-74f, 0x1.3b2de0p-71f, 0x1.c6af7cp-69f,
                                       0x1.ebfbdcp-67f, 0x1.62e430p-65f, 0x1p-64f};
  UNROLL
  for (int i = 0; i < count; i++) x[i] = ALL(0x1.416b50p-77f);
  UNROLL
  for (int k = 0; k < TERMS; k++) UNROLL
  for (int i = 0; i < count; i++) x[i] = x[i] * r[i] + factors[k];
  UNROLL
  for (int i = 0; i < count; i++) x[i] *= (lanes)((words)shifted[i] << 23);
}

/* x = 2^x for x <= 63 (and -inf, and NaN, which comes through) within 0.9 units in the last place (1.08 where products are not fused),
 * subnormal results included; 2^0 is 1. Below -150 all round to 0. */
INLINE void powers_of_two(int count, lanes *x) {
  enum { MOST = 4 };
  lanes r[MOST], shifted[MOST];
  UNROLL
  for (int i = 0; i < count; i++) {
    const lanes at = larger(ALL(-150.0f), x[i]);
    shifted[i] = at + POWER_SHIFT;
    r[i] = at - (shifted[i] - POWER_SHIFT);
  }
  powers_of_parts(count, r, shifted, x);
}

INLINE lanes power_of_two(lanes x) {
  powers_of_two(1, &x);
  return x;
}

/* To 32 bits each. GCC 12's own conversion takes several times as many instructions. */
INLINE words widen(halves h) {
#if RPP_LANES == 16 && defined(__AVX512F__)
  return (words)_mm512_cvtepu16_epi32((__m256i)h);
#elif RPP_LANES == 8 && defined(__AVX2__)
  return (words)_mm256_cvtepu16_epi32((__m128i)h);
#else
  return __builtin_convertvector(h, words);
#endif
}

/* LANES numbers that lie side by side at any address, in float32: exact (a signalling NaN may become a quiet one). dtype is F32, F16 or
 * BF16, and a constant where it is called. Subnormal float16 come through even where a program has told its processor to take subnormal
 * float32 for zero. */
INLINE lanes load_lanes(rpp_dtype dtype, const char *at) {
  lanes x;
  if (dtype == RPP_F32) {
    memcpy(&x, at, sizeof x);
    return x;
  }
  halves h;
  memcpy(&h, at, sizeof h);
  if (dtype == RPP_BF16) return (lanes)(widen(h) << 16);
#if defined(__F16C__) && RPP_LANES == 8
  return (lanes)_mm256_cvtph_ps((__m128i)h);
#elif defined(__AVX512F__) && RPP_LANES == 16
  return (lanes)_mm512_cvtph_ps((__m256i)h);
#else
  const words bits = widen(h), sign = (bits & 0x8000) << 16, magnitude = bits & 0x7fff;
  const words special = (words)((magnitude & 0x7c00) == 0x7c00) & 0x7f800000;
  const lanes subnormal = __builtin_convertvector((masks)magnitude, lanes) * 0x1p-24f;
  const lanes normal = (lanes)(((magnitude << 13) + (112u << 23)) | special);
  return (lanes)(sign | (words)SELECT((masks)(magnitude < 0x400), subnormal, normal));
#endif
}

#endif
