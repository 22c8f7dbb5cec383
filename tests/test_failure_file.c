/* test_failure_file.c: the file of a failure holds the case, the truth, its bounds and what the kernel gave. */
#include "judge/failure_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cases/generate.h"
#include "contract_text.h"
#include "faulty_attention.h"
#include "files/safetensors.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-failure-XXXXXX", path[64];
static rpp_safetensors *file;

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/file", folder);
}

static void teardown(void) {
  rpp_safetensors_free(file);
  unlink(path);
  rmdir(folder);
}

static rpp_spec spec_of(const char *text) {
  rpp_spec spec;
  rpp_message error;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  return spec;
}

static void write_and_read(const rpp_kernel *kernel, const char *text, bool run) {
  const rpp_spec spec = spec_of(text);
  rpp_message error;
  ck_assert_msg(rpp_failure_file_write(kernel, &spec, run, path, &error), "%s", error.text);
  ck_assert_msg(rpp_safetensors_load(path, &file, &error), "%s", error.text);
}

static const rpp_tensor *of(const char *name) {
  const rpp_tensor *t = rpp_safetensors_tensor(file, name);
  ck_assert_msg(t != NULL, "%s is missing", name);
  return t;
}

static double value(const char *name, int64_t i) {
  const rpp_tensor *t = of(name), flat = {t->data, t->dtype, 1, {INT32_MAX}, {1}, 0};
  return rpp_tensor_get(&flat, &i);
}

static void same_shape(const char *a, const char *b) {
  const rpp_tensor *x = of(a), *y = of(b);
  ck_assert(x->ndim == y->ndim && memcmp(x->shape, y->shape, (size_t)x->ndim * sizeof *x->shape) == 0);
}

/* Elements of a tensor past their bound, of count; NaN counts. */
static int64_t wrong(const char *name, const char *bound, const char *got) {
  int64_t count, bad = 0;
  same_shape(name, bound);
  same_shape(name, got);
  ck_assert_int_eq(rpp_tensor_extent(of(name), &count, NULL), RPP_OK);
  for (int64_t i = 0; i < count; i++) {
    const double x = value(name, i), y = value(got, i);
    bad += x != y && !(fabs(x - y) <= value(bound, i));
  }
  return bad;
}

#define SPEC "ec:h=2,kv=1,lq=4,lk=6,d=8,seed=3"

START_TEST(what_a_wrong_kernel_gave) {
  char contract[RPP_CONTRACT_TEXT];
  const rpp_kernel *kernel = faulty_kernel(FAULTY_TURN_SIGN, RPP_F32);
  write_and_read(kernel, SPEC ",layout=padded", true);
  ck_assert_str_eq(rpp_safetensors_metadata(file, "format"), "ropepp-failure/1");
  ck_assert_str_eq(rpp_safetensors_metadata(file, "name"), "ec:h=2,kv=1,lq=4,lk=6,d=8,layout=padded,seed=3");
  ck_assert_str_eq(rpp_safetensors_metadata(file, "kernel"), kernel->name);
  rpp_contract_print(&kernel->contract, contract);
  ck_assert_str_eq(rpp_safetensors_metadata(file, "contract"), contract);
  ck_assert_str_eq(rpp_safetensors_metadata(file, "heads"), "2");
  ck_assert(of("out")->dtype == RPP_F64 && of("out_got")->dtype == RPP_F32 && of("lse_got")->dtype == RPP_F32);
  ck_assert_int_ge(wrong("out", "out_bound", "out_got"), 4 * 2 * 8 - 16); /* imaginary heads, but for rows that see one key */
  ck_assert_int_gt(wrong("lse", "lse_bound", "lse_got"), 0);
  /* The truth is that of the problem in the file. */
  double out[4 * 4 * 8];
  rpp_tensor again;
  rpp_spec spec = spec_of(SPEC);
  const rpp_attention_inputs inputs = {of("q"), of("k"), of("v"), of("pos_q"), of("pos_k"), NULL, NULL};
  rpp_tensor_contiguous(out, RPP_F64, 4, of("out")->shape, &again);
  ck_assert_int_eq(rpp_attention_forward(&spec.attention, &inputs, NULL, &again, NULL), RPP_OK);
  for (int64_t i = 0; i < 128; i++) ck_assert_double_le(fabs(value("out", i) - out[i]), 1e-12);
  for (int64_t i = 0; i < 128; i++) ck_assert(value("out_bound", i) > 0 && value("out_bound", i) < 1e-4);
}
END_TEST

