/* kernel_cuda_none.c: kernel_cuda.c for builds without nvcc. */
#include "kernels/kernel_cuda.h"

const rpp_kernel *const *rpp_kernels_cuda_built(void) {
  static const rpp_kernel *const none[] = {NULL};
  return none;
}

const rpp_kernel *const *rpp_kernels_cuda(rpp_message *why) {
  rpp_message_set(why, "this build has no CUDA kernels: nvcc was not found");
  return rpp_kernels_cuda_built();
}

bool rpp_kernel_cuda_around(const rpp_kernel *inner, rpp_kernel *around, rpp_message *why) {
  (void)inner, (void)around;
  return rpp_message_set(why, "takes device memory: this build was made without nvcc, and has none");
}
