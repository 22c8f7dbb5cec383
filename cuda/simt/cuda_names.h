// cuda_names.h: CUDA's own names, for kernels that a host compiler compiles.
#ifndef RPP_SIMT_CUDA_NAMES_H
#define RPP_SIMT_CUDA_NAMES_H
#include "simt.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __grid_constant__

#define threadIdx (::rpp_simt::identity->thread)
#define blockIdx (::rpp_simt::identity->block)
#define blockDim (::rpp_simt::identity->block_dim)
#define gridDim (::rpp_simt::identity->grid_dim)
constexpr int warpSize = 32;

using rpp_simt_site = ::rpp_simt::Site;

inline void __syncthreads(rpp_simt_site site = RPP_SIMT_HERE) {
  rpp_simt::sync_threads(site);
}
inline void __syncwarp(unsigned mask = 0xffffffff, rpp_simt_site site = RPP_SIMT_HERE) {
  rpp_simt::sync_warp(mask, site);
}

template <class T> T __shfl_sync(unsigned mask, T value, int lane, int width = 32, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::shuffled(rpp_simt::SHUFFLE_INDEX, mask, value, lane, width, site);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::shuffled(rpp_simt::SHUFFLE_XOR, mask, value, lanes, width, site);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::shuffled(rpp_simt::SHUFFLE_UP, mask, value, static_cast<int>(by), width, site);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::shuffled(rpp_simt::SHUFFLE_DOWN, mask, value, static_cast<int>(by), width, site);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::ballot(mask, predicate != 0, site);
}
inline int __any_sync(unsigned mask, int predicate, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::ballot(mask, predicate != 0, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, rpp_simt_site site = RPP_SIMT_HERE) {
  return rpp_simt::ballot(mask, predicate != 0, site) == mask;
}

// ---- Atomics: relaxed, as CUDA's are; blocks may run in other system threads ---------------------------------------------

template <class T> T atomicAdd(T *at, T by) {
  T old, sum;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do sum = old + by;
  while (!__atomic_compare_exchange(at, &old, &sum, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T> T atomicMax(T *at, T with) {
  T old, larger;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do larger = old < with ? with : old;
  while (!__atomic_compare_exchange(at, &old, &larger, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T> T atomicMin(T *at, T with) {
  T old, smaller;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  do smaller = with < old ? with : old;
  while (!__atomic_compare_exchange(at, &old, &smaller, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return old;
}
template <class T> T atomicExch(T *at, T value) {
  T old;
  __atomic_exchange(at, &value, &old, __ATOMIC_RELAXED);
  return old;
}
template <class T> T atomicCAS(T *at, T expected, T value) {
  __atomic_compare_exchange(at, &expected, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

#endif
