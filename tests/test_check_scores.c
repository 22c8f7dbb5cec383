/* check_scores.c: what both forms of the scores refuse, before any output is written. */
#include <math.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "support.h"

/* A sound problem, one change, and its refusal by both functions; the output stays as it was. */
#define REFUSED(change, status, field, value)                                                                                      \
  do {                                                                                                                             \
    for (int complex_ = 0; complex_ < 2; complex_++) {                                                                             \
      problem_config config_ = problem_default(RPP_MODE_EC);                                                                       \
      config_.pos_dims = 2;                                                                                                        \
      problem *p = problem_new(&config_);                                                                                          \
      guarded scores = guarded_new(LAYOUT_PADDED, RPP_F64, 4, (int64_t[]){2, 4, 5, 7});                                            \
      rpp_tensor *target = &scores.tensor;                                                                                         \
      rpp_attention *a = &p->attention;                                                                                            \
      const rpp_attention_inputs *in = &p->inputs;                                                                                 \
      rpp_part part = RPP_PART_IMAG;                                                                                               \
      rpp_score_form form = RPP_SCORES_RELATIVE;                                                                                   \
      support_accepted((complex_ ? rpp_scores_complex : rpp_scores_rotated)(a, in, part, form, target));                           \
      memset(scores.memory, 0xa5, scores.size); /* guarded.c's poison */                                                           \
      change;                                                                                                                      \
      const uint64_t before_ = problem_inputs_hash(p);                                                                             \
      support_refused((complex_ ? rpp_scores_complex : rpp_scores_rotated)(a, in, part, form, target), status, field, value);      \
      size_t changed_ = 0;                                                                                                         \
      for (size_t i_ = 0; i_ < scores.size; i_++) changed_ += scores.memory[i_] != 0xa5;                                           \
      ck_assert_uint_eq(changed_, 0);                                                                                              \
      ck_assert_uint_eq(problem_inputs_hash(p), before_);                                                                          \
      guarded_free(&scores), problem_free(p);                                                                                      \
    }                                                                                                                              \
  } while (0)

START_TEST(enumerators) {
  REFUSED(part = (rpp_part)2, RPP_ERROR_VALUE, "part = 2:", "");
  REFUSED(part = (rpp_part)-1, RPP_ERROR_VALUE, "part = -1:", "");
  REFUSED(form = (rpp_score_form)2, RPP_ERROR_VALUE, "form = 2:", "");
  REFUSED(a->mask = (rpp_mask)5, RPP_ERROR_VALUE, "mask = 5:", "");
}
END_TEST

START_TEST(descriptions) {
  REFUSED(a = NULL, RPP_ERROR_NULL, "attention = null:", "");
  REFUSED(in = NULL, RPP_ERROR_NULL, "inputs = null:", "");
  REFUSED(a->heads = 3, RPP_ERROR_VALUE, "kv_heads = 2:", "heads = 3");
  REFUSED((a->mode = RPP_MODE_EH, a->kv_heads = 1), RPP_ERROR_VALUE, "kv_heads = 1:", "EH");
  REFUSED(a->rotary.rotary_dim = 5, RPP_ERROR_VALUE, "rotary_dim = 5:", "");
  REFUSED(a->scale = NAN, RPP_ERROR_VALUE, "scale = ", "nan");
  REFUSED(p->inputs.q = NULL, RPP_ERROR_NULL, "q = null:", "");
  REFUSED(p->k.tensor.data = NULL, RPP_ERROR_NULL, "k.data = null:", "");
  REFUSED(p->inputs.pos_k = NULL, RPP_ERROR_NULL, "pos_k = null:", "");
  REFUSED(p->k.tensor.shape[1] = 6, RPP_ERROR_SHAPE, "pos_k.shape[1] = 7:", "6");
}
END_TEST

START_TEST(outputs) {
  REFUSED(target = NULL, RPP_ERROR_NULL, "scores = null:", "");
  REFUSED(target->data = NULL, RPP_ERROR_NULL, "scores.data = null:", "");
  REFUSED(target->dtype = RPP_I64, RPP_ERROR_DTYPE, "scores.dtype = I64:", "");
  REFUSED(target->ndim = 3, RPP_ERROR_SHAPE, "scores.ndim = 3:", "4");
  REFUSED(target->shape[0] = 1, RPP_ERROR_SHAPE, "scores.shape[0] = 1:", "2");
  REFUSED(target->shape[1] = 8, RPP_ERROR_SHAPE, "scores.shape[1] = 8:", "4"); /* projected heads, not output heads */
  REFUSED(target->shape[2] = 4, RPP_ERROR_SHAPE, "scores.shape[2] = 4:", "5");
  REFUSED(target->shape[3] = 6, RPP_ERROR_SHAPE, "scores.shape[3] = 6:", "7");
  REFUSED(target->strides[3] = 0, RPP_ERROR_OVERLAP, "scores.strides[", "share memory");
  REFUSED(target->strides[0] = INT64_MAX, RPP_ERROR_OVERFLOW, "scores.shape = (2, 4, 5, 7):", "");
}
END_TEST

START_TEST(overlaps) {
  /* The poison is a small finite number as a float64. */
  REFUSED((p->q.tensor.data = scores.memory, p->q.tensor.byte_offset = 512), RPP_ERROR_OVERLAP, "scores.data = ", "overlaps q");
  REFUSED((p->k.tensor.data = scores.memory, p->k.tensor.byte_offset = 512), RPP_ERROR_OVERLAP, "scores.data = ", "overlaps k");
}
END_TEST

