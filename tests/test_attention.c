/* attention.c: attention against the definition in long double, in every mode, mask, layout and dtype. */
#include <math.h>
#include <stdio.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "mpfr_oracle.h"
#include "support.h"

/* Of values in -2 .. 2, with logits to 60 whose own rounding the exponential hands on. */
static const double tolerance = 2e-14;

static const struct { int64_t heads, kv_heads; } counts[] = {{4, 4}, {4, 2}, {2, 1}, {8, 2}, {6, 2}, {12, 4}, {4, 1}};

/* The oracle for a description that differs in one thing must disagree; the description comes back as it was. */
static void control(const problem *p, rpp_attention spoiled, const char *what) {
  ck_assert_msg(problem_error(p, &spoiled, NULL, 1) > 1e-6, "%s is not seen", what);
}

static problem_config random_config(uint64_t seed) {
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  uint64_t state = seed * 77;
  problem_config c = problem_default((rpp_mode)(seed % 3));
  const int which = (int)(seed / 3 % (c.attention.mode == RPP_MODE_EH ? 6 : 7));
  c.attention.heads = counts[which].heads, c.attention.kv_heads = counts[which].kv_heads;
  if (c.attention.mode == RPP_MODE_EH && which == 2) c.attention.kv_heads = 2;
  c.attention.mask = (rpp_mask)(support_random(&state) % 3);
  c.batch = 1 + (int64_t)(support_random(&state) % 2);
  c.q_len = 1 + (int64_t)(support_random(&state) % 8), c.k_len = 1 + (int64_t)(support_random(&state) % 9);
  c.attention.causal_offset = (int64_t)(support_random(&state) % 13) - 4;
  c.attention.window = 1 + (int64_t)(support_random(&state) % 6);
  c.head_dim = 4 + (int64_t)(support_random(&state) % 9), c.v_dim = 1 + (int64_t)(support_random(&state) % 9);
  rpp_rotary *rotary = &c.attention.rotary;
  rotary->rotary_dim = 4 + 2 * (int64_t)(support_random(&state) % (uint64_t)((c.head_dim - 2) / 2));
  rotary->pairing = (rpp_pairing)(support_random(&state) % 2);
  rotary->base = support_random(&state) % 2 ? 10000 : 500000;
  rotary->scaling = oracle_scalings[support_random(&state) % (uint64_t)oracle_scaling_count].scaling;
  rotary->angles = (rpp_angle_model)(support_random(&state) % 6 == 0);
  if (support_random(&state) % 6 == 0) rotary->table_dtype = dtypes[support_random(&state) % 4];
  c.positions = (positions_kind)(support_random(&state) % 3), c.pos_dims = 1 + (int)(support_random(&state) % 2);
  c.start = support_random(&state) % 4 ? 0 : 100000;
  c.packed = support_random(&state) % 3 ? 0 : 1 + (int)(support_random(&state) % 4);
  c.attention.q_rotated = support_random(&state) % 5 == 0, c.attention.k_rotated = support_random(&state) % 5 == 0;
  c.layout = (guarded_layout)(support_random(&state) % LAYOUTS);
  c.q_dtype = dtypes[support_random(&state) % 4], c.k_dtype = dtypes[support_random(&state) % 4];
  c.v_dtype = dtypes[support_random(&state) % 4];
  if (support_random(&state) % 2)
    c.out_dtype = dtypes[support_random(&state) % 4], c.lse_dtype = dtypes[support_random(&state) % 4];
  c.attention.scale = support_random(&state) % 8 ? 1 / sqrt((double)c.head_dim) : -0.7;
  c.seed = seed;
  return c;
}

START_TEST(random_problems) {
  enum { EACH = 25 };
  double worst = 0;
  for (int i = 0; i < EACH; i++) {
    const problem_config c = random_config((uint64_t)(_i * EACH + i));
    problem *p = problem_new(&c);
    problem_run(p, NULL);
    const double error = problem_error(p, &p->attention, NULL, 1);
    ck_assert_msg(error <= tolerance, "problem %d: error %g", _i * EACH + i, error);
    worst = fmax(worst, error);
    problem_free(p);
  }
  fprintf(stderr, "attention, problems %d and on: largest error %.3g\n", _i * EACH, worst);
}
END_TEST

