// conformance_input.h: the input of a conformance kernel, the same wherever it runs. Products and sums of it are exact.
#ifndef CONFORMANCE_INPUT_H
#define CONFORMANCE_INPUT_H
#include "conformance.h"
#include "float16.h"

#include <cstring>
#include <vector>

using Bytes = std::vector<unsigned char>;

inline uint64_t conformance_random(uint64_t *state) { // without support.h: a GPU machine may have no Check
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

inline float conformance_small(uint64_t *state) { // an eighth's multiple within +-4
  return static_cast<float>(static_cast<int>(conformance_random(state) % 65) - 32) / 8;
}

inline void conformance_halves(Bytes &in, size_t count, bool bf16, uint64_t *state) {
  for (size_t i = 0; i < count; i++) {
    const float value = conformance_small(state);
    const uint16_t bits = bf16 ? rpp_bf16_from_float(value) : rpp_f16_from_float(value);
    memcpy(&in[2 * i], &bits, 2);
  }
}

inline Bytes conformance_input(const rpp_conformance &c) {
  Bytes in(c.in + 1); // never empty
  uint64_t state = 5;
  const bool bf16 = strcmp(c.name, "mma_bf16") == 0, floats = c.sm_90a || strcmp(c.name, "shuffles_64") == 0;
  if (strncmp(c.name, "mma_", 4) == 0) {
    conformance_halves(in, 384, bf16, &state);
    for (size_t i = 768; i < c.in; i += 4) {
      const float value = conformance_small(&state);
      memcpy(&in[i], &value, 4);
    }
  } else if (strcmp(c.name, "arithmetic") == 0)
    for (size_t i = 0; i < c.in; i += 4) {
      const float value = static_cast<float>(conformance_random(&state) % 40001) / 1000 - 20;
      memcpy(&in[i], &value, 4);
    }
  else
    for (size_t i = 0; i < c.in; i++)
      in[i] = static_cast<unsigned char>(conformance_random(&state) & (floats && i % 2 ? 0x3f : 0xff)); // finite
  return in;
}

inline Bytes conformance_input(const rpp_conformance_wgmma &c) {
  const size_t count = (64 + static_cast<size_t>(c.n)) * 64;
  Bytes in(2 * count);
  uint64_t state = 7;
  conformance_halves(in, count, c.bf16, &state);
  return in;
}

constexpr bool conformance_is_bf16(const char *type) {
  return type[4] == 'b'; // rpp_bf16
}
#define RPP_CONFORMANCE_ENTRY(n, type, registers, major, swizzle)                                                                  \
  {#n " " #type " " #major " " #swizzle, n, conformance_is_bf16(#type), registers, #major[1] == 'C'},
constexpr rpp_conformance_wgmma CONFORMANCE_WGMMA[] = {RPP_CONFORMANCE_WGMMA(RPP_CONFORMANCE_ENTRY)};

#endif
