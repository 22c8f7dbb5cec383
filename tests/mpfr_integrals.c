#include "mpfr_integrals.h"

/* Ci = euler + ln x + sum of (-1)^k x^2k / (2k (2k)!), k >= 1; Si = sum of (-1)^k x^(2k + 1) / ((2k + 1) (2k + 1)!), k >= 0. */
static void by_power_series(mpfr_t ci, mpfr_t si, const mpfr_t x) {
  mpfr_t power, term;
  mpfr_inits2(INTEGRALS_BITS, power, term, (mpfr_ptr)0);
  mpfr_const_euler(ci, MPFR_RNDN);
  mpfr_log(term, x, MPFR_RNDN);
  mpfr_add(ci, ci, term, MPFR_RNDN);
  mpfr_set_zero(si, 1);
  mpfr_set_ui(power, 1, MPFR_RNDN); /* x^n / n! */
  for (unsigned long n = 1; n < 4000; n++) {
    mpfr_mul(power, power, x, MPFR_RNDN);
    mpfr_div_ui(power, power, n, MPFR_RNDN);
    mpfr_div_ui(term, power, n, MPFR_RNDN);
    if (n / 2 % 2 == 1) mpfr_neg(term, term, MPFR_RNDN);
    mpfr_ptr sum = n % 2 == 1 ? si : ci;
    mpfr_add(sum, sum, term, MPFR_RNDN);
  }
  mpfr_clears(power, term, (mpfr_ptr)0);
}

/* Ci = f sin x - g cos x, Si = pi / 2 - f cos x - g sin x, with f = sum of (-1)^k (2k)! / x^(2k + 1), g = sum of (-1)^k (2k + 1)! /
 * x^(2k + 2), both until their terms grow. */
static void by_asymptotic_series(mpfr_t ci, mpfr_t si, const mpfr_t x) {
  mpfr_t f, g, term, sine, cosine;
  mpfr_inits2(INTEGRALS_BITS, f, g, term, sine, cosine, (mpfr_ptr)0);
  mpfr_set_zero(f, 1);
  mpfr_set_zero(g, 1);
  mpfr_ui_div(term, 1, x, MPFR_RNDN); /* n! / x^(n + 1) */
  for (unsigned long n = 0; n < 200; n++) {
    mpfr_ptr sum = n % 2 == 0 ? f : g;
    (n / 2 % 2 == 0 ? mpfr_add : mpfr_sub)(sum, sum, term, MPFR_RNDN);
    mpfr_mul_ui(term, term, n + 1, MPFR_RNDN);
    mpfr_div(term, term, x, MPFR_RNDN);
  }
  mpfr_sin_cos(sine, cosine, x, MPFR_RNDN);
  mpfr_mul(ci, f, sine, MPFR_RNDN);
  mpfr_mul(term, g, cosine, MPFR_RNDN);
  mpfr_sub(ci, ci, term, MPFR_RNDN);
  mpfr_const_pi(si, MPFR_RNDN);
  mpfr_div_ui(si, si, 2, MPFR_RNDN);
  mpfr_mul(term, f, cosine, MPFR_RNDN);
  mpfr_sub(si, si, term, MPFR_RNDN);
  mpfr_mul(term, g, sine, MPFR_RNDN);
  mpfr_sub(si, si, term, MPFR_RNDN);
  mpfr_clears(f, g, term, sine, cosine, (mpfr_ptr)0);
}

void oracle_integrals(mpfr_t ci, mpfr_t si, const mpfr_t x) {
  if (mpfr_cmp_ui(x, 200) > 0)
    by_asymptotic_series(ci, si, x);
  else
    by_power_series(ci, si, x);
}

double oracle_closed_form_error(double value, int of_im, double base, double t) {
  mpfr_t x, b, ci[2], si[2];
  mpfr_inits2(INTEGRALS_BITS, x, b, ci[0], ci[1], si[0], si[1], (mpfr_ptr)0);
  mpfr_set_d(x, t, MPFR_RNDN);
  mpfr_set_d(b, base, MPFR_RNDN);
  oracle_integrals(ci[0], si[0], x);
  mpfr_div(x, x, b, MPFR_RNDN);
  oracle_integrals(ci[1], si[1], x);
  mpfr_ptr a = of_im ? si[0] : ci[0];
  mpfr_sub(a, a, of_im ? si[1] : ci[1], MPFR_RNDN);
  mpfr_log(b, b, MPFR_RNDN);
  mpfr_div(a, a, b, MPFR_RNDN);
  mpfr_d_sub(a, value, a, MPFR_RNDN);
  const double error = mpfr_get_d(a, MPFR_RNDN);
  mpfr_clears(x, b, ci[0], ci[1], si[0], si[1], (mpfr_ptr)0);
  return error;
}
