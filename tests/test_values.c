/* values.c: the families do what they are named for, after rotation too. */
#include "cases/spec_keys.h"
#include "cases/values.h"

#include <math.h>
#include <stdio.h>

#include "cases/generate.h"
#include "program/names.h"
#include "support.h"

/* Cases that the planned scores must survive: both pairings and inputs, every mode, far positions, scalings, partial rotation. */
static const char *const problems[] = {
    "rope:h=2,kv=1,d=64,lq=9,lk=40,mask=full",
    "ec:h=2,kv=1,d=64,lq=9,lk=40,mask=full,pairing=half,dtype=bf16,position=1000000",
    "eh:h=4,kv=2,d=2,lq=9,lk=40,mask=full,position=5000,dtype=f16",
    "ec:h=2,kv=2,d=128,lq=9,lk=40,mask=full,inputs=rotated",
    "ec:h=2,kv=2,d=80,rotary=20,lq=9,lk=40,mask=full,pairing=half,scaling=(yarn:factor=32,orig=4096),b=2,batched=1",
    "ec:h=2,kv=2,d=33,lq=9,lk=40,mask=full,angles=hf-f32,scale=-0.5,reset=7,dtype=f64,layout=sliced",
};
enum { PROBLEMS = sizeof problems / sizeof *problems };

typedef struct {
  rpp_generated data;
} solved;

static rpp_spec spec_of(const char *problem, rpp_family family) {
  char text[RPP_SPEC_TEXT];
  rpp_spec spec;
  rpp_message error;
  snprintf(text, sizeof text, "%s,family=%s,seed=3", problem, rpp_names_get(rpp_names_family, (int)family));
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  return spec;
}

static void solve(solved *s, const rpp_spec *spec) {
  rpp_message error;
  ck_assert(rpp_generate(spec, RPP_F64, RPP_F64, &s->data, &error));
  support_accepted(rpp_attention_forward(&s->data.attention, &s->data.inputs, NULL, &s->data.out, &s->data.lse));
}

static double lse_at(const solved *s, int64_t b, int64_t o, int64_t i) {
  return rpp_tensor_get(&s->data.lse, (int64_t[]){b, o, i});
}

START_TEST(scores_are_as_planned) {
  for (int family = RPP_FAMILY_NEEDLE; family <= RPP_FAMILY_DRIFT; family++) {
    const rpp_spec spec = spec_of(problems[_i], (rpp_family)family);
    solved s;
    solve(&s, &spec);
    rpp_values values;
    rpp_values_open(&spec, &values);
    const int64_t heads = s.data.out.shape[2], group = heads / s.data.k.shape[2];
    for (int64_t b = 0; b < spec.batch; b++)
      for (int64_t o = 0; o < heads; o++)
        for (int64_t i = 0; i < spec.q_len; i++) {
          const double lse = lse_at(&s, b, o, i);
          if (family == RPP_FAMILY_NEGATIVE) ck_assert_msg(lse < -1e5 && lse > -1e6, "lse %g", lse);
          if (family == RPP_FAMILY_DRIFT) ck_assert_msg(lse > 3 && lse < 30, "lse %g", lse);
          if (family != RPP_FAMILY_NEEDLE) continue;
          ck_assert_msg(lse > 30 && lse < 150, "lse %g", lse);
          const double out = rpp_tensor_get(&s.data.out, (int64_t[]){b, i, o, 0});
          const double v = rpp_tensor_get(&s.data.v, (int64_t[]){b, values.needle, o / group, 0});
          ck_assert_msg(fabs(out - v) < 1e-6, "out %g, value of the needle %g", out, v);
        }
    rpp_generated_free(&s.data);
  }
}
END_TEST

/* Under drift a causal row's LSE rises by 1/8 with each further key. */
START_TEST(drift_rises_with_every_key) {
  rpp_spec spec = spec_of("ec:h=1,d=64,lq=400,lk=400,dtype=f64,position=1000", RPP_FAMILY_DRIFT);
  solved s;
  solve(&s, &spec);
  for (int64_t o = 0; o < 2; o++)
    for (int64_t i = 100; i + 64 < 400; i += 64) ck_assert_double_eq_tol(lse_at(&s, 0, o, i + 64) - lse_at(&s, 0, o, i), 8, 6);
  ck_assert_double_gt(lse_at(&s, 0, 1, 399), 35);
  rpp_generated_free(&s.data);
}
END_TEST

