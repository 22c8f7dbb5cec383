// mbarrier.cc: phases, and barriers that are not used as they must be. What they do right: test_conformance.
#include "simt_harness.h"

#include "cu_hopper.h"

static uint64_t *ready(unsigned count) { // a barrier that all threads know
  uint64_t *barrier = shared_array<uint64_t>(0, 1);
  if (threadIdx.x == 0) mbarrier_init(barrier, count);
  __syncthreads();
  return barrier;
}

static void phases(int *wrong) { // 64 threads; a phase cannot be passed early, and parity tells two apart
  uint64_t *barrier = ready(64);
  int *seen = shared_array<int>(128, 1);
  if (threadIdx.x == 0) *seen = 0;
  __syncthreads();
  mbarrier_wait(barrier, 1); // the phase before the first has ended
  for (unsigned r = 0; r < 10; r++) {
    atomicAdd(seen, 1);
    mbarrier_arrive(barrier);
    mbarrier_wait(barrier, r % 2);
    if (atomicAdd(seen, 0) < 64 * (static_cast<int>(r) + 1)) *wrong = 1;
  }
}

#ifndef RPP_TEST_TSAN // which sees the race itself
static void no_wait(int *stale) {
  uint64_t *barrier = ready(32);
  int *x = shared_array<int>(128, 64);
  x[threadIdx.x] = 1;
  if (threadIdx.x < 32) mbarrier_arrive(barrier);
  if (x[threadIdx.x ^ 63] != 1) *stale = 1;
}
#endif

START_TEST(a_phase_ends_with_all_arrivals) {
  int wrong = 0;
  simt_clean(phases, dim3(2), dim3(64), 132, &wrong);
  ck_assert_int_eq(wrong, 0);
#ifndef RPP_TEST_TSAN
  int stale = 0;
  simt_clean(no_wait, dim3(1), dim3(64), 512, &stale);
  ck_assert_int_eq(stale, 1); // a wait that is missing shows
#endif
}
END_TEST

static void uninitialised() {
  PLANTED, mbarrier_wait(shared_array<uint64_t>(0, 1), 0);
}
#ifndef RPP_TEST_TSAN     // which sees the race itself
static void unordered() { // who is faster than the initialisation finds none
  if (threadIdx.x == 33) mbarrier_init(shared_array<uint64_t>(0, 1), 64);
  PLANTED, mbarrier_arrive(shared_array<uint64_t>(0, 1));
}
#endif
static void twice() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x == 5) PLANTED, mbarrier_init(barrier, 1);
}
static void after_inval() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x == 0) {
    mbarrier_inval(barrier);
    PLANTED, mbarrier_arrive(barrier);
  }
}
static void overwritten() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x == 0) {
    *barrier = 1;
    PLANTED, mbarrier_arrive(barrier);
  }
}
static void global_memory(uint64_t *at) {
  PLANTED, mbarrier_init(at, 1);
}

START_TEST(what_is_no_barrier_is_reported) {
  uint64_t at = 0;
  simt_reported("is not initialised", uninitialised, dim3(1), dim3(32), 8);
#ifndef RPP_TEST_TSAN
  simt_reported("is not initialised", unordered, dim3(1), dim3(64), 8);
#endif
  simt_reported("is initialised already", twice, dim3(1), dim3(32), 8);
  simt_reported("is not initialised", after_inval, dim3(1), dim3(32), 8);
  simt_reported("something else was written over it", overwritten, dim3(1), dim3(32), 8);
  simt_reported("must be 8 bytes of shared memory", global_memory, dim3(1), dim3(32), 8, &at);
}
END_TEST

static void too_many() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x < 2) { // one more byte is expected than comes, so that the phase stays
    PLANTED, mbarrier_arrive_expect(barrier, 1);
  }
}
static void nobody_comes() {
  uint64_t *barrier = ready(33);
  mbarrier_arrive(barrier);
  PLANTED, mbarrier_wait(barrier, 0);
}
static void polls_forever() {
  uint64_t *barrier = ready(1);
  while (PLANTED, !mbarrier_try_wait(barrier, 0)) {
  }
}
static void no_bytes() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x == 0) mbarrier_arrive_expect(barrier, 64);
  PLANTED, mbarrier_wait(barrier, 0);
}
static void many_bytes() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x == 0) PLANTED, mbarrier_arrive_expect(barrier, 1 << 20);
}
static void under_a_waiter() {
  uint64_t *barrier = ready(1);
  if (threadIdx.x < 32)
    mbarrier_wait(barrier, 0);
  else {
    named_barrier_sync(1, 32);
    for (int i = 0; i < 100; i++) __syncwarp(); // the others wait by now
    PLANTED, mbarrier_inval(barrier);
  }
}

START_TEST(phases_that_cannot_end_are_reported) {
  simt_reported("one arrival more than the 1 of its phase", too_many, dim3(1), dim3(32), 8);
  simt_reported("deadlock: this thread waits at an mbarrier, phase 0, which lacks 1 of 33 arrivals and 0 bytes", nobody_comes,
                dim3(1), dim3(32), 8);
  simt_reported("lacks 1 of 1 arrivals", polls_forever, dim3(1), dim3(32), 8);
  simt_reported("lacks 0 of 1 arrivals and 64 bytes", no_bytes, dim3(1), dim3(32), 8);
  simt_reported("must be below 2^20", many_bytes, dim3(1), dim3(32), 8);
  simt_reported("is made invalid while thread", under_a_waiter, dim3(1), dim3(64), 8);
}
END_TEST

static void elects(unsigned *lanes) {
  if (elect_one()) lanes[threadIdx.x / 32] |= 1u << threadIdx.x % 32;
  __syncwarp();
  if (elect_one()) lanes[threadIdx.x / 32] |= 1u << threadIdx.x % 32; // the same lane
}

START_TEST(one_lane_is_elected) {
  unsigned any = 0;
  for (uint64_t seed = 0; seed < 64; seed++) {
    unsigned lanes[2] = {};
    rpp_simt_stream stream = {seed, 0};
    ck_assert(launch("kernel_name", elects, dim3(1), dim3(64), 0, &stream, simt_report, lanes));
    ck_assert(lanes[0] != 0 && (lanes[0] & (lanes[0] - 1)) == 0 && lanes[1] == lanes[0]);
    any |= lanes[0];
  }
  ck_assert(any & (any - 1)); // not always the same one
}
END_TEST

SIMT_SUITE("simt_mbarrier", a_phase_ends_with_all_arrivals, what_is_no_barrier_is_reported, phases_that_cannot_end_are_reported,
           one_lane_is_elected)
