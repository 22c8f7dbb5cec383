#include "dd.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const rpp_dd ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

rpp_dd rpp_dd_divide(rpp_dd a, rpp_dd b) {
  const double q1 = a.hi / b.hi;
  rpp_dd rest = rpp_dd_add(a, rpp_dd_negate(rpp_dd_scale(b, q1)));
  const double q2 = rest.hi / b.hi;
  rest = rpp_dd_add(rest, rpp_dd_negate(rpp_dd_scale(b, q2)));
  return rpp_dd_add_double(rpp_dd_fast_two_sum(q1, q2), rest.hi / b.hi);
}

/* 1 / n, n = 2 .. 11. */
static const rpp_dd reciprocals[] = {{0x1p-1, 0},
                                     {0x1.5555555555555p-2, 0x1.5555555555555p-56},
                                     {0x1p-2, 0},
                                     {0x1.999999999999ap-3, -0x1.999999999999ap-57},
                                     {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                                     {0x1.2492492492492p-3, 0x1.2492492492492p-57},
                                     {0x1p-3, 0},
                                     {0x1.c71c71c71c71cp-4, 0x1.c71c71c71c71cp-58},
                                     {0x1.999999999999ap-4, -0x1.999999999999ap-58},
                                     {0x1.745d1745d1746p-4, -0x1.745d1745d1746p-59}};

rpp_dd rpp_dd_exp(rpp_dd x) {
  const double k = rint(x.hi / ln2.hi);
  const rpp_dd r = rpp_dd_scale(rpp_dd_add(x, rpp_dd_negate(rpp_dd_scale(ln2, k))), 1.0 / 256);
  /* expm1 by Taylor, |r| < 0.0014, then doubled eight times as expm1, which keeps the small part's digits. */
  rpp_dd term = r, sum = r;
  for (int n = 2; n <= 11; n++) {
    term = rpp_dd_multiply(rpp_dd_multiply(term, r), reciprocals[n - 2]);
    sum = rpp_dd_add(sum, term);
  }
  for (int i = 0; i < 8; i++) sum = rpp_dd_add(rpp_dd_scale(sum, 2), rpp_dd_multiply(sum, sum));
  sum = rpp_dd_add_double(sum, 1);
  return (rpp_dd){ldexp(sum.hi, (int)k), ldexp(sum.lo, (int)k)};
}

rpp_dd rpp_dd_log(rpp_dd x) {
  /* Newton on exp(y) = x, from a libm value whose error is squared twice. */
  rpp_dd y = {log(x.hi), 0};
  for (int i = 0; i < 2; i++) y = rpp_dd_add(y, rpp_dd_add_double(rpp_dd_multiply(x, rpp_dd_exp(rpp_dd_negate(y))), -1));
  return y;
}

rpp_dd rpp_dd_pow(rpp_dd x, rpp_dd y) {
  return rpp_dd_exp(rpp_dd_multiply(y, rpp_dd_log(x)));
}

void rpp_dd_sincos(rpp_dd x, rpp_dd *sine, rpp_dd *cosine) {
  const rpp_dd minus_square = rpp_dd_negate(rpp_dd_multiply(x, x));
  rpp_dd odd = x, even = {1, 0};
  *sine = odd, *cosine = even;
  for (int n = 1; n <= 14; n++) {
    even = rpp_dd_divide(rpp_dd_multiply(even, minus_square), (rpp_dd){(2 * n - 1) * (2 * n), 0});
    odd = rpp_dd_divide(rpp_dd_multiply(odd, minus_square), (rpp_dd){(2 * n) * (2 * n + 1), 0});
    *cosine = rpp_dd_add(*cosine, even);
    *sine = rpp_dd_add(*sine, odd);
  }
}

float rpp_dd_to_f32(rpp_dd x) {
  /* hi rounded to odd with lo as the sticky part: then the conversion sees on which side of a tie the whole value lies. */
  double hi = x.hi;
  if (x.lo != 0) {
    uint64_t bits;
    memcpy(&bits, &hi, sizeof bits);
    if ((x.lo > 0) != (hi > 0)) bits--;
    bits |= 1;
    memcpy(&hi, &bits, sizeof hi);
  }
  return (float)hi;
}
