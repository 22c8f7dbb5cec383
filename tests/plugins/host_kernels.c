/* host_kernels.c: kernel_cuda.c for a program whose device is the host's memory (host_device.c): it has no CUDA kernels of its own, and runs
 * those of plug-ins. */
#include "kernels/kernel_cuda.h"
#include "kernels/on_device.h"

const rpp_kernel *const *rpp_kernels_cuda_built(void) {
  static const rpp_kernel *const none[] = {NULL};
  return none;
}

const rpp_kernel *const *rpp_kernels_cuda(rpp_message *why) {
  rpp_message_set(why, "the host's memory stands in for a device");
  return rpp_kernels_cuda_built();
}

bool rpp_kernel_cuda_around(const rpp_kernel *inner, rpp_kernel *around, rpp_message *why) {
  (void)why;
  *around = rpp_on_device_wrap(inner);
  return true;
}
