// cu_wgmma.h: products of a warpgroup, wgmma.m64nNk16 with float32 sums. Part of cu_hopper.h.
//
// A warpgroup is 128 threads from a multiple of 128 on, and all of them make the same calls: wgmma_fence; products, which may add to the same
// accumulators one after another; wgmma_commit; wgmma_wait; and wgmma_hold of the accumulators, which only then are the threads' own.
#ifndef RPP_CU_WGMMA_H
#define RPP_CU_WGMMA_H
#include "tensor_map.h"

namespace RPP_TARGET {

// 16 elements of k of a matrix in shared memory, whose rows of S bytes are swizzled as bulk copies do.
// ALONG_K (k side by side, as in q and k): 8 rows are together, the next 8 are `stride` bytes further. With a swizzle the next 16 elements of k
// begin 32 bytes further and `leading` is not looked at; without, 8 x 16 bytes are together, and the next 8 elements of k `leading` further.
// ACROSS_K (a row for each k, as in v): 8 rows are together, the next 8 are `stride` bytes further, the next S bytes of columns `leading`;
// without a swizzle the next 8 rows are `leading`, the next 8 columns `stride` bytes further.
enum Major { ALONG_K, ACROSS_K };
__device__ inline uint64_t wgmma_descriptor(const void *shared, unsigned leading, unsigned stride, Swizzle swizzle RPP_SITE) {
#ifdef __CUDACC__
  const uint64_t code = swizzle == SWIZZLE_NONE ? 0 : 4 - static_cast<uint64_t>(swizzle);
  return code << 62 | static_cast<uint64_t>(stride >> 4 & 0x3fff) << 32 | static_cast<uint64_t>(leading >> 4 & 0x3fff) << 16 |
         (shared_address(shared) >> 4 & 0x3fff);
#else
  return rpp_simt::descriptor(shared, leading, stride, swizzle, site);
#endif
}

// What a thread has written to its registers, its products may use after it.
__device__ inline void wgmma_fence() {
#ifdef __CUDACC__
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
  rpp_simt::wgmma_fence();
#endif
}
__device__ inline void wgmma_commit() {
#ifdef __CUDACC__
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  rpp_simt::wgmma_commit();
#endif
}
// All groups of the warp but the latest GROUPS are done.
template <int GROUPS> __device__ inline void wgmma_wait(RPP_ONLY_SITE) {
#ifdef __CUDACC__
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(GROUPS) : "memory");
#else
  rpp_simt::wgmma_wait(GROUPS, site);
#endif
}
// Keeps the compiler from moving uses of accumulators: after the wait.
template <int COUNT> __device__ inline void wgmma_hold(float (&d)[COUNT]) {
#ifdef __CUDACC__
  RPP_UNROLL
  for (int i = 0; i < COUNT; i++) asm volatile("" : "+f"(d[i])::"memory");
#else
  (void)d;
#endif
}

template <class T> inline constexpr bool IS_F16 = false;
template <> inline constexpr bool IS_F16<rpp_f16> = true;

#ifdef __CUDACC__
// An asm's operands are numbered: the accumulators first, then what depends on how many they are.
#define RPP_WGMMA_D64                                                                                                              \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"                                                           \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define RPP_WGMMA_D96 RPP_WGMMA_D64 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47"
#define RPP_WGMMA_D128 RPP_WGMMA_D96 ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define RPP_WGMMA_D256                                                                                                             \
  RPP_WGMMA_D128 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"                                \
                 ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"                                \
                 ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"                    \
                 ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define RPP_WGMMA_4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define RPP_WGMMA_16(i) RPP_WGMMA_4(i), RPP_WGMMA_4(i + 4), RPP_WGMMA_4(i + 8), RPP_WGMMA_4(i + 12)
#define RPP_WGMMA_V64 RPP_WGMMA_16(0), RPP_WGMMA_16(16)
#define RPP_WGMMA_V96 RPP_WGMMA_V64, RPP_WGMMA_16(32)
#define RPP_WGMMA_V128 RPP_WGMMA_V96, RPP_WGMMA_16(48)
#define RPP_WGMMA_V256 RPP_WGMMA_V128, RPP_WGMMA_16(64), RPP_WGMMA_16(80), RPP_WGMMA_16(96), RPP_WGMMA_16(112)

