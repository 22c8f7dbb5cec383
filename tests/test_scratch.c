/* scratch.c: tensors that live together, and the rules of a deviation. */
#include "base/scratch.h"

#include <math.h>

#include "guarded.h"
#include "support.h"

static rpp_scratch scratch;

static void setup(void) {
  scratch = (rpp_scratch){0};
}
static void teardown(void) {
  rpp_scratch_free(&scratch);
}

/* (count) of float64. */
static rpp_tensor row(int64_t count, const double *values) {
  const rpp_tensor t = rpp_scratch_tensor(&scratch, RPP_F64, 1, &count);
  for (int64_t i = 0; i < count; i++) rpp_scratch_values(&t)[i] = values[i];
  return t;
}

/* The deviation of two rows of two. */
static double deviation(double a0, double a1, double b0, double b1) {
  const rpp_tensor a = row(2, (double[]){a0, a1}), b = row(2, (double[]){b0, b1});
  return rpp_scratch_deviation(&a, &b);
}

START_TEST(tensors_are_zero_and_contiguous) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16, RPP_I64};
  for (int i = 0; i < 5; i++) {
    const rpp_tensor t = rpp_scratch_tensor(&scratch, dtypes[i], 3, (int64_t[]){2, 3, 5});
    ck_assert(t.data != NULL && t.dtype == dtypes[i] && t.ndim == 3 && t.byte_offset == 0);
    ck_assert(t.strides[0] == 15 && t.strides[1] == 5 && t.strides[2] == 1);
    ck_assert_int_eq(rpp_scratch_size(&t), 30);
    for (size_t byte = 0; byte < 30 * rpp_dtype_size(dtypes[i]); byte++) ck_assert_int_eq(((const char *)t.data)[byte], 0);
  }
  const rpp_tensor four = rpp_scratch_zeros(&scratch, 2, 3, 4, 5);
  ck_assert(four.ndim == 4 && four.dtype == RPP_F64 && rpp_scratch_size(&four) == 120);
  ck_assert(four.shape[0] == 2 && four.shape[1] == 3 && four.shape[2] == 4 && four.shape[3] == 5);
  ck_assert_int_eq(scratch.count, 6);
}
END_TEST

START_TEST(normal_numbers_and_positions) {
  rpp_random random = rpp_random_make(1, 2), again = random;
  const rpp_tensor x = rpp_scratch_normal(&scratch, &random, 2, 1, 3, 2);
  ck_assert_int_eq(rpp_scratch_size(&x), 12);
  for (int i = 0; i < 12; i++) ck_assert_double_eq(rpp_scratch_values(&x)[i], rpp_random_normal(&again));
  const rpp_tensor pos = rpp_scratch_positions(&scratch, 4, -2, 3);
  ck_assert(pos.dtype == RPP_I64 && pos.ndim == 1 && pos.shape[0] == 4);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(rpp_scratch_integers(&pos)[i], -2 + 3 * i);
}
END_TEST

START_TEST(what_cannot_be_made_has_no_data) {
  const struct {
    rpp_dtype dtype;
    int ndim;
    int64_t shape[4];
  } bad[] = {{RPP_F64, 0, {1}},
             {RPP_F64, 5, {1, 1, 1, 1}},
             {RPP_F64, 1, {-1}},
             {(rpp_dtype)99, 1, {1}},
             {RPP_F64, 1, {INT64_MAX}},
             {RPP_F64, 2, {INT64_C(1) << 40, INT64_C(1) << 40}},
             {RPP_F64, 1, {INT64_C(1) << 58}}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const rpp_tensor t = rpp_scratch_tensor(&scratch, bad[i].dtype, bad[i].ndim, bad[i].shape);
    ck_assert_ptr_null(t.data);
    ck_assert_int_eq(rpp_scratch_size(&t), 0);
  }
  ck_assert_int_eq(scratch.count, 0);
  rpp_random random = rpp_random_make(1, 0);
  const rpp_tensor none = rpp_scratch_normal(&scratch, &random, 1, 1, 1, INT64_C(1) << 58),
                   pos = rpp_scratch_positions(&scratch, -1, 0, 1);
  ck_assert(none.data == NULL && pos.data == NULL);
}
END_TEST

