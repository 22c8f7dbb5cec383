/* check_case.c: right cases of every kind pass; one planted error, of whatever size the dtype can show, is found where it is. */
#include "judge/check_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case_builder.h"
#include "right_cases.h"
#include "support.h"

#define SHAPE(...) ((int64_t[]){__VA_ARGS__})

/* Judges a builder's file; the message when it cannot be judged, else null. */
static const char *judge(const builder *b, rpp_check_result *result) {
  static rpp_message error;
  rpp_safetensors *file;
  rpp_case c;
  size_t size;
  unsigned char *bytes = build_bytes(b, &size);
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error), "%s", error.text);
  const bool ok = rpp_case_read(file, &c, &error) && rpp_check_case(&c, result, &error);
  rpp_safetensors_free(file);
  free(bytes);
  return ok ? NULL : error.text;
}

/* ---- Tests -------------------------------------------------------------------------------------------------------------- */

static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};

START_TEST(right_cases_pass) {
  for (int d = 0; d < 4; d++) {
    builder b = build_right_case(_i, dtypes[d]);
    rpp_check_result r;
    const char *refusal = judge(&b, &r);
    ck_assert_msg(refusal == NULL, "%s: %s", build_right_cases[_i], refusal);
    ck_assert_msg(r.pass && r.elements > 0, "%s: %s", build_right_cases[_i], rpp_check_worst(&r)->name);
    ck_assert_int_ge(r.count, 2);
    for (int i = 0; i < r.count; i++) ck_assert_double_eq(r.tensor[i].deviation, 0);
    build_free(&b);
  }
}
END_TEST

/* Plants something into element of a tensor, and expects it alone to fail, there. */
static void check_caught(builder *b, int tensor, int64_t element, double planted, const char *kind) {
  builder_tensor *t = &b->tensor[tensor];
  const double right = t->values[element];
  rpp_check_result r;
  t->values[element] = planted;
  const char *refusal = judge(b, &r);
  ck_assert_msg(refusal == NULL && !r.pass, "%s: %s of %s passed", kind, t->name, rpp_dtype_name(t->dtype));
  const rpp_check_tensor *worst = rpp_check_worst(&r);
  int64_t at = 0;
  for (int i = 0; i < worst->ndim; i++) at = at * t->shape[i] + worst->index[i];
  ck_assert_str_eq(worst->name, t->name);
  ck_assert_int_eq(at, element);
  ck_assert(!worst->pass && !(worst->deviation <= worst->bound));
  ck_assert(worst->got == rpp_dtype_round(t->dtype, planted) || (isnan(planted) && isnan(worst->got)));
  ck_assert(rpp_dtype_round(t->dtype, worst->expected) == rpp_dtype_round(t->dtype, right));
  for (int i = 0; i < r.count; i++) ck_assert(r.tensor[i].pass == (&r.tensor[i] != worst));
  t->values[element] = right;
}

START_TEST(planted_errors_are_caught) {
  static const double step[] = {[RPP_F64] = 1e-11, [RPP_F32] = 0x1p-22, [RPP_F16] = 0x1p-9, [RPP_BF16] = 0x1p-6};
  for (int d = 0; d < 4; d++) {
    builder b = build_right_case(_i, dtypes[d]);
    for (int tensor = 0; tensor < b.tensors; tensor++) {
      const builder_tensor *t = &b.tensor[tensor];
      int64_t n = 1, element = 0;
      for (int i = 0; i < t->ndim; i++) n *= t->shape[i];
      static const char *const expected[] = {"q_real", "q_imag",  "k_rot",   "scores_real", "scores_imag",
                                             "out",    "k_cache", "v_cache", "lse",         "y"};
      bool judged = false;
      for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) judged = judged || strcmp(t->name, expected[i]) == 0;
      if (!judged) continue;
      /* Two units in the last place of a large element, or 1e-11 of it: the smallest errors that must not pass. */
      for (int64_t i = 0; i < n; i++)
        if (isfinite(t->values[i]) && fabs(t->values[i]) > fabs(t->values[element])) element = i;
      if (!isfinite(t->values[element])) element = n - 1;
      const double right = rpp_dtype_round(t->dtype, t->values[element]);
      const double error = step[dtypes[d]] * (dtypes[d] == RPP_F64 && strcmp(t->name, "lse") == 0 ? fmax(1, fabs(right)) : right);
      check_caught(&b, tensor, element, right + error, build_right_cases[_i]);
      check_caught(&b, tensor, element, right - error, build_right_cases[_i]);
      check_caught(&b, tensor, element, NAN, build_right_cases[_i]);
      check_caught(&b, tensor, element, INFINITY, build_right_cases[_i]);
      check_caught(&b, tensor, element, -INFINITY, build_right_cases[_i]);
      check_caught(&b, tensor, n - 1, NAN, build_right_cases[_i]);
    }
    build_free(&b);
  }
}
END_TEST

