// block.cc, barriers.cc: what barriers order, and how barriers that cannot be passed are reported.
#include "simt_harness.h"

#include <vector>

static void rounds(int *all, int *wrong) {
  int *at = all + blockIdx.x * blockDim.x;
  const int n = static_cast<int>(blockDim.x), me = static_cast<int>(threadIdx.x);
  for (int r = 0; r < 20; r++) {
    at[me] = r;
    __syncthreads();
    if (at[(me + 7) % n] != r) *wrong = 1;
    __syncthreads();
  }
}

START_TEST(a_barrier_waits_for_all) {
  std::vector<int> at(3 * 96);
  int wrong = 0;
  simt_clean(rounds, dim3(3), dim3(96), 0, at.data(), &wrong);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

#ifndef RPP_TEST_TSAN // which sees the race itself
static void without_barrier(int *at, int *stale) {
  at[threadIdx.x] = 1;
  if (at[(threadIdx.x + 1) % 64] == 0) *stale = 1;
}

START_TEST(threads_run_in_random_order) {
  std::vector<int> at(64);
  int stale = 0;
  simt_clean(without_barrier, dim3(1), dim3(64), 0, at.data(), &stale);
  ck_assert_int_eq(stale, 1); // a missing barrier shows
}
END_TEST
#endif

static void identities(int *seen) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  seen[block * blockDim.x * blockDim.y * blockDim.z + thread]++;
}

START_TEST(every_thread_of_every_block_once) {
  std::vector<int> seen(64 * 30);
  simt_clean(identities, dim3(5, 3, 2), dim3(8, 4, 2), 0, seen.data());
  for (int count : seen) ck_assert_int_eq(count, 8);
}
END_TEST

static void exits() {
  if (threadIdx.x == 9) return;
  PLANTED, __syncthreads();
}
static void elsewhere() {
  if (threadIdx.x < 32)
    PLANTED, __syncthreads();
  else
    PLANTED, __syncthreads();
}
static void exits_last() {
  if (threadIdx.x == 0)
    __syncwarp(1); // it comes late
  else
    PLANTED, __syncthreads();
}

START_TEST(divergent_barriers_are_reported) {
  simt_reported("divergent barrier", exits, dim3(2), dim3(64), 0);
  ck_assert_ptr_nonnull(strstr(simt_report, "(9, 0, 0) has exited"));
  ck_assert_ptr_nonnull(strstr(simt_report, "block (0, 0, 0)"));
  ck_assert(!simt_run(elsewhere, dim3(1), dim3(64), 0));
  ck_assert_ptr_nonnull(strstr(simt_report, "at another one"));
  simt_reported("(0, 0, 0) has exited", exits_last, dim3(1), dim3(32), 0);
}
END_TEST

static void warp_at_barrier() {
  if (threadIdx.x == 3)
    __syncthreads();
  else
    PLANTED, __syncwarp();
}

START_TEST(deadlocks_are_reported) {
  simt_reported("deadlock", warp_at_barrier, dim3(1), dim3(32), 0);
  ck_assert_ptr_nonnull(strstr(simt_report, "thread (3, 0, 0) waits at __syncthreads"));
}
END_TEST

static void halves(int *all, int *wrong) { // a half of the block produces, the other consumes
  int *at = all + 32 * blockIdx.x;
  const unsigned me = threadIdx.x % 32;
  for (int r = 0; r < 10; r++)
    if (threadIdx.x < 32) {
      at[me] = r;
      named_barrier_arrive(1, 64);
      named_barrier_sync(2, 64);
    } else {
      named_barrier_sync(1, 64);
      if (at[31 - me] != r) *wrong = 1;
      named_barrier_arrive(2, 64);
    }
}
static void counts_differ() {
  PLANTED, named_barrier_sync(1, threadIdx.x == 0 ? 32 : 64);
}
static void part_of_a_warp() {
  PLANTED, named_barrier_sync(1, 48);
}
static void too_few() {
  if (threadIdx.x < 32) PLANTED, named_barrier_sync(3, 64);
}
static void number_16() {
  PLANTED, named_barrier_sync(16, 64);
}

START_TEST(named_barriers) {
  std::vector<int> at(64);
  int wrong = 0;
  simt_clean(halves, dim3(2), dim3(64), 0, at.data(), &wrong);
  ck_assert_int_eq(wrong, 0);
  simt_reported("others wait there for", counts_differ, dim3(1), dim3(64), 0);
  simt_reported("must be whole warps", part_of_a_warp, dim3(1), dim3(64), 0);
  simt_reported("deadlock", too_few, dim3(1), dim3(64), 0);
  simt_reported("must be 1 to 15", number_16, dim3(1), dim3(64), 0);
}
END_TEST

START_TEST(a_report_does_not_spoil_the_next_launch) {
  std::vector<int> at(3 * 96);
  int wrong = 0;
  for (int i = 0; i < 3; i++) {
    simt_reported("divergent", exits, dim3(1), dim3(64), 0);
    simt_clean(rounds, dim3(2), dim3(96), 0, at.data(), &wrong);
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

#ifndef RPP_TEST_TSAN
#define ORDER threads_run_in_random_order,
#else
#define ORDER
#endif

SIMT_SUITE("simt_barriers", a_barrier_waits_for_all, ORDER every_thread_of_every_block_once, divergent_barriers_are_reported,
           deadlocks_are_reported, named_barriers, a_report_does_not_spoil_the_next_launch)
