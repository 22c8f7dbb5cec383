/* blocked_block.c: where softmax may do without a look at the scores, as the norms of queries and keys tell, by every instruction set of this
 * machine. */
#include <math.h>
#include "blocked.h"
#include "blocked_problem.h"
#include "support.h"

enum { TILE = RPP_BLOCKED_KEYS };

#define FOR_EACH_SET(by) for (const rpp_vector_set *const *at_ = rpp_vector_sets(), *by = *at_; by != NULL; by = *++at_)

/* A key and a row that are far larger than all others, in every place where a norm is kept: each alone is no reason to look at the scores, and
 * theirs, 400, has a weight that float32 has no place for. */
START_TEST(norms_are_those_of_all_rows_and_keys) {
  problem_config c = blocked_config(RPP_MODE_ROPE);
  c.q_len = 72, c.k_len = 2 * TILE + 21, c.attention.mask = RPP_MASK_FULL, c.attention.scale = 1;
  c.attention.q_rotated = c.attention.k_rotated = true;
  c.attention.heads = c.attention.kv_heads = 2;
  problem *p = problem_new(&c);
  for (int64_t b = 0; b < c.batch; b++)
    for (int64_t l = 0; l < c.k_len; l++)
      for (int64_t h = 0; h < 2; h++)
        for (int64_t x = 0; x < c.head_dim; x++) {
          if (l < c.q_len) set(&p->q.tensor, b, l, h, x, get(&p->q.tensor, b, l, h, x) / 4);
          set(&p->k.tensor, b, l, h, x, get(&p->k.tensor, b, l, h, x) / 4);
        }
  int64_t number = 0;
  FOR_EACH_SET(by)
  for (int64_t key = 3; key < c.k_len; key += RPP_BLOCKED_LOAD, number++) {
    const int64_t b = number % 2, h = number / 2 % 2, row = number * 7 % c.q_len, x = number % c.head_dim;
    const double q = get(&p->q.tensor, b, row, h, x), k = get(&p->k.tensor, b, key, h, x);
    set(&p->q.tensor, b, row, h, x, 20);
    set(&p->k.tensor, b, key, h, x, 20);
    blocked_holds(by, p, "key", (uint64_t)key);
    set(&p->q.tensor, b, row, h, x, q);
    set(&p->k.tensor, b, key, h, x, k);
  }
  problem_free(p);
}
END_TEST

/* Whose largest scores come late, so that the zero of their weights, and the sums of large values, would be 2^33 too small. */
START_TEST(values_may_have_any_size) {
  problem_config c = blocked_config(RPP_MODE_ROPE);
  c.q_len = 40, c.k_len = TILE, c.attention.mask = RPP_MASK_FULL, c.attention.scale = 1;
  c.attention.q_rotated = c.attention.k_rotated = true;
  problem *p = problem_new(&c), *large = problem_new(&c);
  for (int64_t x = 0; x < c.head_dim; x++)
    for (int64_t b = 0; b < c.batch; b++)
      for (int64_t l = 0; l < c.k_len; l++)
        for (int64_t h = 0; h < c.attention.heads; h++) {
          const double q = x > 0 ? 0 : 3, k = x > 0 ? 0 : l < 16 ? -4 : 4;
          if (l < c.q_len) set(&p->q.tensor, b, l, h, x, q), set(&large->q.tensor, b, l, h, x, q);
          if (h < c.attention.kv_heads) set(&p->k.tensor, b, l, h, x, k), set(&large->k.tensor, b, l, h, x, k);
          if (h < c.attention.kv_heads && x < c.v_dim) set(&large->v.tensor, b, l, h, x, ldexp(get(&p->v.tensor, b, l, h, x), 110));
        }
  FOR_EACH_SET(by) {
    blocked_holds(by, p, "values", 0);
    blocked_run(by, large);
    for (int64_t i = 0; i < c.q_len; i++)
      for (int64_t x = 0; x < c.v_dim; x++)
        ck_assert(get(&large->out.tensor, 1, i, 3, x) == ldexp(get(&p->out.tensor, 1, i, 3, x), 110));
  }
  problem_free(p), problem_free(large);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blocked_block");
  TCase *tests = tcase_create("blocked_block");
  tcase_add_test(tests, norms_are_those_of_all_rows_and_keys);
  tcase_add_test(tests, values_may_have_any_size);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
