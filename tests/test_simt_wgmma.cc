// wgmma.cc: when products read and write, and products that are not issued as they must be. What they compute: test_conformance.
#include "simt_harness.h"

#include "cu_hopper.h"

// a (64, 16) and b (16, 64) of ones in shared memory, without swizzle: 2 KiB each.
constexpr unsigned MATRIX = 64 * 16 * 2;

static char *fill(bool fenced) {
  char *shared = shared_array<char>(0, 2 * MATRIX);
  for (unsigned i = threadIdx.x; i < MATRIX; i += blockDim.x) reinterpret_cast<uint16_t *>(shared)[i] = rpp_f16_from_float(1);
  if (fenced) fence_proxy_async();
  __syncthreads();
  return shared;
}
static uint64_t operand(const char *at) {
  return wgmma_descriptor(at, 1024, 128, SWIZZLE_NONE);
}
static void multiply(float (&d)[32], const char *shared, bool accumulate, rpp_simt_site site = RPP_SIMT_HERE) {
  wgmma<64, rpp_f16, ALONG_K>(d, operand(shared), operand(shared + MATRIX), accumulate, site);
}
static bool all(const float (&d)[32], float value) {
  for (float x : d)
    if (!(value != value ? x != x : x == value)) return false;
  return true;
}
#define WRONG_UNLESS(what)                                                                                                         \
  if (!(what)) __atomic_store_n(wrong, __LINE__, __ATOMIC_RELAXED)

static void chains(int *wrong) {
  const char *shared = fill(true);
  float one[32], two[32];
  wgmma_fence();
  multiply(one, shared, false);
  multiply(one, shared, true); // 32
  wgmma_commit();
  multiply(two, shared, false);
  wgmma_commit();
  multiply(one, shared, true); // 48, while two is done
  wgmma_commit();
  WRONG_UNLESS(all(one, NAN) && all(two, NAN));
  wgmma_wait<1>();
  WRONG_UNLESS(all(one, NAN) && all(two, 16));
  wgmma_wait<0>();
  WRONG_UNLESS(all(one, 48));
  wgmma_fence();
  for (float &x : two) x = 3;
  wgmma_fence();
  multiply(two, shared, true);
  wgmma_wait<0>();
  WRONG_UNLESS(all(two, NAN)); // not committed
  wgmma_commit();
  wgmma_wait<0>();
  WRONG_UNLESS(all(two, 19));
}

START_TEST(accumulators_come_with_the_wait) {
  int wrong = 0;
  simt_clean(chains, dim3(2), dim3(128), 2 * MATRIX, &wrong);
  ck_assert_msg(wrong == 0, "line %d", wrong);
}
END_TEST

#ifndef RPP_TEST_TSAN                    // which sees the race itself
static void released_early(int *stale) { // b is overwritten before the wait
  char *shared = fill(true);
  float d[32];
  wgmma_fence();
  multiply(d, shared, false);
  wgmma_commit();
  __syncthreads();
  if (threadIdx.x < 32) reinterpret_cast<uint16_t *>(shared + MATRIX)[threadIdx.x] = 0;
  __syncthreads();
  wgmma_wait<0>();
  if (!all(d, 16)) *stale = 1;
}

START_TEST(operands_are_read_as_late_as_they_may) {
  int stale = 0;
  simt_clean(released_early, dim3(1), dim3(128), 2 * MATRIX, &stale);
  ck_assert_int_eq(stale, 1);
}
END_TEST
#endif

static void no_fence() {
  const char *shared = fill(true);
  float d[32] = {};
  PLANTED, multiply(d, shared, true);
}
static void no_fence_after_wait() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  for (int turn = 0; turn < 2; turn++) {
    PLANTED, multiply(d, shared, turn > 0);
    wgmma_commit();
    wgmma_wait<0>();
  }
}
static void no_proxy_fence() {
  const char *shared = fill(false);
  float d[32];
  wgmma_fence();
  PLANTED, multiply(d, shared, false);
}
static void no_wait() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, multiply(d, shared, false);
  wgmma_commit();
  wgmma_wait<1>();
}
static void past_the_end() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, wgmma<64, rpp_f16, ALONG_K>(d, operand(shared), operand(shared + MATRIX + 128), false);
}
static void misaligned() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, wgmma<64, rpp_f16, ALONG_K>(d, operand(shared), wgmma_descriptor(shared + 128, 0, 1024, SWIZZLE_128), false);
}
static void odd_descriptor() {
  const char *shared = fill(true);
  PLANTED, wgmma_descriptor(shared + 8, 0, 1024, SWIZZLE_128);
}
static void warps_differ() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, multiply(d, shared, threadIdx.x / 32 == 2);
  wgmma_commit();
  wgmma_wait<0>();
}
static void lanes_differ() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, multiply(d, shared, threadIdx.x % 32 == 2);
}
static void half_a_group() {
  const char *shared = fill(true);
  float d[32];
  wgmma_fence();
  PLANTED, multiply(d, shared, false);
}
static void copied_over(TensorMap map) {
  char *shared = fill(true);
  uint64_t *barrier = shared_array<uint64_t>(2 * MATRIX, 1);
  float d[32];
  if (threadIdx.x == 0) mbarrier_init(barrier, 1);
  __syncthreads();
  wgmma_fence();
  multiply(d, shared, false);
  wgmma_commit();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, MATRIX);
    PLANTED, bulk_load(shared + MATRIX, &map, barrier, {0, 0});
  }
  mbarrier_wait(barrier, 0);
  wgmma_wait<0>();
}

START_TEST(misuse_is_reported) {
  alignas(16) static rpp_f16 tensor[8 * 128];
  TensorMap map;
  const TensorBox<rpp_f16> box = {tensor, 2, {8, 128}, {2, 16}, {8, 128}, SWIZZLE_NONE};
  ck_assert(encode_tensor_map(box, &map, simt_report));
  simt_reported("no wgmma.fence since", no_fence, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("no wgmma.fence since", no_fence_after_wait, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("without fence.proxy.async", no_proxy_fence, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("exits without having waited", no_wait, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("b reaches outside shared memory", past_the_end, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("must be in the first 128 of every 1024", misaligned, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("must be multiples of 16", odd_descriptor, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("have issued different products", warps_differ, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("brings other operands than lane 0", lanes_differ, dim3(1), dim3(128), 2 * MATRIX);
  simt_reported("is in no whole warpgroup", half_a_group, dim3(1), dim3(64), 2 * MATRIX);
  simt_reported("writes what a product or a store is still to read", copied_over, dim3(1), dim3(128), 2 * MATRIX + 8, map);
}
END_TEST

#ifndef RPP_TEST_TSAN
#define LATE operands_are_read_as_late_as_they_may,
#else
#define LATE
#endif
SIMT_SUITE("simt_wgmma", accumulators_come_with_the_wait, LATE misuse_is_reported)
