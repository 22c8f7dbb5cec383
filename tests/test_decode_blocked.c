/* decode_blocked.c, vector/decode_code.c: few query rows, by every instruction set of this machine, against the truth. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include "blocked.h"
#include "blocked_problem.h"
#include "decode_blocked.h"
#include "support.h"

enum { TILE = RPP_BLOCKED_KEYS, PROBLEMS = 500 };

static problem_config float_config(rpp_mode mode) {
  problem_config c = blocked_config(mode);
  c.q_len = 1;
  return c;
}

/* ---- Random problems ------------------------------------------------------------------------------------------------------ */

static uint64_t pick(uint64_t *state, uint64_t count) {
  return support_random(state) % count;
}

static const rpp_dtype storages[] = {RPP_F32, RPP_F16, RPP_BF16};

/* From 1 to RPP_DECODE_ROWS rows of a KV head; widths around whole vectors of every set; up to some tiles. */
static problem_config draw(uint64_t seed) {
  uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
  problem_config c = problem_default((rpp_mode)pick(&s, 3));
  const int64_t ratio = (int64_t)(1 + pick(&s, 8)), group = c.attention.mode == RPP_MODE_ROPE ? ratio : 2 * ratio;
  c.attention.kv_heads = (int64_t)(1 + pick(&s, 3)) * (c.attention.mode == RPP_MODE_EH ? 2 : 1);
  c.attention.heads = c.attention.kv_heads * ratio;
  c.batch = (int64_t)(1 + pick(&s, 2));
  c.q_len = (int64_t)(1 + (pick(&s, 2) ? 0 : pick(&s, (uint64_t)(RPP_DECODE_ROWS / group))));
  c.k_len = (int64_t)(pick(&s, 3) == 0 ? pick(&s, 4 * TILE) : 1 + pick(&s, 60));
  c.head_dim = (int64_t)(2 + pick(&s, pick(&s, 2) ? 40 : 150));
  c.v_dim = (int64_t)pick(&s, pick(&s, 2) ? 40 : 150);
  c.attention.rotary.pairing = (rpp_pairing)pick(&s, 2);
  c.attention.rotary.rotary_dim = 2 * (int64_t)(1 + pick(&s, (uint64_t)c.head_dim / 2));
  c.attention.mask = (rpp_mask)pick(&s, 3);
  c.attention.causal_offset = c.k_len - c.q_len - (pick(&s, 4) == 0 ? (int64_t)pick(&s, 40) : 0);
  c.attention.window = 1 + (int64_t)pick(&s, pick(&s, 2) ? 20 : 600);
  c.attention.scale = pick(&s, 20) == 0 ? 0 : support_uniform(&s, -0.3, 1) / sqrt((double)c.head_dim / 4);
  c.attention.q_rotated = pick(&s, 4) == 0;
  c.attention.k_rotated = pick(&s, 2) == 0;
  c.q_dtype = storages[pick(&s, 3)], c.k_dtype = storages[pick(&s, 3)], c.v_dtype = storages[pick(&s, 3)];
  c.out_dtype = RPP_F32, c.lse_dtype = RPP_F32;
  c.layout = (guarded_layout)pick(&s, LAYOUTS);
  c.positions = (positions_kind)pick(&s, 3);
  c.pos_dims = 1 + (int)pick(&s, 2);
  c.start = (int64_t)pick(&s, 100000);
  c.packed = pick(&s, 4) == 0 ? (int)(1 + pick(&s, 4)) : 0;
  c.seed = seed;
  return c;
}

START_TEST(random_problems_agree_with_the_truth) {
  for (uint64_t n = 0; n < PROBLEMS; n++) {
    const problem_config c = draw(n);
    problem *p = problem_new(&c);
    for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++) blocked_holds(*by, p, "problem", n);
    problem_free(p);
  }
}
END_TEST

/* ---- Splits ---------------------------------------------------------------------------------------------------------------- */

/* Of one tile and of several, with a last one that is short; what the contract's bound says of the same. */
START_TEST(splits_are_put_together) {
  static const int64_t lengths[] = {TILE, TILE + 1, 3 * TILE - 1, 40 * TILE + 5, 97 * TILE + 1};
  for (int n = 0; n < 5; n++) {
    problem_config c = float_config(RPP_MODE_EC);
    c.batch = 1, c.k_len = lengths[n], c.attention.causal_offset = c.k_len - 1, c.attention.k_rotated = n % 2 == 0;
    problem *p = problem_new(&c);
    const rpp_contract contract = rpp_attention_blocked_contract(RPP_F32);
    guarded exact = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, p->out.tensor.shape);
    guarded bound = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, p->out.tensor.shape);
    const rpp_bounded result = {.out = &exact.tensor, .out_bound = &bound.tensor};
    support_accepted(rpp_attention_bound(&p->attention, &p->inputs, &contract, NULL, &result));
    for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++) {
      int64_t index[RPP_MAX_DIMS] = {0};
      blocked_holds(*by, p, "length", (uint64_t)lengths[n]);
      do {
        const double error = fabs(rpp_tensor_get(&p->out.tensor, index) - rpp_tensor_get(&exact.tensor, index));
        ck_assert_msg(error <= rpp_tensor_get(&bound.tensor, index), "%s, %d keys: %g off", (*by)->name, (int)lengths[n], error);
      } while (guarded_next(&exact.tensor, index));
    }
    guarded_free(&exact), guarded_free(&bound);
    problem_free(p);
  }
}
END_TEST

