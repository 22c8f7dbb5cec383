/* attention.c: the definition, read off directly: one row of scores at a time, in float64. */
#include "angles.h"
#include "check_tensor.h"
#include "query_rows.h"
#include "row.h"
#include "status.h"
#include "tensor.h"
#include "team.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  const rpp_tensor *rows;
  rpp_tensor *out, *lse;
  rpp_problem problem;
  rpp_row_layout layout; /* of q and k */
  rpp_row_layout v_layout;
  rpp_angle_source angles;
  rpp_key_range keys; /* what the asked rows see together: only this part of K and V is read */
  int64_t row_count, scratch_size;
  int threads;
  double *k, *v;         /* one KV head: (keys, D) rotated, (keys, Dv) */
  double *cosine, *sine; /* (keys, W / 2), when k is still to be rotated */
  double *scratch;       /* per thread: scores (keys), q (D), cosine and sine (W / 2 each), out (Dv) */
} forward;

static rpp_key_range visible(const forward *f, int64_t i) {
  return rpp_visible_keys(f->attention, f->inputs, f->problem.k_len, i);
}

static void load_kv_head(const forward *f, int64_t b, int64_t g) {
  const int64_t count = f->keys.last - f->keys.first, pairs = f->angles.pairs;
#pragma omp parallel for schedule(static) num_threads(f->threads)
  for (int64_t j = 0; j < count; j++) {
    double *k = f->k + j * f->problem.head_dim;
    rpp_row_load(&f->layout, f->inputs->k, b, f->keys.first + j, g, k);
    if (!f->attention->k_rotated) rpp_row_rotate(&f->layout, f->cosine + j * pairs, f->sine + j * pairs, k);
    rpp_row_load(&f->v_layout, f->inputs->v, b, f->keys.first + j, g, f->v + j * f->problem.v_dim);
  }
}

/* Query i as output head o sees it: rotated, and for an imaginary head turned by -pi/2 before (eq. 2, 3). */
static void load_query(const forward *f, int64_t b, int64_t i, int64_t o, double *q, double *cosine, double *sine) {
  const bool turned = f->attention->mode != RPP_MODE_ROPE;
  if (f->attention->q_rotated) {
    rpp_row_load(&f->layout, f->inputs->q, b, i, o, q);
    return;
  }
  rpp_row_load(&f->layout, f->inputs->q, b, i, turned ? o / 2 : o, q);
  if (turned && o % 2 == 1) rpp_row_quarter_turn(&f->layout, q);
  rpp_angle_row(&f->angles, rpp_position(f->inputs->pos_q, b, i), cosine, sine);
  rpp_row_rotate(&f->layout, cosine, sine, q);
}

/* Turns scores into exp(scale s - m), s becoming weights; returns their sum (eq. 10). */
static double weigh(double scale, int64_t count, double *s, double *largest) {
  double m = -INFINITY, sum = 0;
  for (int64_t j = 0; j < count; j++) {
    s[j] *= scale;
    if (!(s[j] <= m)) m = s[j];
  }
  for (int64_t j = 0; j < count; j++) {
    s[j] = exp(s[j] - m);
    sum += s[j];
  }
  *largest = m;
  return sum;
}

/* out += sum_j p[j] v[j], key by key; four in one pass over out leave it in its register meanwhile. */
static void add_values(int64_t v_dim, int64_t count, const double *p, const double *v, double *restrict out) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const double *v0 = v + j * v_dim, *v1 = v0 + v_dim, *v2 = v1 + v_dim, *v3 = v2 + v_dim;
    for (int64_t c = 0; c < v_dim; c++)
      out[c] = (((out[c] + p[j] * v0[c]) + p[j + 1] * v1[c]) + p[j + 2] * v2[c]) + p[j + 3] * v3[c];
  }
  for (; j < count; j++)
    for (int64_t c = 0; c < v_dim; c++) out[c] += p[j] * v[j * v_dim + c];
}

