/* test_answer.c: a right answer is read as written, in either order of axes; every other one is refused with one line. */
#include "files/answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "case_builder.h"
#include "files/case.h"
#include "support.h"

/* The problem of build_attention: batch 2, 3 queries, 5 keys, ec with 4 heads on 2 KV heads, width 4, values of width 3. */
static const int64_t out_shape[] = {2, 3, 8, 3}, lse_shape[] = {2, 8, 3}, q_shape[] = {2, 3, 4, 4}, k_shape[] = {2, 5, 2, 4};

static char folder[] = "/tmp/ropepp-answer-XXXXXX", path[64];
static builder problem, answered;
static rpp_safetensors *file;
static rpp_case c;

static void setup(void) {
  rpp_message error;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/answer", folder);
  build_attention(&problem);
  build_write(&problem, path);
  ck_assert(rpp_safetensors_load(path, &file, &error) && rpp_case_read(file, &c, &error));
  double *out = build_tensor(&answered, "out", RPP_F32, 4, out_shape);
  for (int i = 0; i < 144; i++) out[i] = i;
  double *lse = build_tensor(&answered, "lse", RPP_F64, 3, lse_shape);
  for (int i = 0; i < 48; i++) lse[i] = -i;
}

static void teardown(void) {
  build_free(&problem);
  build_free(&answered);
  rpp_safetensors_free(file);
  unlink(path);
  rmdir(folder);
}

static bool load(rpp_axes axes, rpp_answer *answer, rpp_message *error) {
  build_write(&answered, path);
  return rpp_answer_load(path, &c.attention, &c.inputs, axes, answer, error);
}

static void refused(const char *expected) {
  rpp_answer answer;
  rpp_message error;
  ck_assert_msg(!load(RPP_AXES_BLHD, &answer, &error), "taken, not: %s", expected);
  ck_assert_str_eq(error.text, expected);
  ck_assert(answer.set.file == NULL && answer.tensor[RPP_ANSWER_OUT].ndim == 0);
}

START_TEST(what_was_written) {
  rpp_answer answer;
  rpp_message error;
  build_tensor(&answered, "q_real", RPP_BF16, 4, q_shape)[95] = 2;
  build_tensor(&answered, "q_imag", RPP_F16, 4, q_shape)[0] = 3;
  build_tensor(&answered, "k_rot", RPP_F32, 4, k_shape)[79] = 4;
  build_key(&answered, "format", "pt"); /* any metadata */
  ck_assert_msg(load(RPP_AXES_BLHD, &answer, &error), "%s", error.text);
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_OUT], (int64_t[]){1, 2, 3, 1}), 72 + 48 + 9 + 1);
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_LSE], (int64_t[]){1, 7, 1}), -46);
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_Q_REAL], (int64_t[]){1, 2, 3, 3}), 2);
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_Q_IMAG], (int64_t[]){0, 0, 0, 0}), 3);
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_K_ROT], (int64_t[]){1, 4, 1, 3}), 4);
  rpp_answer_free(&answer);
  rpp_answer_free(&answer); /* of nothing */
}
END_TEST

START_TEST(out_alone) {
  rpp_answer answer;
  rpp_message error;
  build_remove(&answered, "lse");
  ck_assert(load(RPP_AXES_BLHD, &answer, &error));
  ck_assert_int_eq(answer.tensor[RPP_ANSWER_LSE].ndim, 0);
  rpp_answer_free(&answer);
}
END_TEST

START_TEST(heads_before_the_length) {
  rpp_answer answer;
  rpp_message error;
  double *out = build_tensor(&answered, "out", RPP_F32, 4, (int64_t[]){2, 8, 3, 3});
  out[72 + 5 * 9 + 2 * 3 + 1] = 7;
  ck_assert(load(RPP_AXES_BHLD, &answer, &error));
  ck_assert_double_eq(rpp_tensor_get(&answer.tensor[RPP_ANSWER_OUT], (int64_t[]){1, 2, 5, 1}), 7);
  rpp_answer_free(&answer);
  refused("out is (2, 8, 3, 3): looks like batch, heads, length, width; use --axes bhld");
}
END_TEST

START_TEST(copies) {
  rpp_answer answer;
  rpp_message error;
  double data[144], lse_data[48];
  uint16_t half[144];
  rpp_tensor out = {data, RPP_F64, 4, {2, 3, 8, 3}, {72, 24, 3, 1}, 0}, lse = {lse_data, RPP_F64, 3, {2, 8, 3}, {24, 1, 8}, 0};
  ck_assert(load(RPP_AXES_BLHD, &answer, &error) && rpp_answer_copy(&answer, &out, &lse, &error));
  for (int i = 0; i < 144; i++) ck_assert_double_eq(data[i], i);
  ck_assert_double_eq(lse_data[24 + 8 * 1 + 7], -(24 + 7 * 3 + 1));
  out.data = half, out.dtype = RPP_BF16; /* which holds every integer to 256 */
  ck_assert(rpp_answer_copy(&answer, &out, NULL, &error));
  ck_assert_double_eq(rpp_tensor_get(&out, (int64_t[]){1, 2, 7, 2}), 143);
  rpp_answer_free(&answer);
}
END_TEST

