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