/* Finite in every dtype, at every width and scale. */
START_TEST(no_value_overflows) {
  static const char *const widths[] = {"d=2,scale=0",         "d=2",          "d=3,scale=1000",
                                       "d=64,scale=0.000001", "d=256,lk=800", "d=16,scaling=(yarn:factor=1000000,orig=64)"};
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
    for (rpp_dtype dtype = RPP_F64; dtype <= RPP_BF16; dtype++) {
      char problem[128];
      rpp_generated g;
      rpp_message error;
      snprintf(problem, sizeof problem, "ec:h=1,kv=1,lq=3,%s%s,dtype=%s", strstr(widths[w], "lk=") ? "" : "lk=20,", widths[w],
               rpp_names_get(rpp_names_dtype, (int)dtype));
      const rpp_spec spec = spec_of(problem, (rpp_family)_i);
      ck_assert(rpp_generate(&spec, RPP_F32, RPP_F32, &g, &error));
      const rpp_tensor *const all[] = {&g.q, &g.k, &g.v};
      int zeros = 0;
      for (int n = 0; n < 3; n++)
        for (int64_t l = 0; l < all[n]->shape[1]; l++)
          for (int64_t d = 0; d < all[n]->shape[3]; d++) {
            const double x = rpp_tensor_get(all[n], (int64_t[]){0, l, 0, d});
            if (!isfinite(x)) ck_abort_msg("%s: %g", problem, x); /* ck_assert is slow */
            zeros += x == 0;
          }
      if (_i != RPP_FAMILY_ONE_HOT_V && _i != RPP_FAMILY_ONE_HOT_K && _i != RPP_FAMILY_SUBNORMAL) ck_assert_int_lt(zeros, 20);
      rpp_generated_free(&g);
    }
}
END_TEST

START_TEST(families_look_as_they_are_named) {
  double row[64], other[64], largest = 0;
  rpp_values values;
  rpp_spec spec = spec_of("ec:d=64,lk=100", RPP_FAMILY_CONSTANT_V);
  rpp_values_open(&spec, &values);
  rpp_values_row(&values, RPP_VALUES_V, 0, 3, 1, row);
  rpp_values_row(&values, RPP_VALUES_V, 0, 77, 1, other);
  ck_assert_mem_eq(row, other, sizeof row);
  rpp_values_row(&values, RPP_VALUES_V, 0, 77, 0, other);
  ck_assert_mem_ne(row, other, sizeof row);
  spec.family = RPP_FAMILY_ONE_HOT_V;
  rpp_values_row(&values, RPP_VALUES_V, 0, 70, 1, row);
  for (int i = 0; i < 64; i++) ck_assert_double_eq(row[i], i == 70 % 64);
  spec.family = RPP_FAMILY_OUTLIERS;
  rpp_values_row(&values, RPP_VALUES_K, 0, 1, 1, row);
  int outliers = 0;
  for (int i = 0; i < 64; i++) outliers += fabs(row[i]) > 8;
  ck_assert(outliers >= 2 && outliers <= 4);
  spec.family = RPP_FAMILY_REPEATED;
  int same = 0;
  rpp_values_row(&values, RPP_VALUES_K, 0, 0, 1, row);
  for (int64_t l = 1; l < 100; l++) {
    rpp_values_row(&values, RPP_VALUES_K, 0, l, 1, other);
    same += memcmp(row, other, sizeof row) == 0;
  }
  ck_assert(same > 10 && same < 50);
  spec.family = RPP_FAMILY_NEAR_MAX;
  for (int64_t l = 0; l < 100; l++) {
    double dot = 0;
    rpp_values_row(&values, RPP_VALUES_Q, 0, l, 0, row);
    rpp_values_row(&values, RPP_VALUES_K, 0, l, 0, other);
    for (int i = 0; i < 64; i++) dot += row[i] * other[i];
    largest = fmax(largest, fabs(dot));
  }
  ck_assert(largest > 65504 && largest < 10 * 65504);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("values");
  TCase *tests = tcase_create("values");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, scores_are_as_planned, 0, PROBLEMS);
  tcase_add_test(tests, drift_rises_with_every_key);
  tcase_add_loop_test(tests, no_value_overflows, 0, RPP_FAMILIES);
  tcase_add_test(tests, families_look_as_they_are_named);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
