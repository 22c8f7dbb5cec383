#include "kernels/device.h"

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>

/* Most cases fit into one allocation, which stays; what does not gets its own, until the end of the case. */
enum { ALIGNMENT = 256, POOL = 64 << 20, OWN = 64 };
static char *pool;
static size_t used;
static void *own[OWN];
static int own_count;

static _Noreturn void die(const char *what, cudaError_t error) {
  fprintf(stderr, "device: %s: %s\n", what, cudaGetErrorString(error));
  abort();
}

static void check(const char *what, cudaError_t error) {
  if (error != cudaSuccess) die(what, error);
}

bool rpp_device_present(rpp_message *why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return true;
  return rpp_message_set(why, "no device: %s", error == cudaSuccess ? "the driver lists none" : cudaGetErrorString(error));
}

static void *allocate(size_t bytes) {
  void *at = NULL;
  const cudaError_t error = cudaMalloc(&at, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError(); /* or the next launch would report it */
    return NULL;
  }
  check("cudaMalloc", error);
  return at;
}

void *rpp_device_alloc(size_t bytes, bool apart) {
  const size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (rounded < bytes) return NULL;
  if (!apart && pool == NULL) pool = allocate(POOL);
  if (!apart && pool != NULL && rounded <= POOL - used) {
    used += rounded;
    return pool + used - rounded;
  }
  void *at = own_count < OWN ? allocate(bytes > 0 ? bytes : 1) : NULL;
  if (at != NULL) own[own_count++] = at;
  return at;
}

void rpp_device_free_all(void) {
  used = 0;
  while (own_count > 0) check("cudaFree", cudaFree(own[--own_count]));
}

void rpp_device_write(void *device, const void *host, size_t bytes) {
  check("a copy to the device", cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
}

void rpp_device_read(void *host, const void *device, size_t bytes) {
  check("a copy from the device", cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}

void rpp_device_fill(void *device, unsigned char byte, size_t bytes) {
  check("cudaMemset", cudaMemset(device, byte, bytes));
}

void rpp_device_finish(const char *what) {
  check(what, cudaDeviceSynchronize());
}
