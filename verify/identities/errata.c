#include "identities/errata.h"

#include "base/scratch.h"

#include <complex.h>
#include <math.h>

#define PAIRS 64
#define PI 3.14159265358979323846

/* One line: the number by the definition, by the paper's formula and by the corrected one; they must agree, or not, to tolerance. */
static bool row(FILE *out, const char *error, const char *what, double definition, double paper, double corrected,
                double tolerance) {
  const bool shown = fabs(corrected - definition) <= tolerance && !(fabs(paper - definition) <= tolerance);
  fprintf(out, "%-5s %-58s %12.6f %12.6f %12.6f  %s\n", error, what, definition, paper, corrected, shown ? "shown" : "NOT SHOWN");
  return shown;
}

/* Error 1: Re of sum conj(q) k e^(-i theta D), against the paper's sum q conj(k) e^(-i theta D), for a random pair of rows. */
static bool conjugate(FILE *out) {
  rpp_scratch scratch = {0};
  rpp_random random = rpp_random_make(1, 0);
  const int64_t distance = 5;
  const rpp_attention attention = {
      .mode = RPP_MODE_EC, .heads = 1, .kv_heads = 1, .scale = 1, .rotary = {.rotary_dim = 2 * PAIRS, .base = 1e4}};
  const rpp_tensor q = rpp_scratch_normal(&scratch, &random, 1, 1, 1, 2 * PAIRS),
                   k = rpp_scratch_normal(&scratch, &random, 1, 1, 1, 2 * PAIRS);
  const rpp_tensor pos_q = rpp_scratch_positions(&scratch, 1, distance, 0), pos_k = rpp_scratch_positions(&scratch, 1, 0, 0);
  const rpp_attention_inputs inputs = {.q = &q, .k = &k, .pos_q = &pos_q, .pos_k = &pos_k};
  rpp_tensor scores[2];
  double theta[PAIRS];
  bool worked = rpp_frequencies(&attention.rotary, theta, NULL, NULL) == RPP_OK && q.data && k.data;
  for (int part = 0; part < 2; part++) {
    scores[part] = rpp_scratch_zeros(&scratch, 1, 1, 1, 1);
    worked &= rpp_scores_rotated(&attention, &inputs, (rpp_part)part, RPP_SCORES_ABSOLUTE, &scores[part]) == RPP_OK;
  }
  double complex paper = 0, corrected = 0;
  for (int n = 0; worked && n < PAIRS; n++) {
    const double *a = rpp_scratch_values(&q) + 2 * n, *b = rpp_scratch_values(&k) + 2 * n;
    const double complex turn = cexp(-I * theta[n] * (double)distance), qn = a[0] + a[1] * I, kn = b[0] + b[1] * I;
    paper += qn * conj(kn) * turn;
    corrected += conj(qn) * kn * turn;
  }
  worked = worked && row(out, "1", "real score at distance 5, by the complex form", *rpp_scratch_values(&scores[0]), creal(paper),
                         creal(corrected), 1e-9);
  worked = worked && row(out, "1", "imaginary score at distance 5, by the complex form", *rpp_scratch_values(&scores[1]),
                         -cimag(paper), -cimag(corrected), 1e-9);
  rpp_scratch_free(&scratch);
  return worked;
}

/* Si(x), x <= 4, by its power series. */
static double sine_integral(double x) {
  double term = x, sum = x;
  for (int n = 3; n < 60; n += 2) {
    term *= -x * x / ((n - 1) * n);
    sum += term / n;
  }
  return sum;
}

/* Error 2: the maximum of c_im, at t = pi: the mean of sin(pi theta_n) over very many pairs, where sum becomes integral. */
static bool closed_form(FILE *out) {
  const int64_t width = 1 << 17;
  const rpp_rotary rotary = {.rotary_dim = width, .base = 1e4};
  rpp_scratch scratch = {0};
  const rpp_tensor theta = rpp_scratch_tensor(&scratch, RPP_F64, 1, (int64_t[]){width / 2});
  bool worked = theta.data && rpp_frequencies(&rotary, rpp_scratch_values(&theta), NULL, NULL) == RPP_OK;
  double mean = 0;
  for (int64_t n = 0; worked && n < width / 2; n++) mean += sin(PI * rpp_scratch_values(&theta)[n]) / (double)(width / 2);
  rpp_scratch_free(&scratch);
  const double paper = sine_integral(PI) - sine_integral(PI / 1e4);
  return worked && row(out, "2", "c_im at pi, its maximum (pairs: 65,536)", mean, paper, paper / log(1e4), 1e-4);
}

/* Error 3: the first distance at which a discrete curve is negative; the paper calls the curves positive. */
static bool first_negative(FILE *out, int64_t width, rpp_part part, double known) {
  const int64_t length = 2000;
  const rpp_rotary rotary = {.rotary_dim = width, .base = 1e4};
  rpp_scratch scratch = {0};
  const rpp_tensor pos = rpp_scratch_positions(&scratch, length, 0, 1);
  rpp_tensor table[2];
  for (int i = 0; i < 2; i++) table[i] = rpp_scratch_tensor(&scratch, RPP_F64, 2, (int64_t[]){length, width / 2});
  double first = NAN;
  const bool worked = rpp_angles(&rotary, &pos, &table[0], &table[1]) == RPP_OK;
  for (int64_t t = 1; worked && t < length && isnan(first); t++) {
    double sum = 0;
    for (int64_t n = 0; n < width / 2; n++) sum += rpp_scratch_values(&table[part])[t * (width / 2) + n];
    if (sum < 0) first = (double)t;
  }
  rpp_scratch_free(&scratch);
  char what[64];
  snprintf(what, sizeof what, "c_%s at d = %d: first negative distance", part == RPP_PART_REAL ? "re" : "im", (int)width);
  return row(out, "3", what, first, INFINITY, known, 0);
}

/* Error 4: the mean of q'Rk over independent normal q and k with mean 1 and sigma 1, at distance 0: d mu^2. */
static bool expectation(FILE *out) {
  const int64_t samples = 20000, width = 2 * PAIRS;
  rpp_random random = rpp_random_make(4, 0);
  double mean = 0;
  for (int64_t i = 0; i < samples * width; i++)
    mean += (1 + rpp_random_normal(&random)) * (1 + rpp_random_normal(&random)) / (double)samples;
  return row(out, "4", "E[q'Rk], d = 128, mu = sigma = 1, distance 0 (20,000 drawn)", mean, 2.0 * PAIRS * 2, 2.0 * PAIRS, 1);
}

int rpp_errata_run(FILE *out) {
  fprintf(out, "%-5s %-58s %12s %12s %12s\n", "error", "number", "definition", "paper", "corrected");
  bool shown = conjugate(out);
  shown &= closed_form(out);
  shown &= first_negative(out, 128, RPP_PART_REAL, 1707);
  shown &= first_negative(out, 128, RPP_PART_IMAG, 978);
  shown &= first_negative(out, 64, RPP_PART_REAL, 725);
  shown &= first_negative(out, 64, RPP_PART_IMAG, 131);
  shown &= expectation(out);
  return shown ? 0 : 1;
}
