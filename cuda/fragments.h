// fragments.h: what kernels on mma.sync share: the storage types by overload. Fragments are those of the PTX manual: simt/matrix.cc. Internal.
#ifndef RPP_CUDA_FRAGMENTS_H
#define RPP_CUDA_FRAGMENTS_H
#include "cu_compat.h"

namespace RPP_TARGET {

// Two numbers of the storage type, each rounded once: low in the lower half.
__device__ inline uint32_t pack(rpp_f16, float low, float high) {
  return pack_f16(low, high);
}
__device__ inline uint32_t pack(rpp_bf16, float low, float high) {
  return pack_bf16(low, high);
}

// d += a b.
__device__ inline void multiply(rpp_f16, float d[4], const uint32_t a[4], const uint32_t b[2]) {
  mma_m16n8k16_f16(d, a, b, d);
}
__device__ inline void multiply(rpp_bf16, float d[4], const uint32_t a[4], const uint32_t b[2]) {
  mma_m16n8k16_bf16(d, a, b, d);
}

} // namespace RPP_TARGET
#endif
