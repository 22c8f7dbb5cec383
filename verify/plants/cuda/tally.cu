// tally.cu: how many of n numbers are below 0, by atomics: for the plant that drops them, since the kernels of cuda/ need none.
#include "tally.h"

#include "arguments.h"

namespace RPP_TARGET {

namespace {

__global__ void tally(const float *x, int64_t n, unsigned *count) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    if (x[i] < 0) atomicAdd(count, 1u);
}

} // namespace

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_tally(const float *x, int64_t n, unsigned *count) {
  char report[REPORT];
  *count = 0;
  return launch("tally", tally, dim3(4), dim3(64), 0, nullptr, report, x, n, count) ? RPP_OK : fail(RPP_ERROR_DEVICE, "%s", report);
}
