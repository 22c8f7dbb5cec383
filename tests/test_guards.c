/* guards.c: every write outside of an output's elements is seen and named. */
#include "cases/guards.h"

#include <math.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases/layout.h"
#include "support.h"

static rpp_block *blocks;
static rpp_tensor tensor;

/* A block of a (2, 3, 2, 5) F32 tensor. */
static rpp_block *make(rpp_layout layout, bool output) {
  blocks = NULL;
  tensor = (rpp_tensor){.dtype = RPP_F32, .ndim = 4, .shape = {2, 3, 2, 5}};
  const rpp_layout_memory memory = rpp_layout_apply(layout, 1, &tensor);
  const size_t parts = (size_t)memory.parts, step = (size_t)memory.step * 4, part = (size_t)memory.part * 4;
  rpp_block *block = parts > 1 ? rpp_block_new_sparse(&blocks, "t", parts, step, part) : rpp_block_new(&blocks, "t", part);
  ck_assert_ptr_nonnull(block);
  rpp_block_add(block, "t", &tensor);
  if (!output) rpp_block_seal(block);
  return block;
}

START_TEST(poison_is_nan_in_every_dtype) {
  const rpp_block *block = make(RPP_LAYOUT_CONTIGUOUS, true);
  for (rpp_dtype dtype = RPP_F64; dtype <= RPP_BF16; dtype++) {
    const rpp_tensor t = {.data = rpp_block_data(block), .dtype = dtype, .ndim = 1, .shape = {1}, .strides = {1}};
    ck_assert(isnan(rpp_tensor_get(&t, (int64_t[]){0})));
  }
  ck_assert_uint_eq((uintptr_t)rpp_block_data(block) % RPP_GUARD_ALIGNMENT, 0);
  rpp_blocks_free(blocks);
}
END_TEST

/* The next byte that is memory. */
static int64_t next_byte(const rpp_block *block, int64_t at) {
  const int64_t step = (int64_t)block->step, room = (int64_t)block->room, last = (int64_t)(block->parts - 1) * step;
  return ++at >= 0 && at < last && at % step >= room ? (at / step + 1) * step : at;
}

/* Every byte of the memory, one at a time. */
START_TEST(each_stray_byte_is_seen) {
  const rpp_layout layout = (rpp_layout)_i;
  rpp_block *block = make(layout, true);
  unsigned char *data = rpp_block_data(block);
  const int64_t size = (int64_t)((block->parts - 1) * block->step + block->room);
  int64_t index[RPP_MAX_DIMS];
  rpp_message error;
  ck_assert(block->parts == (layout == RPP_LAYOUT_SPARSE ? 3u : 1u));
  for (int64_t at = -RPP_GUARD; at < size + RPP_GUARD; at = next_byte(block, at)) {
    data[at] ^= 0x40;
    const bool inside = at >= 0 && rpp_layout_find(&tensor, at, index), intact = rpp_block_intact(block, NULL, &error);
    ck_assert_msg(intact == inside, "layout %d, byte %lld: %s", _i, (long long)at, error.text);
    if (at < 0) ck_assert_ptr_nonnull(strstr(error.text, "before"));
    if (!inside && at >= 0 && at < (int64_t)block->bytes) ck_assert_ptr_nonnull(strstr(error.text, "between"));
    if (at >= size) ck_assert_ptr_nonnull(strstr(error.text, "after"));
    data[at] ^= 0x40;
  }
  ck_assert(rpp_block_intact(block, NULL, &error));
  rpp_blocks_free(blocks);
}
END_TEST

