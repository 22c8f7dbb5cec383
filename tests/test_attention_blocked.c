/* attention_blocked.c: the fast kernel against the truth. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include "blocked.h"
#include "blocked_problem.h"
#include "support.h"

enum { TILE = RPP_BLOCKED_KEYS, BATCHES = 8, PROBLEMS = 400 };

static void run(problem *p) {
  blocked_run(rpp_vector_sets()[0], p);
}

static float_deviation holds(problem *p, const char *what, uint64_t number) {
  return blocked_holds(rpp_vector_sets()[0], p, what, number);
}

/* ---- Random problems ------------------------------------------------------------------------------------------------------ */

static uint64_t pick(uint64_t *state, uint64_t count) {
  return support_random(state) % count;
}

static const rpp_dtype storages[] = {RPP_F32, RPP_F16, RPP_BF16}, stores[] = {RPP_F32, RPP_F16, RPP_BF16, RPP_F64};

static rpp_rotary draw_rotary(uint64_t *s, int64_t head_dim) {
  rpp_rotary r = {.pairing = (rpp_pairing)pick(s, 2),
                  .rotary_dim = 2 * (int64_t)(1 + pick(s, (uint64_t)head_dim / 2)),
                  .base = 10000,
                  .angles = (rpp_angle_model)pick(s, 2),
                  .table_dtype = stores[pick(s, 4)],
                  .scaling = {.kind = (rpp_scaling_kind)pick(s, 7), .factor = 4, .orig = 32, .low = 1, .high = 4}};
  if (r.scaling.kind == RPP_SCALING_NTK_AWARE && r.rotary_dim == 2) r.scaling.kind = RPP_SCALING_NONE;
  return r;
}

/* Every field at random; one problem in twenty is longer than a tile and has more rows than a block. */
static problem_config draw(uint64_t seed) {
  static const int64_t ratios[] = {1, 1, 2, 3, 4, 7};
  uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
  problem_config c = problem_default((rpp_mode)pick(&s, 3));
  const bool is_long = pick(&s, 20) == 0;
  const int64_t kv = is_long ? 1 : (int64_t)(1 + pick(&s, 3));
  c.attention.kv_heads = kv * (c.attention.mode == RPP_MODE_EH ? 2 : 1);
  c.attention.heads = c.attention.kv_heads * ratios[pick(&s, is_long ? 3 : 6)];
  c.batch = is_long ? 1 : (int64_t)pick(&s, 3);
  c.q_len = (int64_t)pick(&s, is_long ? 300 : 20);
  c.k_len = is_long ? (int64_t)(TILE - 2 + pick(&s, 300)) : (int64_t)pick(&s, 40);
  c.head_dim = (int64_t)(2 + pick(&s, 30));
  c.v_dim = (int64_t)pick(&s, 30);
  c.attention.rotary = draw_rotary(&s, c.head_dim);
  c.attention.mask = (rpp_mask)pick(&s, 3);
  c.attention.causal_offset = (int64_t)pick(&s, 60) - 30 + (pick(&s, 2) ? c.k_len - c.q_len : 0);
  c.attention.window = 1 + (int64_t)pick(&s, pick(&s, 2) ? 8 : 300);
  c.attention.scale = pick(&s, 30) == 0 ? 0 : support_uniform(&s, -0.5, 2);
  c.attention.q_rotated = pick(&s, 4) == 0;
  c.attention.k_rotated = pick(&s, 3) == 0;
  c.q_dtype = storages[pick(&s, 3)], c.k_dtype = storages[pick(&s, 3)], c.v_dtype = storages[pick(&s, 3)];
  c.out_dtype = stores[pick(&s, 4)], c.lse_dtype = stores[pick(&s, 4)];
  c.layout = (guarded_layout)pick(&s, LAYOUTS);
  c.positions = (positions_kind)pick(&s, 3);
  c.pos_dims = 1 + (int)pick(&s, 2);
  c.start = (int64_t)pick(&s, 100000);
  c.packed = pick(&s, 3) == 0 ? (int)(1 + pick(&s, 6)) : 0;
  c.seed = seed;
  return c;
}

