/* The query rows that are asked for. */
#include "support.h"

#include "query_rows.h"
#include "base/scratch.h"

static const rpp_problem sizes = {.counts = {1, 1, 2}, .batch = 1, .q_len = 6, .k_len = 9, .head_dim = 4, .v_dim = 3};

START_TEST(counts) {
  int64_t count = -1, values[] = {5, 0, 5};
  rpp_tensor rows = {.data = values, .dtype = RPP_I64, .ndim = 1, .shape = {3}, .strides = {1}};
  support_accepted(rpp_check_rows(NULL, &sizes, &count));
  ck_assert_int_eq(count, 6);
  ck_assert_int_eq(rpp_query_of(NULL, 4), 4);
  support_accepted(rpp_check_rows(&rows, &sizes, &count));
  ck_assert_int_eq(count, 3);
  ck_assert_int_eq(rpp_query_of(&rows, 0), 5);
  ck_assert_int_eq(rpp_query_of(&rows, 1), 0);
  values[1] = 6;
  support_refused(rpp_check_rows(&rows, &sizes, &count), RPP_ERROR_VALUE, "rows[1]", "6");
  values[1] = -1;
  support_refused(rpp_check_rows(&rows, &sizes, &count), RPP_ERROR_VALUE, "rows[1]", "-1");
  values[1] = 1, rows.dtype = RPP_F64;
  ck_assert_int_eq(rpp_check_rows(&rows, &sizes, &count), RPP_ERROR_DTYPE);
  rows.dtype = RPP_I64, rows.shape[0] = 0, rows.data = NULL;
  support_accepted(rpp_check_rows(&rows, &sizes, &count));
  ck_assert_int_eq(count, 0);
}
END_TEST

/* The union of windows is one run, from the first to the last key that any row sees. */
START_TEST(keys) {
  rpp_attention a = {.mask = RPP_MASK_WINDOW, .causal_offset = 3, .window = 2};
  const rpp_attention_inputs inputs = {0};
  int64_t values[] = {4, 1};
  const rpp_tensor rows = {.data = values, .dtype = RPP_I64, .ndim = 1, .shape = {2}, .strides = {1}};
  rpp_key_range keys = rpp_keys_of_rows(&a, &inputs, &sizes, &rows, 2);
  ck_assert(keys.first == 3 && keys.last == 8); /* 3, 4 and 6, 7 */
  a.causal_offset = -2;
  keys = rpp_keys_of_rows(&a, &inputs, &sizes, &rows, 2);
  ck_assert(keys.first == 1 && keys.last == 3); /* row 1 sees none */
  a.causal_offset = -9;
  keys = rpp_keys_of_rows(&a, &inputs, &sizes, &rows, 2);
  ck_assert(keys.first == 0 && keys.last == 0);
  keys = rpp_keys_of_rows(&a, &inputs, &sizes, NULL, 0);
  ck_assert(keys.first == 0 && keys.last == 0);
}
END_TEST

START_TEST(outputs) {
  rpp_scratch s = {0};
  const rpp_attention a = {.q_rotated = true, .k_rotated = true};
  const rpp_tensor q = rpp_scratch_zeros(&s, 1, 6, 2, 4);
  const rpp_attention_inputs inputs = {.q = &q, .k = &q, .v = &q};
  rpp_tensor out = rpp_scratch_zeros(&s, 1, 2, 2, 3), lse = rpp_scratch_tensor(&s, RPP_F32, 3, (int64_t[]){1, 2, 2});
  support_accepted(rpp_check_outputs(&a, &inputs, &sizes, NULL, 2, &out, &lse));
  support_accepted(rpp_check_outputs(&a, &inputs, &sizes, NULL, 2, NULL, &lse));
  support_refused(rpp_check_outputs(&a, &inputs, &sizes, NULL, 2, NULL, NULL), RPP_ERROR_NULL, "lse", "null");
  ck_assert_int_eq(rpp_check_outputs(&a, &inputs, &sizes, NULL, 3, &out, NULL), RPP_ERROR_SHAPE);
  lse.data = out.data, lse.dtype = RPP_F64;
  support_refused(rpp_check_outputs(&a, &inputs, &sizes, NULL, 2, &out, &lse), RPP_ERROR_OVERLAP, "lse", "out");
  out.data = q.data;
  support_refused(rpp_check_outputs(&a, &inputs, &sizes, NULL, 2, &out, NULL), RPP_ERROR_OVERLAP, "out", "q");
  rpp_scratch_free(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("query_rows");
  TCase *all = tcase_create("query_rows");
  tcase_add_test(all, counts);
  tcase_add_test(all, keys);
  tcase_add_test(all, outputs);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