#define RPP_WGMMA_SHARED(n, type, a_, b_, add_, major_)                                                                            \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, " add_ ", 0; wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type "." type         \
               " {" RPP_WGMMA_D##n "}, " a_ ", " b_ ", p, 1, 1, 0, " major_ "; }"                                                  \
               : RPP_WGMMA_V##n                                                                                                    \
               : "l"(a), "l"(b), "r"(add), "n"(ACROSS))
#define RPP_WGMMA_REGISTERS(n, type, a_, b_, add_, major_)                                                                         \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, " add_ ", 0; wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type "." type         \
               " {" RPP_WGMMA_D##n "}, {" a_ "}, " b_ ", p, 1, 1, " major_ "; }"                                                   \
               : RPP_WGMMA_V##n                                                                                                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add), "n"(ACROSS))
#define RPP_WGMMA_TYPES(T, how, n, ...)                                                                                            \
  if constexpr (IS_F16<T>)                                                                                                         \
    how(n, "f16", __VA_ARGS__);                                                                                                    \
  else                                                                                                                             \
    how(n, "bf16", __VA_ARGS__)
#endif

// d (64, N) = a b, or += where accumulate; T: rpp_f16 or rpp_bf16; N 64, 96, 128 or 256. b (N columns) is in shared memory, by its
// descriptor. Lane l of warp w has d[i] at row 16 w + l / 4 + 8 (i / 2 % 2), column 8 (i / 4) + 2 (l % 4) + i % 2.
template <int N, class T, Major B_MAJOR> // a (64 rows) in shared memory, ALONG_K
__device__ inline void wgmma(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate RPP_SITE) {
  static_assert(N == 64 || N == 96 || N == 128 || N == 256, "N is 64, 96, 128 or 256");
#ifdef __CUDACC__
  constexpr int ACROSS = B_MAJOR == ACROSS_K;
  const int add = accumulate;
  if constexpr (N == 64) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_SHARED, 64, "%32", "%33", "%34", "%35");
  } else if constexpr (N == 96) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_SHARED, 96, "%48", "%49", "%50", "%51");
  } else if constexpr (N == 128) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_SHARED, 128, "%64", "%65", "%66", "%67");
  } else {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_SHARED, 256, "%128", "%129", "%130", "%131");
  }
#else
  const rpp_simt::Element element = IS_F16<T> ? rpp_simt::ELEMENT_F16 : rpp_simt::ELEMENT_BF16;
  rpp_simt::wgmma({element, N, d, nullptr, a, b, B_MAJOR == ACROSS_K, accumulate}, site);
#endif
}
template <int N, class T, Major B_MAJOR> // a in registers: the fragments of mma_m16n8k16 of the warp's 16 rows
__device__ inline void wgmma(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b, bool accumulate RPP_SITE) {
  static_assert(N == 64 || N == 96 || N == 128 || N == 256, "N is 64, 96, 128 or 256");
#ifdef __CUDACC__
  constexpr int ACROSS = B_MAJOR == ACROSS_K;
  const int add = accumulate;
  if constexpr (N == 64) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_REGISTERS, 64, "%32, %33, %34, %35", "%36", "%37", "%38");
  } else if constexpr (N == 96) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_REGISTERS, 96, "%48, %49, %50, %51", "%52", "%53", "%54");
  } else if constexpr (N == 128) {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_REGISTERS, 128, "%64, %65, %66, %67", "%68", "%69", "%70");
  } else {
    RPP_WGMMA_TYPES(T, RPP_WGMMA_REGISTERS, 256, "%128, %129, %130, %131", "%132", "%133", "%134");
  }
#else
  const rpp_simt::Element element = IS_F16<T> ? rpp_simt::ELEMENT_F16 : rpp_simt::ELEMENT_BF16;
  rpp_simt::wgmma({element, N, d, a, 0, b, B_MAJOR == ACROSS_K, accumulate}, site);
#endif
}

} // namespace RPP_TARGET
#endif
