/* attention.c: what must not change a bit of a row: the other rows asked for, who rotates, the other output, the threads. */
#include <math.h>
#include <omp.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "support.h"

static const double tolerance = 2e-14; /* as in test_attention.c */

/* Elements of out and lse of row r of p that are not, bit for bit, those of row i of whole. */
static int other_bits(const problem *p, int64_t r, const problem *whole, int64_t i) {
  const int64_t *shape = p->out.tensor.shape;
  int wrong = 0;
  for (int64_t b = 0; b < shape[0]; b++)
    for (int64_t o = 0; o < shape[2]; o++) {
      wrong += rpp_tensor_get(&p->lse.tensor, (int64_t[]){b, o, r}) != rpp_tensor_get(&whole->lse.tensor, (int64_t[]){b, o, i});
      for (int64_t c = 0; c < shape[3]; c++)
        wrong +=
            rpp_tensor_get(&p->out.tensor, (int64_t[]){b, r, o, c}) != rpp_tensor_get(&whole->out.tensor, (int64_t[]){b, i, o, c});
    }
  return wrong;
}

static int all_other_bits(const problem *p, const problem *whole) {
  int wrong = 0;
  for (int64_t i = 0; i < p->out.tensor.shape[1]; i++) wrong += other_bits(p, i, whole, i);
  return wrong;
}

/* The error of p's outputs as answers to asked. */
static double answers_error(const problem *asked, const problem *p) {
  problem both = *asked;
  both.out = p->out, both.lse = p->lse;
  return problem_error(&both, &asked->attention, NULL, 1);
}

