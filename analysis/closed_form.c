#include "closed_form.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_expint.h>
#include <math.h>

#define HALF_PI 1.57079632679489661923

/* From here on the asymptotic series, whose third term is 1e-18 of the first. gsl_sf_Ci is right to 1e9 and wrong past it, without saying
 * so; gsl_sf_Si loses what is left of it beside pi / 2. */
#define FAR 1e5

/* ci = Ci(x); si = Si(x) - pi / 2 where that is what is known best, and then far is true. */
typedef struct {
  double ci, si;
  bool far;
} integrals;

static integrals at(double x) {
  if (!(x >= FAR)) return (integrals){gsl_sf_Ci(x), gsl_sf_Si(x), false};
  const double y = 1 / x / x; /* x x may overflow */
  const double f = (1 - 2 * y * (1 - 12 * y)) / x, g = y * (1 - 6 * y * (1 - 20 * y));
  return (integrals){f * sin(x) - g * cos(x), -f * cos(x) - g * sin(x), true};
}

/* A base so near 1 that the differences cancel: the integral over v of cos(t base^-v), v = 0 .. 1, by a quadrature that is exact to
 * rounding while the phase turns by less than NEAR_TURN. */
enum { POINTS = 64 };
#define NEAR_LOG 0.5
#define NEAR_TURN 30

static void by_quadrature(double log_base, double t, double *re, double *im) {
  gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
  double c = 0, s = 0;
  for (size_t i = 0; table != NULL && i < POINTS; i++) {
    double v, weight;
    gsl_integration_glfixed_point(0, 1, i, &v, &weight, table);
    const double turn = t * expm1(-v * log_base); /* from t, which may be large, to t base^-v */
    c += weight * cos(turn);
    s += weight * sin(turn);
  }
  *re = table != NULL ? cos(t) * c - sin(t) * s : NAN;
  *im = table != NULL ? sin(t) * c + cos(t) * s : NAN;
  if (table != NULL) gsl_integration_glfixed_table_free(table);
}

void rpp_closed_form(double base, double t, double *re, double *im) {
  *re = *im = NAN;
  if (!(base > 1) || isinf(base) || !(t >= 0) || isinf(t)) return;
  const double log_base = log(base), x = t / base;
  if (t < 1e-6) { /* the next terms are t^4 and t^3 */
    *re = 1 - t * t * (1 - 1 / base / base) / (4 * log_base);
    *im = t * (1 - 1 / base) / log_base;
    return;
  }
  if (log_base < NEAR_LOG && t * (1 - 1 / base) < NEAR_TURN) {
    by_quadrature(log_base, t, re, im);
    return;
  }
  const double rest = fma(-x, base, t) / base; /* t / base = x + rest: at 1e12 the rounding of x turns the phase visibly */
  const integrals a = at(t), b = at(x);
  const double si = a.far == b.far ? a.si - b.si : HALF_PI + a.si - b.si;
  *re = (a.ci - b.ci - cos(x) / x * rest) / log_base;
  *im = (si - sin(x) / x * rest) / log_base;
}

bool rpp_closed_form_of(const rpp_rotary *rotary, double *base, double *stretch) {
  const double width = (double)rotary->rotary_dim, factor = rotary->scaling.factor;
  *base = rotary->base, *stretch = 1;
  switch (rotary->scaling.kind) {
  case RPP_SCALING_NONE:
    return true;
  case RPP_SCALING_LINEAR:
    *stretch = 1 / factor;
    return true;
  case RPP_SCALING_NTK:
    *base *= factor;
    return true;
  case RPP_SCALING_NTK_AWARE:
    *base *= pow(factor, width / (width - 2));
    return true;
  default:
    return false;
  }
}

double rpp_closed_form_peak(double base) {
  return 2 * HALF_PI / (1 + 1 / base);
}

double rpp_closed_form_plateau(double base) {
  return HALF_PI / log(base);
}

static double part(double base, bool of_im, double t) {
  double re, im;
  rpp_closed_form(base, t, &re, &im);
  return of_im ? im : re;
}

double rpp_closed_form_root(double base, bool of_im, double low, double high) {
  if (!(part(base, of_im, low) >= 0) || !(part(base, of_im, high) < 0)) return NAN;
  while (high - low > 1e-12 * high) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (part(base, of_im, middle) < 0)
      high = middle;
    else
      low = middle;
  }
  return low + (high - low) / 2;
}
