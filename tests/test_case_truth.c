/* case_truth.c: the truth is the library's; here the scales are held against what they must be. */
#include "judge/case_truth.h"

#include <math.h>
#include <stdlib.h>

#include "case_builder.h"
#include "support.h"

enum { LARGEST = 512 };
static double truth[LARGEST], scale[LARGEST];

/* Adds one expected tensor and computes its truth and scale. Returns how many elements there are. */
static int64_t compute(builder *b, const char *name, int ndim, const int64_t *shape) {
  rpp_message error = {""};
  rpp_safetensors *file;
  rpp_case c;
  size_t size;
  if (build_find(b, name) == NULL) build_tensor(b, name, RPP_F64, ndim, shape);
  unsigned char *bytes = build_bytes(b, &size);
  ck_assert_msg(rpp_safetensors_parse(bytes, size, &file, &error) && rpp_case_read(file, &c, &error), "%s", error.text);
  rpp_case_tensor which = RPP_CASE_EXPECTED;
  while (c.tensor[which] != rpp_safetensors_tensor(file, name)) which++;
  ck_assert_msg(rpp_case_truth(&c, which, truth, scale, &error), "%s", error.text);
  rpp_safetensors_free(file);
  free(bytes);
  int64_t n = 1;
  for (int i = 0; i < ndim; i++) n *= shape[i];
  ck_assert_int_le(n, LARGEST);
  for (int64_t i = 0; i < n; i++)
    ck_assert_msg(fabs(truth[i]) <= scale[i] * (1 + 1e-14), "%s: element %d: |%g| is above its scale %g", name, (int)i, truth[i],
                  scale[i]);
  return n;
}

static void check_close(double got, double expected) {
  ck_assert_double_le(fabs(got - expected), 1e-14 * fabs(expected));
}

#define SHAPE(...) ((int64_t[]){__VA_ARGS__})

START_TEST(rotated_is_measured_by_its_pair) {
  for (int half = 0; half < 2; half++) {
    builder b = {0};
    build_attention(&b);
    build_key(&b, "pairing", half ? "half" : "interleaved");
    build_key(&b, "rotary", "2");
    build_key(&b, "scaling", "yarn:factor=32,orig=4096");
    const double *q = build_find(&b, "q")->values, magnitude = 0.1 * log(32) + 1;
    static const char *const names[] = {"q_real", "q_imag"};
    for (int part = 0; part < 2; part++) {
      const int64_t n = compute(&b, names[part], 4, SHAPE(2, 3, 4, 4));
      for (int64_t i = 0; i < n; i++) /* columns 0 and 1 are the pair, 2 and 3 pass */
        check_close(scale[i], i % 4 < 2 ? magnitude * hypot(q[i - i % 4], q[i - i % 4 + 1]) : fabs(q[i]));
    }
    build_free(&b);
  }
}
END_TEST

START_TEST(given_tables_scale_as_they_do) {
  builder b = {0};
  build_attention(&b);
  double *cosines = build_tensor(&b, "cos", RPP_F64, 2, SHAPE(5, 2)), *sines = build_tensor(&b, "sin", RPP_F64, 2, SHAPE(5, 2));
  for (int i = 0; i < 10; i++) {
    cosines[i] = 3;
    sines[i] = 4;
  }
  const double *k = build_find(&b, "k")->values;
  const int64_t n = compute(&b, "k_rot", 4, SHAPE(2, 5, 2, 4));
  for (int64_t i = 0; i < n; i++) check_close(scale[i], 5 * hypot(k[i - i % 4 + i % 2], k[i - i % 4 + i % 2 + 2]));
  build_free(&b);
}
END_TEST

START_TEST(scores_are_measured_by_the_moduli_of_their_pairs) {
  builder b = {0};
  build_attention(&b);
  build_key(&b, "rotary", "2");
  const double *q = build_find(&b, "q")->values, *k = build_find(&b, "k")->values;
  static const char *const names[] = {"scores_real", "scores_imag"};
  for (int part = 0; part < 2; part++) {
    compute(&b, names[part], 4, SHAPE(2, 4, 3, 5));
    for (int batch = 0, at = 0; batch < 2; batch++)
      for (int h = 0; h < 4; h++)
        for (int i = 0; i < 3; i++)
          for (int j = 0; j < 5; j++, at++) {
            const double *qr = q + ((batch * 3 + i) * 4 + h) * 4, *kr = k + ((batch * 5 + j) * 2 + h / 2) * 4;
            check_close(scale[at], hypot(qr[0], qr[1]) * hypot(kr[0], kr[1]) + fabs(qr[2] * kr[2]) + fabs(qr[3] * kr[3]));
          }
  }
  build_free(&b);
}
END_TEST

