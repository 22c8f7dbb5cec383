/* float_angles.c: the recurrence against MPFR and against rpp_angle_row, whatever the positions; what is not turned is rpp_angle_row's. */
#include "float_angles.h"
#include <math.h>
#include <stdlib.h>
#include "guarded.h"
#include "mpfr_oracle.h"
#include "support.h"

enum { WIDTH = 22, PAIRS = WIDTH / 2, MOST = 2 * RPP_ANGLE_RESYNC + 100 };

static const double BOUND = 5e-13; /* float_angles.h */

static int64_t places[2 * MOST];

static rpp_tensor positions(int64_t count) {
  rpp_tensor t;
  support_accepted(rpp_tensor_contiguous(places, RPP_I64, 1, &count, &t));
  return t;
}

/* Whether y is what a number within BOUND of x, relative to the magnitude, is rounded to. */
static bool rounds_to(double x, double magnitude, float y) {
  return (float)(x - BOUND * magnitude) <= y && y <= (float)(x + BOUND * magnitude);
}

typedef struct {
  rpp_angle_source source;
  double scratch[4 * PAIRS], c[PAIRS], s[PAIRS];
  float cosine[MOST * PAIRS], sine[MOST * PAIRS];
} table;

static table *open_table(const rpp_rotary *rotary) {
  table *t = malloc(sizeof *t);
  ck_assert_ptr_nonnull(t);
  support_accepted(rpp_angle_source_open(rotary, &t->source));
  return t;
}

static void close_table(table *t) {
  rpp_angle_source_close(&t->source);
  free(t);
}

/* Rows 0 .. count - 1 of sequence b. */
static void check_rows(table *t, const rpp_tensor *pos, int64_t b, int64_t count, const char *what) {
  for (int64_t l = 0; l < count; l++) {
    const int64_t at = places[(pos->ndim == 1 ? 0 : b * count) + l];
    rpp_angle_row(&t->source, at, t->c, t->s);
    for (int n = 0; n < PAIRS; n++)
      ck_assert_msg(rounds_to(t->c[n], t->source.magnitude, t->cosine[l * PAIRS + n]) &&
                        rounds_to(t->s[n], t->source.magnitude, t->sine[l * PAIRS + n]),
                    "%s: row %d, position %lld, pair %d: (%a, %a), not (%a, %a)", what, (int)l, (long long)at, n,
                    (double)t->cosine[l * PAIRS + n], (double)t->sine[l * PAIRS + n], t->c[n], t->s[n]);
  }
}

static const int64_t starts[] = {0, -1500, 100000, -1000000000, 1000000000};
enum { STARTS = sizeof starts / sizeof *starts };

/* What is left after the longest run of turns, before it is rounded: against MPFR. */
START_TEST(the_longest_run_stays_within_its_bound) {
  mpfr_t theta, magnitude, c, s;
  mpfr_inits2(ORACLE_BITS, theta, magnitude, c, s, (mpfr_ptr)0);
  double worst = 0;
  for (int k = 0; k < oracle_scaling_count; k++)
    for (int base = 0; base < 3; base++)
      for (int i = 0; i < STARTS; i++) {
        const rpp_rotary rotary = oracle_rotary(WIDTH, base == 0 ? 10000 : base == 1 ? 500000 : 1e9, oracle_scalings[k].scaling);
        table *t = open_table(&rotary);
        for (int64_t l = 0; l < RPP_ANGLE_RESYNC; l++) places[l] = starts[i] + l;
        const rpp_tensor pos = positions(RPP_ANGLE_RESYNC);
        rpp_float_angles walk;
        rpp_float_angles_begin(&t->source, t->scratch, &walk);
        rpp_float_angles_next(&walk, &pos, 0, 0, RPP_ANGLE_RESYNC, t->cosine, t->sine);
        ck_assert_int_eq(walk.left, 0);
        oracle_magnitude(magnitude, &rotary);
        for (int n = 0; n < PAIRS; n++) {
          oracle_theta(theta, &rotary, n);
          oracle_cos_sin(c, s, theta, magnitude, starts[i] + RPP_ANGLE_RESYNC);
          support_worse(&worst, hypot(oracle_error(walk.c[n], 0, c), oracle_error(walk.s[n], 0, s)) / t->source.magnitude);
        }
        close_table(t);
      }
  mpfr_clears(theta, magnitude, c, s, (mpfr_ptr)0);
  ck_assert_msg(worst <= BOUND, "%g after %d turns", worst, (int)RPP_ANGLE_RESYNC);
  ck_assert_msg(worst > 1e-15, "%g: nothing was turned", worst);
}
END_TEST

START_TEST(consecutive_positions_agree_with_rpp_angle_row) {
  for (int k = 0; k < oracle_scaling_count; k++)
    for (int i = 0; i < STARTS; i++) {
      const rpp_rotary rotary = oracle_rotary(WIDTH, 10000, oracle_scalings[k].scaling);
      table *t = open_table(&rotary);
      for (int64_t l = 0; l < MOST; l++) places[l] = starts[i] + l;
      const rpp_tensor pos = positions(MOST);
      rpp_float_angle_rows(&t->source, &pos, 0, 0, MOST, t->scratch, t->cosine, t->sine);
      check_rows(t, &pos, 0, MOST, oracle_scalings[k].name);
      close_table(t);
    }
}
END_TEST

