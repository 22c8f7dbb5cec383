/* tensor.c and check_tensor.c: layouts, slices, extents, single elements, and what is refused. */
#include <math.h>
#include "guarded.h"
#include "support.h"

static const int64_t huge = INT64_C(1) << 40;

START_TEST(contiguous_is_row_major) {
  float data[60];
  const int64_t shape[] = {3, 4, 5, 1};
  for (int ndim = 1; ndim <= 4; ndim++) {
    rpp_tensor t;
    memset(&t, 0x5a, sizeof t);
    support_accepted(rpp_tensor_contiguous(data, RPP_F32, ndim, shape, &t));
    ck_assert(t.data == data && t.dtype == RPP_F32 && t.ndim == ndim && t.byte_offset == 0);
    int64_t stride = 1;
    for (int d = ndim - 1; d >= 0; d--) {
      ck_assert_int_eq(t.shape[d], shape[d]);
      ck_assert_int_eq(t.strides[d], stride);
      stride *= shape[d];
    }
    int64_t elements, bytes;
    support_accepted(rpp_tensor_extent(&t, &elements, &bytes));
    ck_assert(elements == stride && bytes == 4 * stride);
    support_accepted(rpp_tensor_extent(&t, NULL, NULL));
  }
}
END_TEST

START_TEST(contiguous_refuses) {
  double data[4];
  const int64_t shape[] = {2, 2, 1, 1, 1}, negative[] = {2, -3}, square[] = {huge, huge}, flat[] = {INT64_C(1) << 60},
                empty[] = {0, 7};
  rpp_tensor t, before;
  memset(&t, 0x5a, sizeof t);
  before = t;
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 2, NULL, &t), RPP_ERROR_NULL, "shape", "null");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 2, shape, NULL), RPP_ERROR_NULL, "t", "null");
  support_refused(rpp_tensor_contiguous(data, (rpp_dtype)9, 2, shape, &t), RPP_ERROR_DTYPE, "dtype", "= 9");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 0, shape, &t), RPP_ERROR_SHAPE, "ndim", "= 0");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 5, shape, &t), RPP_ERROR_SHAPE, "ndim", "= 5");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, -1, shape, &t), RPP_ERROR_SHAPE, "ndim", "= -1");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 2, negative, &t), RPP_ERROR_SHAPE, "shape[1]", "= -3");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 2, square, &t), RPP_ERROR_OVERFLOW, "1099511627776", " x ");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 1, flat, &t), RPP_ERROR_OVERFLOW, "shape", "1152921504606846976");
  support_refused(rpp_tensor_contiguous(data, RPP_F16, 1, (int64_t[]){INT64_MAX / 2 + 1}, &t), RPP_ERROR_OVERFLOW, "shape",
                  "4611686018427387904");
  support_refused(rpp_tensor_contiguous(data, RPP_F64, 4, (int64_t[]){65536, 65536, 65536, 65536}, &t), RPP_ERROR_OVERFLOW, "65536",
                  "");
  ck_assert_mem_eq(&t, &before, sizeof t); /* on failure no output has been written */
  support_accepted(rpp_tensor_contiguous(NULL, RPP_I64, 2, empty, &t));
  int64_t elements, bytes;
  support_accepted(rpp_tensor_extent(&t, &elements, &bytes));
  ck_assert(elements == 0 && bytes == 0);
}
END_TEST

