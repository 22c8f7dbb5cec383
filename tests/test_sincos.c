/* sincos.c: cosine and sine of turns and of float32 radians, against MPFR. */
#include <math.h>
#include <stdio.h>
#include "mpfr_oracle.h"
#include "sincos.h"
#include "support.h"

enum { TURNS = 20000, FLOATS = 60000 };

/* Errors of one (t, turns), at a distance of shift turns for controls. */
static double error_of(double t, rpp_dd turns, double shift, mpfr_t x, mpfr_t s, mpfr_t c) {
  double cosine = 7, sine = 7;
  rpp_sincos_turns(1, t, &turns, &cosine, &sine);
  mpfr_set_d(x, turns.hi, MPFR_RNDN);
  mpfr_add_d(x, x, turns.lo, MPFR_RNDN);
  mpfr_mul_d(x, x, t, MPFR_RNDN);
  mpfr_add_d(x, x, shift, MPFR_RNDN);
  mpfr_const_pi(c, MPFR_RNDN);
  mpfr_mul(x, x, c, MPFR_RNDN);
  mpfr_mul_2ui(x, x, 1, MPFR_RNDN);
  mpfr_sin_cos(s, c, x, MPFR_RNDN);
  double worst = 0;
  support_worse(&worst, oracle_error(sine, 0, s));
  support_worse(&worst, oracle_error(cosine, 0, c));
  return worst;
}

/* turns, as the frequencies give them, for |t turns| near 2^size; every fourth product near a multiple of a quarter turn. */
static rpp_dd turns_for(uint64_t *state, double t, double size, int i) {
  double product = exp2(size - support_uniform(state, 0, 1)) * (i % 2 ? -1 : 1);
  if (i % 4 == 0 && size < 48) product = rint(product * 4) / 4 + exp2(support_uniform(state, -60, -3));
  const double hi = product / t;
  return rpp_dd_fast_two_sum(hi, hi * 0x1p-53 * support_uniform(state, -1, 1));
}

static double largest_error(uint64_t seed, double from, double to, double *control) {
  double worst = 0;
  mpfr_t x, s, c;
  mpfr_inits2(ORACLE_BITS, x, s, c, (mpfr_ptr)0);
  *control = INFINITY;
  for (int i = 0; i < TURNS; i++) {
    const double t = rint(exp2(support_uniform(&seed, 0, 53)));
    const rpp_dd turns = turns_for(&seed, t, support_uniform(&seed, from, to), i);
    support_worse(&worst, error_of(t, turns, 0, x, s, c));
    if (i % 100 == 0) *control = fmin(*control, error_of(t, turns, 1e-14, x, s, c));
  }
  mpfr_clears(x, s, c, (mpfr_ptr)0);
  return worst;
}

START_TEST(turns_to_2_40) {
  double control;
  const double worst = largest_error(1, -20, 40, &control);
  fprintf(stderr, "sincos, to 2^40 turns: largest error %.3g\n", worst);
  ck_assert_msg(worst <= 0x1p-52, "error %g", worst); /* the header's bound */
  ck_assert_msg(worst <= 9e-17, "error %g", worst);   /* and a little over what there is: without a correction term there is more */
  ck_assert(control > 0x1p-50);                       /* an angle off by 1e-14 turns is seen in the cosine or in the sine */
}
END_TEST

START_TEST(turns_near_the_limit) {
  /* Past 2^40 the header gives no bound; the reduction costs another rounding of the part below a float64's last place. */
  double control;
  const double worst = largest_error(2, 49, 50.9, &control);
  fprintf(stderr, "sincos, near 2^50 turns: largest error %.3g\n", worst);
  ck_assert_msg(worst <= 0x1p-51, "error %g", worst);
  ck_assert(control > 0x1p-50);
}
END_TEST

START_TEST(turns_of_quarters_are_exact) {
  /* Whole multiples of a quarter turn, and the zero angle: exactly 0, 1 and -1. */
  static const double cosines[] = {1, 0, -1, 0}, sines[] = {0, 1, 0, -1};
  const rpp_dd turns[] = {{0, 0}, {0.25, 0}, {0.5, 0}, {0.75, 0}, {-0.25, 0}};
  static const int quarters[] = {0, 1, 2, 3, -1};
  for (int t = -9; t <= 9; t++) {
    double cosine[5], sine[5];
    rpp_sincos_turns(5, (double)t, turns, cosine, sine);
    for (int n = 0; n < 5; n++) {
      const int quarter = ((t * quarters[n]) % 4 + 4) % 4;
      ck_assert_msg(cosine[n] == cosines[quarter] && sine[n] == sines[quarter], "%d times %d quarters", t, quarters[n]);
    }
  }
}
END_TEST

