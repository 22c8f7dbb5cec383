// bulk.cc, tensor_map.h: bulk copies that are not waited for, not fenced or of no box. What they do right: test_conformance.
#include "simt_harness.h"

#include "cu_hopper.h"
#include "simt/fiber.h" // RPP_SIMT_ASAN

alignas(16) static float tensor[16][16];
constexpr unsigned BOX = 8 * 16 * 4;

static TensorMap map_of(uint32_t columns) {
  const TensorBox<float> box = {tensor[0], 2, {16, 16}, {4, 64}, {columns, 128 / columns}, SWIZZLE_NONE};
  TensorMap map;
  ck_assert_msg(encode_tensor_map(box, &map, simt_report), "%s", simt_report);
  return map;
}

static uint64_t *ready() {
  uint64_t *barrier = shared_array<uint64_t>(0, 1);
  if (threadIdx.x == 0) mbarrier_init(barrier, 1);
  __syncthreads();
  return barrier;
}
static char *stage() {
  return shared_array<char>(1024, BOX);
}
constexpr int ORIGIN[2] = {0, 0};

static void no_wait(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, BOX);
    PLANTED, bulk_load(stage(), &map, barrier, ORIGIN);
  }
}
static void too_few_bytes(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, BOX - 4);
    PLANTED, bulk_load(stage(), &map, barrier, ORIGIN);
  }
  mbarrier_wait(barrier, 0);
}
static void too_many_bytes(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, BOX + 4);
    bulk_load(stage(), &map, barrier, ORIGIN);
  }
  PLANTED, mbarrier_wait(barrier, 0);
}
static void overlap(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, 2 * BOX);
    bulk_load(stage(), &map, barrier, ORIGIN);
    PLANTED, bulk_load(stage() + 128, &map, barrier, ORIGIN);
  }
  mbarrier_wait(barrier, 0);
}
static void outside(TensorMap map) {
  PLANTED, bulk_load(stage() + 512, &map, ready(), ORIGIN);
}
static void unaligned(TensorMap map) {
  PLANTED, bulk_load(stage() + 64, &map, ready(), ORIGIN);
}
static void no_map(TensorMap map) {
  map = {};
  PLANTED, bulk_load(stage(), &map, ready(), ORIGIN);
}
static void three(TensorMap map) {
  PLANTED, bulk_load(stage(), &map, ready(), {0, 0, 0});
}

START_TEST(misused_loads_are_reported) {
  const TensorMap map = map_of(16);
  simt_reported("no thread has waited for its barrier", no_wait, dim3(1), dim3(32), 2048, map);
  simt_reported("transaction count: 512 bytes are under way to it, and it expects 508", too_few_bytes, dim3(1), dim3(32), 2048,
                map);
  simt_reported("lacks 0 of 1 arrivals and 4 bytes", too_many_bytes, dim3(1), dim3(32), 2048, map);
  simt_reported("another copy to the same place", overlap, dim3(1), dim3(32), 2048, map);
  simt_reported("is not inside shared memory", outside, dim3(1), dim3(32), 1536, map);
  simt_reported("must be a multiple of 128", unaligned, dim3(1), dim3(32), 2048, map);
  simt_reported("is given no tensor map", no_map, dim3(1), dim3(32), 2048, map);
  simt_reported("3 coordinates, but the map is of rank 2", three, dim3(1), dim3(32), 2048, map);
}
END_TEST

#ifndef RPP_SIMT_ASAN // which sees the read itself
static void reads_early(TensorMap map, int *number) {
  uint64_t *barrier = ready();
  volatile float *at = reinterpret_cast<float *>(stage());
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, BOX);
    bulk_load(stage(), &map, barrier, ORIGIN);
    if (!(at[5] != at[5])) *number = 1;
  }
  mbarrier_wait(barrier, 0);
  if (at[5] != 0) *number = 1;
}
#endif

START_TEST(a_load_poisons_its_box) {
#ifndef RPP_SIMT_ASAN
  int number = 0;
  simt_clean(reads_early, dim3(1), dim3(32), 2048, map_of(16), &number);
  ck_assert_int_eq(number, 0);
#endif
}
END_TEST