START_TEST(slices_see_the_right_elements) {
  /* Every start, length and step of each dimension, in every layout, and slices of those slices. */
  const int64_t shape[] = {4, 3, 5};
  for (int layout = 0; layout < LAYOUTS; layout++) {
    guarded g = guarded_new((guarded_layout)layout, RPP_F64, 3, shape);
    int64_t index[RPP_MAX_DIMS] = {0};
    do rpp_tensor_set(&g.tensor, index, (double)(100 * index[0] + 10 * index[1] + index[2]));
    while (guarded_next(&g.tensor, index));
    int wrong = 0, views = 0;
    for (int dim = 0; dim < 3; dim++)
      for (int64_t start = 0; start < shape[dim]; start++)
        for (int64_t step = -4; step <= 4; step++)
          for (int64_t length = 1; length <= shape[dim]; length++) {
            const int64_t last = start + (length - 1) * step;
            if ((step == 0 && length > 1) || last < 0 || last >= shape[dim]) continue;
            rpp_tensor view, twice;
            support_accepted(rpp_tensor_slice(&g.tensor, dim, start, length, step, &view));
            support_accepted(rpp_tensor_slice(&view, dim, length - 1, length, -1, &twice)); /* backwards again */
            views++;
            memset(index, 0, sizeof index);
            do {
              int64_t source[] = {index[0], index[1], index[2]};
              source[dim] = start + index[dim] * step;
              const double label = (double)(100 * source[0] + 10 * source[1] + source[2]);
              wrong += rpp_tensor_get(&view, index) != label;
              int64_t mirrored[] = {index[0], index[1], index[2]};
              mirrored[dim] = length - 1 - index[dim];
              wrong += rpp_tensor_get(&twice, mirrored) != label;
            } while (guarded_next(&view, index));
          }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(views, 100);
    ck_assert_uint_eq(guarded_stray_bytes(&g), 0);
    rpp_tensor in_place = g.tensor; /* t and view may be one */
    support_accepted(rpp_tensor_slice(&in_place, 2, 4, 3, -2, &in_place));
    ck_assert(in_place.shape[2] == 3 && rpp_tensor_get(&in_place, (int64_t[]){3, 2, 1}) == 322);
    guarded_free(&g);
  }
}
END_TEST

START_TEST(slice_refuses) {
  double data[20] = {0};
  rpp_tensor t, view, before;
  support_accepted(rpp_tensor_contiguous(data, RPP_F64, 2, (int64_t[]){4, 5}, &t));
  memset(&view, 0x5a, sizeof view);
  before = view;
  support_refused(rpp_tensor_slice(NULL, 0, 0, 1, 1, &view), RPP_ERROR_NULL, "t", "null");
  support_refused(rpp_tensor_slice(&t, 0, 0, 1, 1, NULL), RPP_ERROR_NULL, "view", "null");
  support_refused(rpp_tensor_slice(&t, 2, 0, 1, 1, &view), RPP_ERROR_VALUE, "dim", "= 2");
  support_refused(rpp_tensor_slice(&t, -1, 0, 1, 1, &view), RPP_ERROR_VALUE, "dim", "= -1");
  support_refused(rpp_tensor_slice(&t, 1, -1, 1, 1, &view), RPP_ERROR_VALUE, "start", "= -1");
  support_refused(rpp_tensor_slice(&t, 1, 5, 1, 1, &view), RPP_ERROR_VALUE, "start", "= 5");
  support_refused(rpp_tensor_slice(&t, 1, 0, -1, 1, &view), RPP_ERROR_VALUE, "length", "= -1");
  support_refused(rpp_tensor_slice(&t, 1, 0, 6, 1, &view), RPP_ERROR_VALUE, "length", "= 6");
  support_refused(rpp_tensor_slice(&t, 1, 0, 5, 0, &view), RPP_ERROR_VALUE, "step", "= 0");
  support_refused(rpp_tensor_slice(&t, 1, 3, 3, 1, &view), RPP_ERROR_VALUE, "step", "= 1");
  support_refused(rpp_tensor_slice(&t, 1, 1, 3, -1, &view), RPP_ERROR_VALUE, "step", "= -1");
  support_refused(rpp_tensor_slice(&t, 1, 0, 3, INT64_MAX, &view), RPP_ERROR_VALUE, "step", "9223372036854775807");
  support_refused(rpp_tensor_slice(&t, 1, 0, 3, INT64_MIN, &view), RPP_ERROR_VALUE, "step", "-9223372036854775808");
  support_refused(rpp_tensor_slice(&t, 1, INT64_MAX, 1, 1, &view), RPP_ERROR_VALUE, "start", "9223372036854775807");
  support_refused(rpp_tensor_slice(&t, 1, 0, INT64_MAX, 1, &view), RPP_ERROR_VALUE, "length", "9223372036854775807");
  ck_assert_mem_eq(&view, &before, sizeof view);
  support_accepted(rpp_tensor_slice(&t, 1, 5, 0, 1, &view));
  ck_assert(view.shape[0] == 4 && view.shape[1] == 0);
  support_accepted(rpp_tensor_slice(&t, 1, 4, 1, INT64_MIN, &view)); /* one element: the step is not read */
  ck_assert(view.shape[1] == 1);
}
END_TEST

