/* dd.c: double-double arithmetic against MPFR. */
#include <math.h>
#include <stdio.h>
#include "dd.h"
#include "mpfr_oracle.h"
#include "support.h"

enum { CASES = 4000 };

/* A double-double of either sign, 2^low to 2^high in size, with digits in both parts. */
static rpp_dd random_dd(uint64_t *state, double low, double high) {
  const double hi = exp2(support_uniform(state, low, high)) * (support_random(state) & 1 ? -1 : 1);
  return rpp_dd_fast_two_sum(hi, hi * 0x1p-53 * support_uniform(state, -1, 1));
}

static rpp_dd positive(rpp_dd a) {
  return a.hi < 0 ? rpp_dd_negate(a) : a;
}

static void set(mpfr_t x, rpp_dd a) {
  mpfr_set_d(x, a.hi, MPFR_RNDN);
  mpfr_add_d(x, x, a.lo, MPFR_RNDN);
}

/* Fails unless the error is below the bound; and unless the same comparison sees that the low part was dropped. */
static void judge(const char *what, double worst, double without_low, double bound) {
  fprintf(stderr, "dd, %s: largest error %.3g, bound %.3g\n", what, worst, bound);
  ck_assert_msg(worst <= bound, "%s: error %g", what, worst);
  ck_assert_msg(without_low > 100 * bound, "%s: %g without the low part is not seen", what, without_low);
}

START_TEST(sums_and_products_are_exact) {
  uint64_t state = 1;
  int wrong = 0, control = 0;
  mpfr_t x, y;
  mpfr_inits2(ORACLE_BITS, x, y, (mpfr_ptr)0);
  for (int i = 0; i < CASES; i++) {
    const double a = random_dd(&state, -80, 80).hi, b = random_dd(&state, -80, 80).hi;
    const double large = fabs(a) >= fabs(b) ? a : b, small = fabs(a) >= fabs(b) ? b : a;
    const rpp_dd sum = rpp_dd_two_sum(a, b), fast = rpp_dd_fast_two_sum(large, small), product = rpp_dd_two_product(a, b);
    mpfr_set_d(x, a, MPFR_RNDN);
    mpfr_add_d(y, x, b, MPFR_RNDN);
    wrong += oracle_error(sum.hi, sum.lo, y) != 0 || sum.hi != a + b;
    wrong += oracle_error(fast.hi, fast.lo, y) != 0 || fast.hi != a + b;
    mpfr_mul_d(y, x, b, MPFR_RNDN);
    wrong += oracle_error(product.hi, product.lo, y) != 0 || product.hi != a * b;
    control += oracle_error(product.hi, 0, y) != 0;
  }
  mpfr_clears(x, y, (mpfr_ptr)0);
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_gt(control, CASES / 2);
}
END_TEST

START_TEST(arithmetic) {
  static const char *const names[] = {"add", "multiply", "scale", "add double", "divide"};
  /* In units of u^2, u = 2^-53: those that Joldes, Muller, Popescu and Rideau proved for sums and products; for the quotient twice what is seen. */
  static const double bounds[] = {3, 5, 5, 3, 4};
  uint64_t state = 2;
  double worst[5] = {0}, dropped[5] = {0};
  mpfr_t x, y, exact[5];
  mpfr_inits2(ORACLE_BITS, x, y, exact[0], exact[1], exact[2], exact[3], exact[4], (mpfr_ptr)0);
  for (int i = 0; i < CASES; i++) {
    const rpp_dd a = random_dd(&state, -40, 40), b = random_dd(&state, -40, 40);
    set(x, a), set(y, b);
    mpfr_add(exact[0], x, y, MPFR_RNDN);
    mpfr_mul(exact[1], x, y, MPFR_RNDN);
    mpfr_mul_d(exact[2], x, b.hi, MPFR_RNDN);
    mpfr_add_d(exact[3], x, b.hi, MPFR_RNDN);
    mpfr_div(exact[4], x, y, MPFR_RNDN);
    const rpp_dd got[] = {rpp_dd_add(a, b), rpp_dd_multiply(a, b), rpp_dd_scale(a, b.hi), rpp_dd_add_double(a, b.hi),
                          rpp_dd_divide(a, b)};
    for (int n = 0; n < 5; n++) {
      support_worse(&worst[n], oracle_relative_error(got[n].hi, got[n].lo, exact[n]));
      support_worse(&dropped[n], oracle_relative_error(got[n].hi, 0, exact[n]));
    }
    ck_assert(rpp_dd_negate(a).hi == -a.hi && rpp_dd_negate(a).lo == -a.lo);
  }
  for (int n = 0; n < 5; n++) judge(names[n], worst[n], dropped[n], bounds[n] * 0x1p-106);
  mpfr_clears(x, y, exact[0], exact[1], exact[2], exact[3], exact[4], (mpfr_ptr)0);
}
END_TEST