/* Scores of -inf in all of the first split count for nothing; in all splits the mean of no values is NaN. */
START_TEST(scores_of_minus_infinity_weigh_nothing) {
  for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++)
    for (int all = 0; all < 2; all++) {
      problem_config c = float_config(RPP_MODE_ROPE);
      c.k_len = 2 * TILE, c.attention.mask = RPP_MASK_FULL, c.attention.q_rotated = c.attention.k_rotated = true;
      problem *p = problem_new(&c);
      for (int64_t o = 0; o < 4; o++) set(&p->q.tensor, 1, 0, o, 3, 1);
      for (int64_t l = 0; l < (all ? 2 : 1) * TILE; l++) set(&p->k.tensor, 1, l, 1, 3, -INFINITY);
      blocked_run(*by, p);
      double largest = 0;
      for (int64_t l = TILE; l < c.k_len; l++) largest = fmax(largest, get(&p->v.tensor, 1, l, 1, 2));
      ck_assert(isfinite(get(&p->out.tensor, 1, 0, 0, 2)) && isfinite(get(&p->lse.tensor, 1, 0, 0, 0)));
      for (int64_t o = 2; o < 4; o++) {
        const double out = get(&p->out.tensor, 1, 0, o, 2), lse = get(&p->lse.tensor, 1, o, 0, 0);
        ck_assert_msg(all ? isnan(out) && isnan(lse) : fabs(out) <= largest && isfinite(lse), "out %g, lse %g", out, lse);
      }
      problem_free(p);
    }
}
END_TEST

/* ---- Numbers --------------------------------------------------------------------------------------------------------------- */

/* All float16 and all bfloat16, as values of the one key there is: out is what they are. */
START_TEST(every_half_is_widened_exactly) {
  for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++)
    for (int which = 1; which < 3; which++) {
      problem_config c = float_config(RPP_MODE_ROPE);
      c.batch = 1, c.k_len = 1, c.v_dim = 1 << 16, c.v_dtype = storages[which], c.attention.mask = RPP_MASK_FULL;
      c.layout = (guarded_layout)(LAYOUT_UNALIGNED + LAYOUTS - 2); /* v's is the next but one: at an odd address */
      c.attention.heads = c.attention.kv_heads = 1;
      problem *p = problem_new(&c);
      ck_assert_int_eq(p->v.tensor.strides[3], 1);
      for (uint32_t bits = 0; bits < 1 << 16; bits++) {
        const uint16_t half = (uint16_t)bits;
        memcpy((char *)p->v.tensor.data + p->v.tensor.byte_offset + 2 * (size_t)bits, &half, sizeof half);
      }
      blocked_run(*by, p);
      for (int64_t n = 0; n < c.v_dim; n++) {
        const double x = get(&p->v.tensor, 0, 0, 0, n), y = get(&p->out.tensor, 0, 0, 0, n);
        ck_assert_msg(isnan(x) ? isnan(y) : x == y, "%s: %04x is %a, became %a", (*by)->name, (unsigned)n, x, y);
      }
      problem_free(p);
    }
}
END_TEST

/* No score that float32 has is so large that a result would not be a mean of values. */
START_TEST(huge_scores_give_means_of_values) {
  problem_config c = float_config(RPP_MODE_EC);
  c.k_len = 2 * TILE + 5;
  for (int power = 10; power <= 110; power += 10)
    for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++) {
      c.attention.scale = ldexp(0.75, power), c.seed = (uint64_t)power;
      problem *p = problem_new(&c);
      blocked_run(*by, p);
      problem_gives_means(p);
      problem_free(p);
    }
}
END_TEST

/* A NaN or an infinity in a key or value reaches the rows that see it and no other, and does not change a bit of those. */
START_TEST(masked_poison_stays_out_and_visible_poison_comes_through) {
  static const double poisons[] = {NAN, INFINITY, -INFINITY};
  problem_config c = float_config(RPP_MODE_EC);
  c.q_len = 4, c.k_len = TILE + 70, c.attention.causal_offset = TILE - 30;
  c.attention.mask = RPP_MASK_WINDOW, c.attention.window = 20;
  for (int rotated = 0; rotated < 2; rotated++) {
    c.attention.k_rotated = rotated;
    problem *clean = problem_new(&c), *p = problem_new(&c);
    for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++) {
      blocked_run(*by, clean);
      for (int poison = 0; poison < 6; poison++)
        for (int64_t key = TILE - 55; key < TILE - 20; key++) {
          const bool of_v = poison >= 3;
          const rpp_tensor *t = of_v ? &p->v.tensor : &p->k.tensor;
          const double before = get(t, 1, key, 1, 5);
          set(t, 1, key, 1, 5, poisons[poison % 3]);
          blocked_run(*by, p);
          for (int64_t b = 0; b < 2; b++)
            for (int64_t i = 0; i < c.q_len; i++)
              for (int64_t o = 0; o < 8; o++) {
                const double x = get(&p->out.tensor, b, i, o, 5), y = get(&clean->out.tensor, b, i, o, 5);
                const int64_t end = i + c.attention.causal_offset + 1;
                const bool seen = b == 1 && o >= 4 && key < end && key >= end - c.attention.window;
                if (seen && of_v) ck_assert_msg(!isfinite(x), "key %d, row %d: its value is lost", (int)key, (int)i);
                if (seen && poison == 0) ck_assert_msg(isnan(x), "key %d, row %d: its NaN is lost", (int)key, (int)i);
                if (!seen) ck_assert_msg(x == y, "key %d, row %d of head %d: %a became %a", (int)key, (int)i, (int)o, y, x);
              }
          set(t, 1, key, 1, 5, before);
        }
    }
    problem_free(clean), problem_free(p);
  }
}
END_TEST

