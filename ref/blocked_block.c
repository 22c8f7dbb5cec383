/* blocked_block.c: one block of query rows against its keys, tile by tile. */
#include "blocked.h"
#include "float_row.h"
#include "tensor.h"

#include <cblas.h>
#include <float.h>
#include <math.h>

static bool make_finite(int64_t count, float *x) {
  int unsound = 0;
  for (int64_t c = 0; c < count; c++) unsound |= !(fabsf(x[c]) <= FLT_MAX);
  for (int64_t c = 0; unsound && c < count; c++)
    if (!isfinite(x[c])) x[c] = 0;
  return unsound;
}

static const float *angles_at(const rpp_blocked *f, const rpp_float_table *table, const float *values, int64_t b, int64_t l) {
  return values + ((table->sequences == 1 ? 0 : b) * table->tokens + l) * f->angles.pairs;
}

static void rotate(const rpp_blocked *f, const rpp_float_table *table, int64_t b, int64_t l, float *row) {
  rpp_float_row_rotate(&f->layout, angles_at(f, table, table->cosine, b, l), angles_at(f, table, table->sine, b, l), row);
}

void rpp_blocked_load_key(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t j) {
  const int64_t b = unit / f->problem.counts.kv, g = unit % f->problem.counts.kv, l = f->keys.first + j;
  const int64_t place = slot * (f->keys.last - f->keys.first) + j;
  float *k = f->k + place * f->problem.head_dim, *v = f->v + place * f->problem.v_dim;
  rpp_float_row_load(&f->layout, f->inputs->k, b, l, g, k);
  if (!f->attention->k_rotated) rotate(f, &f->k_table, b, j, k);
  rpp_float_row_load(&f->v_layout, f->inputs->v, b, l, g, v);
  f->unsound[place] = make_finite(f->problem.v_dim, v);
}

/* What a block works on: rows (query, output head of the group), query by query. */
typedef struct {
  const rpp_blocked *f;
  int64_t b, g, first, count; /* rows first .. first + count - 1 of the unit */
  const float *k, *v;         /* from key f->keys.first on */
  const unsigned char *unsound;
  float *q, *scores, *out, *v_row; /* (rows, D), (rows, tile), (rows, Dv), Dv */
  rpp_online_softmax *softmax;
} block;

int64_t rpp_blocked_scratch(const rpp_blocked *f) {
  return f->block_rows * (f->problem.head_dim + f->score_stride + f->problem.v_dim) + f->problem.v_dim + 16; /* threads apart */
}

static rpp_key_range visible(const block *w, int64_t row) {
  return w->f->visible[(w->first + row) / w->f->group];
}

/* Rotated queries. A real head and its imaginary one come from one load and one rotation: R(-pi/2) of the rotated row is the imaginary
 * row, bit for bit what rotating the turned row would give. */
static void load_queries(const block *w) {
  const rpp_blocked *f = w->f;
  const rpp_attention *a = f->attention;
  const bool pairs = a->mode != RPP_MODE_ROPE && !a->q_rotated;
  for (int64_t r = 0; r < w->count; r += pairs ? 2 : 1) {
    const int64_t i = (w->first + r) / f->group, o = w->g * f->group + (w->first + r) % f->group;
    float *q = w->q + r * f->problem.head_dim;
    rpp_float_row_load(&f->layout, f->inputs->q, w->b, i, pairs ? o / 2 : o, q);
    if (!a->q_rotated) rotate(f, &f->q_table, w->b, i, q);
    if (pairs) rpp_float_row_quarter_turn(&f->layout, q, q + f->problem.head_dim);
  }
}

/* What make_finite took out, where it is seen: masked keys of other rows must not meet it, as 0 x NaN is NaN. */
static void add_unsound(const block *w, int64_t top, int64_t bottom, int64_t start, int64_t stop) {
  const rpp_blocked *f = w->f;
  const int64_t v_dim = f->problem.v_dim;
  for (int64_t j = start; j < stop; j++) {
    if (!w->unsound[j - f->keys.first]) continue;
    rpp_float_row_load(&f->v_layout, f->inputs->v, w->b, j, w->g, w->v_row);
    for (int64_t r = top; r < bottom; r++) {
      const rpp_key_range range = visible(w, r);
      if (j < range.first || j >= range.last) continue;
      const float weight = w->scores[r * f->score_stride + (j - start)];
      for (int64_t c = 0; c < v_dim; c++)
        if (!isfinite(w->v_row[c])) w->out[r * v_dim + c] += weight * w->v_row[c];
    }
  }
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

/* Scaled scores of rows top .. bottom - 1 with keys start .. stop - 1, masked ones too. */
static void score(const block *w, int64_t top, int64_t bottom, int64_t start, int64_t stop) {
  const rpp_blocked *f = w->f;
  const int64_t d = f->problem.head_dim, stride = f->score_stride;
  const float scale = (float)f->attention->scale;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(bottom - top), (int)(stop - start), (int)d, scale == 0 ? 1 : scale,
              w->q + top * d, (int)d, w->k + (start - f->keys.first) * d, (int)d, 0, w->scores + top * stride, (int)stride);
  if (scale == 0) /* BLAS would not look at q and k, and lose their NaN */
    for (int64_t n = top * stride; n < bottom * stride; n++) w->scores[n] *= n % stride < stop - start ? 0 : 1;
}