START_TEST(slices_without_elements) {
  /* No data behind it, so no stride may be multiplied into an address. */
  const int64_t strides[] = {1, 8, INT64_MAX, INT64_MIN};
  for (int i = 0; i < 4; i++) {
    const rpp_tensor empty = {NULL, RPP_F64, 2, {0, 4}, {1, strides[i]}, 0};
    rpp_tensor view;
    int64_t elements = -1;
    const rpp_status status = rpp_tensor_slice(&empty, 1, 1, 2, 2, &view);
    ck_assert(status == RPP_OK || status == RPP_ERROR_OVERFLOW);
    if (status == RPP_OK) {
      support_accepted(rpp_tensor_extent(&view, &elements, NULL));
      ck_assert_int_eq(elements, 0);
    }
  }
}
END_TEST

START_TEST(extents) {
  double data[100];
  const struct {
    int64_t shape[3], strides[3], elements, bytes;
  } known[] = {
      {{2, 3, 4}, {12, 4, 1}, 24, 192},     {{2, 3, 4}, {1, 2, 6}, 24, 192},   {{2, 3, 4}, {-12, 4, -1}, 24, 192},
      {{2, 3, 4}, {0, 0, 0}, 24, 8},        {{2, 3, 4}, {0, 10, 1}, 24, 192},  {{1, 1, 1}, {7, -7, INT64_MAX}, 1, 8},
      {{1, 1, 1}, {0, INT64_MIN, 0}, 1, 8}, {{2, 1, 3}, {50, 0, -20}, 6, 728}, {{0, 3, 4}, {12, 4, 1}, 0, 0},
      {{2, 3, 0}, {12, 4, 1}, 0, 0},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    rpp_tensor t = {data, RPP_F64, 3, {0}, {0}, 0};
    memcpy(t.shape, known[i].shape, sizeof known[i].shape);
    memcpy(t.strides, known[i].strides, sizeof known[i].strides);
    int64_t elements, bytes;
    support_accepted(rpp_tensor_extent(&t, &elements, &bytes));
    ck_assert_msg(elements == known[i].elements && bytes == known[i].bytes, "%d: %d elements, %d bytes", (int)i, (int)elements,
                  (int)bytes);
  }
}
END_TEST

