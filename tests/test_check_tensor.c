/* check_tensor.c: tensor arguments, each thing that may be wrong with one, and the name and value in the message. */
#include <stdio.h>
#include "check_tensor.h"
#include "support.h"

static double data[64];

static rpp_tensor sound(void) {
  return (rpp_tensor){data, RPP_F64, 3, {2, 3, 4}, {12, 4, 1}, 0};
}

START_TEST(spans) {
  const struct {
    rpp_tensor t;
    int64_t elements, low, high;
  } known[] = {
      {{data, RPP_F64, 3, {2, 3, 4}, {12, 4, 1}, 0}, 24, 0, 192},
      {{data, RPP_F32, 3, {2, 3, 4}, {12, 4, 1}, 8}, 24, 0, 96}, /* the offset is not part of the span */
      {{data, RPP_F16, 2, {3, 5}, {-10, 2}, 0}, 15, -40, 18},
      {{data, RPP_BF16, 1, {4}, {0}, 0}, 4, 0, 2},
      {{data, RPP_I64, 4, {1, 1, 1, 1}, {99, -99, 99, 99}, 0}, 1, 0, 8},
      {{data, RPP_F64, 3, {2, 0, 4}, {12, 4, 1}, 0}, 0, 0, 0},
      {{data, RPP_F64, 2, {0, 1}, {1, INT64_MAX}, 0}, 0, 0, 0},
      {{data, RPP_F16, 1, {INT64_MAX / 2}, {1}, 0}, INT64_MAX / 2, 0, INT64_MAX - 1},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    rpp_extent extent = {-1, -1, -1};
    support_accepted(rpp_tensor_span("t", &known[i].t, &extent));
    ck_assert_msg(extent.elements == known[i].elements && extent.low == known[i].low && extent.high == known[i].high,
                  "tensor %zu: %lld elements, %lld to %lld", i, (long long)extent.elements, (long long)extent.low,
                  (long long)extent.high);
  }
}
END_TEST

/* Each in one field, from the sound one; the same refusal by all three checks. */
static void refused(rpp_tensor t, rpp_status status, const char *message) {
  support_refused(rpp_check_tensor("k", &t), status, message, "");
  support_refused(rpp_check_floating("k", &t, 3, (int64_t[]){-1, -1, -1}), status, message, "");
  support_refused(rpp_check_integer("k", &t, 3, (int64_t[]){-1, -1, -1}), status, message, "");
}

START_TEST(unsound_tensors) {
  rpp_tensor t = sound();
  support_accepted(rpp_check_tensor("k", &t));
  support_refused(rpp_check_tensor("k", NULL), RPP_ERROR_NULL, "k = null:", "");
  t.dtype = (rpp_dtype)5, refused(t, RPP_ERROR_DTYPE, "k.dtype = 5:"), t = sound();
  t.dtype = (rpp_dtype)-1, refused(t, RPP_ERROR_DTYPE, "k.dtype = -1:"), t = sound();
  t.ndim = 0, refused(t, RPP_ERROR_SHAPE, "k.ndim = 0:"), t = sound();
  t.ndim = 5, refused(t, RPP_ERROR_SHAPE, "k.ndim = 5:"), t = sound();
  t.ndim = -1, refused(t, RPP_ERROR_SHAPE, "k.ndim = -1:"), t = sound();
  for (int d = 0; d < 3; d++) {
    char message[32];
    snprintf(message, sizeof message, "k.shape[%d] = -1:", d);
    t.shape[d] = -1, refused(t, RPP_ERROR_SHAPE, message), t = sound();
  }
  t.shape[1] = INT64_MIN, refused(t, RPP_ERROR_SHAPE, "k.shape[1] = -9223372036854775808:"), t = sound();
  t.data = NULL, refused(t, RPP_ERROR_NULL, "k.data = null:");
  t.shape[2] = 0;
  support_accepted(rpp_check_tensor("k", &t)); /* without elements null is fine */
}
END_TEST

