/* bound.c: the truth as a kernel of a given contract may see it, and the largest error the contract allows (notes/tolerance.md). Like
 * attention.c it goes by the definition, one row of scores at a time; beside each value it carries what may be off. */
#include "bounded_row.h"
#include "check_tensor.h"
#include "contract.h"
#include "query_rows.h"
#include "status.h"
#include "tensor.h"
#include "team.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  const rpp_contract *contract;
  const rpp_tensor *rows;
  const rpp_bounded *result;
  rpp_problem problem;
  rpp_row_layout v_layout;
  rpp_bounded_rows bounded; /* q and k */
  rpp_key_range keys;
  int64_t row_count, scratch_size;
  int threads;
  double *k, *k_left; /* one KV head: (keys, D), values and largest errors */
  double *v;          /* (keys, Dv) */
  double *scratch;    /* per thread */
} bounding;

/* What a thread works in. */
typedef struct {
  double *q, *q_left, *cosine, *sine;          /* D, D, W / 2, W / 2 */
  double *p, *d, *grown;                       /* keys: weight, largest error of its score, p (e^d - 1) */
  double *noise_k, *noise_q;                   /* keys: noise squared, of its own and shared with the other keys */
  double *out, *shift, *weight, *noise, *skew; /* Dv each: the sums over keys of out, its bound and its noise */
  double *peak;                                /* Dv: the largest |v| */
} workspace;

static workspace split(const bounding *f, double *at) {
  const int64_t d = f->problem.head_dim, keys = f->keys.last - f->keys.first, dv = f->problem.v_dim,
                pairs = f->bounded.angles.pairs;
  workspace w = {.q = at};
  w.q_left = w.q + d;
  w.cosine = w.q_left + d;
  w.sine = w.cosine + pairs;
  w.p = w.sine + pairs;
  w.d = w.p + keys;
  w.grown = w.d + keys;
  w.noise_k = w.grown + keys;
  w.noise_q = w.noise_k + keys;
  w.out = w.noise_q + keys;
  w.shift = w.out + dv;
  w.weight = w.shift + dv;
  w.noise = w.weight + dv;
  w.skew = w.noise + dv;
  w.peak = w.skew + dv;
  return w;
}

static int64_t workspace_size(const bounding *f) {
  return 2 * f->problem.head_dim + 2 * f->bounded.angles.pairs + 5 * (f->keys.last - f->keys.first) + 6 * f->problem.v_dim + 8;
}

static void load_kv_head(const bounding *f, int64_t b, int64_t g) {
  const int64_t count = f->keys.last - f->keys.first;
#pragma omp parallel for schedule(static) num_threads(f->threads)
  for (int64_t j = 0; j < count; j++) {
    double *k = f->k + j * f->problem.head_dim, *left = f->k_left + j * f->problem.head_dim, *v = f->v + j * f->problem.v_dim;
    rpp_row_load(&f->bounded.layout, f->inputs->k, b, f->keys.first + j, g, k);
    if (f->attention->k_rotated)
      rpp_bounded_row_keep(&f->bounded, k, left);
    else {
      const workspace w = split(f, f->scratch + omp_get_thread_num() * f->scratch_size);
      rpp_bounded_row_rotate(&f->bounded, rpp_position(f->inputs->pos_k, b, f->keys.first + j), w.cosine, w.sine, k, left);
    }
    rpp_row_load(&f->v_layout, f->inputs->v, b, f->keys.first + j, g, v);
    for (int64_t c = 0; c < f->problem.v_dim; c++) v[c] = rpp_dtype_round(f->contract->value, v[c]);
  }
}

