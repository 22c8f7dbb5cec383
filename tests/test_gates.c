/* Each gate alone: a truth made by hand, what a kernel may return, and what only that gate notices. */
#include "support.h"

#include "judge/gates.h"

#include <math.h>

enum { B = 2, R = 40, O = 2, D = 64 };

static const rpp_contract contract = {.output = RPP_F64, .lse = RPP_F64};

typedef struct {
  rpp_scratch scratch;
  rpp_judged_truth truth;
  rpp_tensor out, lse; /* what the kernel returned: starts as the truth */
  rpp_random random;
} setup;

static void fill(const rpp_tensor *t, double value) {
  for (int64_t i = 0; i < rpp_scratch_size(t); i++) rpp_scratch_values(t)[i] = value;
}

/* out is normal, its noise 0.01, its bound 1, what is likely 0.08; each row is carried by 20 keys. */
static void prepare(setup *s) {
  *s = (setup){.random = rpp_random_make(5, 0)};
  rpp_scratch *scratch = &s->scratch;
  s->truth.out = rpp_scratch_normal(scratch, &s->random, B, R, O, D);
  s->truth.out_bound = rpp_scratch_zeros(scratch, B, R, O, D), fill(&s->truth.out_bound, 1);
  s->truth.out_noise = rpp_scratch_zeros(scratch, B, R, O, D), fill(&s->truth.out_noise, 0.01);
  s->truth.out_likely = rpp_scratch_zeros(scratch, B, R, O, D), fill(&s->truth.out_likely, 0.08);
  const int64_t flat[] = {B, O, R};
  s->truth.lse = rpp_scratch_tensor(scratch, RPP_F64, 3, flat), fill(&s->truth.lse, 3);
  s->truth.lse_bound = rpp_scratch_tensor(scratch, RPP_F64, 3, flat), fill(&s->truth.lse_bound, 0.5);
  s->truth.spread = rpp_scratch_tensor(scratch, RPP_F64, 3, flat), fill(&s->truth.spread, 20);
  s->out = rpp_scratch_copy(scratch, &s->truth.out);
  s->lse = rpp_scratch_copy(scratch, &s->truth.lse);
}

static rpp_verdict apply(const setup *s, rpp_family family) {
  rpp_verdict verdict = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  rpp_gates_apply(&s->truth, &contract, family, NULL, &s->out, &s->lse, &verdict, &worsts);
  rpp_gates_decide(&worsts, &verdict);
  return verdict;
}

static double *element(const rpp_tensor *t, int64_t b, int64_t r, int64_t o, int64_t c) {
  return rpp_scratch_values(t) + ((b * R + r) * O + o) * D + c;
}

static double *flat_element(const rpp_tensor *t, int64_t b, int64_t o, int64_t r) {
  return rpp_scratch_values(t) + (b * O + o) * R + r;
}

static void expect(const rpp_verdict *v, rpp_gate gate, int64_t b, int64_t o, int64_t r) {
  ck_assert_int_eq(v->outcome, RPP_OUTCOME_MISMATCH);
  ck_assert_int_eq(v->gate, gate);
  ck_assert(v->worst.b == b && v->worst.h == o && v->worst.t == r);
}

START_TEST(the_truth_passes) {
  setup s;
  prepare(&s);
  const rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_PASS);
  ck_assert_int_eq(v.elements, B * R * O * (D + 1));
  for (int gate = 0; gate < RPP_GATES; gate++) ck_assert(v.ratio[gate] == 0);
  const rpp_verdict needle = apply(&s, RPP_FAMILY_NEEDLE);
  ck_assert(needle.ratio[RPP_GATE_STATISTICAL] == -1 && needle.ratio[RPP_GATE_ROW] == -1 && needle.ratio[RPP_GATE_TENSOR] == -1);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(without_lse_out_is_judged_alone) {
  setup s;
  prepare(&s);
  rpp_verdict v = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  fill(&s.lse, 7); /* not looked at */
  rpp_gates_apply(&s.truth, &contract, RPP_FAMILY_NORMAL, NULL, &s.out, NULL, &v, &worsts);
  rpp_gates_decide(&worsts, &v);
  ck_assert(v.outcome == RPP_OUTCOME_PASS && v.elements == B * R * O * D);
  *element(&s.out, 1, 3, 1, 2) += 1.01;
  rpp_gates_apply(&s.truth, &contract, RPP_FAMILY_NORMAL, NULL, &s.out, NULL, &v, &worsts);
  rpp_gates_decide(&worsts, &v);
  expect(&v, RPP_GATE_ELEMENT, 1, 1, 3);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(independent_noise_passes) {
  setup s;
  prepare(&s);
  for (int64_t i = 0; i < rpp_scratch_size(&s.out); i++) rpp_scratch_values(&s.out)[i] += 0.005 * rpp_random_normal(&s.random);
  const rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_PASS);
  ck_assert(v.ratio[RPP_GATE_STATISTICAL] > 0.1 && v.ratio[RPP_GATE_ROW] > 0.3 && v.ratio[RPP_GATE_ELEMENT] > 0.01);
  rpp_scratch_free(&s.scratch);
}
END_TEST

