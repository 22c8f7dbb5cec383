/* rules.c: each rule passes what is right and nearly right, fails what is off, and has the holes that it is said to have. */
#include "support.h"

#include "judge/rules.h"

#include <math.h>

enum { COUNT = 1000, ROWS = 10 };

typedef enum { GGML, FLASH_ATTENTION, LLM_C, TRANSFORMER_ENGINE, CUTLASS, CUDNN, ONE_DNN } which;

typedef struct {
  double expected[COUNT], got[COUNT], naive[COUNT], magnitude[COUNT], lse[ROWS], lse_got[ROWS];
  rpp_rule_case c;
} setup;

/* Values in [1, 2), exact in every type. The naive result is off by a unit in the last place everywhere. */
static void prepare(setup *s, rpp_dtype dtype) {
  for (int i = 0; i < COUNT; i++) {
    s->expected[i] = s->got[i] = (i % 2 ? 1 : -1) * (1 + (double)(i % 64) / 128);
    s->naive[i] = s->expected[i] * (1 + 4 * rpp_dtype_unit(dtype));
    s->magnitude[i] = 2;
  }
  for (int i = 0; i < ROWS; i++) s->lse[i] = s->lse_got[i] = i == 0 ? -INFINITY : i;
  s->c = (rpp_rule_case){.dtype = dtype,
                         .count = COUNT,
                         .expected = s->expected,
                         .got = s->got,
                         .naive = s->naive,
                         .magnitude = s->magnitude,
                         .lse_count = ROWS,
                         .lse = s->lse,
                         .lse_got = s->lse_got,
                         .keys = 2};
}

static void expect(const setup *s, unsigned failed) {
  const unsigned found = rpp_rules_failed(&s->c);
  for (int i = 0; i < RPP_RULES; i++)
    ck_assert_msg((found >> i & 1U) == (failed >> i & 1U), "%s %s", rpp_rules[i].name, found >> i & 1U ? "fails" : "passes");
}

#define RULE(which) (1U << (which))
enum { ALL = (1 << RPP_RULES) - 1 };

static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};

START_TEST(exact_passes) {
  setup s;
  prepare(&s, dtypes[_i]);
  expect(&s, 0);
  for (int i = 0; i < COUNT; i++) s.expected[i] = s.got[i] = 0; /* as a row that sees no key */
  expect(&s, 0);
}
END_TEST

START_TEST(a_unit_in_the_last_place_passes) {
  setup s;
  prepare(&s, dtypes[_i]);
  for (int i = 0; i < COUNT; i++) s.got[i] *= 1 + 2 * rpp_dtype_unit(dtypes[_i]);
  for (int i = 1; i < ROWS; i++) s.lse_got[i] *= 1 + 0x1p-23;
  expect(&s, dtypes[_i] == RPP_BF16 ? RULE(CUTLASS) : 0); /* 2^-7 is more than 1e-3 in the mean */
}
END_TEST

START_TEST(wrong_fails) {
  setup s;
  prepare(&s, dtypes[_i]);
  for (int i = 0; i < COUNT; i++) s.got[i] = -2 * s.got[i];
  expect(&s, ALL);
}
END_TEST

START_TEST(infinity_fails) {
  setup s;
  prepare(&s, dtypes[_i]);
  s.got[7] = INFINITY;
  expect(&s, ALL);
}
END_TEST

/* ggml looks for NaN, torch's max keeps it, a mean keeps it, `<=` fails it; `>` does not see it. */
START_TEST(nan_passes_two) {
  setup s;
  prepare(&s, dtypes[_i]);
  s.got[7] = NAN;
  expect(&s, ALL & ~(RULE(LLM_C) | RULE(TRANSFORMER_ENGINE)));
  for (int i = 0; i < COUNT; i++) s.got[i] = NAN;
  expect(&s, ALL & ~(RULE(LLM_C) | RULE(TRANSFORMER_ENGINE)));
}
END_TEST

START_TEST(one_1e20_passes_ggml) {
  setup s;
  prepare(&s, RPP_F32);
  s.got[7] = 1e20;
  expect(&s, ALL & ~RULE(GGML));
  s.got[7] = 100;
  expect(&s, ALL);
}
END_TEST

START_TEST(one_element_drowns_in_a_mean) {
  setup s;
  prepare(&s, RPP_F32);
  s.got[7] += 0.5; /* 0.25 of a sum of squares near 1500 */
  expect(&s, ALL & ~RULE(GGML));
}
END_TEST

START_TEST(one_maximum_covers_every_row) {
  setup s;
  prepare(&s, RPP_F32);
  s.naive[0] = s.expected[0] + 1; /* one row where the naive computation is bad */
  for (int i = 1; i < COUNT; i++) s.got[i] = 0;
  expect(&s, ALL & ~RULE(FLASH_ATTENTION));
}
END_TEST