static void load_query(const bounding *f, int64_t b, int64_t i, int64_t o, const workspace *w) {
  const bool turned = f->attention->mode != RPP_MODE_ROPE && !f->attention->q_rotated;
  rpp_row_load(&f->bounded.layout, f->inputs->q, b, i, turned ? o / 2 : o, w->q);
  if (turned && o % 2 == 1) rpp_row_quarter_turn(&f->bounded.layout, w->q);
  if (f->attention->q_rotated)
    rpp_bounded_row_keep(&f->bounded, w->q, w->q_left);
  else
    rpp_bounded_row_rotate(&f->bounded, rpp_position(f->inputs->pos_q, b, i), w->cosine, w->sine, w->q, w->q_left);
}

/* q.k, and what rounding may add to it: at most, and as noise (squared), apart for what is this key's own and what q shares. */
typedef struct {
  double dot, size, left, own, shared;
} product;

static product multiply(const bounding *f, const workspace *w, const double *k, const double *k_left) {
  product s = {0};
  double partial = 0;
  const double unit = rpp_sums_unit(f->contract->sums);
  for (int64_t p = 0; p < f->problem.head_dim; p++) {
    const double q = fabs(w->q[p]), key = fabs(k[p]), of_q = w->q_left[p] * key, of_k = q * k_left[p];
    s.dot += w->q[p] * k[p];
    s.size += q * key;
    s.left += of_q + of_k + w->q_left[p] * k_left[p];
    /* The columns of a pair share their angle: twice the squares covers the square of their sum. */
    s.own += 2 * of_k * of_k;
    s.shared += 2 * of_q * of_q;
    partial += s.dot * s.dot;
  }
  s.own += unit * unit * partial;
  return s;
}

/* How far the exponent of a weight may be off beside its score x, the row's largest score being m: the score's own roundings, the
 * subtraction of the running maximum, exponentials of the weight and of every rescaling after it, and the merge of splits. */
typedef struct {
  double unit, exponential, tiles, merge, length;
} exponent;

static exponent exponent_of(const rpp_contract *c, int64_t count) {
  const bool wide = c->sums == RPP_SUMS_F64;
  return (exponent){.unit = rpp_scalar_unit(c->sums),
                    .exponential = wide ? 0x1p-51 : 0x1p-22,
                    .tiles = ceil((double)count / (double)c->key_tile),
                    .merge = c->max_splits > 1 ? 1 : 0,
                    .length = log((double)count)};
}

static double exponent_steps(const exponent *e, double x, double m) {
  const double merge = e->unit * (fmax(fabs(x), fabs(m)) + fabs(x - m) + 4 * e->length + 2) + e->exponential;
  return 3 * e->unit * fabs(x) + 2 * e->unit * (1 + fabs(x - m) + fabs(m)) + e->exponential + e->merge * merge;
}

/* Weights of the visible keys, and how far each may be off; returns the sum of e^(x - M). */
static double weigh(const bounding *f, const workspace *w, int64_t skipped, int64_t count, double *largest) {
  const exponent e = exponent_of(f->contract, count);
  const double scale = fabs(f->attention->scale), rescalings = e.tiles * e.exponential;
  const double gamma = rpp_gamma((double)f->problem.head_dim, rpp_sums_unit(f->contract->sums));
  double m = -INFINITY, sum = 0;
  for (int64_t j = 0; j < count; j++) {
    const product s = multiply(f, w, f->k + (skipped + j) * f->problem.head_dim, f->k_left + (skipped + j) * f->problem.head_dim);
    w->p[j] = f->attention->scale * s.dot;
    w->d[j] = scale * (s.left + gamma * (s.size + s.left)) * (1 + 4 * e.unit);
    w->noise_k[j] = scale * scale * s.own;
    w->noise_q[j] = scale * scale * s.shared;
    if (!(w->p[j] <= m)) m = w->p[j];
  }
  for (int64_t j = 0; j < count; j++) {
    const double x = w->p[j], steps = exponent_steps(&e, x, m), p = exp(x - m);
    w->d[j] += steps + rescalings;
    w->noise_k[j] += steps * steps + rescalings * e.exponential; /* a tile's error is shared, but its sum of p (v - o) is noise */
    w->grown[j] = w->d[j] < 1 ? p * expm1(w->d[j]) : exp(x - m + w->d[j]) - p;
    w->p[j] = p;
    sum += p;
  }
  for (int64_t j = 0; j < count; j++) w->p[j] /= sum, w->grown[j] /= sum;
  *largest = m;
  return sum;
}