START_TEST(overflowing_tensors) {
  const int64_t big = INT64_C(1) << 60;
  rpp_tensor t = sound();
  t.shape[0] = t.shape[1] = INT64_C(1) << 32, refused(t, RPP_ERROR_OVERFLOW, "k.shape = (4294967296, 4294967296, 4):"), t = sound();
  t.shape[0] = big, refused(t, RPP_ERROR_OVERFLOW, "k.shape = (1152921504606846976, 3, 4)"), t = sound();
  t.strides[0] = big, refused(t, RPP_ERROR_OVERFLOW, "k.shape = (2, 3, 4)"), t = sound();
  t.strides[1] = INT64_MIN, refused(t, RPP_ERROR_OVERFLOW, "k.shape"), t = sound();
  t.strides[0] = big - 1, t.strides[1] = big / 4, refused(t, RPP_ERROR_OVERFLOW, "k.shape"), t = sound();  /* only together */
  t.strides[0] = big - 1, t.strides[1] = -big / 4, refused(t, RPP_ERROR_OVERFLOW, "k.shape"), t = sound(); /* from low to high */
  t.shape[0] = INT64_MAX, t.strides[0] = 0, refused(t, RPP_ERROR_OVERFLOW, "k.shape = (9223372036854775807, 3, 4)");
  t = (rpp_tensor){data, RPP_F64, 4, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, {1, 1, 1, 1}, 0};
  support_refused(rpp_check_tensor("k", &t), RPP_ERROR_OVERFLOW, "k.shape = (9223372036854775807, 9223372036854775807, ",
                  "9223372036854775807): its size");
  t.shape[2] = 0; /* no elements, but sizes that no index can count */
  support_refused(rpp_check_tensor("k", &t), RPP_ERROR_OVERFLOW, "k.shape", ", 0, ");
}
END_TEST

START_TEST(shapes_and_dtypes) {
  rpp_tensor t = sound();
  for (int dtype = RPP_F64; dtype <= RPP_BF16; dtype++) {
    t.dtype = (rpp_dtype)dtype;
    support_accepted(rpp_check_floating("v", &t, 3, (int64_t[]){2, 3, 4}));
    support_accepted(rpp_check_floating("v", &t, 3, (int64_t[]){-1, 3, -1}));
    support_refused(rpp_check_floating("v", &t, 3, (int64_t[]){2, 3, 5}), RPP_ERROR_SHAPE, "v.shape[2] = 4:", "5");
    support_refused(rpp_check_floating("v", &t, 3, (int64_t[]){0, 3, 4}), RPP_ERROR_SHAPE, "v.shape[0] = 2:", "0");
    support_refused(rpp_check_floating("v", &t, 2, (int64_t[]){2, 3}), RPP_ERROR_SHAPE, "v.ndim = 3:", "2");
    support_refused(rpp_check_floating("v", &t, 4, (int64_t[]){2, 3, 4, 1}), RPP_ERROR_SHAPE, "v.ndim = 3:", "4");
    support_refused(rpp_check_integer("v", &t, 3, (int64_t[]){2, 3, 4}), RPP_ERROR_DTYPE, "v.dtype = ", rpp_dtype_name(t.dtype));
  }
  t.dtype = RPP_I64;
  support_accepted(rpp_check_integer("v", &t, 3, (int64_t[]){2, 3, 4}));
  support_refused(rpp_check_integer("v", &t, 3, (int64_t[]){2, 1, 4}), RPP_ERROR_SHAPE, "v.shape[1] = 3:", "1");
  support_refused(rpp_check_floating("v", &t, 3, (int64_t[]){2, 3, 4}), RPP_ERROR_DTYPE, "v.dtype = I64:", "");
}
END_TEST

START_TEST(outputs) {
  const rpp_tensor t = sound();
  rpp_tensor apart = sound(), touching = sound(), folded = sound();
  apart.byte_offset = 192, touching.byte_offset = 184, folded.strides[1] = 3;
  const rpp_named_tensor clear[] = {{"q", NULL}, {"k", &apart}, {"v", NULL}};
  const rpp_named_tensor shared[] = {{"q", &apart}, {"k", NULL}, {"v", &touching}, {"rows", &t}};
  char at[32];
  snprintf(at, sizeof at, "out.data = %p:", (void *)data);
  support_accepted(rpp_check_output("out", &t, 3, clear));
  support_accepted(rpp_check_output("out", &t, 0, NULL));
  support_accepted(rpp_check_output("out", &t, 2, shared)); /* no further than count */
  support_refused(rpp_check_output("out", &t, 3, shared), RPP_ERROR_OVERLAP, at, "overlaps v");
  support_refused(rpp_check_output("out", &t, 1, &shared[3]), RPP_ERROR_OVERLAP, at, "overlaps rows");
  support_refused(rpp_check_output("out", &folded, 0, NULL), RPP_ERROR_OVERLAP, "out.strides[", "share memory");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_tensor");
  TCase *cases = tcase_create("check_tensor");
  tcase_add_test(cases, spans);
  tcase_add_test(cases, unsound_tensors);
  tcase_add_test(cases, overflowing_tensors);
  tcase_add_test(cases, shapes_and_dtypes);
  tcase_add_test(cases, outputs);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