START_TEST(every_mode_mask_grouping_and_pairing) {
  for (int variant = 0; variant < 3 * 3 * 6 * 2; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.mask = (rpp_mask)(variant / 3 % 3);
    c.attention.heads = counts[variant / 9 % 6].heads, c.attention.kv_heads = counts[variant / 9 % 6].kv_heads;
    if (c.attention.mode == RPP_MODE_EH && c.attention.kv_heads == 1) c.attention.kv_heads = 2;
    c.attention.rotary.pairing = (rpp_pairing)(variant / 54), c.attention.causal_offset = variant % 5 - 1;
    c.seed = (uint64_t)variant;
    problem *p = problem_new(&c);
    problem_run(p, NULL);
    const double error = problem_error(p, &p->attention, NULL, 1);
    ck_assert_msg(error <= tolerance, "variant %d: error %g", variant, error);
    rpp_attention other = c.attention;
    other.rotary.pairing = !other.rotary.pairing, control(p, other, "the other pairing"), other = c.attention;
    other.scale *= 1.0001, control(p, other, "another scale"), other = c.attention;
    other.rotary.base *= 1.001, control(p, other, "another base"), other = c.attention;
    other.causal_offset++;
    if (other.mask != RPP_MASK_FULL) control(p, other, "an offset one further");
    other = c.attention, other.window++;
    if (other.mask == RPP_MASK_WINDOW) control(p, other, "a window one wider");
    problem_free(p);
  }
}
END_TEST

START_TEST(rows_without_keys) {
  /* Five queries, seven keys, the first row that sees a key at -offset: out is 0 and lse -inf before it, the rest as ever. */
  for (int variant = 0; variant < 24; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.causal_offset = -variant / 4 - 1, c.attention.mask = variant & 1 ? RPP_MASK_WINDOW : RPP_MASK_CAUSAL;
    c.layout = (guarded_layout)(variant % LAYOUTS), c.out_dtype = variant & 2 ? RPP_F16 : RPP_F64;
    problem *p = problem_new(&c);
    problem_run(p, NULL);
    ck_assert(problem_error(p, &p->attention, NULL, 1) <= tolerance);
    const rpp_tensor *out = &p->out.tensor, *lse = &p->lse.tensor;
    int64_t at[RPP_MAX_DIMS] = {0};
    int wrong = 0, empty = 0;
    do {
      const bool none = at[1] + c.attention.causal_offset < 0;
      const double sum = rpp_tensor_get(lse, (int64_t[]){at[0], at[2], at[1]});
      empty += none;
      wrong += none ? rpp_tensor_get(out, at) != 0 || sum != -INFINITY : rpp_tensor_get(out, at) == 0 || !isfinite(sum);
    } while (guarded_next(out, at));
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(empty, 0);
    problem_free(p);
  }
}
END_TEST

START_TEST(masked_keys_and_values_are_not_read) {
  /* NaN in every key and value that no query sees, and in those of the other sequence for the queries of each. */
  problem_config c = problem_default(RPP_MODE_EC);
  c.attention.causal_offset = 0, c.packed = 2;
  problem *p = problem_new(&c);
  for (int n = 0; n < 3; n++) { /* queries 0-1 and 2-4, keys 0-3 and 4-6 */
    problem_set_integer(&p->cu_q.tensor, 0, n, (int64_t[]){0, 2, 5}[n]);
    problem_set_integer(&p->cu_k.tensor, 0, n, (int64_t[]){0, 4, 7}[n]);
  }
  for (int64_t b = 0; b < 2; b++)
    for (int64_t d = 0; d < 6; d++) {
      rpp_tensor_set(&p->k.tensor, (int64_t[]){b, 2, 0, d}, NAN), rpp_tensor_set(&p->v.tensor, (int64_t[]){b, 3, 1, d}, NAN);
      rpp_tensor_set(&p->v.tensor, (int64_t[]){b, 6, 0, d}, INFINITY); /* seen by the last query alone */
    }
  problem_run(p, NULL);
  int64_t at[RPP_MAX_DIMS] = {0};
  int wrong = 0;
  do wrong += isfinite(rpp_tensor_get(&p->out.tensor, at)) != !(at[1] == 4 && at[2] < 4);
  while (guarded_next(&p->out.tensor, at));
  ck_assert_int_eq(wrong, 0);
  ck_assert(problem_error(p, &p->attention, NULL, 1) <= tolerance);
  problem_free(p);
}
END_TEST