START_TEST(out_of_positive_values_is_its_own_scale) {
  builder b = {0};
  build_attention(&b);
  double *v = build_find(&b, "v")->values;
  for (int i = 0; i < 60; i++) v[i] = fabs(v[i]);
  int64_t n = compute(&b, "out", 4, SHAPE(2, 3, 8, 3));
  double positive[LARGEST];
  for (int64_t i = 0; i < n; i++) {
    check_close(scale[i], truth[i]);
    positive[i] = scale[i];
  }
  for (int i = 0; i < 60; i += 2) v[i] = -v[i];
  n = compute(&b, "out", 4, SHAPE(2, 3, 8, 3));
  for (int64_t i = 0; i < n; i++) check_close(scale[i], positive[i]);
  build_free(&b);
}
END_TEST

START_TEST(lse_is_measured_by_itself_and_at_least_one) {
  builder b = {0};
  build_attention(&b);
  build_key(&b, "causal_offset", "-1"); /* the first query sees no key */
  const int64_t n = compute(&b, "lse", 3, SHAPE(2, 8, 3));
  for (int64_t i = 0; i < n; i++) {
    ck_assert((truth[i] == -INFINITY) == (i % 3 == 0));
    ck_assert_double_eq(scale[i], fabs(truth[i]) > 1 ? fabs(truth[i]) : 1);
  }
  build_free(&b);
}
END_TEST

START_TEST(layer_without_cancellation_is_its_own_scale) {
  builder b = {0};
  build_layer(&b);
  static const char *const positive[] = {"x", "wv", "wo"};
  for (int t = 0; t < 3; t++) {
    builder_tensor *tensor = build_find(&b, positive[t]);
    int64_t n = 1;
    for (int i = 0; i < tensor->ndim; i++) n *= tensor->shape[i];
    for (int64_t i = 0; i < n; i++) tensor->values[i] = fabs(tensor->values[i]);
  }
  int64_t n = compute(&b, "v_cache", 4, SHAPE(2, 3, 2, 4));
  for (int64_t i = 0; i < n; i++) check_close(scale[i], truth[i]);
  n = compute(&b, "out", 4, SHAPE(2, 3, 8, 4));
  for (int64_t i = 0; i < n; i++) check_close(scale[i], truth[i]);
  n = compute(&b, "y", 3, SHAPE(2, 3, 6));
  for (int64_t i = 0; i < n; i++) check_close(scale[i], truth[i]);

  const double *x = build_find(&b, "x")->values, *wk = build_find(&b, "wk")->values;
  n = compute(&b, "k_cache", 4, SHAPE(2, 3, 2, 4));
  for (int64_t i = 0; i < n; i++) {
    double sum[2] = {0, 0};
    for (int pair = 0; pair < 2; pair++)
      for (int c = 0; c < 6; c++) sum[pair] += fabs(x[i / 8 * 6 + c] * wk[(i % 8 - i % 4 + i % 2 + 2 * pair) * 6 + c]);
    check_close(scale[i], hypot(sum[0], sum[1]));
  }
  build_free(&b);
}
END_TEST

START_TEST(layer_scale_ignores_the_signs_of_x_and_weights) {
  builder b = {0};
  build_layer(&b);
  double before[LARGEST];
  int64_t n = compute(&b, "v_cache", 4, SHAPE(2, 3, 2, 4));
  for (int64_t i = 0; i < n; i++) before[i] = scale[i];
  double *x = build_find(&b, "x")->values, *wv = build_find(&b, "wv")->values;
  for (int i = 0; i < 36; i++) x[i] = fabs(x[i]);
  for (int i = 0; i < 48; i++) wv[i] = -fabs(wv[i]);
  n = compute(&b, "v_cache", 4, SHAPE(2, 3, 2, 4));
  for (int64_t i = 0; i < n; i++) ck_assert_double_eq(scale[i], before[i]);
  build_free(&b);
}
END_TEST

START_TEST(what_the_library_refuses_is_refused_with_its_message) {
  builder b = {0};
  rpp_message error;
  rpp_safetensors *file;
  rpp_case c;
  size_t size;
  build_attention(&b);
  build_key(&b, "base", "0.5");
  build_tensor(&b, "q_real", RPP_F64, 4, SHAPE(2, 3, 4, 4));
  unsigned char *bytes = build_bytes(&b, &size);
  ck_assert(rpp_safetensors_parse(bytes, size, &file, &error) && rpp_case_read(file, &c, &error));
  ck_assert(!rpp_case_truth(&c, RPP_CASE_Q_REAL, truth, scale, &error));
  ck_assert_int_eq(strncmp(error.text, "base = 0.5", 10), 0);
  rpp_safetensors_free(file);
  free(bytes);
  build_free(&b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("case_truth");
  TCase *tests = tcase_create("case_truth");
  tcase_add_test(tests, rotated_is_measured_by_its_pair);
  tcase_add_test(tests, given_tables_scale_as_they_do);
  tcase_add_test(tests, scores_are_measured_by_the_moduli_of_their_pairs);
  tcase_add_test(tests, out_of_positive_values_is_its_own_scale);
  tcase_add_test(tests, lse_is_measured_by_itself_and_at_least_one);
  tcase_add_test(tests, layer_without_cancellation_is_its_own_scale);
  tcase_add_test(tests, layer_scale_ignores_the_signs_of_x_and_weights);
  tcase_add_test(tests, what_the_library_refuses_is_refused_with_its_message);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