START_TEST(a_right_kernel) {
  write_and_read(faulty_kernel(FAULTY_NONE, RPP_BF16), SPEC ",dtype=bf16", true);
  ck_assert_int_eq(wrong("out", "out_bound", "out_got"), 0);
  ck_assert_int_eq(wrong("lse", "lse_bound", "lse_got"), 0);
  ck_assert(of("q")->dtype == RPP_BF16 && of("out_got")->dtype == RPP_BF16);
}
END_TEST

START_TEST(not_run) {
  write_and_read(faulty_kernel(FAULTY_TURN_SIGN, RPP_F32), SPEC, false);
  ck_assert(rpp_safetensors_tensor(file, "out_got") == NULL && rpp_safetensors_tensor(file, "lse_got") == NULL);
  same_shape("out", "out_bound");
}
END_TEST

static int turns(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                 rpp_tensor *y, const char **reason) {
  (void)kernel, (void)reason;
  return rpp_rotate(rotary, part, x, pos, y) == RPP_OK ? 0 : 1;
}

START_TEST(of_rotation) {
  write_and_read(faulty_kernel(FAULTY_ROTATION_SIGN, RPP_F32), SPEC, true);
  ck_assert_int_eq(wrong("q_real", "q_real_bound", "q_real_got"), 0);
  ck_assert_int_gt(wrong("q_imag", "q_imag_bound", "q_imag_got"), 4 * 2 * 8 / 2);
  ck_assert_int_eq(wrong("k_rot", "k_rot_bound", "k_rot_got"), 0);
  rpp_safetensors_free(file);
  rpp_kernel right = *faulty_kernel(FAULTY_NONE, RPP_F32);
  right.rotate = turns;
  write_and_read(&right, SPEC, true);
  ck_assert_int_eq(wrong("q_imag", "q_imag_bound", "q_imag_got"), 0);
  ck_assert_int_eq(wrong("out", "out_bound", "out_got"), 0);
}
END_TEST

START_TEST(sampled_rows) {
  write_and_read(faulty_kernel(FAULTY_NONE, RPP_F32), "rope:lq=40,lk=40,d=8,rows=3,seed=2", true);
  ck_assert(of("rows")->shape[0] == 3 && of("out")->shape[1] == 3 && of("out_got")->shape[1] == 40);
  ck_assert_double_eq(value("rows", 2), 39);
}
END_TEST

static int spoils(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                  rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)attention, (void)out, (void)lse, (void)workspace, (void)reason;
  rpp_tensor_set(inputs->q, (int64_t[]){0, 0, 0, 0}, 77);
  return 0;
}

static int refuses(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)attention, (void)inputs, (void)out, (void)lse, (void)workspace;
  *reason = "no";
  return 1;
}

START_TEST(kernels_that_spoil_or_refuse) {
  rpp_kernel kernel = *faulty_kernel(FAULTY_NONE, RPP_F32);
  kernel.rotate = NULL;
  kernel.forward = spoils;
  kernel.name = "no \xff UTF-8";
  write_and_read(&kernel, SPEC, true);
  ck_assert_double_ne(value("q", 0), 77);
  ck_assert(isnan(value("out_got", 5)) && isnan(value("lse_got", 0)));
  ck_assert_str_eq(rpp_safetensors_metadata(file, "kernel"), "no ? UTF-8");
  rpp_safetensors_free(file);
  kernel.lse_optional = true;
  write_and_read(&kernel, SPEC, true);
  ck_assert(rpp_safetensors_tensor(file, "lse_got") == NULL && rpp_safetensors_tensor(file, "out_got") != NULL);
  rpp_safetensors_free(file);
  kernel.forward = refuses;
  write_and_read(&kernel, SPEC, true);
  ck_assert_ptr_null(rpp_safetensors_tensor(file, "out_got"));
}
END_TEST

START_TEST(nowhere) {
  const rpp_spec spec = spec_of(SPEC);
  rpp_message error;
  ck_assert(!rpp_failure_file_write(faulty_kernel(FAULTY_NONE, RPP_F32), &spec, true, "/nonexistent/file", &error));
  ck_assert_msg(strstr(error.text, "No such file") != NULL, "%s", error.text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("failure_file");
  TCase *tests = tcase_create("failure_file");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, what_a_wrong_kernel_gave);
  tcase_add_test(tests, a_right_kernel);
  tcase_add_test(tests, not_run);
  tcase_add_test(tests, of_rotation);
  tcase_add_test(tests, sampled_rows);
  tcase_add_test(tests, kernels_that_spoil_or_refuse);
  tcase_add_test(tests, nowhere);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