START_TEST(rows_without_keys_must_be_zero_and_minus_infinity) {
  builder b = {0};
  build_window(&b);
  build_attention_truth(&b, RPP_F64);
  const int out = (int)(build_find(&b, "out") - b.tensor), lse = (int)(build_find(&b, "lse") - b.tensor);
  ck_assert_double_eq(b.tensor[out].values[1], 0);
  ck_assert_double_eq(b.tensor[lse].values[0], -INFINITY);
  check_caught(&b, out, 1, 1e-300, "window");
  check_caught(&b, lse, 0, -1e300, "window");
  check_caught(&b, lse, 0, INFINITY, "window");
  b.tensor[out].values[1] = NAN;
  rpp_check_result r;
  ck_assert(judge(&b, &r) == NULL && !r.pass && isnan(rpp_check_worst(&r)->deviation));
  b.tensor[out].values[1] = -0.0; /* a zero's sign is nobody's */
  ck_assert(judge(&b, &r) == NULL && r.pass);
  build_free(&b);
}
END_TEST

/* At position 0 the rotated query is the query, so that the truth is known to the last bit. */
static rpp_check_tensor judge_one(double truth, rpp_dtype dtype, double got) {
  builder b = {0};
  rpp_check_result r;
  build_attention(&b);
  build_find(&b, "pos_q")->values[0] = 0;
  build_find(&b, "q")->values[0] = truth;
  build_truth(&b, "q_real", dtype, 4, SHAPE(2, 3, 4, 4));
  ck_assert_double_eq(build_find(&b, "q_real")->values[0], truth);
  build_find(&b, "q_real")->values[0] = got;
  ck_assert_ptr_null(judge(&b, &r));
  build_free(&b);
  return r.tensor[0];
}

START_TEST(one_rounding_is_allowed) {
  static const struct {
    rpp_dtype dtype;
    double unit, subnormal; /* of the last place at 1, and the smallest */
  } formats[] = {{RPP_F32, 0x1p-23, 0x1p-149}, {RPP_F16, 0x1p-10, 0x1p-24}, {RPP_BF16, 0x1p-7, 0x1p-133}};
  for (int f = 0; f < 3; f++) {
    const rpp_dtype dtype = formats[f].dtype;
    const double unit = formats[f].unit, subnormal = formats[f].subnormal;
    ck_assert(judge_one(1 + unit / 2, dtype, 1).pass);
    ck_assert(judge_one(1 + unit / 2, dtype, 1 + unit).pass); /* a tie may be broken either way */
    ck_assert(!judge_one(1 + 0.4 * unit, dtype, 1 + unit).pass);
    ck_assert(!judge_one(1 + 0.6 * unit, dtype, 1).pass);
    ck_assert(judge_one(1.5 * subnormal, dtype, subnormal).pass && judge_one(1.5 * subnormal, dtype, 2 * subnormal).pass);
  }
  ck_assert(judge_one(1 + 0x1p-45, RPP_F64, 1).pass);
  ck_assert(!judge_one(1 + 0x1p-35, RPP_F64, 1).pass);
  ck_assert(!judge_one(0x1.4p-24, RPP_F16, 0x1p-23).pass);
}
END_TEST

