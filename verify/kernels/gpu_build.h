/* gpu_build.h: for which of two builds the adapters of the CUDA kernels are compiled: the SIMT runtime on the CPU, or, with RPP_ON_DEVICE,
 * a device, inside on_device.c, which gives them tensors in device memory. */
#ifndef RPP_GPU_BUILD_H
#define RPP_GPU_BUILD_H
#include <stddef.h>

#include "kernels/kernel.h"

#ifdef RPP_ON_DEVICE
#include "kernels/device.h"
#include "kernels/on_device.h"
#include "ropepp_cuda.h"
#define RPP_GPU_KERNEL(id) rpp_kernel_cuda_##id
#define RPP_GPU_NAME(word) "cuda:" word
#define RPP_GPU_WHERE "run by a device"
#define RPP_GPU_IS_DEVICE 1
#else
#include <stdlib.h>
#include <string.h>

#include "kernels/simt_stream.h"
#include "simt/ropepp_simt.h"
#define RPP_GPU_KERNEL(id) rpp_kernel_simt_##id
#define RPP_GPU_NAME(word) "simt:" word
#define RPP_GPU_WHERE "run by the SIMT runtime on the CPU"
#define RPP_GPU_IS_DEVICE 0
#endif

/* Memory for a kernel, beyond its workspace; null when there is too little. */
static inline void *rpp_gpu_room(const char *name, size_t bytes) {
#ifdef RPP_ON_DEVICE
  return rpp_on_device_room(name, bytes);
#else
  (void)name;
  return malloc(bytes > 0 ? bytes : 1);
#endif
}
static inline void rpp_gpu_leave(void *room) {
#ifdef RPP_ON_DEVICE
  (void)room; /* on_device.c's */
#else
  free(room);
#endif
}

/* Into such memory, or a workspace. */
static inline void rpp_gpu_write(void *to, const void *host, size_t bytes) {
#ifdef RPP_ON_DEVICE
  rpp_device_write(to, host, bytes);
#else
  memcpy(to, host, bytes);
#endif
}
static inline void rpp_gpu_fill(void *to, unsigned char byte, size_t bytes) {
#ifdef RPP_ON_DEVICE
  rpp_device_fill(to, byte, bytes);
#else
  memset(to, byte, bytes);
#endif
}

/* The stream of the next launch over x; by a kernel's `supports`, that another case begins. */
static inline rpp_cuda_stream rpp_gpu_stream(const rpp_tensor *x) {
#ifdef RPP_ON_DEVICE
  (void)x;
  return NULL;
#else
  return rpp_simt_next_stream(x);
#endif
}
static inline void rpp_gpu_case_begins(const rpp_kernel_problem *problem) {
#ifdef RPP_ON_DEVICE
  (void)problem;
#else
  rpp_simt_case_begins(problem->inputs->k);
#endif
}

#endif