START_TEST(random_problems_agree_with_the_truth) {
  float_deviation worst = {0, 0};
  for (uint64_t n = 0; n < PROBLEMS; n++) {
    const problem_config c = draw((uint64_t)_i * PROBLEMS + n);
    problem *p = problem_new(&c);
    const float_deviation d = holds(p, "problem", (uint64_t)_i * PROBLEMS + n);
    worst.out = fmax(worst.out, d.out), worst.lse = fmax(worst.lse, d.lse);
    problem_free(p);
  }
  printf("# out %.3f, lse %.3f of the allowance\n", worst.out, worst.lse);
  fflush(stdout);
  ck_assert(worst.out > 0 && worst.lse > 0); /* or nothing was compared */
}
END_TEST

START_TEST(given_frequencies_and_tables_are_used) {
  for (int which = 0; which < 2; which++) {
    problem_config c = blocked_config(RPP_MODE_EC);
    c.attention.rotary.rotary_dim = 6;
    guarded tables[2];
    uint64_t state = 5;
    for (int i = 0; i < 2; i++) {
      tables[i] = guarded_new(LAYOUT_TRANSPOSED, RPP_F64, which ? 2 : 1, which ? (int64_t[]){40, 3} : (int64_t[]){3});
      int64_t index[RPP_MAX_DIMS] = {0};
      do rpp_tensor_set(&tables[i].tensor, index, support_uniform(&state, -1, 1));
      while (guarded_next(&tables[i].tensor, index));
    }
    if (which)
      c.attention.rotary.cos = &tables[0].tensor, c.attention.rotary.sin = &tables[1].tensor;
    else
      c.attention.rotary.inv_freq = &tables[0].tensor;
    c.start = 3;
    c.k_len = 20;
    problem *p = problem_new(&c);
    holds(p, "table", (uint64_t)which);
    problem_free(p);
    guarded_free(&tables[0]), guarded_free(&tables[1]);
  }
}
END_TEST

/* ---- Controls: what the comparison must catch ------------------------------------------------------------------------------ */

START_TEST(planted_faults_are_caught) {
  static const char *const names[] = {"pairing", "offset", "window", "scale", "base"};
  problem_config c = blocked_config(RPP_MODE_EC);
  c.attention.mask = RPP_MASK_WINDOW;
  problem *p = problem_new(&c);
  holds(p, "control", 0);
  for (int fault = 0; fault < 5; fault++) {
    rpp_attention spoiled = p->attention;
    if (fault == 0) spoiled.rotary.pairing = RPP_PAIRING_INTERLEAVED;
    if (fault == 1) spoiled.causal_offset++;
    if (fault == 2) spoiled.window++;
    if (fault == 3) spoiled.scale *= 1.001;
    if (fault == 4) spoiled.rotary.base *= 1.01;
    const float_deviation d = float_deviation_of(p, &spoiled);
    ck_assert_msg(d.out > 1 && d.lse > 1, "%s: not caught: out %g, lse %g", names[fault], d.out, d.lse);
  }
  set(&p->out.tensor, 0, 4, 1, 0, get(&p->out.tensor, 0, 4, 0, 0));
  ck_assert_msg(float_deviation_of(p, &p->attention).out > 1, "an imaginary head that equals the real one is not caught");
  set(&p->out.tensor, 0, 4, 1, 0, NAN);
  ck_assert_msg(!(float_deviation_of(p, &p->attention).out <= 1), "a NaN is not caught");
  problem_free(p);
}
END_TEST

/* ---- Rows and numbers at the edge ------------------------------------------------------------------------------------------ */

START_TEST(rows_without_keys_are_zero) {
  problem_config c = blocked_config(RPP_MODE_EH);
  c.q_len = 9, c.k_len = 4, c.attention.causal_offset = -5; /* rows 0 .. 4 see nothing */
  problem *p = problem_new(&c);
  holds(p, "no keys", 0);
  for (int64_t i = 0; i < 5; i++) {
    ck_assert(get(&p->out.tensor, 1, i, 3, 2) == 0 && !signbit(get(&p->out.tensor, 1, i, 3, 2)));
    ck_assert(get(&p->lse.tensor, 1, 3, i, 0) == -INFINITY);
  }
  ck_assert(isfinite(get(&p->lse.tensor, 1, 3, 5, 0)));
  problem_free(p);
}
END_TEST

