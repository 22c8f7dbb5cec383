// tensor_map.h: boxes of a tensor for bulk copies: a map is encoded on the host and passed to a kernel by value, as a
// `const __grid_constant__ TensorMap`. On devices by the driver's function, which the runtime finds, so that nothing links to the driver.
#ifndef RPP_TENSOR_MAP_H
#define RPP_TENSOR_MAP_H
#include "cu_compat.h"

#ifdef __CUDACC__
#include <cuda.h>
#define RPP_ONLY_SITE
#else
#include "simt/hopper.h"
#define RPP_ONLY_SITE rpp_simt_site site = RPP_SIMT_HERE
#endif

namespace RPP_TARGET {

#ifdef __CUDACC__
__device__ inline unsigned shared_address(const void *shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}
#endif

enum Swizzle { SWIZZLE_NONE, SWIZZLE_32, SWIZZLE_64, SWIZZLE_128 }; // of 16-byte chunks, over rows of so many bytes

#ifdef __CUDACC__
using TensorMap = CUtensorMap;
#else
using TensorMap = rpp_simt::TensorMap;
#endif

// A tensor and the box that one copy takes, innermost dimension first, whose elements lie side by side. Rank 2 to 4; data and strides
// (bytes; strides[0] is not looked at) multiples of 16; box up to 256; a box's rows are multiples of 16 bytes, and as long as the swizzle.
template <class T> struct TensorBox {
  const T *data;
  int rank;
  uint64_t shape[4], strides[4];
  uint32_t box[4];
  Swizzle swizzle;
};

inline bool refuse_map(char *report, const char *field, unsigned long long value, const char *expected) {
  snprintf(report, 512, "tensor map: %s = %llu: %s", field, value, expected);
  return false;
}

template <class T> bool check_tensor_box(const TensorBox<T> &b, char *report) {
  if (b.rank < 2 || b.rank > 4) return refuse_map(report, "rank", static_cast<unsigned>(b.rank), "must be 2 to 4");
  if (reinterpret_cast<uintptr_t>(b.data) % 16 != 0 || !b.data)
    return refuse_map(report, "data", reinterpret_cast<uintptr_t>(b.data), "must be a multiple of 16, not null");
  for (int d = 0; d < b.rank; d++) {
    if (b.shape[d] == 0 || b.shape[d] > uint64_t(1) << 32) return refuse_map(report, "shape", b.shape[d], "must be 1 to 2^32");
    if (b.box[d] == 0 || b.box[d] > 256) return refuse_map(report, "box", b.box[d], "must be 1 to 256");
    if (d > 0 && (b.strides[d] % 16 != 0 || b.strides[d] >> 40))
      return refuse_map(report, "strides", b.strides[d], "must be a multiple of 16 below 2^40");
  }
  const unsigned row = static_cast<unsigned>(b.box[0] * sizeof(T));
  if (row % 16 != 0) return refuse_map(report, "bytes of a box's row", row, "must be a multiple of 16");
  if (b.swizzle != SWIZZLE_NONE && row != 16u << b.swizzle)
    return refuse_map(report, "bytes of a box's row", row, "must be the swizzle's");
  return true;
}

#ifdef __CUDACC__
template <class T> constexpr CUtensorMapDataType map_type();
template <> constexpr CUtensorMapDataType map_type<float>() {
  return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
}
template <> constexpr CUtensorMapDataType map_type<rpp_f16>() {
  return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
}
template <> constexpr CUtensorMapDataType map_type<rpp_bf16>() {
  return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
}

inline decltype(&cuTensorMapEncodeTiled) tensor_map_encoder() {
  void *function = nullptr;
  cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
  const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
#else
  const cudaError_t error = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found);
#endif
  if (error != cudaSuccess || found != cudaDriverEntryPointSuccess) return nullptr;
  return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
}
#endif

// False, with a line in report (REPORT characters), when it cannot be.
template <class T> bool encode_tensor_map(const TensorBox<T> &b, TensorMap *map, char *report) {
  if (!check_tensor_box(b, report)) return false;
#ifdef __CUDACC__
  const auto encode = tensor_map_encoder();
  if (!encode) return refuse_map(report, "cuTensorMapEncodeTiled", 0, "the driver does not have it");
  const cuuint32_t ones[4] = {1, 1, 1, 1};
  const CUresult result =
      encode(map, map_type<T>(), static_cast<cuuint32_t>(b.rank), const_cast<T *>(b.data), b.shape, b.strides + 1, b.box, ones,
             CU_TENSOR_MAP_INTERLEAVE_NONE, static_cast<CUtensorMapSwizzle>(b.swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
             CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS || refuse_map(report, "the driver's answer", result, "must be 0");
#else
  *map = {};
  map->data = reinterpret_cast<char *>(const_cast<T *>(b.data));
  for (int d = 0; d < b.rank; d++) {
    map->shape[d] = b.shape[d], map->strides[d] = b.strides[d];
    map->box[d] = static_cast<uint16_t>(b.box[d]);
  }
  map->rank = static_cast<uint16_t>(b.rank), map->element = sizeof(T), map->swizzle = static_cast<uint16_t>(b.swizzle);
  map->encoded = rpp_simt::ENCODED;
  return true;
#endif
}

} // namespace RPP_TARGET
#endif