START_TEST(each_change_of_an_input_is_named) {
  const rpp_layout layout = _i == 0 ? RPP_LAYOUT_PADDED : RPP_LAYOUT_SPARSE;
  rpp_block *block = make(layout, false);
  rpp_block *first = blocks;
  rpp_block *as_new = make(layout, false);
  unsigned char *data = rpp_block_data(block);
  int64_t index[RPP_MAX_DIMS];
  rpp_message error;
  for (int64_t at = 0; at < (int64_t)block->bytes; at = next_byte(block, at)) {
    data[at] ^= 1;
    ck_assert(!rpp_block_intact(block, NULL, &error));
    ck_assert(!rpp_block_intact(block, as_new, &error));
    if (rpp_layout_find(&tensor, at, index)) {
      char text[64];
      snprintf(text, sizeof text, "(%d, %d, %d, %d)", (int)index[0], (int)index[1], (int)index[2], (int)index[3]);
      ck_assert_msg(strstr(error.text, text) != NULL, "%s: %s", text, error.text);
    } else
      ck_assert_ptr_nonnull(strstr(error.text, "between"));
    data[at] ^= 1;
  }
  ck_assert(rpp_block_intact(block, as_new, &error));
  rpp_blocks_free(blocks);
  rpp_blocks_free(first);
}
END_TEST

START_TEST(workspace_is_free_to_its_last_byte) {
  rpp_message error;
  blocks = NULL;
  rpp_block *block = rpp_block_new(&blocks, "workspace", 13);
  ck_assert_ptr_nonnull(block);
  memset(rpp_block_data(block), 0, 13);
  ck_assert(rpp_block_intact(block, NULL, &error));
  rpp_block_data(block)[13] = 0;
  ck_assert(!rpp_block_intact(block, NULL, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "workspace: written after its memory, 0 bytes past its end"));
  rpp_block_poison(block);
  ck_assert(rpp_block_intact(block, NULL, &error));
  ck_assert_ptr_null(rpp_block_new(&blocks, "workspace", SIZE_MAX - 3));
  rpp_blocks_free(blocks);
}
END_TEST

/* Whether a process that reads a byte lives on. A sanitizer ends it in its own way. */
static bool can_read(const rpp_block *block, int64_t at) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(2);
    const volatile unsigned char *byte = rpp_block_data(block) + at;
    _exit(*byte == *byte ? 0 : 1);
  }
  ck_assert_int_gt(child, 0);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(what_is_not_memory_cannot_be_read) {
  const rpp_block *block = make(RPP_LAYOUT_SPARSE, true);
  const int64_t step = (int64_t)block->step, room = (int64_t)block->room, far = (int64_t)1 << 33; /* 2^31 elements */
  const int64_t memory[] = {-RPP_GUARD, 0, room - 1, step, 2 * step + room + RPP_GUARD - 1};
  const int64_t none[] = {room, step / 2, step - 1, -far, far - step, step + far, 2 * step + far};
  for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) ck_assert_msg(can_read(block, memory[i]), "%zu", i);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) ck_assert_msg(!can_read(block, none[i]), "%zu", i);
  rpp_blocks_free(blocks);
}
END_TEST

/* More, one after the other, than there are addresses: 58 GiB of 128 TiB each. */
START_TEST(address_space_is_given_back) {
  for (int i = 0; i < 3000; i++) {
    make(RPP_LAYOUT_SPARSE, true);
    rpp_blocks_free(blocks);
  }
}
END_TEST

START_TEST(address_space_that_is_out_is_a_null) {
  blocks = NULL;
  const size_t step = RPP_LAYOUT_GRANULE;
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", 4, SIZE_MAX / 8 / step * step, 8));
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", SIZE_MAX / 2, step, 8));
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", 2, step, SIZE_MAX));
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", 2, step, step + 1));
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", 2, step + 1, 8));
  ck_assert_ptr_null(rpp_block_new_sparse(&blocks, "t", 0, step, 8));
  ck_assert_ptr_null(blocks);
  ck_assert_ptr_nonnull(rpp_block_new_sparse(&blocks, "t", 2, step, step));
  rpp_blocks_free(blocks);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("guards");
  TCase *tests = tcase_create("guards");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, poison_is_nan_in_every_dtype);
  tcase_add_loop_test(tests, each_stray_byte_is_seen, 0, RPP_LAYOUTS);
  tcase_add_loop_test(tests, each_change_of_an_input_is_named, 0, 2);
  tcase_add_test(tests, workspace_is_free_to_its_last_byte);
  tcase_add_test(tests, what_is_not_memory_cannot_be_read);
  tcase_add_test(tests, address_space_is_given_back);
  tcase_add_test(tests, address_space_that_is_out_is_a_null);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