START_TEST(rows_of_queries) {
  /* Any order, repeats, one row alone, a strided tensor of them: each row as it is in the whole, whatever else is asked for. */
  int64_t order[] = {4, 99, 0, 99, 4, 99, 2, 99};
  const rpp_tensor wanted[] = {
      {order, RPP_I64, 1, {4}, {2}, 0}, {order + 6, RPP_I64, 1, {1}, {1}, 0}, {order + 6, RPP_I64, 1, {4}, {-2}, 0}};
  int shifted = 0;
  for (int variant = 0; variant < 36; variant++) {
    const rpp_tensor *rows = &wanted[variant % 3];
    problem_config c = problem_default((rpp_mode)(variant / 3 % 3));
    c.attention.mask = (rpp_mask)(variant % 4 % 3), c.attention.causal_offset = variant % 5 - 3, c.pos_dims = 2;
    c.layout = (guarded_layout)(variant % LAYOUTS), c.packed = variant % 2 ? 2 : 0, c.seed = (uint64_t)variant;
    problem *whole = problem_new(&c);
    c.rows = rows->shape[0];
    problem *p = problem_new(&c);
    problem_run(whole, NULL), problem_run(p, rows);
    int wrong = 0;
    for (int64_t r = 0; r < c.rows; r++) {
      const int64_t i = (int64_t)rpp_tensor_get(rows, &r);
      wrong += other_bits(p, r, whole, i), shifted += other_bits(p, r, whole, (i + 1) % 5);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert(problem_error(p, &p->attention, rows, 1) <= tolerance);
    problem_free(whole), problem_free(p);
  }
  ck_assert_int_gt(shifted, 1000); /* the neighbours of those rows are not the same */
}
END_TEST

START_TEST(rotated_inputs_give_the_same_bits) {
  /* q turned by rpp_rotate into its output heads, k into what a cache holds; in float64 that is what happens inside. With both there
   * is no rotary to tell the pairs by, so that scores are summed column by column, which rounds otherwise. */
  for (int variant = 0; variant < 18; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.rotary.pairing = (rpp_pairing)(variant / 3 % 2), c.attention.rotary.rotary_dim = 6, c.pos_dims = 2;
    problem *raw = problem_new(&c);
    problem_run(raw, NULL);
    c.attention.q_rotated = variant / 6 != 1, c.attention.k_rotated = variant / 6 != 0;
    problem *p = problem_new(&c);
    support_accepted(rpp_rotate(&c.attention.rotary, RPP_PART_REAL, &raw->k.tensor, raw->inputs.pos_k, &p->k.tensor));
    if (!c.attention.k_rotated) p->inputs.k = raw->inputs.k;
    rpp_tensor real = p->q.tensor, imaginary;
    if (!c.attention.q_rotated)
      p->inputs.q = raw->inputs.q;
    else if (c.attention.mode == RPP_MODE_ROPE)
      support_accepted(rpp_rotate(&c.attention.rotary, RPP_PART_REAL, &raw->q.tensor, raw->inputs.pos_q, &real));
    else {
      const int64_t heads = raw->q.tensor.shape[2];
      support_accepted(rpp_tensor_slice(&p->q.tensor, 2, 0, heads, 2, &real));
      support_accepted(rpp_tensor_slice(&p->q.tensor, 2, 1, heads, 2, &imaginary));
      support_accepted(rpp_rotate(&c.attention.rotary, RPP_PART_REAL, &raw->q.tensor, raw->inputs.pos_q, &real));
      support_accepted(rpp_rotate(&c.attention.rotary, RPP_PART_IMAG, &raw->q.tensor, raw->inputs.pos_q, &imaginary));
    }
    p->inputs.v = raw->inputs.v;
    p->inputs.pos_q = c.attention.q_rotated ? NULL : raw->inputs.pos_q;
    p->inputs.pos_k = c.attention.k_rotated ? NULL : raw->inputs.pos_k;
    problem_run(p, NULL);
    if (variant < 12)
      ck_assert_int_eq(all_other_bits(p, raw), 0);
    else
      ck_assert(answers_error(raw, p) <= tolerance);
    problem_free(raw), problem_free(p);
  }
}
END_TEST

START_TEST(outputs_and_positions_are_optional) {
  problem_config c = problem_default(RPP_MODE_EH);
  problem *both = problem_new(&c), *apart = problem_new(&c);
  problem_run(both, NULL);
  support_accepted(rpp_attention_forward(&apart->attention, &apart->inputs, NULL, &apart->out.tensor, NULL));
  ck_assert_uint_eq(guarded_written_bytes(&apart->lse), 0);
  support_accepted(rpp_attention_forward(&apart->attention, &apart->inputs, NULL, NULL, &apart->lse.tensor));
  ck_assert_int_eq(all_other_bits(apart, both), 0);
  /* (L) is (B, L) with equal rows, which a stride of 0 says. */
  const rpp_tensor repeated = {
      both->pos_q.memory, RPP_I64, 2, {2, 5}, {0, both->pos_q.tensor.strides[0]}, both->pos_q.tensor.byte_offset};
  apart->inputs.pos_q = &repeated;
  problem_run(apart, NULL);
  ck_assert_int_eq(all_other_bits(apart, both), 0);
  problem_free(both), problem_free(apart);
}
END_TEST

START_TEST(threads_do_not_change_the_bits) {
  problem_config c = problem_default(RPP_MODE_EC);
  c.q_len = 300, c.k_len = 400, c.head_dim = 16, c.v_dim = 12, c.batch = 1; /* far past threads.h's limit: both threads do work */
  c.attention.rotary.rotary_dim = 12, c.attention.causal_offset = 100;
  problem *runs[4];
  for (int i = 0; i < 4; i++) {
    omp_set_num_threads((int[]){1, 2, 3, 2}[i]);
    c.seed = i < 3 ? 1 : 2;
    runs[i] = problem_new(&c);
    problem_run(runs[i], NULL);
  }
  ck_assert_int_eq(all_other_bits(runs[1], runs[0]), 0);
  ck_assert_int_eq(all_other_bits(runs[2], runs[0]), 0);
  ck_assert_int_gt(all_other_bits(runs[3], runs[0]), 0);
  for (int i = 0; i < 4; i++) problem_free(runs[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attention_bits");
  TCase *cases = tcase_create("attention_bits");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, rows_of_queries);
  tcase_add_test(cases, rotated_inputs_give_the_same_bits);
  tcase_add_test(cases, outputs_and_positions_are_optional);
  tcase_add_test(cases, threads_do_not_change_the_bits);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
