/* scores_complex.c: scores as the real and imaginary parts of one complex number (eq. 8), in C99 complex arithmetic. It shares the
 * angles with the rotated form, and nothing else: the two are held against each other. */
#include "angles.h"
#include "check_tensor.h"
#include "scores.h"
#include "status.h"
#include "tensor.h"

#include <complex.h>
#include <stdlib.h>

#ifndef CMPLX /* glibc 2.36 offers it to gcc only */
#define CMPLX(a, b) __builtin_complex((double)(a), (double)(b))
#endif

/* Pair n of row (b, l, h) as the complex number a + ib. */
static double complex pair(const rpp_rotary *rotary, const rpp_tensor *x, int64_t b, int64_t l, int64_t h, int64_t n) {
  const bool half = rotary->pairing == RPP_PAIRING_HALF;
  const int64_t a = half ? n : 2 * n, other = half ? n + rotary->rotary_dim / 2 : 2 * n + 1;
  return CMPLX(rpp_load(x->dtype, rpp_tensor_at(x, b, l, h, a)), rpp_load(x->dtype, rpp_tensor_at(x, b, l, h, other)));
}

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_problem problem;
  rpp_angle_source angles;
  double *cosine, *sine; /* absolute: (Lq + Lk, W / 2), queries first; relative: (1, W / 2) */
} complex_scores;

/* Z = sum conj(q e^(i phi_t)) k e^(i phi_s). */
static double complex absolute(const complex_scores *c, int64_t b, int64_t j, int64_t g, int64_t i, int64_t s) {
  const rpp_rotary *rotary = &c->attention->rotary;
  const int64_t at_t = i * c->angles.pairs, at_s = (c->problem.q_len + s) * c->angles.pairs;
  double complex z = 0;
  for (int64_t n = 0; n < c->angles.pairs; n++) {
    const double complex q = pair(rotary, c->inputs->q, b, i, j, n) * CMPLX(c->cosine[at_t + n], c->sine[at_t + n]);
    const double complex k = pair(rotary, c->inputs->k, b, s, g, n) * CMPLX(c->cosine[at_s + n], c->sine[at_s + n]);
    z += conj(q) * k;
  }
  return z;
}

/* Z = sum conj(q) k m^2 e^(-i theta (t - s)). */
static double complex relative(const complex_scores *c, int64_t b, int64_t j, int64_t g, int64_t i, int64_t s) {
  const rpp_rotary *rotary = &c->attention->rotary;
  double complex z = 0;
  rpp_angle_row(&c->angles, rpp_position(c->inputs->pos_q, b, i) - rpp_position(c->inputs->pos_k, b, s), c->cosine, c->sine);
  for (int64_t n = 0; n < c->angles.pairs; n++) {
    const double complex q = pair(rotary, c->inputs->q, b, i, j, n), k = pair(rotary, c->inputs->k, b, s, g, n);
    z += conj(q) * k * (c->angles.magnitude * CMPLX(c->cosine[n], -c->sine[n]));
  }
  return z;
}

/* What the columns past the rotary width add to both parts. */
static double pass_through(const complex_scores *c, int64_t b, int64_t j, int64_t g, int64_t i, int64_t s) {
  double sum = 0;
  for (int64_t p = c->attention->rotary.rotary_dim; p < c->problem.head_dim; p++)
    sum += rpp_load(c->inputs->q->dtype, rpp_tensor_at(c->inputs->q, b, i, j, p)) *
           rpp_load(c->inputs->k->dtype, rpp_tensor_at(c->inputs->k, b, s, g, p));
  return sum;
}

static void run(const complex_scores *c, rpp_part part, rpp_score_form form, rpp_tensor *scores) {
  const rpp_problem *p = &c->problem;
  const int64_t group = p->counts.projected / p->counts.kv, pairs = c->angles.pairs;
  for (int64_t b = 0; b < p->batch; b++) {
    if (form == RPP_SCORES_ABSOLUTE) {
      rpp_angle_rows(&c->angles, c->inputs->pos_q, b, 0, p->q_len, c->cosine, c->sine);
      rpp_angle_rows(&c->angles, c->inputs->pos_k, b, 0, p->k_len, c->cosine + p->q_len * pairs, c->sine + p->q_len * pairs);
    }
    for (int64_t j = 0; j < p->counts.projected; j++)
      for (int64_t i = 0; i < p->q_len; i++)
        for (int64_t s = 0; s < p->k_len; s++) {
          const double complex z =
              form == RPP_SCORES_ABSOLUTE ? absolute(c, b, j, j / group, i, s) : relative(c, b, j, j / group, i, s);
          const double score = (part == RPP_PART_REAL ? creal(z) : -cimag(z)) + pass_through(c, b, j, j / group, i, s);
          rpp_store(scores->dtype, rpp_tensor_at(scores, b, j, i, s), score);
        }
  }
}

rpp_status rpp_scores_complex(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part,
                              rpp_score_form form, rpp_tensor *scores) {
  complex_scores c = {.attention = attention, .inputs = inputs};
  RPP_TRY(rpp_check_scores(attention, inputs, part, form, scores, &c.problem));
  if (rpp_tensor_is_empty(scores)) return RPP_OK;
  int64_t rows = 1, elements;
  if (form == RPP_SCORES_ABSOLUTE && __builtin_add_overflow(c.problem.q_len, c.problem.k_len, &rows))
    return rpp_fail(RPP_ERROR_OVERFLOW, "Lq + Lk: does not fit 64 bits");
  RPP_TRY(rpp_multiply("elements", rows, attention->rotary.rotary_dim, &elements));
  RPP_TRY(rpp_angle_source_open(&attention->rotary, &c.angles));
  void *buffer;
  const rpp_status status = rpp_allocate(elements, sizeof(double), &buffer);
  if (status == RPP_OK) {
    c.cosine = buffer;
    c.sine = c.cosine + elements / 2;
    run(&c, part, form, scores);
  }
  free(buffer);
  rpp_angle_source_close(&c.angles);
  return status;
}
