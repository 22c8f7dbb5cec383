/* layout.c: elements apart from each other, inside their memory, and found again. */
#include "cases/layout.h"

#include <stdlib.h>

#include "support.h"

static const int64_t shapes[][4] = {{1, 1, 1, 1}, {2, 3, 4, 5}, {1, 5, 1, 2}, {3, 1, 2, 7}, {2, 0, 3, 4}, {1, 4, 3, 1}};

/* Marks every element's bytes once, in memory whose parts are put one after the other. */
static void check_apart(const rpp_tensor *t, const rpp_layout_memory *memory) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), part = memory->part * size, bytes = memory->parts * part;
  const int64_t step = memory->parts > 1 ? memory->step * size : bytes + 1;
  int64_t count = 1, marked = 0, index[RPP_MAX_DIMS] = {0}, found[RPP_MAX_DIMS];
  for (int d = 0; d < t->ndim; d++) count *= t->shape[d];
  char *owned = calloc((size_t)bytes + 1, 1);
  for (int64_t n = 0; n < count; n++) {
    int64_t at = (int64_t)t->byte_offset;
    for (int d = 0; d < t->ndim; d++) at += index[d] * t->strides[d] * size;
    ck_assert_int_ge(at, 0);
    ck_assert_int_lt(at / step, memory->parts);
    ck_assert_int_le(at % step + size, part);
    for (int64_t i = at; i < at + size; i++) {
      const int64_t place = i / step * part + i % step;
      ck_assert_int_eq(owned[place], 0);
      owned[place] = 1;
      ck_assert(rpp_layout_find(t, i, found));
      for (int d = 0; d < t->ndim; d++) ck_assert_int_eq(found[d], index[d]);
    }
    for (int d = t->ndim - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
  }
  for (int64_t i = 0; i < bytes; i++) {
    marked += owned[i];
    if (!owned[i]) ck_assert(!rpp_layout_find(t, i / part * step + i % part, found));
  }
  ck_assert_int_eq(marked, count * size);
  free(owned);
}

START_TEST(elements_lie_apart_and_are_found) {
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int layout = 0; layout < RPP_LAYOUTS; layout++)
      for (int ndim = 1; ndim <= 4; ndim++) {
        rpp_tensor t = {.dtype = ndim % 2 ? RPP_F32 : RPP_BF16, .ndim = ndim};
        memcpy(t.shape, shapes[s], sizeof t.shape);
        const rpp_layout_memory memory = rpp_layout_apply((rpp_layout)layout, (int)s, &t);
        if (layout != RPP_LAYOUT_SPARSE) ck_assert_int_eq(memory.parts, 1);
        check_apart(&t, &memory);
        int order[RPP_MAX_DIMS];
        rpp_layout_order(&t, order);
        for (int i = 0; i + 1 < ndim; i++) ck_assert_int_ge(t.strides[order[i]], t.strides[order[i + 1]]);
      }
}
END_TEST

START_TEST(layouts_are_what_they_are_called) {
  rpp_tensor t = {.dtype = RPP_F32, .ndim = 4, .shape = {2, 3, 4, 5}}, other = t;
  ck_assert_int_eq(rpp_layout_apply(RPP_LAYOUT_CONTIGUOUS, 0, &t).part, 120);
  ck_assert_int_eq(t.strides[0], 60);
  ck_assert_int_eq(rpp_layout_apply(RPP_LAYOUT_HEAD_MAJOR, 0, &t).part, 120);
  ck_assert_int_eq(t.strides[2], 15);
  ck_assert_int_eq(t.strides[1], 5);
  rpp_layout_apply(RPP_LAYOUT_PADDED, 0, &t);
  rpp_layout_apply(RPP_LAYOUT_PADDED, 1, &other);
  ck_assert_int_eq(t.strides[3], 1);
  for (int d = 0; d < 3; d++) {
    ck_assert_int_gt(t.strides[d], t.strides[d + 1] * t.shape[d + 1]);
    ck_assert_int_ne(t.strides[d], other.strides[d]);
  }
  rpp_layout_apply(RPP_LAYOUT_SLICED, 0, &t);
  ck_assert_int_eq(t.strides[3], 2);
  ck_assert_uint_gt(t.byte_offset, 0);
  ck_assert_int_eq(rpp_layout_slice(9, 4, &t).part, 2 * 3 * 9 * 5);
  ck_assert_int_eq(t.strides[1], 45);
  ck_assert_uint_eq(t.byte_offset, 4 * 5 * 4);
}
END_TEST

