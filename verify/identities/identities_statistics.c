/* identities_statistics.c: expectations over Gaussian queries and keys (eq. 17). A deviation is the distance of the sample mean from
 * the expected value in standard errors; the bound of 5 is a confidence interval of 1 - 6e-7 each. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

#define SAMPLES 5000

typedef struct {
  rpp_scratch scratch;
  rpp_attention attention;
  rpp_tensor q, k, pos_t, pos_s, scores;
  double mu, sigma, sum_cos, sum_sin; /* sums over the frequencies at t - s */
  int64_t width;
} experiment;

static void fill(const rpp_tensor *x, rpp_random *random, double mean, double sigma) {
  for (int64_t i = 0; i < rpp_scratch_size(x); i++) rpp_scratch_values(x)[i] = mean + sigma * rpp_random_normal(random);
}

/* mu > sigma, and a distance at which neither sum is near 0: what the controls plant is then many standard errors. */
static bool prepare(experiment *e, rpp_random *random) {
  double theta[64];
  *e = (experiment){.width = 2 * rpp_random_integer(random, 4, 16)};
  e->mu = 1 + 0.5 * rpp_random_uniform(random), e->sigma = 0.5 + 0.5 * rpp_random_uniform(random);
  e->attention = (rpp_attention){.mode = RPP_MODE_EC, .heads = 1, .kv_heads = 1, .scale = 1};
  e->attention.rotary = (rpp_rotary){.rotary_dim = e->width, .base = 1e4};
  if (rpp_frequencies(&e->attention.rotary, theta, NULL, NULL) != RPP_OK) return false;
  const int64_t t = rpp_random_integer(random, 0, 1000000);
  const double least = 0.5 + (double)e->width / 32;
  int64_t distance;
  do {
    distance = rpp_random_integer(random, 1, 64);
    e->sum_cos = e->sum_sin = 0;
    for (int64_t n = 0; n < e->width / 2; n++)
      e->sum_cos += cos((double)distance * theta[n]), e->sum_sin += sin((double)distance * theta[n]);
  } while (fabs(e->sum_cos) < least || fabs(e->sum_sin) < least); /* distance 1 satisfies both at every width */
  e->pos_t = rpp_scratch_positions(&e->scratch, 1, t + distance, 0), e->pos_s = rpp_scratch_positions(&e->scratch, 1, t, 0);
  e->q = rpp_scratch_zeros(&e->scratch, SAMPLES, 1, 1, e->width), e->k = rpp_scratch_zeros(&e->scratch, SAMPLES, 1, 1, e->width);
  e->scores = rpp_scratch_zeros(&e->scratch, SAMPLES, 1, 1, 1);
  fill(&e->q, random, e->mu, e->sigma);
  fill(&e->k, random, e->mu, e->sigma);
  return e->q.data && e->k.data && e->scores.data;
}

static bool score(experiment *e, const rpp_tensor *k, rpp_part part, double *scores) {
  const rpp_attention_inputs inputs = {.q = &e->q, .k = k, .pos_q = &e->pos_t, .pos_k = &e->pos_s};
  if (rpp_scores_rotated(&e->attention, &inputs, part, RPP_SCORES_ABSOLUTE, &e->scores) != RPP_OK) return false;
  for (int64_t i = 0; i < SAMPLES; i++) scores[i] = rpp_scratch_values(&e->scores)[i];
  return true;
}

/* |mean - expected| in standard errors of the mean. */
static double standard_errors(const double *x, double expected) {
  double mean = 0, variance = 0;
  for (int64_t i = 0; i < SAMPLES; i++) mean += x[i] / SAMPLES;
  for (int64_t i = 0; i < SAMPLES; i++) variance += (x[i] - mean) * (x[i] - mean) / (SAMPLES - 1);
  return fabs(mean - expected) / sqrt(variance / SAMPLES);
}

/* E[q' R k] = 2 mu^2 sum cos; imaginary: sin. The plant is the paper's 2 (mu^2 + sigma^2). */
static double mean_score(rpp_random *random, bool planted, rpp_part part) {
  experiment e;
  const bool ready = prepare(&e, random);
  const rpp_tensor room = rpp_scratch_zeros(&e.scratch, SAMPLES, 1, 1, 1);
  const bool worked = ready && room.data && score(&e, &e.k, part, rpp_scratch_values(&room));
  const double square = e.mu * e.mu + (planted ? e.sigma * e.sigma : 0);
  const double deviation =
      worked ? standard_errors(rpp_scratch_values(&room), 2 * square * (part == RPP_PART_REAL ? e.sum_cos : e.sum_sin)) : INFINITY;
  rpp_scratch_free(&e.scratch);
  return deviation;
}

/* E[q' R (q + e)] - E[q' R k] = 2 sigma^2 sum cos; imaginary: sin. The plant adds mu^2 to sigma^2. */
static double similar_key(rpp_random *random, bool planted, rpp_part part) {
  experiment e;
  const bool ready = prepare(&e, random);
  const rpp_tensor like = rpp_scratch_copy(&e.scratch, &e.q), a = rpp_scratch_zeros(&e.scratch, SAMPLES, 1, 1, 1);
  const rpp_tensor b = rpp_scratch_zeros(&e.scratch, SAMPLES, 1, 1, 1);
  for (int64_t i = 0; i < rpp_scratch_size(&like); i++) rpp_scratch_values(&like)[i] += 0.5 * rpp_random_normal(random);
  const bool worked = ready && like.data && a.data && b.data && score(&e, &like, part, rpp_scratch_values(&a)) &&
                      score(&e, &e.k, part, rpp_scratch_values(&b));
  for (int64_t i = 0; worked && i < SAMPLES; i++) rpp_scratch_values(&a)[i] -= rpp_scratch_values(&b)[i];
  const double square = e.sigma * e.sigma + (planted ? e.mu * e.mu : 0);
  const double deviation =
      worked ? standard_errors(rpp_scratch_values(&a), 2 * square * (part == RPP_PART_REAL ? e.sum_cos : e.sum_sin)) : INFINITY;
  rpp_scratch_free(&e.scratch);
  return deviation;
}

static double mean_real(rpp_random *random, bool planted) {
  return mean_score(random, planted, RPP_PART_REAL);
}
static double mean_imag(rpp_random *random, bool planted) {
  return mean_score(random, planted, RPP_PART_IMAG);
}
static double similar_real(rpp_random *random, bool planted) {
  return similar_key(random, planted, RPP_PART_REAL);
}
static double similar_imag(rpp_random *random, bool planted) {
  return similar_key(random, planted, RPP_PART_IMAG);
}

const rpp_identity rpp_identities_statistics[] = {
    {"mean-real", "17", "E[q'R k] = 2 mu^2 sum cos, in standard errors; plant: the paper's mu^2 + sigma^2", 5, 4, mean_real},
    {"mean-imag", "17", "E of imaginary scores = 2 mu^2 sum sin, in standard errors; plant: mu^2 + sigma^2", 5, 4, mean_imag},
    {"similar-key-real", "17", "E[q'R(q+e)] - E[q'R k] = 2 sigma^2 sum cos, in standard errors; plant: plus mu^2", 5, 4,
     similar_real},
    {"similar-key-imag", "17", "the same for imaginary scores = 2 sigma^2 sum sin; plant: plus mu^2", 5, 4, similar_imag},
    {0}};
