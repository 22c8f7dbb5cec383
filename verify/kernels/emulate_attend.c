/* emulate_attend.c: one row of attention: scores, online softmax over tiles of keys, splits merged by LSE (eq. 9 to 11, 14). */
#include "kernels/emulate_steps.h"

static double truncated(double x) {
  float f = (float)x;
  if (fabs((double)f) > fabs(x)) f = nextafterf(f, 0);
  return (double)f;
}

double rpp_emulated_dot(const rpp_emulation *e, double sum, int64_t count, const double *a, const double *b, int64_t stride) {
  if (e->contract.sums != RPP_SUMS_TENSOR_CORE) {
    for (int64_t i = 0; i < count; i++) sum = rpp_emulated_scalar(e, sum + rpp_emulated_scalar(e, a[i] * b[i * stride]));
    return sum;
  }
  for (int64_t i = 0; i < count; i += e->contract.sum_depth) {
    const int64_t end = i + e->contract.sum_depth < count ? i + e->contract.sum_depth : count;
    for (int64_t j = i; j < end; j++) sum += a[j] * b[j * stride]; /* float64: exact to 2^-29 of what is cut off */
    sum = truncated(sum);
  }
  return sum;
}

/* A sum of count weights, in float32 also beside tensor cores, sum_depth at a time. */
static double add_weights(const rpp_emulation *e, double sum, int64_t count, const double *p) {
  for (int64_t j = 0; j < count; j += e->contract.sum_depth) {
    const int64_t end = j + e->contract.sum_depth < count ? j + e->contract.sum_depth : count;
    double step = 0;
    for (int64_t i = j; i < end; i++) step += p[i];
    sum = rpp_emulated_scalar(e, sum + step);
  }
  return sum;
}

/* Kernels beside tensor cores work in base 2, since the hardware's exponential does: its result has 23 good bits, and nothing below the
 * smallest normal number. */
static bool base_2(const rpp_emulation *e) {
  return e->contract.sums == RPP_SUMS_TENSOR_CORE;
}

static double power(const rpp_emulation *e, double x) {
  if (!base_2(e)) return rpp_emulated_scalar(e, exp(x));
  int exponent;
  const double y = exp2(x), mantissa = frexp(y, &exponent);
  return y < 0x1p-126 ? 0 : ldexp(floor(ldexp(mantissa, 23)), exponent - 23);
}

static double softmax_scale(const rpp_emulation *e, double scale) {
  return rpp_emulated_scalar(e, base_2(e) ? scale * 1.4426950408889634 : scale);
}

/* A maximum in the softmax's base as a natural logarithm. */
static double natural(const rpp_emulation *e, double x) {
  return base_2(e) ? rpp_emulated_scalar(e, x * (double)0.6931472f) : x;
}

/* The softmax of the keys so far: the maximum m, l = sum e^(x - m), and out = sum e^(x - m) v. */
typedef struct {
  double m, l, *out;
} running;

static double score(const rpp_emulation *e, const rpp_emulated_row *row, int64_t j) {
  const double *k = row->k + j * row->head_dim;
  double dot = 0;
  if (e->fault == RPP_FAULT_DOT_BF16)
    for (int64_t d = 0; d < row->head_dim; d++) dot = rpp_dtype_round(RPP_BF16, dot + row->q[d] * k[d]);
  else
    dot = rpp_emulated_dot(e, 0, row->head_dim, row->q, k, 1);
  if (e->fault == RPP_FAULT_SCORE_F16 && fabs(dot) > 65504) dot = copysign(INFINITY, dot);
  const double x = softmax_scale(e, row->scale) * dot;
  return e->fault == RPP_FAULT_SCORE_FUSED ? x : rpp_emulated_scalar(e, x);
}

/* A tile's keys begin .. end - 1 and their scores. Clean kernels look at visible keys only; some faults at the whole tile. */
typedef struct {
  int64_t begin, end;
  double *x;
} tile;

static bool whole_tiles(const rpp_emulation *e) {
  return e->fault == RPP_FAULT_MASKED_TILE_ZERO || e->fault == RPP_FAULT_SENTINEL_1E30 || e->fault == RPP_FAULT_TAIL_ZERO_SCORE ||
         e->fault == RPP_FAULT_TAIL_NAN;
}

static tile score_tile(const rpp_emulation *e, const rpp_emulated_row *row, int64_t start) {
  tile t = {start, start + e->contract.key_tile, row->scratch};
  const bool tail = e->fault == RPP_FAULT_TAIL_ZERO_SCORE || e->fault == RPP_FAULT_TAIL_NAN;
  const int64_t low = whole_tiles(e) ? 0 : row->first, high = tail ? t.end : whole_tiles(e) ? row->keys : row->last;
  if (t.begin < low) t.begin = low;
  if (t.end > high) t.end = high;
  for (int64_t j = t.begin; j < t.end; j++) {
    double *x = t.x + (j - t.begin);
    *x = e->fault == RPP_FAULT_SENTINEL_1E30 ? -1e30 : -INFINITY;
    if (j >= row->first && j < row->last) *x = score(e, row, j);
    if (j >= row->keys && e->fault == RPP_FAULT_TAIL_ZERO_SCORE) *x = 0;
  }
  return t;
}

