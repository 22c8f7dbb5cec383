/* test_check_answer_run.c: `check CASE ANSWER` and `check FOLDER` as a user runs them: exit statuses, what is printed, the JSON. */
#define _GNU_SOURCE
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer_builder.h"
#include "command_call.h"
#include "faulty_attention.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-check-run-XXXXXX", problem[64], answer[64], dumped[64];
static answered a;

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(problem, sizeof problem, "%s/case", folder);
  snprintf(answer, sizeof answer, "%s/answer", folder);
  snprintf(dumped, sizeof dumped, "%s/dump", folder);
}

static void teardown(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
  answer_free(&a);
  command_call_free();
}

#define check(...) command_call(rpp_main_check, (const char *const[]){__VA_ARGS__})

static void holds(const char *part) {
  ck_assert_msg(strstr(command_out, part) != NULL, "'%s' is not in:\n%s", part, command_out);
}

/* Status 2, nothing on stdout, and this one line on stderr, behind the path it is about. */
static void refused(int status, const char *path, const char *mistake) {
  char line[512];
  snprintf(line, sizeof line, "ropepp-verify: check: %s: %s\n", path, mistake);
  ck_assert_msg(status == 2, "status %d:\n%s%s", status, command_out, command_complaints);
  ck_assert_str_eq(command_out, "");
  ck_assert_str_eq(command_complaints, line);
}

static void answer_by(faulty fault) {
  answer_make(&a, "ec:h=4,kv=2,lq=9,lk=13,d=16,seed=5", faulty_kernel(fault, RPP_F32), problem);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {"lse", &a.data.lse}, {0}});
}

START_TEST(a_right_answer) {
  answer_by(FAULTY_NONE);
  ck_assert_int_eq(check(problem, answer, NULL), 0);
  ck_assert_str_eq(command_complaints, "");
  holds(": ec:h=4,kv=2,lq=9,lk=13,d=16,seed=5\n");
  holds(": out F32 (1, 9, 8, 16), lse F32 (1, 8, 9)\n");
  holds("contract  f32,rotated=f32,");
  holds("--contract says another");
  holds("1224 elements: pass\n");
  ck_assert(strstr(command_out, "FAIL") == NULL && strstr(command_out, "lse is not") == NULL);
  ck_assert_int_eq(check(problem, answer, "--contract", "f32,tile=4", NULL), 0);
  holds(",tile=4,");
  ck_assert_ptr_null(strstr(command_out, "--contract says another"));
}
END_TEST

START_TEST(a_wrong_answer) {
  answer_by(FAULTY_TURN_SIGN);
  ck_assert_int_eq(check(problem, answer, NULL), 1);
  ck_assert_str_eq(command_complaints, "");
  holds("FAIL: mismatch, element gate\n  worst at out (b=0, h=");
  holds("error/bound ");
  holds("  probably: matches with a quarter turn of +pi/2");
  holds("1224 elements: FAIL\n");
}
END_TEST

START_TEST(nan_in_words) {
  answer_by(FAULTY_NONE);
  rpp_tensor_set(&a.data.out, (int64_t[]){0, 3, 5, 2}, NAN);
  rpp_tensor_set(&a.data.out, (int64_t[]){0, 3, 5, 3}, NAN);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  ck_assert_int_eq(check(problem, answer, NULL), 1);
  holds("FAIL: mismatch, structure gate\n  worst at out (b=0, h=5, t=3, d=2): expected ");
  holds("got nan (nan)");
  holds("  NaN in 2 elements of the answer\n");
  holds("lse is not in the answer, and not judged\n");
}
END_TEST

