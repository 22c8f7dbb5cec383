// float16.h: float16 and bfloat16 as storage, with or without a CUDA toolkit: the same bits on the device and on the host. One rounding, ties
// to even; overflow goes to infinity, NaN stays a quiet NaN.
#ifndef RPP_FLOAT16_H
#define RPP_FLOAT16_H
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define RPP_BOTH __host__ __device__
#else
#define RPP_BOTH
#endif

RPP_BOTH inline uint32_t rpp_bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

RPP_BOTH inline float rpp_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

RPP_BOTH inline uint16_t rpp_bf16_from_float(float x) {
  const uint32_t bits = rpp_bits_of_float(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

RPP_BOTH inline float rpp_float_from_bf16(uint16_t bits) {
  return rpp_float_of_bits(static_cast<uint32_t>(bits) << 16);
}

RPP_BOTH inline uint16_t rpp_f16_from_float(float x) {
  const uint32_t bits = rpp_bits_of_float(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
  uint32_t half;
  if (size > 0x7f800000)
    half = 0x7e00 | (size >> 13 & 0x3ff);
  else if (size >= 0x477ff000) // 65520 and more
    half = 0x7c00;
  else if (size < 0x38800000) // below 2^-14: the units of 0.5 are float16's smallest numbers, so the sum rounds as float16 does
    half = rpp_bits_of_float(rpp_float_of_bits(size) + 0.5f) - 0x3f000000;
  else
    half = (size + 0xfff + (size >> 13 & 1) - 0x38000000) >> 13;
  return static_cast<uint16_t>(sign | half);
}

RPP_BOTH inline float rpp_float_from_f16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
  if (exponent == 0) {
    const float size = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -size : size;
  }
  if (exponent == 31) return rpp_float_of_bits(sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0));
  return rpp_float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

// Elements of tensors, for templates over storage types.
struct rpp_f16 {
  uint16_t bits;
};
struct rpp_bf16 {
  uint16_t bits;
};
RPP_BOTH inline float rpp_widen(float x) {
  return x;
}
RPP_BOTH inline float rpp_widen(rpp_f16 x) {
  return rpp_float_from_f16(x.bits);
}
RPP_BOTH inline float rpp_widen(rpp_bf16 x) {
  return rpp_float_from_bf16(x.bits);
}
RPP_BOTH inline void rpp_narrow(float x, float *y) {
  *y = x;
}
RPP_BOTH inline void rpp_narrow(float x, rpp_f16 *y) {
  y->bits = rpp_f16_from_float(x);
}
RPP_BOTH inline void rpp_narrow(float x, rpp_bf16 *y) {
  y->bits = rpp_bf16_from_float(x);
}

#endif
