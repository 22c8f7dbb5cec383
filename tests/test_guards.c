/* guards.c: every write outside of an output's elements is seen and named. */
#include "cases/guards.h"

#include <math.h>
#include <stdio.h>

#include "cases/layout.h"
#include "support.h"

static rpp_block *blocks;
static rpp_tensor tensor;

/* A block of a (2, 3, 2, 5) F32 tensor. */
static rpp_block *make(rpp_layout layout, bool output) {
  blocks = NULL;
  tensor = (rpp_tensor){.dtype = RPP_F32, .ndim = 4, .shape = {2, 3, 2, 5}};
  const int64_t elements = rpp_layout_apply(layout, 1, &tensor);
  rpp_block *block = rpp_block_new(&blocks, "t", (size_t)elements * 4);
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

/* Every byte of the memory, one at a time. */
START_TEST(each_stray_byte_is_seen) {
  const rpp_layout layout = (rpp_layout)_i;
  rpp_block *block = make(layout, true);
  unsigned char *data = rpp_block_data(block);
  const int64_t size = (int64_t)(block->bytes + 7) / 8 * 8;
  int64_t index[RPP_MAX_DIMS];
  rpp_message error;
  for (int64_t at = -RPP_GUARD; at < size + RPP_GUARD; at++) {
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
  rpp_block *block = make(RPP_LAYOUT_PADDED, false);
  rpp_block *first = blocks;
  rpp_block *as_new = make(RPP_LAYOUT_PADDED, false);
  unsigned char *data = rpp_block_data(block);
  int64_t index[RPP_MAX_DIMS];
  rpp_message error;
  for (int64_t at = 0; at < (int64_t)block->bytes; at++) {
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

int main(void) {
  Suite *suite = suite_create("guards");
  TCase *tests = tcase_create("guards");
  tcase_add_test(tests, poison_is_nan_in_every_dtype);
  tcase_add_loop_test(tests, each_stray_byte_is_seen, 0, RPP_LAYOUTS);
  tcase_add_test(tests, each_change_of_an_input_is_named);
  tcase_add_test(tests, workspace_is_free_to_its_last_byte);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
