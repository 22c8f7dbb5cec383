// cu_compat.h: the one include of a kernel. The same source is compiled by nvcc for the device and by a host compiler for the SIMT runtime
// (cuda/simt); PTX stands only here, each wrapper beside its host twin.
#ifndef RPP_CU_COMPAT_H
#define RPP_CU_COMPAT_H
#include "float16.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#define RPP_TARGET rpp_cuda_target
#define RPP_SITE
#define RPP_UNROLL _Pragma("unroll")
#define RPP_ROLLED _Pragma("unroll 1")
#else
#include "simt/cuda_names.h"
#define RPP_TARGET rpp_simt_target
#define RPP_SITE , rpp_simt_site site = RPP_SIMT_HERE
#define RPP_UNROLL
#define RPP_ROLLED
#endif

namespace RPP_TARGET {

// count elements of the block's dynamic shared memory, from a byte on. Under SIMT: reported when the launch gave less.
template <class T> __device__ inline T *shared_array(size_t byte, size_t count RPP_SITE) {
#ifdef __CUDACC__
  extern __shared__ __align__(1024) unsigned char shared_bytes[];
  (void)count;
  return reinterpret_cast<T *>(shared_bytes + byte);
#else
  return static_cast<T *>(rpp_simt::shared_memory(byte, count * sizeof(T), site));
#endif
}

// Barriers 1 to 15, for a number of threads that is whole warps.
__device__ inline void named_barrier_sync(unsigned barrier, unsigned threads RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
#else
  rpp_simt::named_sync(barrier, threads, site);
#endif
}
__device__ inline void named_barrier_arrive(unsigned barrier, unsigned threads RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
#else
  rpp_simt::named_arrive(barrier, threads, site);
#endif
}

// 16 bytes from global to shared memory, both aligned; the bytes past valid become 0.
__device__ inline void cp_async_16(void *shared, const void *global, unsigned valid RPP_SITE) {
#ifdef __CUDACC__
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(global), "r"(valid) : "memory");
#else
  rpp_simt::cp_async(shared, global, 16, valid, site);
#endif
}
__device__ inline void cp_async_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  rpp_simt::cp_async_commit();
#endif
}
// All groups of this thread but the latest GROUPS have arrived.
template <int GROUPS> __device__ inline void cp_async_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory");
#else
  rpp_simt::cp_async_wait(GROUPS);
#endif
}
__device__ inline void cp_async_wait_all() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_all;" ::: "memory");
#else
  rpp_simt::cp_async_wait_all();
#endif
}

// Four 8 x 8 matrices of 16-bit elements; lane l brings the address of row l % 8 of matrix l / 8 (16 bytes, aligned).
__device__ inline void ldmatrix_x4(uint32_t fragments[4], const void *row RPP_SITE) {
#ifdef __CUDACC__
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(at)
               : "memory");
#else
  rpp_simt::ldmatrix(fragments, row, 4, false, site);
#endif
}
__device__ inline void ldmatrix_x4_trans(uint32_t fragments[4], const void *row RPP_SITE) {
#ifdef __CUDACC__
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(at)
               : "memory");
#else
  rpp_simt::ldmatrix(fragments, row, 4, true, site);
#endif
}

// d = a b + c: a 16 x 16, b 16 x 8, float16 or bfloat16; c and d 16 x 8, float32; d may be c.
__device__ inline void mma_m16n8k16_f16(float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4] RPP_SITE) {
#ifdef __CUDACC__
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
#else
  rpp_simt::mma_m16n8k16(rpp_simt::ELEMENT_F16, d, a, b, c, site);
#endif
}
__device__ inline void mma_m16n8k16_bf16(float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4] RPP_SITE) {
#ifdef __CUDACC__
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
#else
  rpp_simt::mma_m16n8k16(rpp_simt::ELEMENT_BF16, d, a, b, c, site);
#endif
}

// ---- Arithmetic ---------------------------------------------------------------------------------------------------------

// The larger one; NaN when either is.
__device__ inline float larger(float a, float b) {
#ifdef __CUDACC__
  float y;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(y) : "f"(a), "f"(b));
  return y;
#else
  return a != a || a > b ? a : b;
#endif
}

// 2^x to 2^-22 of itself, subnormal results too.
__device__ inline float exp2_approx(float x) {
#ifdef __CUDACC__
  float y;
  asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return exp2f(x);
#endif
}

// Two numbers, each rounded once: low in the lower half.
__device__ inline uint32_t pack_f16(float low, float high) {
#ifdef __CUDACC__
  uint32_t pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return static_cast<uint32_t>(rpp_f16_from_float(high)) << 16 | rpp_f16_from_float(low);
#endif
}
__device__ inline uint32_t pack_bf16(float low, float high) {
#ifdef __CUDACC__
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
#else
  return static_cast<uint32_t>(rpp_bf16_from_float(high)) << 16 | rpp_bf16_from_float(low);
#endif
}

// ---- Launch -------------------------------------------------------------------------------------------------------------

constexpr size_t REPORT = 512;

// Bytes of shared memory that a block may have on the current device. False, with a line in report, when there is no device.
inline bool shared_limit(size_t *bytes, char *report) {
#ifdef __CUDACC__
  int device = 0, limit = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  *bytes = static_cast<size_t>(limit);
  if (error == cudaSuccess) return true;
  cudaGetLastError();
  snprintf(report, REPORT, "shared memory: %s", cudaGetErrorString(error));
  return false;
#else
  (void)report;
  *bytes = rpp_simt_current_device()->shared;
  return true;
#endif
}

// How many multiprocessors the current device has. False, with a line in report, when there is no device.
inline bool multiprocessors(int *count, char *report) {
#ifdef __CUDACC__
  int device = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaDeviceGetAttribute(count, cudaDevAttrMultiProcessorCount, device);
  if (error == cudaSuccess) return true;
  cudaGetLastError();
  snprintf(report, REPORT, "multiprocessors: %s", cudaGetErrorString(error));
  return false;
#else
  (void)report;
  *count = rpp_simt_current_device()->multiprocessors;
  return true;
#endif
}

// Starts a kernel on a stream: what `<<<>>>` does. False, with a line in report (REPORT characters), when it cannot be started; under
// SIMT the kernel has run when this returns, and report tells what the runtime found.
template <class... P, class... A>
bool launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, void *stream, char *report,
            A... arguments) {
#ifdef __CUDACC__
  cudaError_t error = cudaSuccess;
  if (shared > 48 << 10)
    error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
  if (error == cudaSuccess) { // its own error, not what an earlier call of the program has left behind
    cudaLaunchConfig_t config = {};
    config.gridDim = grid, config.blockDim = block, config.dynamicSmemBytes = shared;
    config.stream = static_cast<cudaStream_t>(stream);
    error = cudaLaunchKernelEx(&config, kernel, arguments...);
  }
  if (error == cudaSuccess) return true;
  cudaGetLastError(); // said here: not to be found by the next call
  snprintf(report, REPORT, "kernel %s: %s", name, cudaGetErrorString(error));
  return false;
#else
  auto body = [&] { kernel(arguments...); };
  return rpp_simt::launch(
      name, grid, block, shared, static_cast<const rpp_simt::Stream *>(stream),
      [](void *closure) { (*static_cast<decltype(body) *>(closure))(); }, &body, report);
#endif
}

} // namespace RPP_TARGET

#endif