START_TEST(the_table_runs_out) {
  const double one = 1;
  const rpp_tensor first = row(1, &one);
  while (scratch.count < RPP_SCRATCH_TENSORS) ck_assert_ptr_nonnull(rpp_scratch_zeros(&scratch, 1, 1, 1, 1).data);
  const rpp_tensor late = rpp_scratch_zeros(&scratch, 1, 1, 1, 1), copy = rpp_scratch_copy(&scratch, &first),
                   pos = rpp_scratch_positions(&scratch, 3, 0, 1);
  ck_assert(late.data == NULL && copy.data == NULL && pos.data == NULL);
  ck_assert_int_eq(scratch.count, RPP_SCRATCH_TENSORS);
  ck_assert_double_eq(rpp_scratch_deviation(&first, &copy), INFINITY); /* so that no check passes on what was not made */
  ck_assert_double_eq(rpp_scratch_deviation(&copy, &copy), INFINITY);
  rpp_scratch_assign(&first, &copy);
  rpp_scratch_assign(&copy, &first);
  ck_assert_double_eq(*rpp_scratch_values(&first), 1);
  rpp_tensor out = late;
  ck_assert_int_ne(rpp_quarter_turn(&(rpp_rotary){.rotary_dim = 2, .base = 2}, &late, &out), RPP_OK);
  rpp_scratch_free(&scratch);
  ck_assert_int_eq(scratch.count, 0);
  ck_assert_ptr_nonnull(rpp_scratch_zeros(&scratch, 1, 1, 1, 1).data); /* and can be used again */
}
END_TEST

START_TEST(assign_and_copy_take_any_layout) {
  const int64_t shape[] = {2, 3, 4};
  uint64_t state = 1;
  for (int from = 0; from < LAYOUTS; from++)
    for (int to = 0; to < LAYOUTS; to++) {
      guarded x = guarded_new((guarded_layout)from, RPP_F64, 3, shape), y = guarded_new((guarded_layout)to, RPP_F32, 3, shape);
      int64_t index[RPP_MAX_DIMS] = {0};
      do rpp_tensor_set(&x.tensor, index, support_uniform(&state, -1, 1));
      while (guarded_next(&x.tensor, index));
      rpp_scratch_assign(&x.tensor, &y.tensor);
      const rpp_tensor copy = rpp_scratch_copy(&scratch, &x.tensor);
      ck_assert(copy.dtype == RPP_F64 && copy.strides[2] == 1);
      ck_assert_double_eq(rpp_scratch_deviation(&x.tensor, &copy), 0);
      do ck_assert_double_eq(rpp_tensor_get(&y.tensor, index), (double)(float)rpp_tensor_get(&x.tensor, index));
      while (guarded_next(&x.tensor, index));
      ck_assert_uint_eq(guarded_stray_bytes(&y), 0);
      guarded_free(&x);
      guarded_free(&y);
    }
}
END_TEST

START_TEST(a_deviation_is_relative_to_the_largest) {
  ck_assert_double_eq(deviation(1, 2, 1, 2), 0);
  ck_assert_double_eq(deviation(0, -0.0, -0.0, 0), 0);
  ck_assert_double_eq(deviation(0.25, 0, 0.25, 0.5), 0.5); /* a scale below 1 counts as 1 */
  ck_assert_double_eq(deviation(-8, 1, -8, 2), 0.125);
  ck_assert_double_eq(deviation(8, 1, 6, 2), 0.25); /* the largest difference, not the last */
  ck_assert_double_eq(deviation(1, 1, 8, 1), 7);    /* the first tensor's scale */
  ck_assert_double_eq(deviation(0, 1, 0, 1 + 0x1p-52), 0x1p-52);
}
END_TEST