static void attend_tile(const block *w, int64_t top, int64_t bottom, int64_t start, int64_t stop) {
  const rpp_blocked *f = w->f;
  const int64_t v_dim = f->problem.v_dim, stride = f->score_stride, keys = stop - start, place = start - f->keys.first;
  score(w, top, bottom, start, stop);
  for (int64_t r = top; r < bottom; r++) {
    const rpp_key_range range = visible(w, r);
    const int64_t first = clamp(range.first - start, 0, keys), last = clamp(range.last - start, first, keys);
    const float rescale = rpp_online_softmax_add(&w->softmax[r], keys, first, last, w->scores + r * stride);
    float *out = w->out + r * v_dim;
    if (rescale != 1) {
#pragma omp simd
      for (int64_t c = 0; c < v_dim; c++) out[c] *= rescale;
    }
  }
  if (v_dim == 0) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(bottom - top), (int)v_dim, (int)keys, 1, w->scores + top * stride,
              (int)stride, w->v + place * v_dim, (int)v_dim, 1, w->out + top * v_dim, (int)v_dim);
  if (memchr(w->unsound + place, 1, (size_t)keys)) add_unsound(w, top, bottom, start, stop);
}

/* The rows that see any key of start .. stop - 1, and the keys they see of it: false when there are none. */
static bool trim(const block *w, int64_t *top, int64_t *bottom, int64_t *start, int64_t *stop) {
  const int64_t low = *start, high = *stop;
  *top = w->count, *bottom = 0, *start = high, *stop = low;
  for (int64_t r = 0; r < w->count; r++) {
    const rpp_key_range range = visible(w, r);
    const int64_t first = clamp(range.first, low, high), last = clamp(range.last, low, high);
    if (first == last) continue;
    if (*top == w->count) *top = r;
    *bottom = r + 1;
    if (first < *start) *start = first;
    if (last > *stop) *stop = last;
  }
  return *top < *bottom;
}

static void store(const block *w) {
  const rpp_blocked *f = w->f;
  const int64_t v_dim = f->problem.v_dim;
  for (int64_t r = 0; r < w->count; r++) {
    const int64_t i = (w->first + r) / f->group, o = w->g * f->group + (w->first + r) % f->group;
    const rpp_key_range range = visible(w, r);
    const bool sees = range.first < range.last;
    const float sum = sees ? w->softmax[r].sum : 1;
    float *out = w->out + r * v_dim;
#pragma omp simd
    for (int64_t c = 0; c < v_dim; c++) out[c] /= sum;
    if (f->out) rpp_float_row_store(&f->v_layout, f->out, w->b, i, o, out);
    if (f->lse)
      rpp_store(f->lse->dtype, rpp_tensor_at(f->lse, w->b, o, i, 0), sees ? rpp_online_softmax_lse(&w->softmax[r]) : -INFINITY);
  }
}

void rpp_blocked_attend(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t index, float *scratch,
                        rpp_online_softmax *softmax) {
  const int64_t d = f->problem.head_dim, v_dim = f->problem.v_dim, first = index * f->block_rows;
  const int64_t place = slot * (f->keys.last - f->keys.first);
  block w = {.f = f,
             .b = unit / f->problem.counts.kv,
             .g = unit % f->problem.counts.kv,
             .first = first,
             .count = f->items - first < f->block_rows ? f->items - first : f->block_rows,
             .k = f->k + place * d,
             .v = f->v + place * v_dim,
             .unsound = f->unsound + place,
             .q = scratch,
             .scores = scratch + f->block_rows * d,
             .softmax = softmax};
  w.out = w.scores + f->block_rows * f->score_stride;
  w.v_row = w.out + f->block_rows * v_dim;
  load_queries(&w);
  memset(w.out, 0, (size_t)(w.count * v_dim) * sizeof *w.out);
  for (int64_t r = 0; r < w.count; r++) softmax[r] = (rpp_online_softmax){-INFINITY, 0};
  for (int64_t t = f->keys.first / RPP_BLOCKED_KEYS; t * RPP_BLOCKED_KEYS < f->keys.last; t++) {
    int64_t top, bottom, start = t * RPP_BLOCKED_KEYS, stop = start + RPP_BLOCKED_KEYS;
    if (trim(&w, &top, &bottom, &start, &stop)) attend_tile(&w, top, bottom, start, stop);
  }
  store(&w);
}
