#include "scores_suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "mpfr_oracle.h"

static scores_function function;

static guarded scores_for(const problem *p, guarded_layout layout, rpp_dtype dtype) {
  const int64_t *q = p->q.tensor.shape;
  return guarded_new(layout, dtype, 4, (int64_t[]){q[0], oracle_heads(&p->attention).projected, q[1], p->k.tensor.shape[1]});
}

typedef long double (*exact_score)(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                                   rpp_part part, int64_t b, int64_t j, int64_t i, int64_t s);

/* From rotated pairs, for angles that know no t - s; of EC, whose output heads 2j and 2j + 1 are the two parts of j. */
static long double rotated_score(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                                 rpp_part part, int64_t b, int64_t j, int64_t i, int64_t s) {
  rpp_attention ec = *attention;
  ck_assert_int_ne(attention->mode, RPP_MODE_EH);
  ec.mode = RPP_MODE_EC;
  return oracle_dot(angles, &ec, inputs, b, 2 * j + part, i, s);
}

/* The largest error over m^2 times the sum of |q||k|, which is 4 D at most for values in -2 .. 2. */
static double error_of(const problem *p, const oracle_angles *angles, exact_score exact, rpp_part part, const rpp_tensor *scores) {
  const double size = 4 * (double)p->q.tensor.shape[3] * (double)(angles->magnitude * angles->magnitude);
  double worst = 0;
  int64_t at[RPP_MAX_DIMS] = {0};
  do {
    const long double want = exact(angles, &p->attention, &p->inputs, part, at[0], at[1], at[2], at[3]);
    support_worse(&worst, oracle_disagreement(scores->dtype, rpp_tensor_get(scores, at), want, size));
  } while (guarded_next(scores, at));
  return worst;
}

/* The same comparison must refuse the other pairing, the other part, and a query one position further. */
static void controls(problem *p, oracle_angles angles, exact_score exact, rpp_part part, const rpp_tensor *scores) {
  ck_assert(error_of(p, &angles, exact, (rpp_part)!part, scores) > 1e-3);
  const int64_t first = (int64_t)rpp_tensor_get(&p->pos_q.tensor, (int64_t[]){0, 0});
  problem_set_integer(&p->pos_q.tensor, 0, 0, first + 1);
  ck_assert(error_of(p, &angles, exact, part, scores) > 1e-4);
  problem_set_integer(&p->pos_q.tensor, 0, 0, first);
  rpp_rotary other = p->attention.rotary;
  other.pairing = !other.pairing, angles.rotary = &other;
  ck_assert(error_of(p, &angles, exact, part, scores) > 1e-3);
}

/* Runs, and holds the result against the oracle. */
static double judge(problem *p, rpp_part part, rpp_score_form form, exact_score exact, guarded_layout layout, rpp_dtype dtype) {
  guarded scores = scores_for(p, layout, dtype);
  const oracle_angles angles = oracle_angles_of(&p->attention.rotary);
  const uint64_t before = problem_inputs_hash(p);
  support_accepted(function(&p->attention, &p->inputs, part, form, &scores.tensor));
  ck_assert_uint_eq(guarded_stray_bytes(&scores), 0);
  ck_assert_uint_eq(problem_inputs_hash(p), before);
  const double error = error_of(p, &angles, exact, part, &scores.tensor);
  if (form == RPP_SCORES_ABSOLUTE && part == RPP_PART_IMAG) controls(p, angles, exact, part, &scores.tensor);
  guarded_free(&scores);
  return error;
}

START_TEST(real_expansions) {
  /* Every scaling, both forms, parts and pairings, partial rotary width, positions to 10^9: the oracle sees t - s alone. */
  static const int64_t starts[] = {0, 1000000, 999999000, -4000};
  const oracle_scaling *scaling = &oracle_scalings[_i];
  double worst = 0;
  for (int variant = 0; variant < 16; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.rotary.base = variant & 1 ? 10000 : 500000;
    c.attention.rotary.scaling = scaling->scaling;
    c.attention.rotary.pairing = variant & 2 ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED;
    c.head_dim = variant % 5 ? 11 : 8;
    c.attention.kv_heads = c.attention.mode == RPP_MODE_EH || variant & 4 ? 2 : 1;
    c.positions = (positions_kind)(variant % 3), c.pos_dims = 1 + variant / 2 % 2, c.start = starts[variant / 4];
    c.q_len = variant & 8 ? 5 : 4, c.seed = (uint64_t)(100 * _i + variant);
    problem *p = problem_new(&c);
    for (int which = 0; which < 4; which++) {
      const double error = judge(p, (rpp_part)(which % 2), (rpp_score_form)(which / 2), oracle_score, LAYOUT_CONTIGUOUS, RPP_F64);
      ck_assert_msg(error <= 4e-15, "%s, variant %d, part %d, form %d: error %g", scaling->name, variant, which % 2, which / 2,
                    error);
      worst = fmax(worst, error);
    }
    problem_free(p);
  }
  fprintf(stderr, "scores, %s: largest error %.3g of m^2 |q||k|\n", scaling->name, worst);
}
END_TEST