static void add_values(const bounding *f, const workspace *w, int64_t skipped, int64_t count) {
  const int64_t dv = f->problem.v_dim;
  const double up = rpp_dtype_unit(f->contract->probability), ua = rpp_sums_unit(f->contract->sums);
  for (int64_t c = 0; c < dv; c++) w->out[c] = w->shift[c] = w->weight[c] = w->noise[c] = w->skew[c] = w->peak[c] = 0;
  for (int64_t j = 0; j < count; j++) {
    const double *v = f->v + (skipped + j) * dv, p = w->p[j];
    for (int64_t c = 0; c < dv; c++) {
      w->out[c] += p * v[c];
      w->noise[c] += up * up * (p * v[c]) * (p * v[c]) + ua * ua * w->out[c] * w->out[c]; /* the partial sum is rounded */
    }
  }
  for (int64_t j = 0; j < count; j++) {
    const double *v = f->v + (skipped + j) * dv, p = w->p[j], grown = w->grown[j], shared = p * sqrt(w->noise_q[j]);
    for (int64_t c = 0; c < dv; c++) {
      const double distance = fabs(v[c] - w->out[c]);
      if (distance > 0) w->shift[c] += grown * distance; /* grown may be infinite */
      w->weight[c] += (p + grown) * fabs(v[c]);
      w->peak[c] = fmax(w->peak[c], fabs(v[c]));
      w->noise[c] += p * p * distance * distance * w->noise_k[j];
      w->skew[c] += shared * distance;
    }
  }
}

/* Whether errors of the scores add up as noise: e^d - 1 must be near d as far as d may reach (8 tau), or what noise they make in out is not
 * known. Angles of float32 at positions past 10^6 leave scores open. */
static bool scores_are_linear(const workspace *w, int64_t count) {
  double reach = 0;
  for (int64_t j = 0; j < count; j++) reach += w->p[j] * expm1(8 * sqrt(w->noise_k[j] + w->noise_q[j]));
  return reach <= 0.25;
}

static void deliver(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3, double value) {
  if (t) rpp_store(t->dtype, rpp_tensor_at(t, i0, i1, i2, i3), value);
}

/* What is lost below the smallest numbers, for values up to peak. l: the sum of e^(x - M). Weights are stored relative to a running maximum,
 * which is no larger than M, and exponentials beside tensor cores flush. */
static double lost_below(const rpp_contract *c, int64_t count, double l, double peak) {
  const bool wide = c->sums == RPP_SUMS_F64;
  const double weight = rpp_dtype_tiny(c->probability) + (wide ? 0 : 0x1p-126);
  const double sums = (double)count + rpp_contract_steps(c, count);
  return (double)count * weight / l * peak + sums * (wide ? 0x1p-1074 : 0x1p-149);
}