START_TEST(sums_that_cancel) {
  /* a - b with equal leading parts: nothing may be lost but the last bits of what is left. */
  uint64_t state = 3;
  double worst = 0;
  mpfr_t x, y;
  mpfr_inits2(ORACLE_BITS, x, y, (mpfr_ptr)0);
  for (int i = 0; i < CASES; i++) {
    const rpp_dd a = random_dd(&state, -1, 1), b = {-a.hi * (1 + 0x1p-50 * (double)(i % 5)), a.lo * support_uniform(&state, -1, 1)};
    const rpp_dd sum = rpp_dd_add(a, b);
    set(x, a), set(y, b);
    mpfr_add(x, x, y, MPFR_RNDN);
    support_worse(&worst, oracle_error(sum.hi, sum.lo, x)); /* against a of size 1 */
  }
  fprintf(stderr, "dd, cancelling sums: largest error %.3g\n", worst);
  ck_assert(worst == 0); /* what is left fits the two parts */
  mpfr_clears(x, y, (mpfr_ptr)0);
}
END_TEST

START_TEST(exponential) {
  uint64_t state = 4;
  double worst = 0, dropped = 0;
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  for (int i = 0; i < CASES; i++) {
    /* Sizes 2^-30 to 600: past that the low part of a small result has no digits left. */
    const rpp_dd a = random_dd(&state, -30, log2(600)), got = rpp_dd_exp(a);
    set(x, a);
    mpfr_exp(x, x, MPFR_RNDN);
    const double size = fmax(1, fabs(a.hi)); /* the multiple of log 2 that is taken away is as large as x */
    support_worse(&worst, oracle_relative_error(got.hi, got.lo, x) / size);
    support_worse(&dropped, oracle_relative_error(got.hi, 0, x) / size);
  }
  judge("exp", worst, dropped, 1e-30);
  const rpp_dd one = rpp_dd_exp((rpp_dd){0, 0});
  ck_assert(one.hi == 1 && one.lo == 0);
  mpfr_clear(x);
}
END_TEST

START_TEST(logarithm) {
  uint64_t state = 5;
  double worst = 0, dropped = 0;
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  for (int i = 0; i < CASES; i++) {
    rpp_dd a = random_dd(&state, -600, 600);
    if (i % 2) a = rpp_dd_add_double(rpp_dd_scale(random_dd(&state, -30, -1), 0.9), 1); /* near 1 */
    a = positive(a);
    const rpp_dd got = rpp_dd_log(a);
    set(x, a);
    mpfr_log(x, x, MPFR_RNDN);
    const double size = fmax(1, fabs(got.hi)); /* near 1 the error is that of 1 + x: absolute */
    support_worse(&worst, oracle_error(got.hi, got.lo, x) / size);
    support_worse(&dropped, oracle_error(got.hi, 0, x) / size);
  }
  judge("log", worst, dropped, 1e-30);
  const rpp_dd zero = rpp_dd_log((rpp_dd){1, 0});
  ck_assert(fabs(zero.hi) <= 1e-31);
  mpfr_clear(x);
}
END_TEST

START_TEST(power) {
  uint64_t state = 6;
  double worst = 0, dropped = 0;
  mpfr_t x, y;
  mpfr_inits2(ORACLE_BITS, x, y, (mpfr_ptr)0);
  for (int i = 0; i < CASES; i++) {
    /* Bases and exponents as frequencies use them, and wider ones; |y log x| up to 50. */
    rpp_dd base = positive(random_dd(&state, 1, 40)), exponent = random_dd(&state, -20, 0);
    if (i % 2) base = (rpp_dd){i % 4 == 1 ? 10000 : 500000, 0};
    if (i % 8 == 1) exponent = rpp_dd_divide((rpp_dd){-2.0 * (double)(i / 8 % 64), 0}, (rpp_dd){128, 0});
    const rpp_dd got = rpp_dd_pow(base, exponent);
    set(x, base), set(y, exponent);
    mpfr_pow(x, x, y, MPFR_RNDN);
    support_worse(&worst, oracle_relative_error(got.hi, got.lo, x));
    support_worse(&dropped, oracle_relative_error(got.hi, 0, x));
  }
  judge("pow", worst, dropped, 1e-30);
  mpfr_clears(x, y, (mpfr_ptr)0);
}
END_TEST

