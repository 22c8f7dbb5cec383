/* layout.c: elements apart from each other, inside their memory, and found again. */
#include "cases/layout.h"

#include <stdlib.h>

#include "support.h"

static const int64_t shapes[][4] = {{1, 1, 1, 1}, {2, 3, 4, 5}, {1, 5, 1, 2}, {3, 1, 2, 7}, {2, 0, 3, 4}, {1, 4, 3, 1}};

/* Marks every element's bytes once; returns how many bytes the memory has. */
static void check_apart(const rpp_tensor *t, int64_t elements) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), bytes = elements * size;
  int64_t count = 1, marked = 0, index[RPP_MAX_DIMS] = {0}, found[RPP_MAX_DIMS];
  for (int d = 0; d < t->ndim; d++) count *= t->shape[d];
  char *owned = calloc((size_t)bytes + 1, 1);
  for (int64_t n = 0; n < count; n++) {
    int64_t at = (int64_t)t->byte_offset;
    for (int d = 0; d < t->ndim; d++) at += index[d] * t->strides[d] * size;
    ck_assert_int_ge(at, 0);
    ck_assert_int_le(at + size, bytes);
    for (int64_t i = at; i < at + size; i++) {
      ck_assert_int_eq(owned[i], 0);
      owned[i] = 1;
      ck_assert(rpp_layout_find(t, i, found));
      for (int d = 0; d < t->ndim; d++) ck_assert_int_eq(found[d], index[d]);
    }
    for (int d = t->ndim - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
  }
  for (int64_t i = 0; i < bytes; i++) {
    marked += owned[i];
    if (!owned[i]) ck_assert(!rpp_layout_find(t, i, found));
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
        const int64_t elements = rpp_layout_apply((rpp_layout)layout, (int)s, &t);
        check_apart(&t, elements);
        int order[RPP_MAX_DIMS];
        rpp_layout_order(&t, order);
        for (int i = 0; i + 1 < ndim; i++) ck_assert_int_ge(t.strides[order[i]], t.strides[order[i + 1]]);
      }
}
END_TEST

START_TEST(layouts_are_what_they_are_called) {
  rpp_tensor t = {.dtype = RPP_F32, .ndim = 4, .shape = {2, 3, 4, 5}}, other = t;
  ck_assert_int_eq(rpp_layout_apply(RPP_LAYOUT_CONTIGUOUS, 0, &t), 120);
  ck_assert_int_eq(t.strides[0], 60);
  ck_assert_int_eq(rpp_layout_apply(RPP_LAYOUT_HEAD_MAJOR, 0, &t), 120);
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
  ck_assert_int_eq(rpp_layout_slice(9, 4, &t), 2 * 3 * 9 * 5);
  ck_assert_int_eq(t.strides[1], 45);
  ck_assert_uint_eq(t.byte_offset, 4 * 5 * 4);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layout");
  TCase *tests = tcase_create("layout");
  tcase_add_test(tests, elements_lie_apart_and_are_found);
  tcase_add_test(tests, layouts_are_what_they_are_called);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