START_TEST(other_angles) {
  /* hf-f32, rounded tables, given frequencies, given tables: no t - s, so against explicitly rotated pairs. */
  const rpp_dtype tables[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  uint64_t state = 3;
  double frequencies[4], cosines[16][4], sines[16][4];
  for (int n = 0; n < 4; n++) frequencies[n] = support_uniform(&state, 0, 1);
  for (int t = 0; t < 16; t++)
    for (int n = 0; n < 4; n++) cosines[t][n] = support_uniform(&state, -1, 1), sines[t][n] = support_uniform(&state, -1, 1);
  const rpp_tensor inv_freq = {frequencies, RPP_F64, 1, {4}, {1}, 0}, cosine = {cosines, RPP_F64, 2, {16, 4}, {4, 1}, 0};
  const rpp_tensor sine = {sines, RPP_F64, 2, {16, 4}, {4, 1}, 0};
  for (int variant = 0; variant < 64; variant++) {
    problem_config c = problem_default(variant & 1 ? RPP_MODE_EC : RPP_MODE_ROPE);
    rpp_rotary *rotary = &c.attention.rotary;
    rotary->pairing = variant & 2 ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED;
    rotary->table_dtype = tables[variant / 4 % 4];
    rotary->scaling = oracle_scalings[variant % oracle_scaling_count].scaling;
    if (variant & 16) rotary->angles = RPP_ANGLES_HF_F32;
    if (variant & 32) rotary->inv_freq = &inv_freq;
    if (variant % 8 == 5) rotary->cos = &cosine, rotary->sin = &sine; /* wins over the rest */
    c.batch = 1, c.q_len = 3, c.k_len = 4, c.seed = (uint64_t)variant;
    problem *p = problem_new(&c);
    for (int part = 0; part < 2; part++) {
      const double error = judge(p, (rpp_part)part, RPP_SCORES_ABSOLUTE, rotated_score, LAYOUT_CONTIGUOUS, RPP_F64);
      ck_assert_msg(error <= 4e-15, "variant %d, part %d: error %g", variant, part, error);
    }
    problem_free(p);
  }
}
END_TEST

START_TEST(given_frequencies_in_both_forms) {
  double frequencies[] = {1, 0.25, -0.1, 0};
  const rpp_tensor inv_freq = {frequencies, RPP_F64, 1, {4}, {1}, 0};
  problem_config c = problem_default(RPP_MODE_EC);
  c.attention.rotary.inv_freq = &inv_freq, c.attention.rotary.base = NAN; /* not read */
  problem *p = problem_new(&c);
  for (int which = 0; which < 4; which++)
    ck_assert(judge(p, (rpp_part)(which % 2), (rpp_score_form)(which / 2), oracle_score, LAYOUT_CONTIGUOUS, RPP_F64) <= 4e-15);
  problem_free(p);
}
END_TEST

START_TEST(dtypes_and_layouts) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  for (int variant = 0; variant < 4 * LAYOUTS; variant++) {
    problem_config c = problem_default(RPP_MODE_EH);
    c.layout = (guarded_layout)(variant % LAYOUTS), c.seed = (uint64_t)variant, c.pos_dims = 1 + variant % 2;
    c.q_dtype = dtypes[variant % 4], c.k_dtype = dtypes[variant / 4 % 4];
    problem *p = problem_new(&c);
    for (int which = 0; which < 4; which++) {
      const double error = judge(p, (rpp_part)(which % 2), (rpp_score_form)(which / 2), oracle_score,
                                 (guarded_layout)((variant + 2) % LAYOUTS), dtypes[(variant + which) % 4]);
      ck_assert_msg(error <= 4e-15, "variant %d: error %g", variant, error);
    }
    problem_free(p);
  }
}
END_TEST

START_TEST(nan_stays_where_it_is) {
  problem_config c = problem_default(RPP_MODE_EC);
  problem *p = problem_new(&c);
  rpp_tensor_set(&p->q.tensor, (int64_t[]){0, 1, 2, 3}, NAN);
  rpp_tensor_set(&p->k.tensor, (int64_t[]){1, 4, 1, 0}, NAN); /* KV head 1: query heads 2 and 3 */
  for (int which = 0; which < 4; which++) {
    guarded scores = scores_for(p, LAYOUT_CONTIGUOUS, RPP_F64);
    support_accepted(function(&p->attention, &p->inputs, (rpp_part)(which % 2), (rpp_score_form)(which / 2), &scores.tensor));
    int64_t at[RPP_MAX_DIMS] = {0};
    int wrong = 0;
    do
      wrong += !!isnan(rpp_tensor_get(&scores.tensor, at)) !=
               ((at[0] == 0 && at[1] == 2 && at[2] == 1) || (at[0] == 1 && at[1] >= 2 && at[3] == 4));
    while (guarded_next(&scores.tensor, at));
    ck_assert_int_eq(wrong, 0);
    guarded_free(&scores);
  }
  problem_free(p);
}
END_TEST