static double largest(const tile *t) {
  double m = -INFINITY;
  for (int64_t j = 0; j < t->end - t->begin; j++)
    if (!(t->x[j] <= m)) m = t->x[j];
  return m;
}

static double store_weight(const rpp_emulation *e, double p) {
  if (e->fault == RPP_FAULT_WEIGHT_FLUSHED && p < 0x1p-14) return 0;
  return rpp_dtype_round(e->contract.probability, p);
}

/* An accumulator of 16 bits; float16's flushes what is below its smallest normal number. */
static double add_narrow(const rpp_emulation *e, double sum, double x) {
  if (e->fault == RPP_FAULT_SUM_BF16) return rpp_dtype_round(RPP_BF16, sum + x);
  sum = rpp_dtype_round(RPP_F16, sum + x);
  return fabs(sum) < 0x1p-14 ? 0 : sum;
}

static void add_values(const rpp_emulation *e, const rpp_emulated_row *row, const tile *t, running *r) {
  const double gain = e->fault == RPP_FAULT_TILE_GAIN && t->begin / e->contract.key_tile == 1 ? 1.01 : 1;
  const int64_t inside = t->end < row->keys ? t->end : row->keys;
  for (int64_t c = 0; c < row->v_dim; c++) {
    if (e->fault == RPP_FAULT_SUM_BF16 || e->fault == RPP_FAULT_SUM_F16)
      for (int64_t j = t->begin; j < inside; j++)
        r->out[c] = add_narrow(e, r->out[c], t->x[j - t->begin] * row->v[j * row->v_dim + c]);
    else if (gain != 1)
      r->out[c] += gain * rpp_emulated_dot(e, 0, inside - t->begin, t->x, row->v + t->begin * row->v_dim + c, row->v_dim);
    else if (inside > t->begin)
      r->out[c] = rpp_emulated_dot(e, r->out[c], inside - t->begin, t->x, row->v + t->begin * row->v_dim + c, row->v_dim);
    if (e->fault == RPP_FAULT_TAIL_NAN && t->end > row->keys) r->out[c] += 0 * NAN;
  }
}

/* One tile joins: the new maximum rescales what there is, the tile's weights are added to l as they are and to out as they are stored. */
static void add_tile(const rpp_emulation *e, const rpp_emulated_row *row, int64_t start, running *r) {
  const tile t = score_tile(e, row, start);
  const int64_t count = t.end - t.begin;
  if (count <= 0) return;
  double m = largest(&t);
  if (e->fault == RPP_FAULT_SCORE_FUSED) m = rpp_emulated_scalar(e, m);
  if (e->fault == RPP_FAULT_MASKED_TILE_ZERO && m == -INFINITY) m = 0;
  if (m == -INFINITY) return;
  if (m < r->m) m = r->m;
  if (e->fault == RPP_FAULT_MAX_NOT_TAKEN) m = 0;
  const double rescale = r->m == -INFINITY ? 0 : power(e, rpp_emulated_scalar(e, r->m - m));
  r->l = rpp_emulated_scalar(e, r->l * rescale);
  if (e->fault != RPP_FAULT_RESCALE_SUM_ONLY)
    for (int64_t c = 0; c < row->v_dim; c++) r->out[c] = rpp_emulated_scalar(e, r->out[c] * rescale);
  for (int64_t j = 0; j < count; j++) t.x[j] = power(e, rpp_emulated_scalar(e, t.x[j] - m));
  r->l = add_weights(e, r->l, count, t.x);
  for (int64_t j = 0; j < count; j++) t.x[j] = store_weight(e, t.x[j]);
  add_values(e, row, &t, r);
  r->m = m;
}

/* Tiles first .. last - 1 (counted from key 0): their output, normalised, and LSE. */
static double add_split(const rpp_emulation *e, const rpp_emulated_row *row, int64_t first, int64_t last, double *out) {
  running r = {.m = e->fault == RPP_FAULT_SENTINEL_5E4 ? -5e4 : -INFINITY, .out = out};
  for (int64_t c = 0; c < row->v_dim; c++) out[c] = 0;
  for (int64_t t = first; t < last; t++) {
    const int64_t start = t * e->contract.key_tile;
    if (e->fault == RPP_FAULT_TAIL_DROPPED && start + e->contract.key_tile > row->keys) continue;
    if (e->fault == RPP_FAULT_TILE_SKIPPED && t % 2 == 1) continue;
    add_tile(e, row, start, &r);
  }
  /* Without a weight there is nothing to divide by: kernels test for it. */
  const double inverse = r.l > 0 || isnan(r.l) ? rpp_emulated_scalar(e, 1 / r.l) : 0;
  for (int64_t c = 0; c < row->v_dim; c++) out[c] = rpp_emulated_scalar(e, out[c] * inverse);
  if (e->fault == RPP_FAULT_LSE_BASE_2) return rpp_emulated_scalar(e, (natural(e, r.m) + log(r.l)) / 0.6931471805599453);
  if (e->fault == RPP_FAULT_LSE_NO_MAX) return rpp_emulated_scalar(e, log(r.l));
  if (e->fault == RPP_FAULT_LSE_UNSCALED) return rpp_emulated_scalar(e, natural(e, r.m) / row->scale + log(r.l));
  return rpp_emulated_scalar(e, natural(e, r.m) + rpp_emulated_scalar(e, log(r.l)));
}