/* Scores of -10^5 and beyond in every row and tile, and one of 10^4 among small ones: no sentinel is low enough, and no e^x survives
 * without the maximum. The product q.k is one column wide, exact. */
START_TEST(hot_and_cold_logits_are_right) {
  problem_config c = blocked_config(RPP_MODE_EC);
  c.q_len = 3, c.k_len = 2 * TILE + 3, c.attention.mask = RPP_MASK_FULL;
  c.attention.rotary.rotary_dim = 2, c.attention.scale = 1;
  for (int hot = 0; hot < 2; hot++) {
    problem *p = problem_new(&c);
    for (int64_t b = 0; b < 2; b++) {
      for (int64_t l = 0; l < c.k_len; l++)
        for (int64_t h = 0; h < 2; h++)
          for (int64_t x = 0; x < 8; x++)
            set(&p->k.tensor, b, l, h, x, x < 7 ? 0 : hot ? (l == TILE + 7 ? 64 : (double)(l % 5)) : -1000 - (double)l / 512);
      for (int64_t l = 0; l < c.q_len; l++)
        for (int64_t h = 0; h < 4; h++)
          for (int64_t x = 0; x < 8; x++) set(&p->q.tensor, b, l, h, x, x < 7 ? 0 : hot ? 160 : 128);
    }
    holds(p, "logits", (uint64_t)hot);
    if (hot) ck_assert(get(&p->out.tensor, 0, 1, 3, 2) == get(&p->v.tensor, 0, TILE + 7, 0, 2));
    problem_free(p);
  }
}
END_TEST

/* No score that float32 has is so large that a result would not be a mean of values. */
START_TEST(huge_scores_give_means_of_values) {
  problem_config c = blocked_config(RPP_MODE_EC);
  c.q_len = 40, c.k_len = 2 * TILE + 5, c.attention.mask = RPP_MASK_FULL; /* masked scores go another way */
  for (int power = 10; power <= 110; power += 10) {
    c.attention.scale = ldexp(0.75, power), c.seed = (uint64_t)power;
    problem *p = problem_new(&c);
    run(p);
    problem_gives_means(p);
    problem_free(p);
  }
}
END_TEST

/* A NaN or an infinity in a key or value reaches the rows that see it and no other, and does not change a bit of those. */
START_TEST(masked_poison_stays_out_and_visible_poison_comes_through) {
  static const double poisons[] = {NAN, INFINITY, -INFINITY};
  problem_config c = blocked_config(RPP_MODE_EC);
  c.q_len = c.k_len = TILE + 40, c.attention.causal_offset = 0, c.head_dim = 8;
  c.attention.mask = RPP_MASK_WINDOW, c.attention.window = 150;
  c.layout = _i % LAYOUTS, c.lse_dtype = RPP_F64;
  c.v_dim = _i < LAYOUTS ? 6 : 8; /* 8: whole micro-tiles, taken from where they lie if they lie straight */
  problem *clean = problem_new(&c), *p = problem_new(&c);
  run(clean);
  for (int poison = 0; poison < 3; poison++)
    for (int of_v = 0; of_v < 2; of_v++)
      for (int64_t key = 70; key < c.k_len; key += 97) {
        const rpp_tensor *t = of_v ? &p->v.tensor : &p->k.tensor;
        const double before = get(t, 1, key, 1, 5);
        set(t, 1, key, 1, 5, poisons[poison]);
        run(p);
        for (int64_t b = 0; b < 2; b++)
          for (int64_t i = 0; i < c.q_len; i++)
            for (int64_t o = 0; o < 8; o++) {
              const double x = get(&p->out.tensor, b, i, o, 5), y = get(&clean->out.tensor, b, i, o, 5);
              const bool seen = b == 1 && o >= 4 && key <= i && i < key + 150;
              if (seen && of_v) ck_assert_msg(!isfinite(x), "key %d, row %d: its value is lost", (int)key, (int)i);
              if (seen && isnan(poisons[poison])) ck_assert_msg(isnan(x), "key %d, row %d: its NaN is lost", (int)key, (int)i);
              if (!seen) ck_assert(get(&p->lse.tensor, b, o, i, 0) == get(&clean->lse.tensor, b, o, i, 0));
              if (!seen) ck_assert_msg(x == y, "key %d, row %d of head %d: %a became %a", (int)key, (int)i, (int)o, y, x);
            }
        ck_assert(get(&p->out.tensor, 1, key, 4, 4) == get(&clean->out.tensor, 1, key, 4, 4) || !of_v);
        set(t, 1, key, 1, 5, before);
      }
  problem_free(clean);
  problem_free(p);
}
END_TEST

