/* angles_blocked.c: against the truth's tables, whatever the positions; the same bits for any number of threads; what it refuses. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include "support.h"

enum { WIDTH = 46, PAIRS = WIDTH / 2, TOKENS = 9000, COUNT = TOKENS * PAIRS };

static const double BOUND = 5e-13; /* ropepp.h */

static rpp_rotary rotary_of(rpp_scaling_kind kind) {
  return (rpp_rotary){.rotary_dim = WIDTH, .base = 500000, .scaling = {.kind = kind, .factor = 8, .orig = 512}};
}

typedef struct {
  int64_t *places;
  float *memory[2];
  rpp_tensor pos, cos, sin;
} tables;

static tables new_tables(void) {
  tables t = {.places = malloc(TOKENS * sizeof(int64_t)), .memory = {malloc(COUNT * sizeof(float)), malloc(COUNT * sizeof(float))}};
  const int64_t shape[] = {TOKENS, PAIRS};
  ck_assert(t.places && t.memory[0] && t.memory[1]);
  support_accepted(rpp_tensor_contiguous(t.places, RPP_I64, 1, shape, &t.pos));
  support_accepted(rpp_tensor_contiguous(t.memory[0], RPP_F32, 2, shape, &t.cos));
  support_accepted(rpp_tensor_contiguous(t.memory[1], RPP_F32, 2, shape, &t.sin));
  return t;
}

static void free_tables(tables *t) {
  free(t->places), free(t->memory[0]), free(t->memory[1]);
}

/* Tokens one after another, and jumps every so often. */
static void walk(tables *t, int64_t start, int64_t jumps) {
  uint64_t state = 8;
  for (int64_t l = 0, at = start; l < TOKENS; l++, at++) {
    if (jumps > 0 && l % jumps == 0) at = (int64_t)(support_random(&state) % 2000000) - 1000000;
    t->places[l] = at;
  }
}

static bool rounds_to(double x, double magnitude, float y) {
  return (float)(x - BOUND * magnitude) <= y && y <= (float)(x + BOUND * magnitude);
}

/* How many numbers are not what one within BOUND of the truth's, at positions moved by shift, is rounded to. */
static int64_t count_wrong(const rpp_rotary *rotary, const tables *t, int64_t shift) {
  double *exact = malloc(2 * COUNT * sizeof *exact), magnitude;
  int64_t *moved = malloc(TOKENS * sizeof *moved), wrong = 0;
  const int64_t shape[] = {TOKENS, PAIRS};
  rpp_tensor pos, cos, sin;
  ck_assert(exact && moved);
  for (int l = 0; l < TOKENS; l++) moved[l] = t->places[l] + shift;
  support_accepted(rpp_tensor_contiguous(moved, RPP_I64, 1, shape, &pos));
  support_accepted(rpp_tensor_contiguous(exact, RPP_F64, 2, shape, &cos));
  support_accepted(rpp_tensor_contiguous(exact + COUNT, RPP_F64, 2, shape, &sin));
  support_accepted(rpp_angles(rotary, &pos, &cos, &sin));
  support_accepted(rpp_frequencies(rotary, NULL, NULL, &magnitude));
  for (int i = 0; i < COUNT; i++)
    wrong += !rounds_to(exact[i], magnitude, t->memory[0][i]) + !rounds_to(exact[COUNT + i], magnitude, t->memory[1][i]);
  free(exact), free(moved);
  return wrong;
}

START_TEST(agrees_with_the_truth) {
  const rpp_scaling_kind kinds[] = {RPP_SCALING_NONE, RPP_SCALING_YARN, RPP_SCALING_LINEAR};
  const int64_t starts[] = {0, -3000, 100000000}, jumps[] = {0, 1, 37};
  tables t = new_tables();
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 3; i++) {
      const rpp_rotary rotary = rotary_of(kinds[k]);
      walk(&t, starts[i], jumps[(i + k) % 3]);
      memset(t.memory[0], 0xff, COUNT * sizeof(float)), memset(t.memory[1], 0xff, COUNT * sizeof(float));
      support_accepted(rpp_angles_blocked(&rotary, &t.pos, &t.cos, &t.sin));
      ck_assert_int_eq(count_wrong(&rotary, &t, 0), 0);
      ck_assert_msg(count_wrong(&rotary, &t, 1) > COUNT / 2, "a table of other positions is not caught");
      t.memory[1][COUNT / 2 + 5] = nextafterf(t.memory[1][COUNT / 2 + 5], 9);
      ck_assert_msg(count_wrong(&rotary, &t, 0) == 1, "one unit in the last place is not caught");
    }
  free_tables(&t);
}
END_TEST