START_TEST(nothing_is_rounded) {
  rpp_answer answer;
  rpp_message error;
  uint16_t half[144];
  float lse_data[48];
  const rpp_tensor out = {half, RPP_BF16, 4, {2, 3, 8, 3}, {72, 24, 3, 1}, 0},
                   lse = {lse_data, RPP_F32, 3, {2, 8, 3}, {24, 3, 1}, 0};
  double *values = build_find(&answered, "out")->values, *lses = build_find(&answered, "lse")->values;
  values[0] = NAN, values[1] = INFINITY, lses[0] = -INFINITY;
  ck_assert(load(RPP_AXES_BLHD, &answer, &error) && rpp_answer_copy(&answer, &out, &lse, &error));
  ck_assert(isnan(rpp_tensor_get(&out, (int64_t[]){0, 0, 0, 0})) && rpp_tensor_get(&out, (int64_t[]){0, 0, 0, 1}) == INFINITY);
  ck_assert_double_eq(rpp_tensor_get(&lse, (int64_t[]){0, 0, 0}), -INFINITY);
  rpp_answer_free(&answer);

  values[143] = 257;
  ck_assert(load(RPP_AXES_BLHD, &answer, &error));
  ck_assert(!rpp_answer_copy(&answer, &out, &lse, &error));
  ck_assert_str_eq(error.text, "out is F32, and 257 at (1, 2, 7, 2) is no BF16 number, which the contract says it is");
  ck_assert(!rpp_answer_holds(&answer, RPP_ANSWER_OUT, RPP_BF16, &error) &&
            rpp_answer_holds(&answer, RPP_ANSWER_OUT, RPP_F16, &error));
  rpp_answer_free(&answer);
  values[143] = 256, lses[47] = 0.1;
  ck_assert(load(RPP_AXES_BLHD, &answer, &error));
  ck_assert(!rpp_answer_copy(&answer, &out, &lse, &error));
  ck_assert_str_eq(error.text, "lse is F64, and 0.10000000000000001 at (1, 7, 2) is no F32 number, which the contract says it is");
  ck_assert(rpp_answer_copy(&answer, &out, NULL, &error));
  rpp_answer_free(&answer);
}
END_TEST

START_TEST(names_that_are_no_answer) {
  build_tensor(&answered, "q", RPP_F32, 4, q_shape);
  refused("q: an input: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  build_remove(&answered, "q");
  build_tensor(&answered, "scores_real", RPP_F32, 1, out_shape);
  refused("scores_real: unknown tensor: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  build_remove(&answered, "scores_real");
  build_remove(&answered, "out");
  refused("out: missing: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  build_tensor(&answered, "output", RPP_F32, 4, out_shape);
  refused("output: unknown tensor: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
}
END_TEST

START_TEST(dtypes_and_shapes) {
  build_tensor(&answered, "out", RPP_I64, 4, out_shape);
  refused("out is I64: expected F64, F32, F16 or BF16");
  build_tensor(&answered, "out", RPP_F32, 4, (int64_t[]){2, 3, 4, 3});
  refused("out is (2, 3, 4, 3): heads is 4, expected 8 (each projected head makes a real and an imaginary one)");
  build_tensor(&answered, "out", RPP_F32, 4, out_shape);
  build_tensor(&answered, "lse", RPP_F32, 3, (int64_t[]){2, 3, 8});
  refused("lse is (2, 3, 8): looks like batch, length, heads; expected (2, 8, 3): batch, heads, length");
  build_tensor(&answered, "lse", RPP_F32, 3, lse_shape);
  build_tensor(&answered, "k_rot", RPP_F32, 4, (int64_t[]){2, 5, 8, 4});
  refused("k_rot is (2, 5, 8, 4): heads is 8, expected 2");
  build_tensor(&answered, "k_rot", RPP_F32, 4, k_shape);
  c.attention.q_rotated = c.attention.k_rotated = true;
  c.inputs.q = &(rpp_tensor){NULL, RPP_F32, 4, {2, 3, 8, 4}, {96, 32, 4, 1}, 0};
  refused("k_rot: the case's inputs come rotated: there is nothing to answer");
  c.attention.q_rotated = false;
  refused("k_rot: the case's inputs come rotated: there is nothing to answer");
}
END_TEST

START_TEST(every_truncation_is_refused) {
  size_t size;
  unsigned char *whole = build_bytes(&answered, &size);
  rpp_answer answer;
  rpp_message error;
  for (size_t length = 0; length < size; length += length < 400 ? 1 : 37) {
    build_save(path, whole, length);
    ck_assert(!rpp_answer_load(path, &c.attention, &c.inputs, RPP_AXES_BLHD, &answer, &error));
    ck_assert(*error.text != '\0' && answer.set.file == NULL);
  }
  free(whole);
  unlink(path);
  ck_assert(!rpp_answer_load(path, &c.attention, &c.inputs, RPP_AXES_BLHD, &answer, &error));
  ck_assert_str_eq(error.text, "cannot be opened: No such file or directory");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("answer");
  TCase *tests = tcase_create("answer");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, what_was_written);
  tcase_add_test(tests, out_alone);
  tcase_add_test(tests, heads_before_the_length);
  tcase_add_test(tests, copies);
  tcase_add_test(tests, nothing_is_rounded);
  tcase_add_test(tests, names_that_are_no_answer);
  tcase_add_test(tests, dtypes_and_shapes);
  tcase_add_test(tests, every_truncation_is_refused);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
