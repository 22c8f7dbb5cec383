// shared.cc, launch.cc: dynamic shared memory, asynchronous copies, and what a launch refuses.
#include "simt_harness.h"
#include "simt/fiber.h" // RPP_SIMT_ASAN

#include <vector>

static void fresh(int *stale) {
  float *x = shared_array<float>(0, 33);
  if (!(x[threadIdx.x] != x[threadIdx.x])) *stale = 1; // NaN
  __syncthreads();
  x[threadIdx.x] = 1;
}
static void too_much() {
  PLANTED, shared_array<float>(64, 17)[0] = 0;
}
#ifndef RPP_SIMT_ASAN // which ends the program there, with the line
static void writes_past() {
  volatile char *at = shared_array<char>(0, 100);
  if (threadIdx.x == 0) at[100] = 1;
}
#endif

START_TEST(shared_memory_is_fresh_and_of_its_size) {
  int stale = 0;
  simt_clean(fresh, dim3(4), dim3(32), 33 * sizeof(float), &stale);
  ck_assert_int_eq(stale, 0);
  simt_reported("too little shared memory: 68 bytes from 64, but the launch gave 128", too_much, dim3(1), dim3(32), 128);
#ifndef RPP_SIMT_ASAN
  ck_assert(!simt_run(writes_past, dim3(1), dim3(32), 100));
  ck_assert_msg(strstr(simt_report, "byte 100 of 100 bytes"), "%s", simt_report);
#endif
}
END_TEST

static void pipeline(const uint32_t *from, uint32_t *to) { // three stages of 16 bytes a thread
  uint32_t *stage = shared_array<uint32_t>(0, 3 * 32 * 4);
  for (unsigned s = 0; s < 2; s++) {
    cp_async_16(stage + (s * 32 + threadIdx.x) * 4, from + (s * 32 + threadIdx.x) * 4, 16);
    cp_async_commit();
  }
  for (unsigned s = 0; s < 8; s++) {
    cp_async_wait<1>();
    __syncthreads();
    for (unsigned i = 0; i < 4; i++) // another thread's
      to[(s * 32 + threadIdx.x) * 4 + i] = stage[(s % 3 * 32 + 31 - threadIdx.x) * 4 + i];
    if (s + 2 < 8) cp_async_16(stage + ((s + 2) % 3 * 32 + threadIdx.x) * 4, from + ((s + 2) * 32 + threadIdx.x) * 4, 16);
    cp_async_commit();
  }
  cp_async_wait_all();
}

static void partly(const uint32_t *from, uint32_t *to) {
  uint32_t *stage = shared_array<uint32_t>(0, 4 * 32);
  cp_async_16(stage + threadIdx.x * 4, from, 8);
  cp_async_wait_all();
  for (unsigned i = 0; i < 4; i++) to[threadIdx.x * 4 + i] = stage[threadIdx.x * 4 + i];
}

START_TEST(copies_arrive) {
  alignas(16) static uint32_t from[8 * 32 * 4], to[8 * 32 * 4];
  for (uint32_t i = 0; i < 8 * 32 * 4; i++) from[i] = i + 1;
  simt_clean(pipeline, dim3(1), dim3(32), 3 * 32 * 16, from, to);
  for (uint32_t i = 0; i < 8 * 32 * 4; i++) ck_assert_uint_eq(to[i], i / 128 * 128 + (31 - i / 4 % 32) * 4 + i % 4 + 1);
  simt_clean(partly, dim3(1), dim3(32), 32 * 16, from, to);
  ck_assert(to[0] == 1 && to[1] == 2 && to[2] == 0 && to[3] == 0);
}
END_TEST