/* Element bounds of one row. */
static void bound_out(const bounding *f, int64_t b, int64_t r, int64_t o, const workspace *w, int64_t count, double l) {
  const rpp_contract *contract = f->contract;
  const double up = rpp_dtype_unit(contract->probability), uo = rpp_dtype_unit(contract->output);
  const double gamma = rpp_gamma(rpp_contract_steps(contract, count), rpp_sums_unit(contract->sums));
  const double relative = gamma < 1 ? (1 + up) * (1 + gamma) / (1 - gamma) - 1 : INFINITY;
  /* What is off in the softmax's sum scales the row: as noise where sums round to nearest, as a drift where they cut off. */
  const double noisy = 8 * rpp_sums_unit(contract->sums) * sqrt(rpp_contract_steps(contract, count));
  const double drift = contract->sums == RPP_SUMS_TENSOR_CORE ? 2 * gamma : fmin(2 * gamma, noisy);
  const bool linear = scores_are_linear(w, count);
  double squares = 0, kept = 0; /* kept: the least that sum p e^d can be, 0 where the scores leave it open */
  for (int64_t j = 0; j < count; j++) {
    squares += w->p[j] * w->p[j];
    kept += w->p[j] * exp(-w->d[j]);
  }
  for (int64_t c = 0; c < f->problem.v_dim; c++) {
    const double lost = lost_below(contract, count, l, w->peak[c]);
    /* Whatever the scores, out stays a mean of the values: where they leave the weights open, that is the bound. */
    const double mean = w->peak[c] + fabs(w->out[c]) + 2 * relative * w->peak[c] + lost;
    const double core = fmin(((1 + relative) * w->shift[c] + relative * w->weight[c] + lost) / kept, mean);
    deliver(f->result->out, b, r, o, c, w->out[c]);
    const double tiny = rpp_dtype_tiny(contract->output), bound = core + uo * (fabs(w->out[c]) + core) + tiny;
    const double noise = linear ? sqrt(w->noise[c] + w->skew[c] * w->skew[c]) + lost : INFINITY;
    deliver(f->result->out_bound, b, r, o, c, bound);
    deliver(f->result->out_noise, b, r, o, c, noise);
    deliver(f->result->out_likely, b, r, o, c, linear ? 8 * noise + (uo + drift) * fabs(w->out[c]) + tiny : bound);
  }
  deliver(f->result->out_spread, b, o, r, 0, 1 / squares);
}

static void bound_lse(const bounding *f, int64_t b, int64_t r, int64_t o, const workspace *w, int64_t count, double m, double l) {
  const double unit = rpp_scalar_unit(f->contract->sums), lse = m + log(l);
  double grown = 0;
  for (int64_t j = 0; j < count; j++) grown += w->grown[j];
  const double gamma = rpp_gamma(rpp_contract_steps(f->contract, count), rpp_sums_unit(f->contract->sums));
  const double lost = f->contract->sums == RPP_SUMS_F64 ? 0 : (double)count * 0x1p-126 / l;
  const double error = log1p(grown) + 2 * gamma + 2 * unit * (1 + fabs(lse) + fabs(m)) + lost;
  deliver(f->result->lse, b, o, r, 0, lse);
  deliver(f->result->lse_bound, b, o, r, 0, error + rpp_dtype_unit(f->contract->lse) * (fabs(lse) + error));
}

static void bound_row(const bounding *f, int64_t b, int64_t r, int64_t o, double *scratch) {
  const int64_t i = rpp_query_of(f->rows, r);
  const rpp_key_range range = rpp_visible_keys(f->attention, f->inputs, f->problem.k_len, i);
  const int64_t count = range.last - range.first, skipped = count > 0 ? range.first - f->keys.first : 0;
  const workspace w = split(f, scratch);
  if (count == 0) {
    for (int64_t c = 0; c < f->problem.v_dim; c++) {
      deliver(f->result->out, b, r, o, c, 0);
      deliver(f->result->out_bound, b, r, o, c, 0);
      deliver(f->result->out_noise, b, r, o, c, 0);
      deliver(f->result->out_likely, b, r, o, c, 0);
    }
    deliver(f->result->out_spread, b, o, r, 0, 0);
    deliver(f->result->lse, b, o, r, 0, -INFINITY);
    deliver(f->result->lse_bound, b, o, r, 0, 0);
    return;
  }
  double m;
  load_query(f, b, i, o, &w);
  const double l = weigh(f, &w, skipped, count, &m);
  add_values(f, &w, skipped, count);
  bound_out(f, b, r, o, &w, count, l);
  bound_lse(f, b, r, o, &w, count, m, l);
}