START_TEST(a_naive_overflow_fails_what_is_right) {
  setup s;
  prepare(&s, RPP_F16);
  s.naive[0] = NAN;
  expect(&s, RULE(FLASH_ATTENTION));
}
END_TEST

START_TEST(zeros_pass_one_dnn_from_15_keys) {
  setup s;
  prepare(&s, RPP_BF16);
  for (int i = 0; i < COUNT; i++) s.got[i] = 0;
  s.c.keys = 14;
  expect(&s, ALL);
  s.c.keys = 15;
  expect(&s, ALL & ~RULE(ONE_DNN));
}
END_TEST

START_TEST(zeros_pass_where_results_are_small) {
  setup s;
  prepare(&s, RPP_BF16);
  for (int i = 0; i < COUNT; i++) s.expected[i] /= 128, s.naive[i] /= 128, s.got[i] = 0;
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(CUDNN), 0);
  for (int i = 0; i < COUNT; i++) s.expected[i] /= 16, s.naive[i] /= 16;
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & (RULE(CUDNN) | RULE(LLM_C) | RULE(CUTLASS)), 0);
}
END_TEST

START_TEST(a_small_difference_of_large_terms_passes_one_dnn) {
  setup s;
  prepare(&s, RPP_F32);
  s.expected[3] = 1e-3, s.got[3] = 1e-3 + 0x1p-22, s.magnitude[3] = 2;
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(ONE_DNN), 0);
  s.magnitude[3] = 1;
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(ONE_DNN), RULE(ONE_DNN));
}
END_TEST

START_TEST(neighbours_are_no_mismatch_in_16_bits) {
  setup s;
  prepare(&s, RPP_F16);
  s.expected[7] = 0x1p-14, s.got[7] = 0x1p-14 * (1 + 0x1p-10); /* neither absolutely nor relatively far */
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(TRANSFORMER_ENGINE), 0);
  s.expected[7] = 1, s.got[7] = 1 + 0x1p-10; /* relatively 2^-10, just under 1e-3: 2 of them are too far */
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(TRANSFORMER_ENGINE), 0);
  s.got[7] = 1 + 0x1p-9;
  ck_assert_uint_eq(rpp_rules_failed(&s.c) & RULE(TRANSFORMER_ENGINE), RULE(TRANSFORMER_ENGINE));
}
END_TEST

START_TEST(lse_is_seen_by_two) {
  setup s;
  prepare(&s, RPP_F32);
  s.lse_got[5] += 1;
  expect(&s, RULE(CUTLASS) | RULE(CUDNN));
  s.lse_got[5] -= 1, s.lse_got[0] = 0; /* where -inf is right */
  expect(&s, RULE(CUTLASS) | RULE(CUDNN));
  s.c.lse_count = 0;
  expect(&s, 0);
}
END_TEST

START_TEST(what_is_not_sound_fails) {
  setup s;
  prepare(&s, RPP_F32);
  s.c.count = 0;
  ck_assert_uint_eq(rpp_rules_failed(&s.c), ALL);
  prepare(&s, RPP_F32);
  s.c.naive = NULL;
  ck_assert_uint_eq(rpp_rules_failed(&s.c), ALL);
  prepare(&s, RPP_F32);
  s.c.lse = NULL;
  ck_assert_uint_eq(rpp_rules_failed(&s.c), ALL);
  prepare(&s, RPP_F32);
  s.c.dtype = RPP_I64;
  ck_assert_uint_eq(rpp_rules_failed(&s.c), ALL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rules");
  TCase *cases = tcase_create("rules");
  tcase_add_loop_test(cases, exact_passes, 0, 4);
  tcase_add_loop_test(cases, a_unit_in_the_last_place_passes, 0, 4);
  tcase_add_loop_test(cases, wrong_fails, 0, 4);
  tcase_add_loop_test(cases, infinity_fails, 0, 4);
  tcase_add_loop_test(cases, nan_passes_two, 0, 4);
  tcase_add_test(cases, one_1e20_passes_ggml);
  tcase_add_test(cases, one_element_drowns_in_a_mean);
  tcase_add_test(cases, one_maximum_covers_every_row);
  tcase_add_test(cases, a_naive_overflow_fails_what_is_right);
  tcase_add_test(cases, zeros_pass_one_dnn_from_15_keys);
  tcase_add_test(cases, zeros_pass_where_results_are_small);
  tcase_add_test(cases, a_small_difference_of_large_terms_passes_one_dnn);
  tcase_add_test(cases, neighbours_are_no_mismatch_in_16_bits);
  tcase_add_test(cases, lse_is_seen_by_two);
  tcase_add_test(cases, what_is_not_sound_fails);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