START_TEST(extent_refuses) {
  double data[4];
  int64_t elements = -7, bytes = -7;
  const int64_t limits[] = {INT64_MAX, INT64_MIN, INT64_C(1) << 60, -(INT64_C(1) << 60)};
  for (int i = 0; i < 4; i++) {
    const rpp_tensor t = {data, RPP_F64, 2, {3, 1}, {limits[i], 1}, 0};
    support_refused(rpp_tensor_extent(&t, &elements, &bytes), RPP_ERROR_OVERFLOW, "t", "3, 1");
  }
  const rpp_tensor sum = {data, RPP_F16, 2, {2, 2}, {INT64_C(1) << 61, INT64_C(1) << 61}, 0}; /* each fits, both do not */
  support_refused(rpp_tensor_extent(&sum, &elements, &bytes), RPP_ERROR_OVERFLOW, "t", "2, 2");
  const rpp_tensor apart = {data, RPP_F16, 2, {2, 2}, {INT64_C(1) << 61, -(INT64_C(1) << 61)}, 0}; /* from lowest to highest */
  support_refused(rpp_tensor_extent(&apart, &elements, &bytes), RPP_ERROR_OVERFLOW, "t", "2, 2");
  const rpp_tensor repeated = {data, RPP_F64, 2, {huge, huge}, {0, 0}, 0}; /* no memory at all, but too many elements to count */
  support_refused(rpp_tensor_extent(&repeated, &elements, &bytes), RPP_ERROR_OVERFLOW, "t", "1099511627776");
  const rpp_tensor none = {NULL, RPP_F64, 1, {3}, {1}, 0};
  support_refused(rpp_tensor_extent(&none, &elements, &bytes), RPP_ERROR_NULL, "data", "null");
  support_refused(rpp_tensor_extent(NULL, &elements, &bytes), RPP_ERROR_NULL, "t", "null");
  const rpp_tensor flat = {data, RPP_F64, 0, {3}, {1}, 0}, deep = {data, RPP_F64, 5, {1, 1, 1, 1}, {1, 1, 1, 1}, 0};
  support_refused(rpp_tensor_extent(&flat, &elements, &bytes), RPP_ERROR_SHAPE, "ndim", "= 0");
  support_refused(rpp_tensor_extent(&deep, &elements, &bytes), RPP_ERROR_SHAPE, "ndim", "= 5");
  const rpp_tensor odd = {data, (rpp_dtype)-1, 1, {3}, {1}, 0}, negative = {data, RPP_F64, 1, {-3}, {1}, 0};
  support_refused(rpp_tensor_extent(&odd, &elements, &bytes), RPP_ERROR_DTYPE, "dtype", "= -1");
  support_refused(rpp_tensor_extent(&negative, &elements, &bytes), RPP_ERROR_SHAPE, "shape[0]", "= -3");
  ck_assert(elements == -7 && bytes == -7);
}
END_TEST

START_TEST(elements_of_every_dtype) {
  const double values[] = {0, -1.5, 1.0 / 3, 1e30, 65519.99, INFINITY, 0x1p-24, -0x1p-133};
  const int64_t shape[] = {8};
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int dtype = RPP_F64; dtype <= RPP_BF16; dtype++) {
      guarded g = guarded_new((guarded_layout)layout, (rpp_dtype)dtype, 1, shape);
      for (int64_t i = 0; i < 8; i++) rpp_tensor_set(&g.tensor, &i, values[i]);
      for (int64_t i = 0; i < 8; i++) ck_assert(rpp_tensor_get(&g.tensor, &i) == rpp_dtype_round((rpp_dtype)dtype, values[i]));
      ck_assert_uint_eq(guarded_stray_bytes(&g), 0);
      guarded_free(&g);
    }
}
END_TEST

START_TEST(integers_are_rounded) {
  int64_t data[6], at;
  rpp_tensor t;
  support_accepted(rpp_tensor_contiguous(data, RPP_I64, 1, (int64_t[]){6}, &t));
  const double values[] = {3, -3, 2.6, -2.6, 2.5, -0x1p63};
  const int64_t expected[] = {3, -3, 3, -3, 2, INT64_MIN};
  for (at = 0; at < 6; at++) rpp_tensor_set(&t, &at, values[at]);
  for (at = 0; at < 6; at++) ck_assert_int_eq(data[at], expected[at]);
  data[0] = (INT64_C(1) << 53) + 1; /* no float64: the even neighbour */
  at = 0;
  ck_assert(rpp_tensor_get(&t, &at) == 0x1p53);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tensor");
  TCase *cases = tcase_create("tensor");
  tcase_add_test(cases, contiguous_is_row_major);
  tcase_add_test(cases, contiguous_refuses);
  tcase_add_test(cases, slices_see_the_right_elements);
  tcase_add_test(cases, slice_refuses);
  tcase_add_test(cases, slices_without_elements);
  tcase_add_test(cases, extents);
  tcase_add_test(cases, extent_refuses);
  tcase_add_test(cases, elements_of_every_dtype);
  tcase_add_test(cases, integers_are_rounded);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