static int64_t last_element(const rpp_tensor *t) {
  int64_t last = 0;
  for (int d = 0; d < t->ndim; d++) last += (t->shape[d] - 1) * t->strides[d];
  return last;
}

/* Whatever there is two of lies far enough apart, in parts that do not meet. */
START_TEST(sparse_elements_lie_past_32_bits) {
  static const int64_t counts[] = {2, 3, 4, 5, 17, 128, 1024};
  for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
    for (int d = 0; d < 3; d++)
      for (int pad = 0; pad < 12; pad++)
        for (int dtype = RPP_F64; dtype <= RPP_BF16; dtype++) {
          rpp_tensor t = {.dtype = (rpp_dtype)dtype, .ndim = 4, .shape = {1, 1, 1, 5}}, close = t;
          t.shape[d] = close.shape[d] = counts[n];
          const rpp_layout_memory memory = rpp_layout_apply(RPP_LAYOUT_SPARSE, pad, &t);
          ck_assert_int_eq(memory.parts, counts[n]);
          ck_assert_int_eq(t.strides[d], memory.step);
          ck_assert_int_gt(memory.step, memory.part);
          ck_assert_int_eq(memory.step * (int64_t)rpp_dtype_size(t.dtype) % RPP_LAYOUT_GRANULE, 0);
          ck_assert_int_gt(last_element(&t), INT32_MAX);
          if (counts[n] > 3) ck_assert_int_gt(last_element(&t), UINT32_MAX);
          rpp_layout_apply(RPP_LAYOUT_PADDED, pad, &close);
          ck_assert_int_lt(last_element(&close), INT32_MAX);
        }
}
END_TEST

START_TEST(sparse_steps_differ_between_tensors) {
  int far[3] = {0};
  for (int pad = 0; pad < 3; pad++) {
    rpp_tensor t = {.dtype = RPP_F32, .ndim = 4, .shape = {2, 3, 4, 5}}, next = t;
    const rpp_layout_memory a = rpp_layout_apply(RPP_LAYOUT_SPARSE, pad, &t),
                            b = rpp_layout_apply(RPP_LAYOUT_SPARSE, pad + 3, &next);
    for (int d = 0; d < 3; d++) {
      ck_assert_int_ne(t.strides[d], next.strides[d]);
      far[d] += t.strides[d] == a.step;
    }
    ck_assert_int_eq(a.parts, b.parts);
  }
  for (int d = 0; d < 3; d++) ck_assert_int_eq(far[d], 1);
}
END_TEST

/* Where there is no dimension to take apart, or one of too many steps, the tensor is padded. */
START_TEST(sparse_falls_back_to_padded) {
  static const int64_t none[][4] = {{1, 1, 1, 7}, {1, 1025, 1, 2}, {2, 0, 3, 4}, {0, 3, 3, 4}};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    rpp_tensor t = {.dtype = RPP_F32, .ndim = 4}, padded = {.dtype = RPP_F32, .ndim = 4};
    memcpy(t.shape, none[i], sizeof t.shape);
    memcpy(padded.shape, none[i], sizeof t.shape);
    const rpp_layout_memory a = rpp_layout_apply(RPP_LAYOUT_SPARSE, 2, &t), b = rpp_layout_apply(RPP_LAYOUT_PADDED, 2, &padded);
    ck_assert_int_eq(a.parts, 1);
    ck_assert_int_eq(a.part, b.part);
    ck_assert_mem_eq(t.strides, padded.strides, sizeof t.strides);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layout");
  TCase *tests = tcase_create("layout");
  tcase_add_test(tests, elements_lie_apart_and_are_found);
  tcase_add_test(tests, layouts_are_what_they_are_called);
  tcase_add_test(tests, sparse_elements_lie_past_32_bits);
  tcase_add_test(tests, sparse_steps_differ_between_tensors);
  tcase_add_test(tests, sparse_falls_back_to_padded);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