START_TEST(hot_and_cold_logits_are_right) {
  for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++)
    for (int hot = 0; hot < 2; hot++) {
      problem_config c = float_config(RPP_MODE_EC);
      c.k_len = 2 * TILE + 3, c.attention.mask = RPP_MASK_FULL;
      c.attention.rotary.rotary_dim = 2, c.attention.scale = 1;
      problem *p = problem_new(&c);
      for (int64_t l = 0; l < c.k_len; l++)
        for (int64_t x = 0; x < 8; x++)
          set(&p->k.tensor, 0, l, 0, x, x < 7 ? 0 : hot ? (l == TILE + 7 ? 64 : (double)(l % 5)) : -1000 - (double)l / 512);
      for (int64_t h = 0; h < 4; h++)
        for (int64_t x = 0; x < 8; x++) set(&p->q.tensor, 0, 0, h, x, x < 7 ? 0 : hot ? 160 : 128);
      blocked_holds(*by, p, "logits", (uint64_t)hot);
      if (hot) ck_assert(get(&p->out.tensor, 0, 0, 3, 2) == get(&p->v.tensor, 0, TILE + 7, 0, 2));
      problem_free(p);
    }
}
END_TEST

/* ---- Determinism ----------------------------------------------------------------------------------------------------------- */

START_TEST(bits_do_not_depend_on_the_threads) {
  for (const rpp_vector_set *const *by = rpp_vector_sets(); *by; by++)
    for (int shape = 0; shape < 4; shape++) {
      problem_config c = float_config(RPP_MODE_EC);
      c.q_len = 1 + shape, c.k_len = 9 * TILE + 77, c.head_dim = 62, c.v_dim = 50, c.attention.causal_offset = c.k_len - c.q_len;
      c.attention.k_rotated = shape % 2, c.packed = shape == 3 ? 3 : 0;
      problem *p = problem_new(&c);
      uint64_t first = 0;
      for (int threads = 1; threads <= 3; threads++)
        for (int repeat = 0; repeat < 3; repeat++) {
          omp_set_num_threads(threads);
          blocked_run(*by, p);
          if (threads == 1 && repeat == 0) first = problem_outputs_hash(p);
          ck_assert_msg(problem_outputs_hash(p) == first, "%s, %d threads: other bits", (*by)->name, threads);
        }
      problem_free(p);
    }
}
END_TEST

START_TEST(a_wrong_mask_or_scale_is_caught) {
  problem_config c = float_config(RPP_MODE_EC);
  c.q_len = 3, c.k_len = TILE + 9, c.attention.causal_offset = TILE, c.attention.mask = RPP_MASK_WINDOW, c.attention.window = 7;
  problem *p = problem_new(&c);
  blocked_holds(rpp_vector_sets()[0], p, "control", 0);
  for (int fault = 0; fault < 3; fault++) {
    rpp_attention spoiled = p->attention;
    if (fault == 0) spoiled.causal_offset++;
    if (fault == 1) spoiled.window++;
    if (fault == 2) spoiled.scale *= 1.001;
    const float_deviation d = float_deviation_of(p, &spoiled);
    ck_assert_msg(d.out > 1 && d.lse > 1, "fault %d is not caught: out %g, lse %g", fault, d.out, d.lse);
  }
  problem_free(p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("decode_blocked");
  TCase *tests = tcase_create("decode_blocked");
  tcase_add_test(tests, random_problems_agree_with_the_truth);
  tcase_add_test(tests, splits_are_put_together);
  tcase_add_test(tests, scores_of_minus_infinity_weigh_nothing);
  tcase_add_test(tests, every_half_is_widened_exactly);
  tcase_add_test(tests, masked_poison_stays_out_and_visible_poison_comes_through);
  tcase_add_test(tests, hot_and_cold_logits_are_right);
  tcase_add_test(tests, huge_scores_give_means_of_values);
  tcase_add_test(tests, bits_do_not_depend_on_the_threads);
  tcase_add_test(tests, a_wrong_mask_or_scale_is_caught);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