/* ---- Determinism ----------------------------------------------------------------------------------------------------------- */

START_TEST(bits_do_not_depend_on_the_threads) {
  problem_config c = blocked_config(RPP_MODE_EC);
  c.q_len = 300, c.k_len = 2 * TILE + 77, c.head_dim = 62, c.v_dim = 50, c.attention.causal_offset = c.k_len - c.q_len;
  for (int packed = 0; packed < 2; packed++) {
    c.packed = packed * 3;
    problem *p = problem_new(&c);
    uint64_t first = 0;
    for (int threads = 1; threads <= 4; threads++)
      for (int repeat = 0; repeat < 3; repeat++) {
        omp_set_num_threads(threads);
        run(p);
        if (threads == 1 && repeat == 0) first = problem_outputs_hash(p);
        ck_assert_msg(problem_outputs_hash(p) == first, "%d threads: other bits", threads);
      }
    problem_free(p);
  }
}
END_TEST

START_TEST(one_output_alone_has_the_same_bits) {
  problem_config c = blocked_config(RPP_MODE_EC);
  problem *both = problem_new(&c), *alone = problem_new(&c);
  run(both);
  support_accepted(rpp_attention_blocked(&alone->attention, &alone->inputs, &alone->out.tensor, NULL));
  support_accepted(rpp_attention_blocked(&alone->attention, &alone->inputs, NULL, &alone->lse.tensor));
  ck_assert_uint_eq(problem_outputs_hash(both), problem_outputs_hash(alone));
  problem_free(both);
  problem_free(alone);
}
END_TEST

/* ---- Contract and refusals ------------------------------------------------------------------------------------------------- */

START_TEST(errors_stay_inside_the_contract) {
  double worst = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    problem_config c = draw(seed + 77777);
    c.q_dtype = c.k_dtype = c.v_dtype = c.out_dtype = storages[seed % 3], c.lse_dtype = RPP_F32;
    c.attention.rotary.angles = RPP_ANGLES_EXACT;
    problem *p = problem_new(&c);
    const rpp_contract contract = rpp_attention_blocked_contract(c.out_dtype);
    guarded exact = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, p->out.tensor.shape);
    guarded bound = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, p->out.tensor.shape);
    const rpp_bounded result = {.out = &exact.tensor, .out_bound = &bound.tensor};
    support_accepted(rpp_attention_bound(&p->attention, &p->inputs, &contract, NULL, &result));
    run(p);
    int64_t index[RPP_MAX_DIMS] = {0};
    if (c.batch * c.q_len * c.v_dim > 0) do {
        const double error = fabs(rpp_tensor_get(&p->out.tensor, index) - rpp_tensor_get(&exact.tensor, index));
        const double ratio = error == 0 ? 0 : error / rpp_tensor_get(&bound.tensor, index);
        ck_assert_msg(ratio <= 1, "problem %d: %g of the bound", (int)seed, ratio);
        worst = fmax(worst, ratio);
      } while (guarded_next(&exact.tensor, index));
    guarded_free(&exact), guarded_free(&bound);
    problem_free(p);
  }
  ck_assert(worst > 0);
}
END_TEST

