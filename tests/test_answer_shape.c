/* test_answer_shape.c: a shape that is not the wanted one is told as a person would tell it. */
#include "files/answer_shape.h"

#include "support.h"

static rpp_answer_want want_out(rpp_axes axes) {
  return (rpp_answer_want){"out", 4, {2, 128, 16, 64}, 8, 100, axes};
}

static rpp_tensor shaped(int ndim, const int64_t *shape) {
  static double data;
  rpp_tensor t = {0};
  ck_assert_int_eq(rpp_tensor_contiguous(&data, RPP_F64, ndim, shape, &t), RPP_OK);
  return t;
}

#define SHAPE(...) shaped((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static void refused(rpp_tensor t, rpp_answer_want want, const char *expected) {
  rpp_tensor view = {0};
  rpp_message error;
  ck_assert_msg(!rpp_answer_shape(&t, &want, &view, &error), "taken, not: %s", expected);
  ck_assert_str_eq(error.text, expected);
  ck_assert_int_eq(view.ndim, 0);
}

START_TEST(the_wanted_shape) {
  rpp_tensor t = SHAPE(2, 128, 16, 64), view;
  rpp_answer_want want = want_out(RPP_AXES_BLHD);
  rpp_message error;
  ck_assert(rpp_answer_shape(&t, &want, &view, &error));
  ck_assert_mem_eq(&view, &t, sizeof t);
  want.axes = RPP_AXES_BHLD;
  t = SHAPE(2, 16, 128, 64);
  ck_assert(rpp_answer_shape(&t, &want, &view, &error));
  ck_assert_mem_eq(view.shape, want.shape, sizeof want.shape);
  ck_assert(view.strides[1] == 64 && view.strides[2] == 128 * 64 && view.strides[3] == 1 && view.strides[0] == 16 * 128 * 64);
}
END_TEST

START_TEST(other_orders) {
  refused(SHAPE(2, 16, 128, 64), want_out(RPP_AXES_BLHD),
          "out is (2, 16, 128, 64): looks like batch, heads, length, width; use --axes bhld");
  refused(SHAPE(2, 128, 16, 64), want_out(RPP_AXES_BHLD),
          "out is (2, 128, 16, 64): looks like batch, length, heads, width; leave out --axes bhld");
  refused(
      SHAPE(128, 2, 16, 64), want_out(RPP_AXES_BLHD),
      "out is (128, 2, 16, 64): looks like length, batch, heads, width; expected (2, 128, 16, 64): batch, length, heads, width");
  refused(
      SHAPE(64, 16, 128, 2), want_out(RPP_AXES_BHLD),
      "out is (64, 16, 128, 2): looks like width, heads, length, batch; expected (2, 16, 128, 64): batch, heads, length, width");
  const rpp_answer_want lse = {"lse", 3, {2, 16, 128}, 8, 100, RPP_AXES_BHLD};
  refused(SHAPE(2, 128, 16), lse,
          "lse is (2, 128, 16): looks like batch, length, heads; expected (2, 16, 128): batch, heads, length");
}
END_TEST

START_TEST(other_ranks) {
  const rpp_answer_want one = {"out", 4, {1, 128, 16, 64}, 8, 100, RPP_AXES_BLHD};
  refused(SHAPE(128, 16, 64), one,
          "out is (128, 16, 64): a dimension of size 1 is missing; expected (1, 128, 16, 64): batch, length, heads, width");
  const rpp_answer_want lse = {"lse", 3, {2, 16, 128}, 8, 100, RPP_AXES_BLHD};
  refused(SHAPE(2, 16, 128, 1), lse,
          "lse is (2, 16, 128, 1): a dimension of size 1 is too many; expected (2, 16, 128): batch, heads, length");
  refused(SHAPE(2, 128, 1024), want_out(RPP_AXES_BLHD),
          "out is (2, 128, 1024): looks like batch, length, heads times width; reshape it to (2, 128, 16, 64)");
  refused(SHAPE(7), want_out(RPP_AXES_BLHD), "out is (7): expected (2, 128, 16, 64): batch, length, heads, width");
  refused(SHAPE(2, 128, 1023), want_out(RPP_AXES_BLHD),
          "out is (2, 128, 1023): expected (2, 128, 16, 64): batch, length, heads, width");
}
END_TEST

START_TEST(other_sizes) {
  refused(SHAPE(2, 128, 8, 64), want_out(RPP_AXES_BLHD),
          "out is (2, 128, 8, 64): heads is 8, expected 16 (each projected head makes a real and an imaginary one)");
  refused(SHAPE(2, 8, 128, 64), want_out(RPP_AXES_BHLD),
          "out is (2, 8, 128, 64): heads is 8, expected 16 (each projected head makes a real and an imaginary one)");
  refused(SHAPE(3, 100, 16, 64), want_out(RPP_AXES_BLHD),
          "out is (3, 100, 16, 64): batch is 3, expected 2, length is 100, expected 128 (as many as keys)");
  const rpp_answer_want rope = {"out", 4, {2, 128, 16, 64}, -1, 100, RPP_AXES_BLHD};
  refused(SHAPE(2, 128, 0, 64), rope, "out is (2, 128, 0, 64): heads is 0, expected 16");
  refused(SHAPE(INT64_C(1) << 55, 1, 2, 1), rope,
          "out is (36028797018963968, 1, 2, 1): batch is 36028797018963968, expected 2, length is 1, expected 128, heads is 2, "
          "expected 16, width is 1, expected 64");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("answer_shape");
  TCase *tests = tcase_create("answer_shape");
  tcase_add_test(tests, the_wanted_shape);
  tcase_add_test(tests, other_orders);
  tcase_add_test(tests, other_ranks);
  tcase_add_test(tests, other_sizes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