START_TEST(a_scale_that_overflows_excuses_nothing) {
  builder b = {0};
  rpp_check_result r;
  build_attention(&b);
  build_find(&b, "pos_q")->values[0] = 0;
  double *q = build_find(&b, "q")->values;
  q[0] = q[2] = 1.7e308;
  build_truth(&b, "q_real", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  ck_assert(judge(&b, &r) == NULL && r.pass);
  build_find(&b, "q_real")->values[0] = 1.6e308;
  ck_assert(judge(&b, &r) == NULL && !r.pass && r.tensor[0].deviation == INFINITY);
  build_free(&b);
}
END_TEST

START_TEST(overflow_to_infinity_is_a_rounding) {
  builder b = {0};
  build_attention(&b);
  build_find(&b, "q")->values[0] = 1e6;
  build_truth(&b, "q_real", RPP_F16, 4, SHAPE(2, 3, 4, 4));
  rpp_check_result r;
  ck_assert(judge(&b, &r) == NULL && r.pass);
  build_free(&b);
}
END_TEST

START_TEST(an_element_is_measured_by_its_own_scale) {
  builder b = {0};
  build_attention(&b);
  double *q = build_find(&b, "q")->values;
  for (int i = 0; i < 4; i++) q[i] = 1e9; /* a large head must not hide an error in a small one */
  build_truth(&b, "q_real", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  builder_tensor *t = build_find(&b, "q_real");
  check_caught(&b, (int)(t - b.tensor), 8, t->values[8] + 1e-11, "large head");
  build_free(&b);
}
END_TEST

START_TEST(not_a_number_in_the_inputs_never_passes) {
  static const char *const inputs[] = {"q", "k", "v"};
  for (int i = 0; i < 3; i++) {
    builder b = {0};
    build_attention(&b);
    build_truth(&b, "out", RPP_F64, 4, SHAPE(2, 3, 8, 3));
    build_find(&b, inputs[i])->values[0] = NAN;
    double *out = build_find(&b, "out")->values;
    for (int j = 0; j < 2 * 3 * 8 * 3; j++) out[j] = NAN;
    rpp_check_result r;
    ck_assert(judge(&b, &r) == NULL && !r.pass && isnan(rpp_check_worst(&r)->deviation));
    build_free(&b);
  }
}
END_TEST

START_TEST(nothing_to_judge) {
  builder b = {0};
  rpp_check_result r;
  build_attention(&b);
  ck_assert_str_eq(judge(&b, &r), "out: missing, as every other expected tensor: nothing to judge");
  build_free(&b);

  /* An empty batch has nothing to be right about; its lengths may be anything, and are not allocated. */
  build_attention(&b);
  build_key(&b, "inputs", "rotated");
  const int64_t length = INT64_C(1) << 50;
  build_tensor(&b, "q", RPP_F64, 4, SHAPE(0, length, 8, 4));
  build_tensor(&b, "k", RPP_F64, 4, SHAPE(0, 5, 2, 4));
  build_tensor(&b, "v", RPP_F64, 4, SHAPE(0, 5, 2, 3));
  build_tensor(&b, "out", RPP_F64, 4, SHAPE(0, length, 8, 3));
  build_remove(&b, "pos_q");
  build_remove(&b, "pos_k");
  ck_assert_ptr_null(judge(&b, &r));
  ck_assert(!r.pass && r.count == 1 && r.elements == 0 && r.tensor[0].pass);
  build_free(&b);
}
END_TEST

START_TEST(an_empty_tensor_among_others) {
  builder b = {0};
  rpp_check_result r;
  build_attention(&b);
  build_tensor(&b, "v", RPP_F64, 4, SHAPE(2, 5, 2, 0));
  build_tensor(&b, "out", RPP_F64, 4, SHAPE(2, 3, 8, 0));
  build_truth(&b, "lse", RPP_F64, 3, SHAPE(2, 8, 3));
  ck_assert_ptr_null(judge(&b, &r));
  ck_assert(r.pass && r.count == 2 && r.elements == 48 && r.tensor[0].elements == 0);
  build_free(&b);
}
END_TEST

START_TEST(contents_that_the_library_refuses) {
  static const struct {
    const char *tensor;
    double value;
  } bad[] = {{"cu_q", 4}, {"cu_k", -1}, {"cos", 0}, {"pos_q", 0x1p60}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    builder b = {0};
    rpp_check_result r;
    build_packed(&b);
    build_tensor(&b, "out", RPP_F64, 4, SHAPE(2, 3, 8, 3));
    if (strcmp(bad[i].tensor, "cos") == 0) { /* tables that are too short for the positions */
      build_tensor(&b, "cos", RPP_F32, 2, SHAPE(4, 2));
      build_tensor(&b, "sin", RPP_F32, 2, SHAPE(4, 2));
    }
    build_find(&b, bad[i].tensor)->values[0] = bad[i].value;
    ck_assert_msg(judge(&b, &r) != NULL, "%s was taken", bad[i].tensor);
    build_free(&b);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_case");
  TCase *tests = tcase_create("check_case");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, right_cases_pass, 0, BUILD_RIGHT_CASES);
  tcase_add_loop_test(tests, planted_errors_are_caught, 0, BUILD_RIGHT_CASES);
  tcase_add_test(tests, rows_without_keys_must_be_zero_and_minus_infinity);
  tcase_add_test(tests, one_rounding_is_allowed);
  tcase_add_test(tests, a_scale_that_overflows_excuses_nothing);
  tcase_add_test(tests, overflow_to_infinity_is_a_rounding);
  tcase_add_test(tests, an_element_is_measured_by_its_own_scale);
  tcase_add_test(tests, not_a_number_in_the_inputs_never_passes);
  tcase_add_test(tests, nothing_to_judge);
  tcase_add_test(tests, an_empty_tensor_among_others);
  tcase_add_test(tests, contents_that_the_library_refuses);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