/* No sequence, and so no elements, but a width whose scratch nobody could count. */
START_TEST(widths_past_counting_are_refused) {
  const int64_t width = INT64_C(1) << 56, q_shape[] = {0, 24, 1, width}, k_shape[] = {0, 5, 1, width}, v_shape[] = {0, 5, 1, 8},
                out_shape[] = {0, 24, 1, 8};
  float nothing[1];
  rpp_tensor q, k, v, out;
  support_accepted(rpp_tensor_contiguous(nothing, RPP_F32, 4, q_shape, &q));
  support_accepted(rpp_tensor_contiguous(nothing, RPP_F32, 4, k_shape, &k));
  support_accepted(rpp_tensor_contiguous(nothing, RPP_F32, 4, v_shape, &v));
  support_accepted(rpp_tensor_contiguous(nothing, RPP_F32, 4, out_shape, &out));
  rpp_attention a = problem_default(RPP_MODE_ROPE).attention;
  a.heads = a.kv_heads = 1, a.q_rotated = a.k_rotated = true, a.mask = RPP_MASK_FULL;
  const rpp_attention_inputs inputs = {.q = &q, .k = &k, .v = &v};
  support_refused(rpp_attention_blocked(&a, &inputs, &out, NULL), RPP_ERROR_OVERFLOW, "floats = ", "72057594037927936");
}
END_TEST

START_TEST(unsound_arguments_are_refused) {
  problem_config c = blocked_config(RPP_MODE_EC);
  problem *p = problem_new(&c);
  const rpp_attention sound = p->attention;
  const rpp_attention_inputs inputs = p->inputs;
  rpp_tensor *out = &p->out.tensor, *lse = &p->lse.tensor, wide = p->v.tensor;
  support_refused(rpp_attention_blocked(NULL, &inputs, out, lse), RPP_ERROR_NULL, "attention", "null");
  support_refused(rpp_attention_blocked(&sound, NULL, out, lse), RPP_ERROR_NULL, "inputs", "null");
  support_refused(rpp_attention_blocked(&sound, &inputs, NULL, NULL), RPP_ERROR_NULL, "out", "null");
  support_refused(rpp_attention_blocked(&sound, &inputs, &p->v.tensor, lse), RPP_ERROR_SHAPE, "out", "expected");
  rpp_tensor over = *out;
  over.data = p->q.tensor.data, over.byte_offset = p->q.tensor.byte_offset;
  support_refused(rpp_attention_blocked(&sound, &inputs, &over, lse), RPP_ERROR_OVERLAP, "out", "overlaps q");
  rpp_attention_inputs other = inputs;
  other.v = &wide, wide.dtype = RPP_F64;
  support_refused(rpp_attention_blocked(&sound, &other, out, lse), RPP_ERROR_DTYPE, "v.dtype", "F64");
  rpp_attention a = sound;
  a.scale = 1e39;
  support_refused(rpp_attention_blocked(&a, &inputs, out, lse), RPP_ERROR_UNSUPPORTED, "scale", "1e+39");
  a.scale = -1e-39;
  support_refused(rpp_attention_blocked(&a, &inputs, out, lse), RPP_ERROR_UNSUPPORTED, "scale", "-1e-39");
  a = sound, a.mode = RPP_MODE_EH, a.heads = 3, a.kv_heads = 1;
  support_refused(rpp_attention_blocked(&a, &inputs, out, lse), RPP_ERROR_VALUE, "heads", "3");
  a = sound, a.rotary.rotary_dim = 7;
  support_refused(rpp_attention_blocked(&a, &inputs, out, lse), RPP_ERROR_VALUE, "rotary_dim", "7");
  ck_assert_uint_eq(guarded_written_bytes(&p->out) + guarded_written_bytes(&p->lse), 0);
  problem_free(p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attention_blocked");
  TCase *tests = tcase_create("attention_blocked");
  tcase_add_loop_test(tests, random_problems_agree_with_the_truth, 0, BATCHES);
  tcase_add_test(tests, given_frequencies_and_tables_are_used);
  tcase_add_test(tests, planted_faults_are_caught);
  tcase_add_test(tests, rows_without_keys_are_zero);
  tcase_add_test(tests, hot_and_cold_logits_are_right);
  tcase_add_test(tests, huge_scores_give_means_of_values);
  tcase_add_loop_test(tests, masked_poison_stays_out_and_visible_poison_comes_through, 0, 2 * LAYOUTS);
  tcase_add_test(tests, bits_do_not_depend_on_the_threads);
  tcase_add_test(tests, one_output_alone_has_the_same_bits);
  tcase_add_test(tests, errors_stay_inside_the_contract);
  tcase_add_test(tests, widths_past_counting_are_refused);
  tcase_add_test(tests, unsound_arguments_are_refused);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