START_TEST(sine_and_cosine) {
  uint64_t state = 7;
  double worst[2] = {0}, dropped[2] = {0};
  mpfr_t x, s, c;
  mpfr_inits2(ORACLE_BITS, x, s, c, (mpfr_ptr)0);
  for (int i = 0; i < CASES; i++) {
    const rpp_dd a = i ? random_dd(&state, i % 2 ? -60 : -3, log2(0.8)) : (rpp_dd){0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55};
    rpp_dd sine, cosine;
    rpp_dd_sincos(a, &sine, &cosine);
    set(x, a);
    mpfr_sin_cos(s, c, x, MPFR_RNDN);
    support_worse(&worst[0], oracle_relative_error(sine.hi, sine.lo, s)),
        support_worse(&worst[1], oracle_relative_error(cosine.hi, cosine.lo, c));
    support_worse(&dropped[0], oracle_relative_error(sine.hi, 0, s)),
        support_worse(&dropped[1], oracle_relative_error(cosine.hi, 0, c));
  }
  judge("sin", worst[0], dropped[0], 1e-30);
  judge("cos", worst[1], dropped[1], 1e-30);
  mpfr_clears(x, s, c, (mpfr_ptr)0);
}
END_TEST

START_TEST(constants) {
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  mpfr_const_pi(x, MPFR_RNDN);
  mpfr_mul_ui(x, x, 2, MPFR_RNDN);
  ck_assert(fabs(oracle_relative_error(RPP_DD_TWO_PI.hi, RPP_DD_TWO_PI.lo, x)) <= 0x1p-106);
  mpfr_ui_div(x, 1, x, MPFR_RNDN);
  ck_assert(fabs(oracle_relative_error(RPP_DD_TURNS.hi, RPP_DD_TURNS.lo, x)) <= 0x1p-106);
  mpfr_sub_d(x, x, RPP_DD_TURNS.hi, MPFR_RNDN);
  ck_assert(fabs(oracle_error(RPP_DD_TURNS.lo, RPP_DD_TURNS_REST, x)) <= 0x1p-162);
  mpfr_clear(x);
}
END_TEST

static int wrong_float(rpp_dd x, mpfr_t scratch) {
  set(scratch, x);
  return (double)rpp_dd_to_f32(x) != oracle_round(RPP_F32, scratch);
}

START_TEST(to_float32) {
  uint64_t state = 8;
  int wrong = 0, twice_rounded = 0;
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  for (int i = 0; i < 20 * CASES; i++) {
    /* A float32, or a tie between two (subnormal ones too), and a low part that pushes to either side or not at all. */
    const int power = i % 3 ? (int)(support_random(&state) % 40) - 20 : -149;
    const double units = (double)(support_random(&state) % (1 << 24)), half = i % 2 ? 0.5 : 0, sign = i % 8 < 4 ? 1 : -1;
    const double hi = sign * ldexp(fmax(units, 1) + half, power);
    const double pushes[] = {0, 0x1p-53, -0x1p-53, 0x1p-54, -0x1p-54, 0x1p-100, -0x1p-100, 0x1.8p-54};
    rpp_dd a = rpp_dd_two_sum(hi, hi * pushes[support_random(&state) % 8]);
    wrong += wrong_float(a, x);
    twice_rounded += (double)(float)a.hi != oracle_round(RPP_F32, x);
    a = random_dd(&state, -140, 120);
    wrong += wrong_float(a, x);
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_gt(twice_rounded, CASES); /* the cases do tell one rounding from two */
  ck_assert(rpp_dd_to_f32((rpp_dd){0, 0}) == 0);
  ck_assert(rpp_dd_to_f32((rpp_dd){1 + 0x1p-24, 0}) == 1); /* ties to even */
  ck_assert(rpp_dd_to_f32((rpp_dd){1 + 0x1p-24, 0x1p-90}) == 1 + 0x1p-23f);
  ck_assert(rpp_dd_to_f32((rpp_dd){1 + 0x1.8p-23, -0x1p-90}) == 1 + 0x1p-23f);
  ck_assert(rpp_dd_to_f32((rpp_dd){-1 - 0x1.8p-23, 0}) == -1 - 0x1p-22f);
  mpfr_clear(x);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dd");
  TCase *cases = tcase_create("dd");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, sums_and_products_are_exact);
  tcase_add_test(cases, arithmetic);
  tcase_add_test(cases, sums_that_cancel);
  tcase_add_test(cases, exponential);
  tcase_add_test(cases, logarithm);
  tcase_add_test(cases, power);
  tcase_add_test(cases, sine_and_cosine);
  tcase_add_test(cases, constants);
  tcase_add_test(cases, to_float32);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