START_TEST(overlaps_with_what_the_angles_read) {
  /* Positions and tables have to hold sound values, so the memory is filled with them. */
  static double memory[2 * 4 * 5 * 7];
  const char *const names[] = {"pos_q", "pos_k", "inv_freq", "cos", "sin"};
  for (int which = 0; which < 5; which++)
    for (int complex_form = 0; complex_form < 2; complex_form++) {
      problem_config c = problem_default(RPP_MODE_EC);
      problem *p = problem_new(&c);
      memset(memory, 0, sizeof memory);
      rpp_tensor scores, positions = {memory + 3, RPP_I64, 1, {5}, {1}, 0}, table = {memory + 9, RPP_F64, 2, {9, 4}, {4, 1}, 0};
      rpp_tensor clear = {(double[36]){0}, RPP_F64, 2, {9, 4}, {4, 1}, 0}, frequencies = {memory + 99, RPP_F64, 1, {4}, {1}, 0};
      support_accepted(rpp_tensor_contiguous(memory, RPP_F64, 4, (int64_t[]){2, 4, 5, 7}, &scores));
      if (which == 0) p->inputs.pos_q = &positions;
      if (which == 1) positions.shape[0] = 7, p->inputs.pos_k = &positions;
      if (which == 2) p->attention.rotary.inv_freq = &frequencies;
      if (which == 3) p->attention.rotary.cos = &table, p->attention.rotary.sin = &clear;
      if (which == 4) p->attention.rotary.cos = &clear, p->attention.rotary.sin = &table;
      support_refused((complex_form ? rpp_scores_complex : rpp_scores_rotated)(&p->attention, &p->inputs, RPP_PART_REAL,
                                                                               RPP_SCORES_ABSOLUTE, &scores),
                      RPP_ERROR_OVERLAP, "scores.data = ", names[which]);
      size_t changed = 0;
      for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) changed += memory[i] != 0;
      ck_assert_uint_eq(changed, 0);
      problem_free(p);
    }
}
END_TEST

START_TEST(sizes_that_fit_one_by_one_only) {
  /* Each tensor's bytes fit 63 bits, of one number repeated by strides of 0; the float64 copies and the sum of the widths do not. */
  static double number[1];
  static int64_t position[1];
  double other = 7;
  const int64_t widest = INT64_MAX / 2 / 2 * 2;
  const rpp_tensor q = {number, RPP_F16, 4, {1, 1, 1, widest}, {0}, 0}, table = {number, RPP_F16, 2, {1, widest / 2}, {0}, 0};
  const rpp_tensor pos = {position, RPP_I64, 1, {1}, {1}, 0};
  rpp_tensor scores = {&other, RPP_F64, 4, {1, 1, 1, 1}, {1, 1, 1, 1}, 0};
  const rpp_attention_inputs inputs = {.q = &q, .k = &q, .pos_q = &pos, .pos_k = &pos};
  const rpp_attention attention = {
      .heads = 1, .kv_heads = 1, .scale = 1, .rotary = {.rotary_dim = widest, .cos = &table, .sin = &table}};
  for (int complex_form = 0; complex_form < 2; complex_form++)
    support_refused(
        (complex_form ? rpp_scores_complex : rpp_scores_rotated)(&attention, &inputs, RPP_PART_REAL, RPP_SCORES_ABSOLUTE, &scores),
        RPP_ERROR_OVERFLOW, "", "");
  ck_assert(other == 7);
}
END_TEST

/* Scores of two queries at a and b against keys at c. */
static rpp_status relative_at(int64_t a, int64_t b, int64_t c, bool complex_form) {
  problem_config config = problem_default(RPP_MODE_EC);
  config.q_len = 2, config.k_len = 1, config.batch = 1;
  problem *p = problem_new(&config);
  guarded scores = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, (int64_t[]){1, 4, 2, 1});
  problem_set_integer(&p->pos_q.tensor, 0, 0, a), problem_set_integer(&p->pos_q.tensor, 0, 1, b);
  problem_set_integer(&p->pos_k.tensor, 0, 0, c);
  const rpp_status status = (complex_form ? rpp_scores_complex : rpp_scores_rotated)(&p->attention, &p->inputs, RPP_PART_REAL,
                                                                                     RPP_SCORES_RELATIVE, &scores.tensor);
  if (status != RPP_OK) ck_assert_uint_eq(guarded_written_bytes(&scores), 0);
  guarded_free(&scores), problem_free(p);
  return status;
}

START_TEST(distances) {
  const int64_t limit = INT64_C(1) << 53;
  for (int complex_form = 0; complex_form < 2; complex_form++) {
    support_accepted(relative_at(limit, 0, 0, complex_form));
    support_accepted(relative_at(-limit, 0, 0, complex_form));
    support_accepted(relative_at(limit / 2, 0, -limit / 2, complex_form));
    support_refused(relative_at(limit, 0, -1, complex_form), RPP_ERROR_VALUE, "pos_q - pos_k = ", "9007199254740993:");
    support_refused(relative_at(0, -limit, limit, complex_form), RPP_ERROR_VALUE, "pos_q - pos_k = ", "= -18014398509481984:");
  }
}
END_TEST

START_TEST(distances_between_queries_do_not_matter) {
  /* Both t - s are inside the range; only the queries are 2^54 apart, and no angle is taken of that. */
  const int64_t limit = INT64_C(1) << 53;
  support_accepted(relative_at(-limit, limit, 0, false));
  support_accepted(relative_at(-limit, limit, 0, true));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_scores");
  TCase *cases = tcase_create("check_scores");
  tcase_add_test(cases, enumerators);
  tcase_add_test(cases, descriptions);
  tcase_add_test(cases, outputs);
  tcase_add_test(cases, overlaps);
  tcase_add_test(cases, overlaps_with_what_the_angles_read);
  tcase_add_test(cases, sizes_that_fit_one_by_one_only);
  tcase_add_test(cases, distances);
  tcase_add_test(cases, distances_between_queries_do_not_matter);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