START_TEST(what_is_not_finite_deviates_infinitely) {
  const double inf = INFINITY, nan = NAN;
  ck_assert_double_eq(deviation(nan, 1, 1, 1), inf);
  ck_assert_double_eq(deviation(1, 1, 1, nan), inf);
  ck_assert_double_eq(deviation(nan, 1, nan, 1), inf);
  ck_assert_double_eq(deviation(inf, 1, 1, 1), inf);
  ck_assert_double_eq(deviation(1, 1, -inf, 1), inf);
  ck_assert_double_eq(deviation(inf, 1, -inf, 1), inf);
  ck_assert_double_eq(deviation(inf, 1, nan, 1), inf);
  ck_assert_double_eq(deviation(1e308, 1, -1e308, 1), inf);
  ck_assert_double_eq(deviation(-inf, 1, -inf, 1), 0);
  ck_assert_double_eq(deviation(inf, 2, inf, 3), 0.5); /* an infinity is no scale */
  ck_assert_double_eq(deviation(2, inf, 3, inf), 0.5);
  ck_assert_double_eq(deviation(-inf, inf, -inf, inf), 0);
}
END_TEST

START_TEST(shapes_must_agree) {
  const double values[4] = {0};
  const rpp_tensor a = row(4, values), shorter = row(3, values), none = row(0, values),
                   null = {.dtype = RPP_F64, .ndim = 1, .shape = {4}};
  const rpp_tensor square = rpp_scratch_tensor(&scratch, RPP_F64, 2, (int64_t[]){2, 2}),
                   column = rpp_scratch_tensor(&scratch, RPP_F64, 2, (int64_t[]){4, 1});
  ck_assert_double_eq(rpp_scratch_deviation(&a, &a), 0);
  ck_assert_double_eq(rpp_scratch_deviation(&a, &shorter), INFINITY);
  ck_assert_double_eq(rpp_scratch_deviation(&shorter, &a), INFINITY);
  ck_assert_double_eq(rpp_scratch_deviation(&a, &square), INFINITY);
  ck_assert_double_eq(rpp_scratch_deviation(&square, &column), INFINITY);
  ck_assert_double_eq(rpp_scratch_deviation(&a, &null), INFINITY);
  ck_assert_double_eq(rpp_scratch_deviation(&null, &a), INFINITY);
  ck_assert_ptr_nonnull(none.data);
  ck_assert_double_eq(rpp_scratch_deviation(&none, &none), INFINITY); /* nothing was compared */
}
END_TEST

START_TEST(deviations_of_views_and_dtypes) {
  const rpp_tensor x = rpp_scratch_tensor(&scratch, RPP_F32, 2, (int64_t[]){3, 4});
  rpp_tensor across = x, y = rpp_scratch_tensor(&scratch, RPP_I64, 2, (int64_t[]){4, 3});
  across.shape[0] = 4, across.shape[1] = 3, across.strides[0] = 1, across.strides[1] = 4;
  for (int64_t i = 0; i < 3; i++)
    for (int64_t j = 0; j < 4; j++) {
      rpp_tensor_set(&x, (int64_t[]){i, j}, (double)(10 * i + j));
      rpp_tensor_set(&y, (int64_t[]){j, i}, (double)(10 * i + j));
    }
  ck_assert_double_eq(rpp_scratch_deviation(&across, &y), 0);
  rpp_tensor_set(&x, (int64_t[]){2, 3}, 24);
  ck_assert_double_eq(rpp_scratch_deviation(&across, &y), 1.0 / 24); /* the last element is compared */
  rpp_tensor last_x, last_y;
  ck_assert_int_eq(rpp_tensor_slice(&across, 0, 2, 3, -1, &last_x), RPP_OK);
  ck_assert_int_eq(rpp_tensor_slice(&y, 0, 2, 3, -1, &last_y), RPP_OK);
  ck_assert_double_eq(rpp_scratch_deviation(&last_x, &last_y), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scratch");
  TCase *tests = tcase_create("scratch");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, tensors_are_zero_and_contiguous);
  tcase_add_test(tests, normal_numbers_and_positions);
  tcase_add_test(tests, what_cannot_be_made_has_no_data);
  tcase_add_test(tests, the_table_runs_out);
  tcase_add_test(tests, assign_and_copy_take_any_layout);
  tcase_add_test(tests, a_deviation_is_relative_to_the_largest);
  tcase_add_test(tests, what_is_not_finite_deviates_infinitely);
  tcase_add_test(tests, shapes_must_agree);
  tcase_add_test(tests, deviations_of_views_and_dtypes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