START_TEST(empty_problems) {
  for (int dim = 0; dim < 3; dim++)
    for (int form = 0; form < 2; form++) {
      problem_config c = problem_default(RPP_MODE_ROPE);
      *(dim == 0 ? &c.batch : dim == 1 ? &c.q_len : &c.k_len) = 0;
      problem *p = problem_new(&c);
      guarded scores = scores_for(p, LAYOUT_CONTIGUOUS, RPP_F64);
      p->q.tensor.data = dim < 2 ? NULL : p->q.tensor.data, p->k.tensor.data = dim == 1 ? p->k.tensor.data : NULL;
      scores.tensor.data = NULL;
      support_accepted(function(&p->attention, &p->inputs, RPP_PART_IMAG, (rpp_score_form)form, &scores.tensor));
      guarded_free(&scores), problem_free(p);
    }
}
END_TEST

START_TEST(unread_inputs_may_be_anything) {
  problem_config c = problem_default(RPP_MODE_EC);
  problem *p = problem_new(&c);
  guarded scores = scores_for(p, LAYOUT_CONTIGUOUS, RPP_F64);
  const rpp_tensor nonsense = {NULL, (rpp_dtype)77, -3, {-1}, {0}, 5};
  p->inputs.v = NULL, p->inputs.cu_q = &nonsense, p->inputs.cu_k = NULL;
  support_accepted(function(&p->attention, &p->inputs, RPP_PART_REAL, RPP_SCORES_ABSOLUTE, &scores.tensor));
  p->inputs.v = &nonsense;
  support_accepted(function(&p->attention, &p->inputs, RPP_PART_REAL, RPP_SCORES_RELATIVE, &scores.tensor));
  const oracle_angles angles = oracle_angles_of(&p->attention.rotary);
  ck_assert(error_of(p, &angles, oracle_score, RPP_PART_REAL, &scores.tensor) <= 4e-15);
  guarded_free(&scores), problem_free(p);
}
END_TEST

START_TEST(unsupported_requests) {
  problem_config c = problem_default(RPP_MODE_EC);
  problem *p = problem_new(&c);
  guarded scores = scores_for(p, LAYOUT_CONTIGUOUS, RPP_F64);
  double table[20 * 4] = {0};
  const rpp_tensor given = {table, RPP_F64, 2, {20, 4}, {4, 1}, 0};
  for (int which = 0; which < 4; which++) {
    const rpp_part part = (rpp_part)(which % 2);
    const rpp_score_form form = (rpp_score_form)(which / 2);
    p->attention.q_rotated = true;
    support_refused(function(&p->attention, &p->inputs, part, form, &scores.tensor), RPP_ERROR_UNSUPPORTED, "q_rotated = true", "");
    p->attention.q_rotated = false, p->attention.k_rotated = true;
    support_refused(function(&p->attention, &p->inputs, part, form, &scores.tensor), RPP_ERROR_UNSUPPORTED, "k_rotated = true", "");
    p->attention.k_rotated = false;
    if (form == RPP_SCORES_ABSOLUTE) continue;
    p->attention.rotary.angles = RPP_ANGLES_HF_F32;
    support_refused(function(&p->attention, &p->inputs, part, form, &scores.tensor), RPP_ERROR_UNSUPPORTED, "angles = hf-f32", "");
    p->attention.rotary.angles = RPP_ANGLES_EXACT, p->attention.rotary.table_dtype = RPP_F32;
    support_refused(function(&p->attention, &p->inputs, part, form, &scores.tensor), RPP_ERROR_UNSUPPORTED, "table_dtype = F32",
                    "");
    p->attention.rotary.table_dtype = RPP_F64, p->attention.rotary.cos = p->attention.rotary.sin = &given;
    support_refused(function(&p->attention, &p->inputs, part, form, &scores.tensor), RPP_ERROR_UNSUPPORTED, "cos = given", "");
    p->attention.rotary.cos = p->attention.rotary.sin = NULL;
  }
  ck_assert_uint_eq(guarded_written_bytes(&scores) + guarded_stray_bytes(&scores), 0);
  guarded_free(&scores), problem_free(p);
}
END_TEST

Suite *scores_suite(const char *name, scores_function tested) {
  function = tested;
  Suite *suite = suite_create(name);
  TCase *cases = tcase_create(name);
  tcase_set_timeout(cases, 60);
  tcase_add_loop_test(cases, real_expansions, 0, oracle_scaling_count);
  tcase_add_test(cases, other_angles);
  tcase_add_test(cases, given_frequencies_in_both_forms);
  tcase_add_test(cases, dtypes_and_layouts);
  tcase_add_test(cases, nan_stays_where_it_is);
  tcase_add_test(cases, empty_problems);
  tcase_add_test(cases, unread_inputs_may_be_anything);
  tcase_add_test(cases, unsupported_requests);
  suite_add_tcase(suite, cases);
  return suite;
}
