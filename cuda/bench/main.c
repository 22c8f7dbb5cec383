/* main.c: ropepp-cuda-bench: the CUDA kernels' speed as one table, which notes/performance.md can take as it is. Status 77 without a
 * device. */
#include <cuda_runtime_api.h>
#include <stdio.h>

#include "bench.h"

int main(void) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    printf("skipped: no device: %s\n", error == cudaSuccess ? "the driver lists none" : cudaGetErrorString(error));
    return 77;
  }
  bench_head();
  const double copy = bench_copy_rate();
  bench_rotate(copy);
  bench_forward();
  bench_decode(copy);
  return 0;
}
