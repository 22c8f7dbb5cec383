// cuda_on_simt.h: as much of CUDA as verify/examples/attention.cu says, by the SIMT runtime, so that the example runs where there is no
// device. The launches are rewritten to launch(...) before, since `<<<` is no C++ (meson.build).
#ifndef CUDA_ON_SIMT_H
#define CUDA_ON_SIMT_H
#include "simt/cuda_names.h"

#include <cmath>

enum cudaError_t { cudaSuccess = 0, cudaErrorLaunchFailure };

inline char *simt_report() {
  static char report[rpp_simt::REPORT];
  return report;
}

inline cudaError_t &simt_error() {
  static cudaError_t error = cudaSuccess;
  return error;
}

inline cudaError_t cudaGetLastError() {
  const cudaError_t error = simt_error();
  simt_error() = cudaSuccess;
  return error;
}

inline const char *cudaGetErrorString(cudaError_t) {
  return simt_report();
}

template <class... P, class... A> void launch(void (*kernel)(P...), unsigned grid, unsigned block, A... arguments) {
  auto body = [&] { kernel(arguments...); };
  if (!rpp_simt::launch(
          "example", grid, block, 0, nullptr, [](void *closure) { (*static_cast<decltype(body) *>(closure))(); }, &body,
          simt_report()))
    simt_error() = cudaErrorLaunchFailure;
}

#endif