static void run(const bounding *f) {
  const int64_t group = f->problem.counts.output / f->problem.counts.kv;
  for (int64_t b = 0; b < f->problem.batch; b++)
    for (int64_t g = 0; g < f->problem.counts.kv; g++) {
      load_kv_head(f, b, g);
#pragma omp parallel for schedule(dynamic, 4) num_threads(f->threads)
      for (int64_t item = 0; item < f->row_count * group; item++)
        bound_row(f, b, item / group, g * group + item % group, f->scratch + omp_get_thread_num() * f->scratch_size);
    }
}

/* The results must be F64 (what they hold is not to be rounded again), of the shape of out or lse, and apart from each other. */
static rpp_status check_result(const bounding *f) {
  const rpp_bounded *r = f->result;
  const rpp_problem *p = &f->problem;
  if (!r || !r->out || !r->out_bound)
    return rpp_fail(RPP_ERROR_NULL, "result.%s = null: required", r && r->out ? "out_bound" : "out");
  const rpp_named_tensor wide[] = {
      {"out", r->out}, {"out_bound", r->out_bound}, {"out_noise", r->out_noise}, {"out_likely", r->out_likely}};
  const rpp_named_tensor flat[] = {{"lse", r->lse}, {"lse_bound", r->lse_bound}, {"out_spread", r->out_spread}};
  rpp_named_tensor seen[7];
  int count = 0;
  for (int i = 0; i < 7; i++) {
    const rpp_named_tensor t = i < 4 ? wide[i] : flat[i - 4];
    if (!t.tensor) continue;
    RPP_TRY(rpp_check_outputs(f->attention, f->inputs, p, f->rows, f->row_count, i < 4 ? t.tensor : NULL, i < 4 ? NULL : t.tensor));
    if (t.tensor->dtype != RPP_F64)
      return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = %s: expected F64", t.name, rpp_dtype_name(t.tensor->dtype));
    RPP_TRY(rpp_check_output(t.name, t.tensor, count, seen));
    seen[count++] = t;
  }
  return RPP_OK;
}

static rpp_status allocate_doubles(int64_t rows, int64_t columns, double **buffer) {
  int64_t count;
  void *made;
  RPP_TRY(rpp_multiply("elements", rows, columns, &count));
  RPP_TRY(rpp_allocate(count, sizeof(double), &made));
  *buffer = made;
  return RPP_OK;
}

static rpp_status allocate(bounding *f) {
  const int64_t keys = f->keys.last - f->keys.first;
  f->threads = rpp_threads((double)(keys + f->row_count * keys) * (double)(f->problem.head_dim + f->problem.v_dim));
  f->scratch_size = workspace_size(f);
  RPP_TRY(allocate_doubles(keys, f->problem.head_dim, &f->k));
  RPP_TRY(allocate_doubles(keys, f->problem.head_dim, &f->k_left));
  RPP_TRY(allocate_doubles(keys, f->problem.v_dim, &f->v));
  return allocate_doubles(f->threads, f->scratch_size, &f->scratch);
}

rpp_status rpp_attention_bound(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_contract *contract,
                               const rpp_tensor *rows, const rpp_bounded *result) {
  bounding f = {.attention = attention, .inputs = inputs, .contract = contract, .rows = rows, .result = result};
  RPP_TRY(rpp_check_contract(contract));
  RPP_TRY(rpp_check_inputs(attention, inputs, true, &f.problem));
  RPP_TRY(rpp_check_rows(rows, &f.problem, &f.row_count));
  RPP_TRY(check_result(&f));
  const bool rotates = !attention->q_rotated || !attention->k_rotated;
  RPP_TRY(rpp_bounded_rows_open(contract, rotates ? &attention->rotary : NULL, f.problem.head_dim, &f.bounded));
  f.v_layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.v_dim, 0};
  f.keys = rpp_keys_of_rows(attention, inputs, &f.problem, rows, f.row_count);
  const rpp_status status = allocate(&f);
  if (status == RPP_OK) run(&f);
  free(f.k);
  free(f.k_left);
  free(f.v);
  free(f.scratch);
  rpp_bounded_rows_close(&f.bounded);
  return status;
}
