// conformance_launch.h: memory for the kernels of conformance.h, where they run. Internal to them.
#ifndef RPP_CONFORMANCE_LAUNCH_H
#define RPP_CONFORMANCE_LAUNCH_H
#include "cu_compat.h"

#include <cstdlib>

namespace RPP_TARGET {

// Calls run(in, out) with copies where kernels can reach them, aligned to 256 bytes; out begins as zeros, and is copied back.
template <class F> bool with_buffers(const void *in, size_t in_bytes, void *out, size_t out_bytes, char *report, F run) {
#ifdef __CUDACC__
  char *from = nullptr, *to = nullptr;
  cudaError_t error = cudaMalloc(&from, in_bytes + 1);
  if (error == cudaSuccess) error = cudaMalloc(&to, out_bytes);
  if (error == cudaSuccess) error = cudaMemcpy(from, in, in_bytes, cudaMemcpyHostToDevice);
  if (error == cudaSuccess) error = cudaMemset(to, 0, out_bytes);
  const bool ran = error == cudaSuccess && run(from, to);
  if (ran) error = cudaMemcpy(out, to, out_bytes, cudaMemcpyDeviceToHost);
  cudaFree(from);
  cudaFree(to);
  if (error != cudaSuccess) snprintf(report, REPORT, "conformance: %s", cudaGetErrorString(error));
  return ran && error == cudaSuccess;
#else
  void *from = nullptr, *to = nullptr;
  bool ran = false;
  if (posix_memalign(&from, 256, in_bytes + 1) == 0 && posix_memalign(&to, 256, out_bytes) == 0) {
    memcpy(from, in, in_bytes);
    memset(to, 0, out_bytes);
    ran = run(static_cast<const char *>(from), static_cast<char *>(to));
    memcpy(out, to, out_bytes);
  } else
    snprintf(report, REPORT, "conformance: no memory");
  free(from);
  free(to);
  return ran;
#endif
}

// Those of conformance_hopper.cu.
bool launch_hopper(const char *name, const char *in, char *out, void *stream, char *report);

} // namespace RPP_TARGET
#endif