static void attend(const forward *f, int64_t b, int64_t r, int64_t o, double *scratch) {
  const int64_t i = rpp_query_of(f->rows, r), head_dim = f->problem.head_dim, v_dim = f->problem.v_dim;
  const rpp_key_range range = visible(f, i);
  const int64_t count = range.last - range.first, skipped = count > 0 ? range.first - f->keys.first : 0;
  double *scores = scratch, *q = scores + (f->keys.last - f->keys.first), *cosine = q + head_dim;
  double *sine = cosine + f->angles.pairs, *out = sine + f->angles.pairs, largest = -INFINITY, sum = 0;
  for (int64_t c = 0; c < v_dim; c++) out[c] = 0;
  if (count > 0) {
    load_query(f, b, i, o, q, cosine, sine);
    rpp_row_dots(&f->layout, q, f->k + skipped * head_dim, count, scores);
    sum = weigh(f->attention->scale, count, scores, &largest);
    add_values(v_dim, count, scores, f->v + skipped * v_dim, out);
    for (int64_t c = 0; c < v_dim; c++) out[c] /= sum;
  }
  if (f->out) rpp_row_store(&f->v_layout, f->out, b, r, o, out);
  if (f->lse) rpp_store(f->lse->dtype, rpp_tensor_at(f->lse, b, o, r, 0), count > 0 ? largest + log(sum) : -INFINITY);
}

static void run(const forward *f) {
  const int64_t group = f->problem.counts.output / f->problem.counts.kv;
  for (int64_t b = 0; b < f->problem.batch; b++) {
    if (!f->attention->k_rotated)
      rpp_angle_rows(&f->angles, f->inputs->pos_k, b, f->keys.first, f->keys.last - f->keys.first, f->cosine, f->sine);
    for (int64_t g = 0; g < f->problem.counts.kv; g++) {
      load_kv_head(f, b, g);
#pragma omp parallel for schedule(dynamic, 4) num_threads(f->threads)
      for (int64_t item = 0; item < f->row_count * group; item++)
        attend(f, b, item / group, g * group + item % group, f->scratch + omp_get_thread_num() * f->scratch_size);
    }
  }
}

static rpp_status allocate_doubles(int64_t rows, int64_t columns, double **buffer) {
  int64_t count;
  void *made;
  *buffer = NULL;
  RPP_TRY(rpp_multiply("elements", rows, columns, &count));
  RPP_TRY(rpp_allocate(count, sizeof(double), &made));
  *buffer = made;
  return RPP_OK;
}

static rpp_status allocate(forward *f) {
  const int64_t keys = f->keys.last - f->keys.first, pairs = f->angles.pairs;
  f->threads = rpp_threads((double)keys * (1 + (double)f->row_count) * (double)(f->problem.head_dim + f->problem.v_dim));
  f->scratch_size = keys + f->problem.head_dim + 2 * pairs + f->problem.v_dim + 8; /* 8: threads do not share a cache line */
  RPP_TRY(allocate_doubles(keys, f->problem.head_dim, &f->k));
  RPP_TRY(allocate_doubles(keys, f->problem.v_dim, &f->v));
  RPP_TRY(allocate_doubles(f->attention->k_rotated ? 0 : keys, pairs, &f->cosine));
  RPP_TRY(allocate_doubles(f->attention->k_rotated ? 0 : keys, pairs, &f->sine));
  return allocate_doubles(f->threads, f->scratch_size, &f->scratch);
}

rpp_status rpp_attention_forward(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_tensor *rows,
                                 rpp_tensor *out, rpp_tensor *lse) {
  forward f = {.attention = attention, .inputs = inputs, .rows = rows, .out = out, .lse = lse};
  RPP_TRY(rpp_check_inputs(attention, inputs, true, &f.problem));
  RPP_TRY(rpp_check_rows(rows, &f.problem, &f.row_count));
  RPP_TRY(rpp_check_outputs(attention, inputs, &f.problem, rows, f.row_count, out, lse));
  if ((!out || rpp_tensor_is_empty(out)) && (!lse || rpp_tensor_is_empty(lse))) return RPP_OK;
  const bool rotates = !attention->q_rotated || !attention->k_rotated;
  if (rotates) RPP_TRY(rpp_angle_source_open(&attention->rotary, &f.angles));
  f.layout = (rpp_row_layout){attention->rotary.pairing, f.problem.head_dim, attention->rotary.rotary_dim};
  if (!rotates) f.layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.head_dim, 0};
  f.v_layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.v_dim, 0};
  f.keys = rpp_keys_of_rows(attention, inputs, &f.problem, rows, f.row_count);
  const rpp_status status = allocate(&f);
  if (status == RPP_OK) run(&f);
  free(f.k);
  free(f.v);
  free(f.cosine);
  free(f.sine);
  free(f.scratch);
  rpp_angle_source_close(&f.angles);
  return status;
}
