/* fake_cudart.c: as much of the CUDA runtime as device.c calls, by the host's memory, so that device.c is tested without a device. */
#include "fake_cudart.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>

fake_cudart fake = {.devices = 1, .room = SIZE_MAX};

static cudaError_t last;

cudaError_t cudaGetDeviceCount(int *count) {
  *count = fake.devices;
  return fake.devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

const char *cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorNoDevice         ? "fake: no device"
         : error == cudaErrorIllegalAddress ? "fake: illegal address"
                                            : "fake: another";
}

cudaError_t cudaGetLastError(void) {
  const cudaError_t error = last;
  last = cudaSuccess;
  return error;
}

cudaError_t cudaMalloc(void **at, size_t bytes) {
  if (bytes > fake.room) return last = cudaErrorMemoryAllocation;
  *at = aligned_alloc(256, (bytes + 255) / 256 * 256);
  fake.allocations++;
  return cudaSuccess;
}

cudaError_t cudaFree(void *at) {
  free(at);
  fake.allocations--;
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
  (void)kind;
  memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemset(void *to, int byte, size_t bytes) {
  memset(to, byte, bytes);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void) {
  return fake.broken ? cudaErrorIllegalAddress : cudaSuccess;
}
