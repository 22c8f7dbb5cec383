/* dd.h: double-double arithmetic, a value as the unevaluated sum of two float64, some 106 bits. Dekker 1971, Knuth TAOCP 2;
 * no fused operations, so that the bits are the same on every machine. Arguments are finite and far from overflow. */
#ifndef RPP_DD_H
#define RPP_DD_H

typedef struct {
  double hi, lo;
} rpp_dd;

static inline rpp_dd rpp_dd_two_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return (rpp_dd){s, (a - (s - t)) + (b - t)};
}

/* |a| >= |b| or a = 0. */
static inline rpp_dd rpp_dd_fast_two_sum(double a, double b) {
  const double s = a + b;
  return (rpp_dd){s, b - (s - a)};
}

/* a b exactly; Dekker's splitting by 2^27 + 1. */
static inline rpp_dd rpp_dd_two_product(double a, double b) {
  const double p = a * b, sa = 134217729.0 * a, sb = 134217729.0 * b;
  const double ah = sa - (sa - a), al = a - ah, bh = sb - (sb - b), bl = b - bh;
  return (rpp_dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline rpp_dd rpp_dd_add(rpp_dd a, rpp_dd b) {
  rpp_dd s = rpp_dd_two_sum(a.hi, b.hi);
  const rpp_dd t = rpp_dd_two_sum(a.lo, b.lo);
  s = rpp_dd_fast_two_sum(s.hi, s.lo + t.hi);
  return rpp_dd_fast_two_sum(s.hi, s.lo + t.lo);
}

static inline rpp_dd rpp_dd_multiply(rpp_dd a, rpp_dd b) {
  const rpp_dd p = rpp_dd_two_product(a.hi, b.hi);
  return rpp_dd_fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline rpp_dd rpp_dd_negate(rpp_dd a) {
  return (rpp_dd){-a.hi, -a.lo};
}
static inline rpp_dd rpp_dd_scale(rpp_dd a, double b) {
  return rpp_dd_multiply(a, (rpp_dd){b, 0});
}
static inline rpp_dd rpp_dd_add_double(rpp_dd a, double b) {
  return rpp_dd_add(a, (rpp_dd){b, 0});
}

/* 2 pi and 1 / (2 pi); the latter's third part is for arguments that lie near a multiple of a quarter turn. */
#define RPP_DD_TWO_PI ((rpp_dd){0x1.921fb54442d18p+2, 0x1.1a62633145c07p-52})
#define RPP_DD_TURNS ((rpp_dd){0x1.45f306dc9c883p-3, -0x1.6b01ec5417056p-57})
#define RPP_DD_TURNS_REST (-0x1.6447e493ad4cep-111)

rpp_dd rpp_dd_divide(rpp_dd a, rpp_dd b);
rpp_dd rpp_dd_exp(rpp_dd x);                                /* |x| < 700 */
rpp_dd rpp_dd_log(rpp_dd x);                                /* x > 0 */
rpp_dd rpp_dd_pow(rpp_dd x, rpp_dd y);                      /* x > 0, |y log x| < 700 */
void rpp_dd_sincos(rpp_dd x, rpp_dd *sine, rpp_dd *cosine); /* |x| <= pi / 4 and a little */

/* The nearest float32, ties to even, of the whole value: one rounding. */
float rpp_dd_to_f32(rpp_dd x);

#endif