static const double not_numbers[] = {NAN, INFINITY, -INFINITY};

START_TEST(structure_notices_what_is_not_finite) {
  setup s;
  prepare(&s);
  *element(&s.out, 1, 7, 0, 3) = not_numbers[_i];
  rpp_verdict v = apply(&s, RPP_FAMILY_NEEDLE);
  expect(&v, RPP_GATE_STRUCTURE, 1, 0, 7);
  *element(&s.out, 1, 7, 0, 3) = 0;
  *flat_element(&s.lse, 0, 1, 9) = not_numbers[_i];
  v = apply(&s, RPP_FAMILY_NEEDLE);
  expect(&v, RPP_GATE_STRUCTURE, 0, 1, 9);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(structure_keeps_rows_without_keys) {
  setup s;
  prepare(&s);
  *flat_element(&s.truth.lse, 0, 1, 9) = *flat_element(&s.lse, 0, 1, 9) = -INFINITY;
  for (int64_t c = 0; c < D; c++) *element(&s.truth.out, 0, 9, 1, c) = *element(&s.out, 0, 9, 1, c) = 0;
  ck_assert_int_eq(apply(&s, RPP_FAMILY_NORMAL).outcome, RPP_OUTCOME_PASS);
  *element(&s.out, 0, 9, 1, 5) = 1e-30;
  rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  expect(&v, RPP_GATE_STRUCTURE, 0, 1, 9);
  *element(&s.out, 0, 9, 1, 5) = 0, *flat_element(&s.lse, 0, 1, 9) = -1e30;
  v = apply(&s, RPP_FAMILY_NORMAL);
  expect(&v, RPP_GATE_STRUCTURE, 0, 1, 9);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(element_notices_one_past_its_bound) {
  setup s;
  prepare(&s);
  *element(&s.out, 1, 3, 1, 2) += 1.01;
  rpp_verdict v = apply(&s, RPP_FAMILY_NEEDLE);
  expect(&v, RPP_GATE_ELEMENT, 1, 1, 3);
  ck_assert(v.worst.d == 2 && v.worst.tensor == RPP_JUDGED_OUT && v.worst.ratio > 1 && v.worst.ratio < 1.02);
  *element(&s.out, 1, 3, 1, 2) -= 0.02;
  ck_assert_int_eq(apply(&s, RPP_FAMILY_NEEDLE).outcome, RPP_OUTCOME_PASS);
  *flat_element(&s.lse, 1, 0, 4) += 0.51;
  v = apply(&s, RPP_FAMILY_NEEDLE);
  expect(&v, RPP_GATE_ELEMENT, 1, 0, 4);
  ck_assert_int_eq(v.worst.tensor, RPP_JUDGED_LSE);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(statistical_notices_what_is_unlikely) {
  setup s;
  prepare(&s);
  *element(&s.out, 0, 30, 1, 60) += 0.1; /* within its bound of 1 */
  const rpp_verdict v = apply(&s, RPP_FAMILY_UNIFORM);
  expect(&v, RPP_GATE_STATISTICAL, 0, 1, 30);
  ck_assert_int_eq(apply(&s, RPP_FAMILY_NEEDLE).outcome, RPP_OUTCOME_PASS);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(row_notices_many_small_errors) {
  setup s;
  prepare(&s);
  for (int64_t c = 0; c < D; c++) *element(&s.out, 0, 11, 0, c) += (c % 2 ? 0.02 : -0.02); /* each a quarter of what is likely */
  rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  expect(&v, RPP_GATE_ROW, 0, 0, 11);
  *flat_element(&s.truth.spread, 0, 0, 11) = 15; /* too few keys to say */
  ck_assert_int_eq(apply(&s, RPP_FAMILY_NORMAL).outcome, RPP_OUTCOME_PASS);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(tensor_notices_a_gain_within_the_noise) {
  setup s;
  prepare(&s);
  for (int64_t i = 0; i < rpp_scratch_size(&s.out); i++)
    rpp_scratch_values(&s.out)[i] = 1.003 * rpp_scratch_values(&s.out)[i] + 0.004 * rpp_random_normal(&s.random);
  const rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_MISMATCH);
  ck_assert_int_eq(v.gate, RPP_GATE_TENSOR);
  ck_assert(v.ratio[RPP_GATE_STATISTICAL] < 1 && v.ratio[RPP_GATE_ROW] < 1);
  rpp_scratch_free(&s.scratch);
}
END_TEST

/* Every row becomes its batch's first (heads: every second head the one before it), with what the kernel returned for it. */
static void repeat_rows(setup *s, bool only_heads) {
  for (int64_t i = 0; i < rpp_scratch_size(&s->out); i++) {
    const int64_t c = i % D, o = i / D % O, r = i / (D * O) % R, b = i / (D * O * R);
    *element(&s->truth.out, b, r, o, c) = *element(&s->truth.out, b, only_heads ? r : 0, 0, c);
    *element(&s->out, b, r, o, c) = *element(&s->out, b, only_heads ? r : 0, 0, c);
  }
}

START_TEST(tensor_takes_a_repeated_row_once) {
  setup s;
  prepare(&s);
  for (int64_t i = 0; i < rpp_scratch_size(&s.out); i++)
    rpp_scratch_values(&s.out)[i] = 1.003 * rpp_scratch_values(&s.out)[i] + 0.004 * rpp_random_normal(&s.random);
  repeat_rows(&s, true);
  ck_assert_int_eq(apply(&s, RPP_FAMILY_NORMAL).gate, RPP_GATE_TENSOR); /* of 80 rows */
  repeat_rows(&s, false);
  const rpp_verdict two = apply(&s, RPP_FAMILY_NORMAL);
  ck_assert_int_eq(two.outcome, RPP_OUTCOME_PASS);
  ck_assert(two.ratio[RPP_GATE_TENSOR] > 0 && two.ratio[RPP_GATE_TENSOR] < 0.25); /* z of two rows is at most sqrt 2 */
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(rows_without_noise_say_nothing_of_noise) {
  setup s;
  prepare(&s);
  fill(&s.truth.out_noise, INFINITY);
  s.truth.out_likely = s.truth.out_bound;
  for (int64_t i = 0; i < rpp_scratch_size(&s.out); i++) rpp_scratch_values(&s.out)[i] *= 0.9;
  const rpp_verdict v = apply(&s, RPP_FAMILY_NORMAL);
  ck_assert_int_eq(v.outcome, RPP_OUTCOME_PASS);
  ck_assert(v.ratio[RPP_GATE_ROW] == 0 && v.ratio[RPP_GATE_TENSOR] == -1);
  *element(&s.out, 0, 3, 1, 5) += 2;
  const rpp_verdict wrong = apply(&s, RPP_FAMILY_NORMAL);
  expect(&wrong, RPP_GATE_ELEMENT, 0, 1, 3);
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(elements_of_rotated_tensors) {
  setup s;
  prepare(&s);
  rpp_verdict v = rpp_verdict_none();
  rpp_gate_worsts worsts = {0};
  rpp_gates_elements(RPP_JUDGED_ROTATED_K, &s.truth.out, &s.truth.out_bound, &s.out, &v, &worsts);
  rpp_gates_decide(&worsts, &v);
  ck_assert(v.outcome == RPP_OUTCOME_PASS && v.elements == B * R * O * D);
  *element(&s.out, 1, 39, 1, 63) -= 1.5;
  rpp_gates_elements(RPP_JUDGED_ROTATED_K, &s.truth.out, &s.truth.out_bound, &s.out, &v, &worsts);
  rpp_gates_decide(&worsts, &v);
  expect(&v, RPP_GATE_ELEMENT, 1, 1, 39);
  ck_assert(v.worst.tensor == RPP_JUDGED_ROTATED_K && v.worst.d == 63);
  rpp_scratch_free(&s.scratch);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gates");
  TCase *cases = tcase_create("gates");
  tcase_add_test(cases, the_truth_passes);
  tcase_add_test(cases, without_lse_out_is_judged_alone);
  tcase_add_test(cases, independent_noise_passes);
  tcase_add_loop_test(cases, structure_notices_what_is_not_finite, 0, 3);
  tcase_add_test(cases, structure_keeps_rows_without_keys);
  tcase_add_test(cases, element_notices_one_past_its_bound);
  tcase_add_test(cases, statistical_notices_what_is_unlikely);
  tcase_add_test(cases, row_notices_many_small_errors);
  tcase_add_test(cases, tensor_notices_a_gain_within_the_noise);
  tcase_add_test(cases, tensor_takes_a_repeated_row_once);
  tcase_add_test(cases, rows_without_noise_say_nothing_of_noise);
  tcase_add_test(cases, elements_of_rotated_tensors);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