START_TEST(nan_and_infinity_propagate) {
  problem_config c = problem_default(RPP_MODE_EC);
  c.attention.mask = RPP_MASK_CAUSAL, c.attention.causal_offset = 0, c.batch = 1;
  const double values[] = {NAN, INFINITY, -INFINITY};
  for (int which = 0; which < 3; which++)
    for (int input = 0; input < 3; input++) {
      problem *clean = problem_new(&c), *p = problem_new(&c);
      guarded *const spoiled[] = {&p->q, &p->k, &p->v};
      rpp_tensor_set(&spoiled[input]->tensor, (int64_t[]){0, 2, 1, 3},
                     values[which]); /* query 2 of head 1, or key 2 of KV head 1 */
      problem_run(clean, NULL), problem_run(p, NULL);
      int64_t at[RPP_MAX_DIMS] = {0};
      int wrong = 0, touched = 0;
      do {
        const int64_t o = at[2];
        const double before = rpp_tensor_get(&clean->out.tensor, at), after = rpp_tensor_get(&p->out.tensor, at);
        const double sum = rpp_tensor_get(&p->lse.tensor, (int64_t[]){0, o, at[1]});
        const bool hit = input == 0 ? at[1] == 2 && o / 2 == 1 : at[1] >= 2 && o / 4 == 1;
        touched += hit;
        if (!hit)
          wrong += after != before || !isfinite(sum);
        else if (input == 2) /* the one column takes the value on, the others and lse know nothing of it */
          wrong +=
              (at[3] == 3 ? !(isnan(values[which]) ? isnan(after) : after == values[which]) : after != before) || !isfinite(sum);
        else if (input == 0 || isnan(values[which])) /* an infinite key's score may be -inf, which only takes that key away */
          wrong += !isnan(after) || isfinite(sum);
      } while (guarded_next(&p->out.tensor, at));
      ck_assert_msg(wrong == 0, "input %d, value %g: %d of %d", input, values[which], wrong, touched);
      ck_assert_int_gt(touched, 0);
      ck_assert(problem_error(p, &p->attention, NULL, 1) <= tolerance);
      problem_free(clean), problem_free(p);
    }
}
END_TEST

START_TEST(huge_logits) {
  /* Scores near +-1e5 and 1e300: exp of them alone would be 0 or infinite. The rounding of the score is what is left: 1e5 x 1e-15. */
  const double scales[] = {20000, -20000, 1e300, -1e300, 0};
  for (int which = 0; which < 5; which++)
    for (int mode = 0; mode < 3; mode++) {
      problem_config c = problem_default((rpp_mode)mode);
      c.attention.scale = scales[which], c.seed = (uint64_t)mode;
      problem *p = problem_new(&c);
      /* All scores far below zero: every key is the opposite of the query direction. */
      for (int64_t s = 0; which == 0 && s < 7; s++)
        for (int64_t d = 0; d < 8; d++)
          rpp_tensor_set(&p->k.tensor, (int64_t[]){0, s, 0, d}, -1 - 0.001 * (double)(s * d)),
              rpp_tensor_set(&p->q.tensor, (int64_t[]){0, s % 5, 0, d}, 1);
      problem_run(p, NULL);
      const double lse = fabs(rpp_tensor_get(&p->lse.tensor, (int64_t[]){0, 0, 4}));
      ck_assert(isfinite(lse) && (which == 4 || lse > 1e4));
      const double error = problem_error(p, &p->attention, NULL, which < 2 ? 1e5 : which < 4 ? 1e300 : 1);
      ck_assert_msg(error <= 1e-14, "scale %g, mode %d: error %g", scales[which], mode, error);
      problem_free(p);
    }
}
END_TEST

START_TEST(empty_problems) {
  for (int which = 0; which < 5; which++) {
    problem_config c = problem_default(RPP_MODE_EC);
    int64_t *const sizes[] = {&c.batch, &c.q_len, &c.k_len, &c.v_dim};
    if (which < 4) *sizes[which] = 0;
    problem *p = problem_new(&c);
    if (which == 3) p->v.tensor.data = p->out.tensor.data = NULL; /* values without a width: lse is still wanted */
    if (which == 2) p->k.tensor.data = p->v.tensor.data = NULL;
    const rpp_tensor none = {NULL, RPP_I64, 1, {0}, {1}, 0};
    if (which == 4) p->out.tensor.shape[1] = p->lse.tensor.shape[2] = 0;
    support_accepted(rpp_attention_forward(&p->attention, &p->inputs, which == 4 ? &none : NULL, &p->out.tensor, &p->lse.tensor));
    if (which == 3) p->v.tensor.data = p->v.memory, p->out.tensor.data = p->out.memory;
    ck_assert(problem_error(p, &p->attention, which == 4 ? &none : NULL, 1) <= tolerance);
    problem_free(p);
  }
}
END_TEST

