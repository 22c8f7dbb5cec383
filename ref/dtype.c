#include "ropepp.h"

#include <math.h>
#include <string.h>

size_t rpp_dtype_size(rpp_dtype dtype) {
  switch (dtype) {
  case RPP_F64:
  case RPP_I64:
    return 8;
  case RPP_F32:
    return 4;
  case RPP_F16:
  case RPP_BF16:
    return 2;
  }
  return 0;
}

const char *rpp_dtype_name(rpp_dtype dtype) {
  switch (dtype) {
  case RPP_F64:
    return "F64";
  case RPP_F32:
    return "F32";
  case RPP_F16:
    return "F16";
  case RPP_BF16:
    return "BF16";
  case RPP_I64:
    return "I64";
  }
  return "?";
}

/* x in a 16-bit format with the given count of mantissa bits: the significand is cut once, at the place of the target's last bit
 * (which subnormals push up), and a carry out of the mantissa runs into the exponent field as it should. */
static uint16_t narrow(double x, int mantissa_bits) {
  const int bias = (1 << (14 - mantissa_bits)) - 1;
  const uint64_t infinity = (uint64_t)(2 * bias + 1) << mantissa_bits;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint64_t sign = bits >> 63 << 15, mantissa = bits & 0xfffffffffffffu;
  const int field = (int)(bits >> 52 & 0x7ff), exponent = field - 1023;
  if (field == 0x7ff) {
    if (mantissa == 0) return (uint16_t)(sign | infinity);
    const uint64_t quiet = (uint64_t)1 << (mantissa_bits - 1);
    return (uint16_t)(sign | infinity | quiet | mantissa >> (52 - mantissa_bits));
  }
  if (exponent > bias) return (uint16_t)(sign | infinity);
  const int subnormal = exponent < 1 - bias ? 1 - bias - exponent : 0, shift = 52 - mantissa_bits + subnormal;
  if (field == 0 || shift > 53) return (uint16_t)sign;
  const uint64_t significand = mantissa | (uint64_t)1 << 52, rest = significand & (((uint64_t)1 << shift) - 1);
  const uint64_t half = (uint64_t)1 << (shift - 1);
  uint64_t result = significand >> shift;
  if (!subnormal) result += (uint64_t)(exponent + bias - 1) << mantissa_bits;
  result += rest + (result & 1) > half; /* ties to even, without a branch that goes either way every other time */
  return (uint16_t)(sign | result);
}

static double widen(uint16_t value, int mantissa_bits) {
  const int bias = (1 << (14 - mantissa_bits)) - 1, field = (value & 0x7fff) >> mantissa_bits;
  const uint64_t sign = (uint64_t)(value >> 15) << 63, mantissa = value & ((1u << mantissa_bits) - 1);
  if (field == 0) {
    const double magnitude = ldexp((double)mantissa, 1 - bias - mantissa_bits);
    return sign ? -magnitude : magnitude;
  }
  uint64_t bits = sign | mantissa << (52 - mantissa_bits);
  if (field == 2 * bias + 1)
    bits |= (uint64_t)0x7ff << 52 | (mantissa ? (uint64_t)1 << 51 : 0);
  else
    bits |= (uint64_t)(field - bias + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

uint16_t rpp_f16_from_f64(double x) {
  return narrow(x, 10);
}
uint16_t rpp_bf16_from_f64(double x) {
  return narrow(x, 7);
}
float rpp_f32_from_f64(double x) {
  return (float)x;
}
double rpp_f64_from_f16(uint16_t bits) {
  return widen(bits, 10);
}
double rpp_f64_from_bf16(uint16_t bits) {
  return widen(bits, 7);
}

double rpp_dtype_unit(rpp_dtype dtype) {
  switch (dtype) {
  case RPP_F64:
    return 0x1p-53;
  case RPP_F32:
    return 0x1p-24;
  case RPP_F16:
    return 0x1p-11;
  case RPP_BF16:
    return 0x1p-8;
  case RPP_I64:
    break;
  }
  return NAN;
}

double rpp_dtype_round(rpp_dtype dtype, double x) {
  switch (dtype) {
  case RPP_F64:
    return x;
  case RPP_F32:
    return (double)(float)x;
  case RPP_F16:
    return widen(narrow(x, 10), 10);
  case RPP_BF16:
    return widen(narrow(x, 7), 7);
  case RPP_I64:
    break;
  }
  return NAN;
}