START_TEST(turns_are_odd_and_even) {
  uint64_t state = 3;
  int wrong = 0;
  for (int i = 0; i < TURNS; i++) {
    const double t = rint(exp2(support_uniform(&state, 0, 40)));
    const rpp_dd turns = {support_uniform(&state, 0, 1), 0};
    double c, s, minus_c, minus_s;
    rpp_sincos_turns(1, t, &turns, &c, &s);
    rpp_sincos_turns(1, -t, &turns, &minus_c, &minus_s);
    wrong += !(c == minus_c && s == -minus_s); /* so that exchanging t and s changes no bit but the sign */
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

/* The number of wrong ones among the cosine and the sine, and in *shifted those of the next float32. */
static int wrong_floats(float x, int *shifted, mpfr_t s, mpfr_t c) {
  float cosine = 7, sine = 7, cosine_next, sine_next;
  rpp_sincos_f32(x, &cosine, &sine);
  rpp_sincos_f32(nextafterf(x, INFINITY), &cosine_next, &sine_next);
  mpfr_set_d(s, (double)x, MPFR_RNDN);
  mpfr_sin_cos(s, c, s, MPFR_RNDN);
  const double exact_s = oracle_round(RPP_F32, s), exact_c = oracle_round(RPP_F32, c);
  *shifted += (double)sine_next != exact_s || (double)cosine_next != exact_c;
  return ((double)sine != exact_s) + ((double)cosine != exact_c);
}

static float random_float(uint64_t *state, int i) {
  const double sign = i % 2 ? -1 : 1;
  if (i % 4 < 2) return (float)(sign * exp2(support_uniform(state, -30, 40)));
  /* As angles are formed: a position times a frequency, rounded to float32. */
  const float position = (float)(support_random(state) % (1 << 24));
  return (float)sign * (position * (float)pow(10000, -support_uniform(state, 0, 1)));
}

START_TEST(floats) {
  uint64_t state = 4 + (uint64_t)_i;
  int wrong = 0, shifted = 0;
  mpfr_t s, c;
  mpfr_inits2(120, s, c, (mpfr_ptr)0); /* hard cases lie within 2^-60 of a tie or so: 120 bits decide all of them */
  for (int i = 0; i < FLOATS; i++) wrong += wrong_floats(random_float(&state, i), &shifted, s, c);
  mpfr_clears(s, c, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_gt(shifted, FLOATS / 2);
}
END_TEST

START_TEST(floats_near_quarter_turns) {
  /* The float32 next to k pi / 2 and its neighbours: all of the small k, then k up to 2^40 / (pi / 2). */
  uint64_t state = 6;
  int wrong = 0, shifted = 0;
  mpfr_t s, c;
  mpfr_inits2(160, s, c, (mpfr_ptr)0); /* the smaller of the two is near 2^-36: its digits come after those */
  for (int i = 0; i < FLOATS / 3; i++) {
    const double k = i < 4000 ? (double)i : rint(exp2(support_uniform(&state, 12, 39.3)));
    const float x = (float)(k * 1.5707963267948966);
    wrong += wrong_floats(nextafterf(x, -INFINITY), &shifted, s, c);
    wrong += wrong_floats(x, &shifted, s, c);
    wrong += wrong_floats(-nextafterf(x, INFINITY), &shifted, s, c);
  }
  mpfr_clears(s, c, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_gt(shifted, FLOATS / 2);
}
END_TEST

START_TEST(hardest_floats) {
  /* Of all 587,202,561 float32 from 2^-30 to 2^40 (every one was right), the 40 whose cosine or sine comes nearest to a tie, hardest
   * first: there a float64 result does not decide, and the double-double one must. */
  static const float hardest[] = {
      0x1.33333p+13f,  0x1.20ffccp-7f,  0x1.e35bc6p+7f,  0x1p-12f,        0x1.a8872ap-11f, 0x1.6ad26ep+32f, 0x1.8f219cp+5f,
      0x1.e7061ep-2f,  0x1.515766p+12f, 0x1.9eab2ep-4f,  0x1.4b4f2cp+22f, 0x1.b3a7fcp+38f, 0x1.cf9736p+19f, 0x1.41c47p+16f,
      0x1.03b948p+21f, 0x1.6f1b7p+5f,   0x1.f10928p+38f, 0x1.30f266p+22f, 0x1.1e377ap-11f, 0x1.97cb02p+33f, 0x1.9a238ep+30f,
      0x1.b6cbfep+29f, 0x1.a88a5p+6f,   0x1.0d5fdcp+20f, 0x1.f0b444p+14f, 0x1.57eb54p+36f, 0x1.bf4e1cp-3f,  0x1.4442d6p+30f,
      0x1.328bdap+37f, 0x1.f28fe6p+28f, 0x1.8bb956p+31f, 0x1.a8ce04p+28f, 0x1.544ce4p+0f,  0x1.af8cfcp+16f, 0x1.e64002p-2f,
      0x1.363d26p+34f, 0x1.41f49cp+0f,  0x1.9a4cb8p+15f, 0x1.8db252p+25f, 0x1.869c24p-9f};
  int wrong = 0, shifted = 0;
  mpfr_t s, c;
  mpfr_inits2(160, s, c, (mpfr_ptr)0);
  for (int i = 0; i < 40; i++) wrong += wrong_floats(hardest[i], &shifted, s, c) + wrong_floats(-hardest[i], &shifted, s, c);
  mpfr_clears(s, c, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(floats_at_the_ends) {
  int wrong = 0, shifted = 0;
  mpfr_t s, c;
  mpfr_inits2(ORACLE_BITS, s, c, (mpfr_ptr)0);
  static const float ends[] = {0, 0x1p-149f, 0x1p-126f, 0x1.fffffep-127f, 0x1p-100f, 0x1p-13f, 0x1p-12f, 0x1.fffffep-1f, 0x1p40f};
  for (int i = 0; i < 9; i++) wrong += wrong_floats(ends[i], &shifted, s, c) + wrong_floats(-ends[i], &shifted, s, c);
  mpfr_clears(s, c, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sincos");
  TCase *cases = tcase_create("sincos");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, turns_to_2_40);
  tcase_add_test(cases, turns_near_the_limit);
  tcase_add_test(cases, turns_of_quarters_are_exact);
  tcase_add_test(cases, turns_are_odd_and_even);
  tcase_add_loop_test(cases, floats, 0, 2);
  tcase_add_test(cases, floats_near_quarter_turns);
  tcase_add_test(cases, hardest_floats);
  tcase_add_test(cases, floats_at_the_ends);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
