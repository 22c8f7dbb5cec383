// warp.cc, cuda_names.h: shuffles, votes, atomics, and what CUDA leaves undefined.
#include "simt_harness.h"

#include <vector>

constexpr unsigned ALL = 0xffffffff;

static void shuffles(int *got) { // (4, 32)
  const int lane = static_cast<int>(threadIdx.x);
  got[lane] = __shfl_sync(ALL, 100 + lane, lane * 5);
  got[32 + lane] = __shfl_xor_sync(ALL, 100 + lane, 6);
  got[64 + lane] = __shfl_up_sync(ALL, 100 + lane, 3, 16);
  got[96 + lane] = static_cast<int>(__shfl_down_sync(ALL, 100.0 + lane, 5, 8));
}

START_TEST(shuffles_read_the_right_lane) {
  std::vector<int> got(128);
  simt_clean(shuffles, dim3(1), dim3(32), 0, got.data());
  for (int lane = 0; lane < 32; lane++) {
    ck_assert_int_eq(got[lane], 100 + lane * 5 % 32);
    ck_assert_int_eq(got[32 + lane], 100 + (lane ^ 6));
    ck_assert_int_eq(got[64 + lane], 100 + (lane % 16 >= 3 ? lane - 3 : lane));
    ck_assert_int_eq(got[96 + lane], 100 + (lane % 8 + 5 < 8 ? lane + 5 : lane));
  }
}
END_TEST

static void votes(unsigned *got) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const unsigned mask = lane < 8 ? 0xff : 0xffffff00; // two groups of a warp, apart
  got[threadIdx.x] = __ballot_sync(mask, lane % 3 == 0);
  if (__any_sync(mask, lane == 2)) got[threadIdx.x] |= 1u << 30;
  if (__all_sync(mask, lane < 8)) got[threadIdx.x] |= 1u << 31;
}

START_TEST(votes_of_parts_of_a_warp) {
  unsigned third = 0;
  std::vector<unsigned> got(64);
  for (int lane = 0; lane < 32; lane += 3) third |= 1u << lane;
  simt_clean(votes, dim3(1), dim3(64), 0, got.data());
  for (unsigned i = 0; i < 64; i++) ck_assert_uint_eq(got[i], i % 32 < 8 ? (third & 0xff) | 3u << 30 : third & 0xffffff00);
}
END_TEST

static void counters(int *sum, float *total, unsigned *top, int *owner) {
  atomicAdd(sum, 1);
  atomicAdd(total, 0.5f);
  atomicMax(top, blockIdx.x * blockDim.x + threadIdx.x);
  atomicCAS(owner, 0, 1 + static_cast<int>(threadIdx.x));
}

START_TEST(atomics_over_blocks_in_several_system_threads) {
  int sum = 0, owner = 0;
  float total = 0;
  unsigned top = 0;
  rpp_simt::Stream stream = {1, 2};
  ck_assert(launch("kernel_name", counters, dim3(20), dim3(64), 0, &stream, simt_report, &sum, &total, &top, &owner));
  ck_assert_int_eq(sum, 1280);
  ck_assert(total == 640);
  ck_assert_uint_eq(top, 1279);
  ck_assert(owner > 0 && owner <= 64);
}
END_TEST

static void unnamed(int *all) {
  int *x = all + threadIdx.x;
  PLANTED, *x = __shfl_sync(0x7fffffff, *x, 0);
}
static void names_exited(int *all) {
  int *x = all + threadIdx.x;
  if (threadIdx.x == 5) return;
  PLANTED, *x = __shfl_xor_sync(ALL, *x, 1);
}
static void reads_unnamed(int *all) {
  int *x = all + threadIdx.x;
  if (threadIdx.x < 16) PLANTED, *x = __shfl_sync(0xffff, *x, 20);
}
static void masks_differ(int *all) {
  int *x = all + threadIdx.x;
  PLANTED, *x = __shfl_sync(threadIdx.x < 16 ? ALL : 0xffff0000u, *x, 20);
}
static void kinds_differ(int *all) {
  int *x = all + threadIdx.x;
  if (threadIdx.x == 0)
    PLANTED, *x = __shfl_sync(ALL, *x, 0);
  else
    PLANTED, *x = static_cast<int>(__ballot_sync(ALL, 1));
}
static void other_line(int *all) {
  int *x = all + threadIdx.x;
  if (threadIdx.x == 0)
    PLANTED, *x = __shfl_sync(ALL, *x, 0);
  else
    PLANTED, *x = __shfl_sync(ALL, *x, 0);
}
static void odd_width(int *all) {
  int *x = all + threadIdx.x;
  PLANTED, *x = __shfl_sync(ALL, *x, 0, 12);
}

START_TEST(wrong_lanes_are_reported) {
  int x[32] = {};
  simt_reported("does not name the calling lane 31", unnamed, dim3(1), dim3(32), 0, x);
  simt_reported("names lane 5, which has exited", names_exited, dim3(1), dim3(32), 0, x);
  simt_reported("reads lane 20, which mask 0x0000ffff does not name", reads_unnamed, dim3(1), dim3(32), 0, x);
  simt_reported("mask 0x", masks_differ, dim3(1), dim3(32), 0, x);
  simt_reported("must be a power of two", odd_width, dim3(1), dim3(32), 0, x);
  ck_assert(!simt_run(kinds_differ, dim3(1), dim3(32), 0, x) && strstr(simt_report, "which waits at __"));
  ck_assert(!simt_run(other_line, dim3(1), dim3(32), 0, x) && strstr(simt_report, "which waits at another one"));
}
END_TEST

SIMT_SUITE("simt_warp", shuffles_read_the_right_lane, votes_of_parts_of_a_warp, atomics_over_blocks_in_several_system_threads,
           wrong_lanes_are_reported)