/* Gaps, repetitions, packed sequences that begin anew, and steps backwards; of two sequences, whichever way they lie. */
static void scatter(void) {
  uint64_t state = 5;
  for (int64_t l = 1; l < 2 * MOST; l++) {
    const uint64_t dice = support_random(&state) % 40;
    places[l] = dice == 0   ? 0
                : dice == 1 ? places[l - 1]
                : dice == 2 ? places[l - 1] - 1
                : dice == 3 ? (int64_t)(support_random(&state) % 1000000)
                : dice == 4 ? places[l - 1] + 2
                            : places[l - 1] + 1;
  }
}

START_TEST(any_positions_agree_with_rpp_angle_row) {
  const rpp_rotary rotary = oracle_rotary(WIDTH, 10000, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = 8, .orig = 512});
  table *t = open_table(&rotary);
  places[0] = 3;
  scatter();
  rpp_tensor pos;
  support_accepted(rpp_tensor_contiguous(places, RPP_I64, 2, (int64_t[]){2, MOST}, &pos));
  for (int64_t b = 0; b < 2; b++) {
    rpp_float_angle_rows(&t->source, &pos, b, 0, MOST, t->scratch, t->cosine, t->sine);
    check_rows(t, &pos, b, MOST, "scattered");
  }
  close_table(t);
}
END_TEST

START_TEST(calls_may_cut_a_walk_anywhere) {
  const rpp_rotary rotary = oracle_rotary(WIDTH, 10000, (rpp_scaling){.kind = RPP_SCALING_NONE});
  table *t = open_table(&rotary), *cut = open_table(&rotary);
  places[0] = 100;
  scatter();
  for (int64_t l = 200; l < MOST; l++) places[l] = l; /* and a run that is computed afresh on its way */
  const rpp_tensor pos = positions(MOST);
  rpp_float_angle_rows(&t->source, &pos, 0, 0, MOST, t->scratch, t->cosine, t->sine);
  rpp_float_angles walk;
  rpp_float_angles_begin(&cut->source, cut->scratch, &walk);
  for (int64_t l = 0, step = 1; l < MOST; l += step, step = step % 50 + 1) {
    if (step > MOST - l) step = MOST - l;
    rpp_float_angles_next(&walk, &pos, 0, l, step, cut->cosine + l * PAIRS, cut->sine + l * PAIRS);
  }
  ck_assert_mem_eq(t->cosine, cut->cosine, sizeof t->cosine);
  ck_assert_mem_eq(t->sine, cut->sine, sizeof t->sine);
  close_table(t), close_table(cut);
}
END_TEST

/* Tables, Hugging Face's angles and rounded ones: no other number will do. */
START_TEST(what_is_not_turned_is_rpp_angle_row_rounded) {
  guarded cos = guarded_new(LAYOUT_PADDED, RPP_F16, 2, (int64_t[]){MOST, PAIRS}), sin = cos;
  sin = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 2, (int64_t[]){MOST, PAIRS});
  uint64_t state = 9;
  int64_t index[RPP_MAX_DIMS] = {0};
  do {
    rpp_tensor_set(&cos.tensor, index, support_uniform(&state, -1, 1));
    rpp_tensor_set(&sin.tensor, index, support_uniform(&state, -1, 1));
  } while (guarded_next(&cos.tensor, index));
  const rpp_rotary plain = oracle_rotary(WIDTH, 10000, (rpp_scaling){.kind = RPP_SCALING_NONE});
  rpp_rotary hf = plain, rounded = plain, given = plain;
  hf.angles = RPP_ANGLES_HF_F32;
  rounded.table_dtype = RPP_F32;
  given.cos = &cos.tensor, given.sin = &sin.tensor;
  const rpp_rotary *all[] = {&hf, &rounded, &given};
  for (int64_t l = 0; l < MOST; l++) places[l] = l;
  const rpp_tensor pos = positions(MOST);
  for (int i = 0; i < 3; i++) {
    table *t = open_table(all[i]);
    rpp_float_angle_rows(&t->source, &pos, 0, 0, MOST, t->scratch, t->cosine, t->sine);
    for (int64_t l = 0; l < MOST; l++) {
      rpp_angle_row(&t->source, l, t->c, t->s);
      for (int n = 0; n < PAIRS; n++)
        ck_assert_msg((float)t->c[n] == t->cosine[l * PAIRS + n] && (float)t->s[n] == t->sine[l * PAIRS + n],
                      "source %d, row %d, pair %d", i, (int)l, n);
    }
    close_table(t);
  }
  guarded_free(&cos), guarded_free(&sin);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("float_angles");
  TCase *tests = tcase_create("float_angles");
  tcase_set_timeout(tests, 20);
  tcase_add_test(tests, the_longest_run_stays_within_its_bound);
  tcase_add_test(tests, consecutive_positions_agree_with_rpp_angle_row);
  tcase_add_test(tests, any_positions_agree_with_rpp_angle_row);
  tcase_add_test(tests, calls_may_cut_a_walk_anywhere);
  tcase_add_test(tests, what_is_not_turned_is_rpp_angle_row_rounded);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