static void fill() {
  reinterpret_cast<float *>(stage())[threadIdx.x] = static_cast<float>(threadIdx.x);
}
static void unfenced(TensorMap map) {
  fill();
  __syncthreads();
  if (threadIdx.x == 0) {
    PLANTED, bulk_store(&map, ORIGIN, stage());
    bulk_commit();
    bulk_wait<0>();
  }
}
static void unfenced_again(TensorMap map) {
  for (int turn = 0; turn < 2; turn++) {
    if (turn == 0) {
      fill();
      fence_proxy_async();
    } else
      reinterpret_cast<float *>(stage())[threadIdx.x] = 7;
    __syncthreads();
    if (threadIdx.x == 0) {
      PLANTED, bulk_store(&map, ORIGIN, stage());
      bulk_commit();
      bulk_wait_read<0>();
    }
    __syncthreads();
  }
}
static void never_read(TensorMap map) {
  if (threadIdx.x == 0) {
    PLANTED, bulk_store(&map, ORIGIN, stage());
    bulk_commit();
    bulk_wait_read<1>();
  }
}
static void loads_over(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    bulk_store(&map, ORIGIN, stage());
    bulk_commit();
    mbarrier_arrive_expect(barrier, BOX);
    PLANTED, bulk_load(stage(), &map, barrier, ORIGIN);
    bulk_wait<0>();
  }
  mbarrier_wait(barrier, 0);
}

START_TEST(misused_stores_are_reported) {
  const TensorMap map = map_of(16);
  simt_reported("without fence.proxy.async", unfenced, dim3(1), dim3(32), 2048, map);
  simt_reported("without fence.proxy.async", unfenced_again, dim3(1), dim3(32), 2048, map);
  simt_reported("exits without having waited until its box was read", never_read, dim3(1), dim3(32), 2048, map);
  simt_reported("writes what a product or a store is still to read", loads_over, dim3(1), dim3(32), 2048, map);
}
END_TEST

// A load and a store of what it brought, without a fence: both are the engine's. Then a reader in the next phase of the global memory.
static void moves(TensorMap map) {
  uint64_t *barrier = ready();
  if (threadIdx.x == 0) {
    mbarrier_arrive_expect(barrier, BOX);
    bulk_load(stage(), &map, barrier, ORIGIN);
    mbarrier_wait(barrier, 0);
    bulk_store(&map, {0, 8}, stage());
    bulk_commit();
    bulk_wait<0>();
  }
}

START_TEST(what_a_load_brought_needs_no_fence) {
  for (unsigned i = 0; i < 256; i++) tensor[i / 16][i % 16] = static_cast<float>(i);
  simt_clean(moves, dim3(1), dim3(32), 2048, map_of(16));
  for (unsigned i = 0; i < 256; i++) ck_assert(tensor[i / 16][i % 16] == static_cast<float>(i % 128));
}
END_TEST

static bool refused(const TensorBox<float> &box, const char *text) {
  TensorMap map;
  return !encode_tensor_map(box, &map, simt_report) && strstr(simt_report, text);
}

START_TEST(maps_are_checked) {
  const TensorBox<float> right = {tensor[0], 2, {16, 16}, {4, 64}, {16, 8}, SWIZZLE_NONE};
  TensorBox<float> box = right;
  box.rank = 1;
  ck_assert(refused(box, "rank = 1: must be 2 to 4"));
  box = right, box.data++;
  ck_assert(refused(box, "must be a multiple of 16"));
  box = right, box.shape[1] = 0;
  ck_assert(refused(box, "shape = 0"));
  box = right, box.box[1] = 257;
  ck_assert(refused(box, "box = 257: must be 1 to 256"));
  box = right, box.strides[1] = 68;
  ck_assert(refused(box, "strides = 68"));
  box = right, box.box[0] = 6;
  ck_assert(refused(box, "bytes of a box's row = 24: must be a multiple of 16"));
  box = right, box.swizzle = SWIZZLE_128;
  ck_assert(refused(box, "bytes of a box's row = 64: must be the swizzle's"));
}
END_TEST

SIMT_SUITE("simt_bulk", misused_loads_are_reported, a_load_poisons_its_box, misused_stores_are_reported,
           what_a_load_brought_needs_no_fence, maps_are_checked)
