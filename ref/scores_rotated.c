/* scores_rotated.c: scores as dot products of rotated pairs of real numbers (eq. 7). */
#include "angles.h"
#include "check_tensor.h"
#include "row.h"
#include "scores.h"
#include "status.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const rpp_attention_inputs *inputs;
  rpp_part part;
  rpp_problem problem;
  rpp_row_layout layout;
  rpp_angle_source angles;
  double *k;                   /* (Lk, D): one head's keys, rotated for the absolute form */
  double *q, *turned, *scores; /* (D), (D), (Lk) */
  double *cosine, *sine;       /* (W / 2) */
} rotated;

static void load_keys(const rotated *r, bool rotate, int64_t b, int64_t g) {
  for (int64_t s = 0; s < r->problem.k_len; s++) {
    double *k = r->k + s * r->problem.head_dim;
    rpp_row_load(&r->layout, r->inputs->k, b, s, g, k);
    if (!rotate) continue;
    rpp_angle_row(&r->angles, rpp_position(r->inputs->pos_k, b, s), r->cosine, r->sine);
    rpp_row_rotate(&r->layout, r->cosine, r->sine, k);
  }
}

/* q turned to its own position, against keys that were turned to theirs. */
static void absolute_row(const rotated *r, int64_t b, int64_t i) {
  rpp_angle_row(&r->angles, rpp_position(r->inputs->pos_q, b, i), r->cosine, r->sine);
  rpp_row_rotate(&r->layout, r->cosine, r->sine, r->q);
  rpp_row_dots(&r->layout, r->q, r->k, r->problem.k_len, r->scores);
}

/* q turned by t - s against the key as it is; the key's magnitude m joins the query's. */
static void relative_row(const rotated *r, int64_t b, int64_t i) {
  for (int64_t s = 0; s < r->problem.k_len; s++) {
    rpp_angle_row(&r->angles, rpp_position(r->inputs->pos_q, b, i) - rpp_position(r->inputs->pos_k, b, s), r->cosine, r->sine);
    for (int64_t n = 0; n < r->angles.pairs; n++) r->cosine[n] *= r->angles.magnitude, r->sine[n] *= r->angles.magnitude;
    memcpy(r->turned, r->q, (size_t)r->problem.head_dim * sizeof *r->q);
    rpp_row_rotate(&r->layout, r->cosine, r->sine, r->turned);
    rpp_row_dots(&r->layout, r->turned, r->k + s * r->problem.head_dim, 1, r->scores + s);
  }
}

static void run(const rotated *r, rpp_score_form form, rpp_tensor *scores) {
  const rpp_problem *p = &r->problem;
  const int64_t group = p->counts.projected / p->counts.kv;
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t j = 0; j < p->counts.projected; j++) {
      if (j % group == 0) load_keys(r, form == RPP_SCORES_ABSOLUTE, b, j / group);
      for (int64_t i = 0; i < p->q_len; i++) {
        rpp_row_load(&r->layout, r->inputs->q, b, i, j, r->q);
        if (r->part == RPP_PART_IMAG) rpp_row_quarter_turn(&r->layout, r->q);
        if (form == RPP_SCORES_ABSOLUTE)
          absolute_row(r, b, i);
        else
          relative_row(r, b, i);
        for (int64_t s = 0; s < p->k_len; s++) rpp_store(scores->dtype, rpp_tensor_at(scores, b, j, i, s), r->scores[s]);
      }
    }
}

rpp_status rpp_scores_rotated(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part,
                              rpp_score_form form, rpp_tensor *scores) {
  rotated r = {.inputs = inputs, .part = part};
  RPP_TRY(rpp_check_scores(attention, inputs, part, form, scores, &r.problem));
  if (rpp_tensor_is_empty(scores)) return RPP_OK;
  const rpp_problem *p = &r.problem;
  int64_t key_elements;
  RPP_TRY(rpp_multiply("elements", p->k_len, p->head_dim + 1, &key_elements)); /* the keys and one row of scores */
  RPP_TRY(rpp_angle_source_open(&attention->rotary, &r.angles));
  r.layout = (rpp_row_layout){attention->rotary.pairing, p->head_dim, attention->rotary.rotary_dim};
  void *rows = NULL, *keys = NULL;
  rpp_status status = rpp_allocate(2 * p->head_dim + 2 * r.angles.pairs, sizeof(double), &rows);
  if (status == RPP_OK) status = rpp_allocate(key_elements, sizeof(double), &keys);
  if (status == RPP_OK) {
    r.q = rows;
    r.turned = r.q + p->head_dim;
    r.cosine = r.turned + p->head_dim;
    r.sine = r.cosine + r.angles.pairs;
    r.k = keys;
    r.scores = r.k + p->k_len * p->head_dim;
    run(&r, form, scores);
  }
  free(rows);
  free(keys);
  rpp_angle_source_close(&r.angles);
  return status;
}
