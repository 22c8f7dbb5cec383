// cu_hopper.h: cu_compat.h, and what only sm_90a has: mbarriers, bulk copies of tensor boxes, wgmma. For kernels that nvcc compiles with
// -gencode=arch=compute_90a,code=sm_90a; each PTX wrapper stands beside its host twin.
#ifndef RPP_CU_HOPPER_H
#define RPP_CU_HOPPER_H
#include "cu_wgmma.h"

namespace RPP_TARGET {

// One lane of a whole warp.
__device__ inline bool elect_one(RPP_ONLY_SITE) {
#ifdef __CUDACC__
  unsigned elected;
  asm volatile("{ .reg .pred p; elect.sync _|p, 0xffffffff; selp.u32 %0, 1, 0, p; }" : "=r"(elected));
  return elected != 0;
#else
  return rpp_simt::elect(site);
#endif
}

// Registers of a thread, by a whole warpgroup: 24 to 256, a multiple of 8.
template <int REGISTERS> __device__ inline void more_registers() {
#ifdef __CUDACC__
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
#endif
}
template <int REGISTERS> __device__ inline void fewer_registers() {
#ifdef __CUDACC__
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
#endif
}

// What threads have written to shared memory is visible to bulk stores and wgmma after it.
__device__ inline void fence_proxy_async() {
#ifdef __CUDACC__
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  rpp_simt::fence_async();
#endif
}

// ---- mbarriers: 8 bytes of shared memory; a phase ends when count arrivals and all expected bytes have come ---------------

__device__ inline void mbarrier_init(uint64_t *barrier, unsigned count RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(count) : "memory");
#else
  rpp_simt::mbarrier_init(barrier, count, site);
#endif
}
// After initialisations, before the __syncthreads that makes them known.
__device__ inline void mbarrier_fence_init() {
#ifdef __CUDACC__
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}
__device__ inline void mbarrier_inval(uint64_t *barrier RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(shared_address(barrier)) : "memory");
#else
  rpp_simt::mbarrier_inval(barrier, site);
#endif
}
__device__ inline void mbarrier_arrive(uint64_t *barrier RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
#else
  rpp_simt::mbarrier_arrive(barrier, 0, site);
#endif
}
__device__ inline void mbarrier_arrive_expect(uint64_t *barrier, unsigned bytes RPP_SITE) {
#ifdef __CUDACC__
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
#else
  rpp_simt::mbarrier_arrive(barrier, bytes, site);
#endif
}
// Whether the phase of that parity has ended; may wait a while for it. A fresh barrier is in phase 0: parity 1 has ended.
__device__ inline bool mbarrier_try_wait(uint64_t *barrier, unsigned parity RPP_SITE) {
#ifdef __CUDACC__
  unsigned ended;
  asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
               : "=r"(ended)
               : "r"(shared_address(barrier)), "r"(parity)
               : "memory");
  return ended != 0;
#else
  return rpp_simt::mbarrier_try_wait(barrier, parity, site);
#endif
}
__device__ inline void mbarrier_wait(uint64_t *barrier, unsigned parity RPP_SITE) {
#ifdef __CUDACC__
  while (!mbarrier_try_wait(barrier, parity)) {
  }
#else
  rpp_simt::mbarrier_wait(barrier, parity, site);
#endif
}

// ---- Bulk copies of boxes: one thread issues them; at: the box's first element, innermost first --------------------------

// To shared memory (a multiple of 128 bytes); the whole box counts as bytes of the barrier, what lies outside the tensor comes as 0.
template <int RANK>
__device__ inline void bulk_load(void *shared, const TensorMap *map, uint64_t *barrier, const int (&at)[RANK] RPP_SITE) {
  static_assert(RANK >= 2 && RANK <= 4, "ranks 2 to 4");
#ifdef __CUDACC__
  const unsigned to = shared_address(shared), counter = shared_address(barrier);
  if constexpr (RANK == 2)
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(to),
        "l"(map), "r"(counter), "r"(at[0]), "r"(at[1])
        : "memory");
  else if constexpr (RANK == 3)
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to),
        "l"(map), "r"(counter), "r"(at[0]), "r"(at[1]), "r"(at[2])
        : "memory");
  else
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
        "l"(map), "r"(counter), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
        : "memory");
#else
  rpp_simt::bulk_load(shared, map, barrier, at, RANK, site);
#endif
}

// From shared memory; what lies outside the tensor is not written.
template <int RANK> __device__ inline void bulk_store(const TensorMap *map, const int (&at)[RANK], const void *shared RPP_SITE) {
  static_assert(RANK >= 2 && RANK <= 4, "ranks 2 to 4");
#ifdef __CUDACC__
  const unsigned from = shared_address(shared);
  if constexpr (RANK == 2)
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map), "r"(from), "r"(at[0]),
                 "r"(at[1])
                 : "memory");
  else if constexpr (RANK == 3)
    asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(map), "r"(from),
                 "r"(at[0]), "r"(at[1]), "r"(at[2])
                 : "memory");
  else
    asm volatile("cp.async.bulk.tensor.4d.global.shared::cta.bulk_group [%0, {%2, %3, %4, %5}], [%1];" ::"l"(map), "r"(from),
                 "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3])
                 : "memory");
#else
  rpp_simt::bulk_store(map, at, RANK, shared, site);
#endif
}
__device__ inline void bulk_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
#else
  rpp_simt::bulk_commit();
#endif
}
// All but this thread's latest GROUPS are in global memory; or have read shared memory, which may be written again.
template <int GROUPS> __device__ inline void bulk_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(GROUPS) : "memory");
#else
  rpp_simt::bulk_wait(GROUPS, false);
#endif
}
template <int GROUPS> __device__ inline void bulk_wait_read() {
#ifdef __CUDACC__
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(GROUPS) : "memory");
#else
  rpp_simt::bulk_wait(GROUPS, true);
#endif
}

} // namespace RPP_TARGET
#endif