START_TEST(what_is_no_answer) {
  answer_by(FAULTY_NONE);
  rpp_tensor swapped = a.data.out;
  swapped.shape[1] = 8, swapped.shape[2] = 9;
  answer_write(answer, (answer_entry[]){{"out", &swapped}, {0}});
  refused(check(problem, answer, NULL), answer, "out is (1, 8, 9, 16): looks like batch, heads, length, width; use --axes bhld");
  answer_write(answer, (answer_entry[]){{"attention", &a.data.out}, {0}});
  refused(check(problem, answer, NULL), answer,
          "attention: unknown tensor: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  answer_write(answer, (answer_entry[]){{"out", &a.data.pos_q}, {0}});
  refused(check(problem, answer, NULL), answer, "out is I64: expected F64, F32, F16 or BF16");
  answer_write(answer, (answer_entry[]){{"lse", &a.data.lse}, {0}});
  refused(check(problem, answer, NULL), answer, "out: missing: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  refused(check(problem, "/nonexistent", NULL), "/nonexistent", "cannot be opened: No such file or directory");
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  ck_assert_int_eq(truncate(answer, 200), 0);
  ck_assert_int_eq(check(problem, answer, NULL), 2);
  ck_assert_ptr_nonnull(strstr(command_complaints, "must not decrease and lie within"));
}
END_TEST

START_TEST(usage) {
  answer_by(FAULTY_NONE);
  ck_assert_int_eq(check(problem, answer, "--axes", "hbld", NULL), 2);
  ck_assert_ptr_nonnull(strstr(command_complaints, "--axes hbld: expected blhd or bhld"));
  ck_assert_int_eq(check(problem, answer, "--contract", "f33", NULL), 2);
  ck_assert_str_eq(command_complaints, "ropepp-verify: check: --contract: dtype = f33: must be one of f64, f32, f16, bf16\n");
  ck_assert_int_eq(check(problem, answer, "--contract", "", NULL), 2);
  ck_assert_int_eq(check(problem, answer, answer, "--contract", "f32", NULL), 2);
  ck_assert_ptr_nonnull(strstr(command_complaints, "one case and one answer are expected"));
  refused(check(problem, "--axes", "bhld", NULL), problem, "an answer to it is expected: check CASE ANSWER");
  ck_assert_int_eq(check(problem, answer, "-fjunit", NULL), 2);
  ck_assert_int_eq(check("--help", NULL), 0);
  holds("FOLDER [ANSWER]");
}
END_TEST

/* ---- Folders of arrays --------------------------------------------------------------------------------------------------- */

static void dump(const char *spec, faulty fault) {
  char command[96];
  snprintf(command, sizeof command, "mkdir %s", dumped);
  ck_assert_int_eq(system(command), 0);
  answer_make(&a, spec, faulty_kernel(fault, RPP_F32), problem);
  answer_folder(dumped, &a);
}

START_TEST(a_folder) {
  dump("ec:h=4,kv=2,lq=9,lk=13,d=32,pairing=half,seed=5", FAULTY_NONE);
  ck_assert_int_eq(check(dumped, "--case", "pairing=half", NULL), 0);
  holds(": ec:h=4,kv=2,lq=9,lk=13,d=32,pairing=half; positions from pos_q and pos_k\n");
  holds("statistical element    - (for values known to be independent and random)\n");
  ck_assert_int_eq(check(dumped, "--case", "ec:pairing=half,family=normal", NULL), 0);
  ck_assert_ptr_null(strstr(command_out, "- (for values"));
  ck_assert_int_eq(check(dumped, NULL), 1);
  holds("probably: matches with pairing=half");
  ck_assert_int_eq(check(dumped, answer, "--case", "pairing=half", NULL), 2);
  answer_write(answer, (answer_entry[]){{"out", &a.data.out}, {0}});
  ck_assert_int_eq(check(dumped, answer, "--case", "pairing=half", NULL), 0);
  ck_assert_int_eq(check(problem, answer, NULL), 0);
  char out_npy[80];
  snprintf(out_npy, sizeof out_npy, "%s/out.npy", dumped);
  ck_assert_int_eq(check(problem, out_npy, NULL), 0);
  refused(check(problem, dumped, NULL), dumped, "k: an input: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
}
END_TEST

/* A folder whose arrays all have heads before the length is a sound case of other sizes; only trying tells. */
START_TEST(a_folder_in_the_other_order) {
  rpp_tensor *const all[] = {&a.data.q, &a.data.k, &a.data.v, &a.data.out};
  dump("rope:h=8,kv=8,lq=8,lk=8,d=16,seed=5", FAULTY_NONE);
  for (int i = 0; i < 4; i++) {
    const int64_t stride = all[i]->strides[1];
    all[i]->strides[1] = all[i]->strides[2];
    all[i]->strides[2] = stride;
  }
  answer_folder(dumped, &a);
  ck_assert_int_eq(check(dumped, NULL), 1);
  holds("  probably: the arrays fit as batch, heads, length, width: use --axes bhld\n");
  ck_assert_int_eq(check(dumped, "--axes", "bhld", NULL), 0);
  ck_assert_int_eq(check(dumped, "--axes", "blhd", NULL), 1);
  ck_assert_ptr_null(strstr(command_out, "use --axes"));
}
END_TEST

START_TEST(a_folder_that_only_fits_in_the_other_order) {
  dump("ec:h=4,kv=2,lq=9,lk=13,d=32,seed=5", FAULTY_NONE);
  rpp_tensor *const all[] = {&a.data.q, &a.data.k, &a.data.v, &a.data.out};
  for (int i = 0; i < 4; i++) {
    const rpp_tensor t = *all[i];
    all[i]->strides[1] = t.strides[2], all[i]->strides[2] = t.strides[1];
    all[i]->shape[1] = t.shape[2], all[i]->shape[2] = t.shape[1];
  }
  answer_folder(dumped, &a);
  ck_assert_int_eq(check(dumped, NULL), 2);
  ck_assert_ptr_nonnull(strstr(command_complaints, "; the arrays fit as batch, heads, length, width: use --axes bhld\n"));
  ck_assert_int_eq(check(dumped, "--axes", "bhld", NULL), 0);
  ck_assert_int_eq(check(dumped, "--axes", "blhd", NULL), 2);
  ck_assert_ptr_null(strstr(command_complaints, "use --axes"));
}
END_TEST

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

START_TEST(json) {
  answer_by(FAULTY_TURN_SIGN);
  ck_assert_int_eq(check(problem, answer, "-fjson", NULL), 1);
  json_t *report = json_loads(command_out, JSON_REJECT_DUPLICATES, NULL),
         *one = json_array_get(json_object_get(report, "cases"), 0), *worst = json_object_get(one, "worst");
  ck_assert_msg(report != NULL && json_is_false(json_object_get(report, "pass")), "%s", command_out);
  ck_assert_str_eq(json_string_value(json_object_get(one, "file")), problem);
  ck_assert_str_eq(json_string_value(json_object_get(one, "answer")), answer);
  ck_assert_str_eq(json_string_value(json_object_get(one, "outcome")), "mismatch");
  ck_assert_str_eq(json_string_value(json_object_get(one, "gate")), "element");
  ck_assert_str_eq(json_string_value(json_object_get(worst, "tensor")), "out");
  ck_assert(json_number_value(json_object_get(worst, "ratio")) > 1);
  ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(one, "explanation")), "quarter turn"));
  ck_assert_int_eq(json_integer_value(json_object_get(one, "elements")), 1224);
  json_decref(report);

  ck_assert_int_eq(check(problem, "/nonexistent", "-fjson", NULL), 2);
  report = json_loads(command_out, JSON_REJECT_DUPLICATES, NULL);
  one = json_array_get(json_object_get(report, "cases"), 0);
  ck_assert(json_is_false(json_object_get(report, "pass")) && json_is_false(json_object_get(one, "pass")));
  ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(one, "error")), "cannot be opened"));
  json_decref(report);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_answer_run");
  TCase *tests = tcase_create("check_answer_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_right_answer);
  tcase_add_test(tests, a_wrong_answer);
  tcase_add_test(tests, nan_in_words);
  tcase_add_test(tests, what_is_no_answer);
  tcase_add_test(tests, usage);
  tcase_add_test(tests, a_folder);
  tcase_add_test(tests, a_folder_in_the_other_order);
  tcase_add_test(tests, a_folder_that_only_fits_in_the_other_order);
  tcase_add_test(tests, json);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