START_TEST(given_frequencies_and_tables) {
  uint64_t state = 5;
  double frequencies[3], cosines[16 * 3], sines[16 * 3];
  for (int n = 0; n < 16 * 3; n++)
    cosines[n] = support_uniform(&state, -1, 1), sines[n] = support_uniform(&state, -1, 1), frequencies[n % 3] = cosines[n];
  const rpp_tensor inv_freq = {frequencies, RPP_F64, 1, {3}, {1}, 0}, cosine = {cosines, RPP_F64, 2, {16, 3}, {3, 1}, 0};
  const rpp_tensor sine = {sines + 47, RPP_F64, 2, {16, 3}, {-3, -1}, 0}; /* strided otherwise than the cosines */
  for (int variant = 0; variant < 12; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.rotary =
        (rpp_rotary){.pairing = (rpp_pairing)(variant / 3 % 2), .rotary_dim = 6, .base = NAN, .inv_freq = &inv_freq};
    if (variant >= 6) c.attention.rotary.cos = &cosine, c.attention.rotary.sin = &sine;
    problem *p = problem_new(&c);
    problem_run(p, NULL);
    ck_assert(problem_error(p, &p->attention, NULL, 1) <= tolerance);
    rpp_attention other = p->attention; /* control: the tables exchanged, or frequencies upside down */
    const rpp_tensor backwards = {frequencies + 2, RPP_F64, 1, {3}, {-1}, 0};
    other.rotary.inv_freq = &backwards;
    if (variant >= 6) other.rotary.cos = &sine, other.rotary.sin = &cosine;
    control(p, other, "another table");
    problem_free(p);
  }
}
END_TEST

START_TEST(views_of_fused_buffers) {
  /* q, k and v are heads of one buffer, keys in reverse and every other token, out every other head of a wider tensor; then keys that
   * are one key repeated by a stride of 0. */
  problem_config c = problem_default(RPP_MODE_EC);
  c.v_dim = 8;
  uint64_t state = 6;
  for (int layout = 0; layout < LAYOUTS; layout++) {
    problem *p = problem_new(&c);
    guarded fused = guarded_new((guarded_layout)layout, RPP_F32, 4, (int64_t[]){2, 14, 8, 8});
    guarded wide = guarded_new((guarded_layout)layout, RPP_F64, 4, (int64_t[]){2, 5, 16, 8});
    int64_t at[RPP_MAX_DIMS] = {0};
    do rpp_tensor_set(&fused.tensor, at, support_uniform(&state, -2, 2));
    while (guarded_next(&fused.tensor, at));
    rpp_tensor q, k, v, whole_out = p->out.tensor;
    support_accepted(rpp_tensor_slice(&fused.tensor, 2, 0, 4, 1, &q));
    support_accepted(rpp_tensor_slice(&q, 1, 3, 5, 1, &q));
    support_accepted(rpp_tensor_slice(&fused.tensor, 2, 5, 2, -1, &k));
    support_accepted(rpp_tensor_slice(&k, 1, 12, 7, -2, &k));
    support_accepted(rpp_tensor_slice(&fused.tensor, 2, 6, 2, 1, &v));
    support_accepted(rpp_tensor_slice(&v, 1, 1, 7, 2, &v));
    p->inputs.q = &q, p->inputs.k = &k, p->inputs.v = &v;
    support_accepted(rpp_tensor_slice(&wide.tensor, 2, 15, 8, -2, &p->out.tensor));
    for (int repeated = 0; repeated < 2; repeated++) {
      if (repeated) k.strides[1] = v.strides[0] = 0;
      support_accepted(rpp_attention_forward(&p->attention, &p->inputs, NULL, &p->out.tensor, &p->lse.tensor));
      ck_assert(problem_error(p, &p->attention, NULL, 1) <= tolerance);
      ck_assert_uint_eq(guarded_stray_bytes(&wide) + guarded_stray_bytes(&p->lse) + guarded_stray_bytes(&fused), 0);
      ck_assert_uint_le(guarded_written_bytes(&wide), 2 * 5 * 8 * 8 * 8); /* the heads between stay */
    }
    p->out.tensor = whole_out;
    guarded_free(&fused), guarded_free(&wide), problem_free(p);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attention");
  TCase *cases = tcase_create("attention");
  tcase_set_timeout(cases, 60);
  tcase_add_loop_test(cases, random_problems, 0, 12);
  tcase_add_test(cases, every_mode_mask_grouping_and_pairing);
  tcase_add_test(cases, rows_without_keys);
  tcase_add_test(cases, masked_keys_and_values_are_not_read);
  tcase_add_test(cases, nan_and_infinity_propagate);
  tcase_add_test(cases, huge_logits);
  tcase_add_test(cases, empty_problems);
  tcase_add_test(cases, given_frequencies_and_tables);
  tcase_add_test(cases, views_of_fused_buffers);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