static void never_waits(const uint32_t *from) {
  PLANTED, cp_async_16(shared_array<char>(threadIdx.x * 16, 16), from, 16);
  cp_async_commit();
  cp_async_wait<1>();
}
static void waits_too_little(const uint32_t *from) {
  char *at = shared_array<char>(0, 64 * 16);
  uint32_t fragments[4];
  cp_async_16(at + threadIdx.x * 16, from, 16);
  cp_async_commit();
  cp_async_16(at + (32 + threadIdx.x) * 16, from, 16);
  cp_async_commit();
  cp_async_wait<1>();
  __syncthreads();
  PLANTED, ldmatrix_x4(fragments, at + (32 + threadIdx.x) * 16);
  cp_async_wait_all();
}
static void twice(const uint32_t *from) {
  char *at = shared_array<char>(threadIdx.x * 16, 16);
  cp_async_16(at, from, 16);
  PLANTED, cp_async_16(at, from, 16);
  cp_async_wait_all();
}
static void outside(const uint32_t *from) {
  PLANTED, cp_async_16(shared_array<char>(0, 16) + 512, from, 16);
}
static void unaligned(const uint32_t *from) {
  PLANTED, cp_async_16(shared_array<char>(0, 16) + 8, from, 16);
}

START_TEST(misused_copies_are_reported) {
  alignas(16) static uint32_t from[4];
  simt_reported("exits without having waited", never_waits, dim3(1), dim3(32), 512, from);
  simt_reported("reads what a cp.async is still to bring", waits_too_little, dim3(1), dim3(32), 1024, from);
  simt_reported("another copy to the same place", twice, dim3(1), dim3(32), 512, from);
  simt_reported("outside shared memory", outside, dim3(1), dim3(32), 512, from);
  simt_reported("must be multiples", unaligned, dim3(1), dim3(32), 512, from);
}
END_TEST

#ifndef RPP_SIMT_ASAN // which sees the read itself
static void reads_early(const float *from, int *number) {
  volatile float *at = shared_array<float>(threadIdx.x * 16, 4);
  at[0] = 1;
  cp_async_16(const_cast<float *>(at), from, 16);
  if (!(at[0] != at[0])) *number = 1;
  cp_async_wait_all();
}
#endif

START_TEST(a_copy_poisons_its_destination) {
#ifndef RPP_SIMT_ASAN
  alignas(16) static float from[4];
  int number = 0;
  simt_clean(reads_early, dim3(1), dim3(32), 512, from, &number);
  ck_assert_int_eq(number, 0);
#endif
}
END_TEST

static void fails_from_5_on() {
  if (blockIdx.x >= 5) shared_array<char>(0, 1);
}

START_TEST(the_first_block_that_fails_is_reported) {
  for (int threads = 0; threads <= 3; threads++)
    for (uint64_t seed = 0; seed < 20; seed++) {
      rpp_simt_stream stream = {seed, threads};
      ck_assert(!launch("kernel_name", fails_from_5_on, dim3(64), dim3(32), 0, &stream, simt_report));
      ck_assert_msg(strstr(simt_report, "block (5, 0, 0)"), "%s", simt_report);
    }
}
END_TEST

static void nothing() {}

START_TEST(launches_are_checked) {
  ck_assert(!simt_run(nothing, dim3(0), dim3(32), 0) && strstr(simt_report, "grid = 0"));
  ck_assert(!simt_run(nothing, dim3(1), dim3(33), 0) && strstr(simt_report, "threads of a block = 33: must be whole warps"));
  ck_assert(!simt_run(nothing, dim3(1), dim3(2048), 0) && strstr(simt_report, "must be 1 to 1024"));
  ck_assert(!simt_run(nothing, dim3(1, 65536), dim3(32), 0) && strstr(simt_report, "grid.y = 65536"));
  const rpp_simt_device before = *rpp_simt_current_device(), small = {1, 99 << 10};
  ck_assert(!simt_run(nothing, dim3(1), dim3(32), (227 << 10) + 1) && strstr(simt_report, "at most the device's 232448"));
  simt_clean(nothing, dim3(1), dim3(1024), 227 << 10);
  rpp_simt_set_device(&small);
  ck_assert(!simt_run(nothing, dim3(1), dim3(32), (99 << 10) + 1) && strstr(simt_report, "at most the device's 101376"));
  simt_clean(nothing, dim3(1), dim3(1024), 99 << 10);
  rpp_simt_set_device(&before);
}
END_TEST

SIMT_SUITE("simt_shared", shared_memory_is_fresh_and_of_its_size, copies_arrive, misused_copies_are_reported,
           a_copy_poisons_its_destination, the_first_block_that_fails_is_reported, launches_are_checked)