/* count partial results become one. parts: (count, Dv); lses: (count). */
static double merge(const rpp_emulation *e, int64_t count, int64_t v_dim, const double *parts, const double *lses, double *out) {
  double m = -INFINITY, sum = 0;
  for (int64_t s = 0; s < count; s++) m = lses[s] > m ? lses[s] : m;
  if (m == -INFINITY) m = 0;
  for (int64_t c = 0; c < v_dim; c++) out[c] = 0;
  for (int64_t s = 0; s < count; s++) {
    double weight = rpp_emulated_scalar(e, exp(rpp_emulated_scalar(e, lses[s] - m)));
    if (e->fault == RPP_FAULT_SPLIT_WEIGHT && s == count - 1) weight *= exp(0.02);
    sum = rpp_emulated_scalar(e, sum + weight);
    for (int64_t c = 0; c < v_dim; c++)
      out[c] = rpp_emulated_scalar(e, out[c] + rpp_emulated_scalar(e, weight * parts[s * v_dim + c]));
  }
  for (int64_t c = 0; c < v_dim; c++) out[c] = sum > 0 ? rpp_emulated_scalar(e, out[c] / sum) : 0;
  return rpp_emulated_scalar(e, m + rpp_emulated_scalar(e, log(sum)));
}

int64_t rpp_emulated_scratch(const rpp_emulation *e, int64_t v_dim) {
  return e->contract.key_tile + e->contract.max_splits * (v_dim + 1);
}

/* The next value towards zero. */
static double below(rpp_dtype dtype, double x) {
  if (dtype == RPP_F16) return rpp_f64_from_f16((uint16_t)(rpp_f16_from_f64(x) - 1));
  if (dtype == RPP_BF16) return rpp_f64_from_bf16((uint16_t)(rpp_bf16_from_f64(x) - 1));
  return dtype == RPP_F32 ? (double)nextafterf((float)x, 0) : nextafter(x, 0);
}

static double store_out(const rpp_emulation *e, double x) {
  if (e->fault == RPP_FAULT_OUT_GAIN) x *= 1.0015;
  const double stored = rpp_dtype_round(e->contract.output, x);
  return e->fault == RPP_FAULT_STORE_TRUNCATED && fabs(stored) > fabs(x) ? below(e->contract.output, stored) : stored;
}

void rpp_emulated_attend(const rpp_emulation *e, const rpp_emulated_row *row, double *out, double *lse) {
  const int64_t size = e->contract.key_tile, from = whole_tiles(e) ? 0 : row->first, to = whole_tiles(e) ? row->keys : row->last;
  const int64_t first = from / size, tiles = from < to ? (to + size - 1) / size - first : 0;
  if (tiles == 0 || (row->first == row->last && e->fault != RPP_FAULT_SENTINEL_1E30)) {
    for (int64_t c = 0; c < row->v_dim; c++) out[c] = e->fault == RPP_FAULT_EMPTY_NAN ? NAN : 0;
    *lse = e->fault == RPP_FAULT_EMPTY_LSE_ZERO ? 0 : e->fault == RPP_FAULT_EMPTY_NAN ? NAN : -INFINITY;
    return;
  }
  const int64_t most = e->contract.max_splits < tiles ? e->contract.max_splits : tiles;
  const int64_t each = (tiles + most - 1) / most, splits = (tiles + each - 1) / each;
  double *lses = row->scratch + size, *parts = lses + e->contract.max_splits;
  for (int64_t s = 0; s < splits; s++) {
    const int64_t end = (s + 1) * each < tiles ? (s + 1) * each : tiles;
    lses[s] = add_split(e, row, first + s * each, first + end, splits == 1 ? out : parts + s * row->v_dim);
    if (e->fault == RPP_FAULT_SPLIT_LSE && s == splits - 1 && s > 0) lses[s] += 0.6931471805599453;
  }
  *lse = lses[0];
  if (splits > 1) *lse = merge(e, e->fault == RPP_FAULT_SPLIT_FIRST ? 1 : splits, row->v_dim, parts, lses, out);
  *lse = rpp_dtype_round(e->contract.lse, *lse);
  for (int64_t c = 0; c < row->v_dim; c++) out[c] = store_out(e, out[c]);
}