START_TEST(bits_do_not_depend_on_threads) {
  const rpp_rotary rotary = rotary_of(RPP_SCALING_YARN);
  tables want = new_tables(), t = new_tables();
  walk(&want, 5, 2500), walk(&t, 5, 2500);
  omp_set_num_threads(1);
  support_accepted(rpp_angles_blocked(&rotary, &want.pos, &want.cos, &want.sin));
  for (int threads = 2; threads <= 4; threads++) {
    omp_set_num_threads(threads);
    memset(t.memory[0], 0xff, COUNT * sizeof(float)), memset(t.memory[1], 0xff, COUNT * sizeof(float));
    support_accepted(rpp_angles_blocked(&rotary, &t.pos, &t.cos, &t.sin));
    for (int i = 0; i < 2; i++) ck_assert_msg(memcmp(t.memory[i], want.memory[i], COUNT * sizeof(float)) == 0, "table %d", i);
  }
  free_tables(&want), free_tables(&t);
}
END_TEST

START_TEST(unsound_arguments_are_refused) {
  const rpp_rotary rotary = rotary_of(RPP_SCALING_NONE);
  rpp_rotary odd = rotary;
  odd.rotary_dim = WIDTH - 1;
  tables t = new_tables();
  walk(&t, 0, 0);
  rpp_tensor half = t.cos, wide = t.sin, apart = t.cos, none = t.pos, cos = t.cos, sin = t.sin;
  half.dtype = RPP_F16;
  wide.shape[0] = TOKENS / 2, wide.shape[1]++;
  apart.shape[0] = t.pos.shape[0] = TOKENS / 2;
  apart.strides[0] = 2 * PAIRS;
  cos.shape[0] = sin.shape[0] = TOKENS / 2;
  support_refused(rpp_angles_blocked(NULL, &t.pos, &cos, &sin), RPP_ERROR_NULL, "rotary", "null");
  support_refused(rpp_angles_blocked(&rotary, NULL, &cos, &sin), RPP_ERROR_NULL, "pos", "null");
  support_refused(rpp_angles_blocked(&rotary, &t.pos, NULL, &sin), RPP_ERROR_NULL, "cos", "null");
  support_refused(rpp_angles_blocked(&odd, &t.pos, &cos, &sin), RPP_ERROR_VALUE, "rotary_dim", "45");
  support_refused(rpp_angles_blocked(&rotary, &t.pos, &cos, &wide), RPP_ERROR_SHAPE, "sin", "24");
  support_refused(rpp_angles_blocked(&rotary, &t.pos, &cos, &cos), RPP_ERROR_OVERLAP, "sin", "overlaps cos");
  support_refused(rpp_angles_blocked(&rotary, &t.pos, &apart, &sin), RPP_ERROR_SHAPE, "cos.strides", "46");
  half.shape[0] = TOKENS / 2;
  support_refused(rpp_angles_blocked(&rotary, &t.pos, &half, &sin), RPP_ERROR_DTYPE, "cos.dtype", "F16");
  none.shape[0] = cos.shape[0] = sin.shape[0] = 0;
  support_accepted(rpp_angles_blocked(&rotary, &none, &cos, &sin));
  free_tables(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("angles_blocked");
  TCase *tests = tcase_create("angles_blocked");
  tcase_add_test(tests, agrees_with_the_truth);
  tcase_add_test(tests, bits_do_not_depend_on_threads);
  tcase_add_test(tests, unsound_arguments_are_refused);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
