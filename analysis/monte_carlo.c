#include "monte_carlo.h"

#include <gsl/gsl_cblas.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

/* With pairs q = (a, b), e and k: q'R(q + e) - q'Rk = sum over pairs of u cos + w sin, u = q.(q + e - k), w = q x (q + e - k); for the
 * imaginary head u sin - w cos. Divided by the rotated width, its mean is the curve. */
struct rpp_monte_carlo {
  int pairs;
  int64_t samples;
  double *mean;       /* (2 pairs): of u, then of w */
  double *covariance; /* (2 pairs, 2 pairs): of a draw's, not of the mean's */
  double *form, *product;
};

/* One draw of [u; w] / width. */
static void draw(gsl_rng *generator, int pairs, double *x) {
  for (int n = 0; n < pairs; n++) {
    double q[2], d[2];
    for (int i = 0; i < 2; i++) q[i] = gsl_ran_gaussian_ziggurat(generator, 1);
    for (int i = 0; i < 2; i++) d[i] = q[i] + gsl_ran_gaussian_ziggurat(generator, 1) - gsl_ran_gaussian_ziggurat(generator, 1);
    x[n] = (q[0] * d[0] + q[1] * d[1]) / (2 * pairs);
    x[pairs + n] = (q[0] * d[1] - q[1] * d[0]) / (2 * pairs);
  }
}

rpp_monte_carlo *rpp_monte_carlo_draw(const rpp_rotary *rotary, int64_t samples, uint64_t seed, rpp_message *error) {
  const int pairs = (int)(rotary->rotary_dim / 2), width = 2 * pairs;
  const size_t w = (size_t)width;
  gsl_rng *generator = gsl_rng_alloc(gsl_rng_mt19937);
  rpp_monte_carlo *m = calloc(1, sizeof *m);
  double *room = calloc(w * w + 4 * w, sizeof *room);
  if (generator == NULL || m == NULL || room == NULL) {
    if (generator != NULL) gsl_rng_free(generator);
    free(m);
    free(room);
    rpp_message_set(error, "out of memory for %d pairs", pairs);
    return NULL;
  }
  double *x = room + w * w + 3 * w;
  *m = (rpp_monte_carlo){pairs, samples, room + w * w, room, room + w * w + w, room + w * w + 2 * w};
  gsl_rng_set(generator, (unsigned long)seed);
  for (int64_t s = 0; s < samples; s++) {
    draw(generator, pairs, x);
    cblas_daxpy(width, 1, x, 1, m->mean, 1);
    cblas_dsyr(CblasRowMajor, CblasUpper, width, 1, x, 1, m->covariance, width);
  }
  cblas_dscal(width, 1.0 / (double)samples, m->mean, 1);
  cblas_dsyr(CblasRowMajor, CblasUpper, width, -(double)samples, m->mean, 1, m->covariance, width);
  cblas_dscal(width * width, 1.0 / (double)(samples - 1), m->covariance, 1);
  gsl_rng_free(generator);
  return m;
}

/* The estimate of the linear form in m->form. */
static rpp_estimate estimate(const rpp_monte_carlo *m) {
  const int width = 2 * m->pairs;
  cblas_dsymv(CblasRowMajor, CblasUpper, width, 1, m->covariance, width, m->form, 1, 0, m->product, 1);
  const double variance = cblas_ddot(width, m->form, 1, m->product, 1);
  return (rpp_estimate){cblas_ddot(width, m->form, 1, m->mean, 1), 1.96 * sqrt(fmax(variance, 0) / (double)m->samples)};
}

void rpp_monte_carlo_at(const rpp_monte_carlo *drawn, const double *cosine, const double *sine, rpp_estimate *re,
                        rpp_estimate *im) {
  const int pairs = drawn->pairs;
  for (int n = 0; n < pairs; n++) drawn->form[n] = cosine[n], drawn->form[pairs + n] = sine[n];
  *re = estimate(drawn);
  for (int n = 0; n < pairs; n++) drawn->form[n] = sine[n], drawn->form[pairs + n] = -cosine[n];
  *im = estimate(drawn);
}

void rpp_monte_carlo_free(rpp_monte_carlo *drawn) {
  if (drawn == NULL) return;
  free(drawn->covariance);
  free(drawn);
}
