#include "judge/case_truth.h"

#include <math.h>

#include "base/scratch.h"

static bool done(rpp_status status, rpp_message *error) {
  return status == RPP_OK || rpp_message_set(error, "%s", rpp_error_message());
}

static bool taken(const rpp_tensor *t, rpp_message *error) {
  return t->data != NULL || rpp_message_set(error, "out of memory for the truth");
}

static int64_t elements_of(const rpp_tensor *t) {
  int64_t n = 1;
  for (int i = 0; i < t->ndim; i++) n *= t->shape[i];
  return n;
}

/* A float64 tensor over data, shaped like another; valid because the other is. */
static rpp_tensor shaped_like(const rpp_tensor *like, double *data) {
  rpp_tensor t = {0};
  rpp_tensor_contiguous(data, RPP_F64, like->ndim, like->shape, &t);
  return t;
}

/* A tensor's values as float64, and their magnitudes. */
static bool values(rpp_scratch *s, const rpp_tensor *t, rpp_tensor *copy, rpp_message *error) {
  *copy = rpp_scratch_tensor(s, RPP_F64, t->ndim, t->shape);
  if (!taken(copy, error)) return false;
  rpp_scratch_assign(t, copy);
  return true;
}

static bool magnitudes(rpp_scratch *s, const rpp_tensor *t, rpp_tensor *copy, rpp_message *error) {
  if (!values(s, t, copy, error)) return false;
  double *x = rpp_scratch_values(copy);
  for (int64_t i = 0, n = elements_of(copy); i < n; i++) x[i] = fabs(x[i]);
  return true;
}

/* Replaces each of n rotated columns by the modulus of its pair, or by its magnitude past the rotary width. Since rotation keeps
 * the modulus, but for the factor m, which belongs to the scale, this holds for tables given by the case too. */
static void moduli(const rpp_case *c, int64_t n, double *x) {
  const int64_t width = c->attention.rotary.rotary_dim;
  const bool half = c->attention.rotary.pairing == RPP_PAIRING_HALF;
  for (double *head = x; head < x + n; head += c->head_dim) {
    for (int64_t i = 0; i < width / 2; i++) {
      double *a = half ? head + i : head + 2 * i, *b = half ? a + width / 2 : a + 1;
      *a = *b = hypot(*a, *b);
    }
    for (int64_t i = width; i < c->head_dim; i++) head[i] = fabs(head[i]);
  }
}

/* ---- Rotated q and k, and scores ---------------------------------------------------------------------------------------- */

static bool rotated(const rpp_case *c, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, double *y, rpp_message *error) {
  rpp_tensor out = shaped_like(x, y);
  return done(rpp_rotate(&c->attention.rotary, part, x, pos, &out), error);
}

static bool rotated_moduli(const rpp_case *c, const rpp_tensor *x, const rpp_tensor *pos, double *scale, rpp_message *error) {
  if (!rotated(c, RPP_PART_REAL, x, pos, scale, error)) return false;
  moduli(c, elements_of(x), scale);
  return true;
}

/* sum over pairs |q| |k|, from the moduli, which stand in both columns of a pair. */
static void score_scale(const rpp_case *c, const double *q, const double *k, double *scale) {
  const int64_t batch = c->inputs.q->shape[0], q_len = c->inputs.q->shape[1], k_len = c->inputs.k->shape[1];
  const int64_t heads = c->counts.projected, kv = c->counts.kv, d = c->head_dim, width = c->attention.rotary.rotary_dim;
  for (int64_t b = 0; b < batch; b++)
    for (int64_t h = 0; h < heads; h++)
      for (int64_t i = 0; i < q_len; i++)
        for (int64_t j = 0; j < k_len; j++) {
          const double *qr = q + ((b * q_len + i) * heads + h) * d, *kr = k + ((b * k_len + j) * kv + h / (heads / kv)) * d;
          double pairs = 0, rest = 0;
          for (int64_t n = 0; n < width; n++) pairs += qr[n] * kr[n];
          for (int64_t n = width; n < d; n++) rest += qr[n] * kr[n];
          *scale++ = pairs / 2 + rest;
        }
}

static bool scores(const rpp_case *c, rpp_part part, const rpp_tensor *like, double *truth, double *scale, rpp_scratch *s,
                   rpp_message *error) {
  const rpp_attention_inputs *in = &c->inputs;
  const rpp_tensor q = rpp_scratch_tensor(s, RPP_F64, in->q->ndim, in->q->shape);
  const rpp_tensor k = rpp_scratch_tensor(s, RPP_F64, in->k->ndim, in->k->shape);
  rpp_tensor out = shaped_like(like, truth);
  if (!taken(&q, error) || !taken(&k, error) || !rotated_moduli(c, in->q, in->pos_q, q.data, error) ||
      !rotated_moduli(c, in->k, in->pos_k, k.data, error) ||
      !done(rpp_scores_rotated(&c->attention, in, part, RPP_SCORES_ABSOLUTE, &out), error))
    return false;
  score_scale(c, q.data, k.data, scale);
  return true;
}

/* ---- Attention ---------------------------------------------------------------------------------------------------------- */

static bool attention_out(const rpp_case *c, const rpp_tensor *like, double *truth, double *scale, rpp_scratch *s,
                          rpp_message *error) {
  rpp_tensor v, out = shaped_like(like, truth), out_scale = shaped_like(like, scale);
  if (!magnitudes(s, c->inputs.v, &v, error)) return false;
  rpp_attention_inputs with_magnitudes = c->inputs;
  with_magnitudes.v = &v;
  return done(rpp_attention_forward(&c->attention, &c->inputs, NULL, &out, NULL), error) &&
         done(rpp_attention_forward(&c->attention, &with_magnitudes, NULL, &out_scale, NULL), error);
}

static bool attention_lse(const rpp_case *c, const rpp_tensor *like, double *truth, double *scale, rpp_message *error) {
  rpp_tensor lse = shaped_like(like, truth);
  if (!done(rpp_attention_forward(&c->attention, &c->inputs, NULL, NULL, &lse), error)) return false;
  for (int64_t i = 0, n = elements_of(like); i < n; i++) scale[i] = fmax(1, fabs(truth[i]));
  return true;
}

/* ---- Layer -------------------------------------------------------------------------------------------------------------- */

/* y (rows, outputs) = x (rows, inputs) times w (outputs, inputs) transposed. */
static void project(const double *x, int64_t rows, int64_t inputs, const double *w, int64_t outputs, double *y) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t o = 0; o < outputs; o++) {
      double sum = 0;
      for (int64_t i = 0; i < inputs; i++) sum += x[r * inputs + i] * w[o * inputs + i];
      *y++ = sum;
    }
}

/* x times w transposed, as heads: (B, L, heads, D). */
static bool heads(const rpp_case *c, const rpp_tensor *x, const rpp_tensor *w, rpp_tensor *y, rpp_scratch *s, rpp_message *error) {
  *y = rpp_scratch_zeros(s, x->shape[0], x->shape[1], w->shape[0] / c->head_dim, c->head_dim);
  if (!taken(y, error)) return false;
  project(x->data, x->shape[0] * x->shape[1], c->hidden, w->data, w->shape[0], y->data);
  return true;
}

static bool projected(const rpp_case *c, const rpp_tensor *w, rpp_tensor *y, rpp_scratch *s, rpp_message *error) {
  rpp_tensor x, weights;
  return values(s, c->layer.x, &x, error) && values(s, w, &weights, error) && heads(c, &x, &weights, y, s, error);
}

/* The same of |x| and |w|. */
static bool projected_scale(const rpp_case *c, const rpp_tensor *w, rpp_tensor *y, rpp_scratch *s, rpp_message *error) {
  rpp_tensor x, weights;
  return magnitudes(s, c->layer.x, &x, error) && magnitudes(s, w, &weights, error) && heads(c, &x, &weights, y, s, error);
}

/* Attention of the layer's own q and k over the scale of v, (B, L, O, D). */
static bool layer_out_scale(const rpp_case *c, rpp_tensor *out, rpp_scratch *s, rpp_message *error) {
  rpp_tensor q, k, v;
  if (!projected(c, c->layer.wq, &q, s, error) || !projected(c, c->layer.wk, &k, s, error) ||
      !projected_scale(c, c->layer.wv, &v, s, error))
    return false;
  const rpp_attention_inputs in = {.q = &q, .k = &k, .v = &v, .pos_q = c->layer.pos, .pos_k = c->layer.pos};
  return done(rpp_attention_forward(&c->attention, &in, NULL, out, NULL), error);
}

static bool layer_y_scale(const rpp_case *c, double *scale, rpp_scratch *s, rpp_message *error) {
  const rpp_tensor *x = c->layer.x;
  rpp_tensor wo, out = rpp_scratch_zeros(s, x->shape[0], x->shape[1], c->counts.output, c->head_dim);
  if (!taken(&out, error) || !magnitudes(s, c->layer.wo, &wo, error) || !layer_out_scale(c, &out, s, error)) return false;
  project(out.data, x->shape[0] * x->shape[1], wo.shape[1], wo.data, c->hidden, scale);
  return true;
}

static bool v_cache_scale(const rpp_case *c, rpp_tensor *scale, rpp_scratch *s, rpp_message *error) {
  rpp_tensor v;
  if (!projected_scale(c, c->layer.wv, &v, s, error)) return false;
  rpp_scratch_assign(&v, scale);
  return true;
}

static bool k_cache_scale(const rpp_case *c, double *scale, rpp_scratch *s, rpp_message *error) {
  rpp_tensor k;
  return projected_scale(c, c->layer.wk, &k, s, error) && rotated_moduli(c, &k, c->layer.pos, scale, error);
}

static bool layer(const rpp_case *c, rpp_case_tensor which, double *truth, double *scale, rpp_scratch *s, rpp_message *error) {
  rpp_tensor result = shaped_like(c->tensor[which], truth), result_scale = shaped_like(c->tensor[which], scale);
  const rpp_layer_outputs outputs = {.k_cache = which == RPP_CASE_K_CACHE ? &result : NULL,
                                     .v_cache = which == RPP_CASE_V_CACHE ? &result : NULL,
                                     .out = which == RPP_CASE_OUT ? &result : NULL,
                                     .y = which == RPP_CASE_Y ? &result : NULL};
  if (!done(rpp_layer_forward(&c->attention, &c->layer, &outputs), error)) return false;
  switch (which) {
  case RPP_CASE_OUT:
    return layer_out_scale(c, &result_scale, s, error);
  case RPP_CASE_Y:
    return layer_y_scale(c, scale, s, error);
  case RPP_CASE_V_CACHE:
    return v_cache_scale(c, &result_scale, s, error);
  default:
    return k_cache_scale(c, scale, s, error);
  }
}

/* ---- All of them -------------------------------------------------------------------------------------------------------- */

static bool rotated_with_scale(const rpp_case *c, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos, double *truth,
                               double *scale, rpp_message *error) {
  return rotated(c, part, x, pos, truth, error) && rotated_moduli(c, x, pos, scale, error);
}

static bool compute(const rpp_case *c, rpp_case_tensor which, double *truth, double *scale, rpp_scratch *s, rpp_message *error) {
  const rpp_attention_inputs *in = &c->inputs;
  if (c->op == RPP_OP_LAYER) return layer(c, which, truth, scale, s, error);
  switch (which) {
  case RPP_CASE_Q_REAL:
    return rotated_with_scale(c, RPP_PART_REAL, in->q, in->pos_q, truth, scale, error);
  case RPP_CASE_Q_IMAG:
    return rotated_with_scale(c, RPP_PART_IMAG, in->q, in->pos_q, truth, scale, error);
  case RPP_CASE_K_ROT:
    return rotated_with_scale(c, RPP_PART_REAL, in->k, in->pos_k, truth, scale, error);
  case RPP_CASE_SCORES_REAL:
    return scores(c, RPP_PART_REAL, c->tensor[which], truth, scale, s, error);
  case RPP_CASE_SCORES_IMAG:
    return scores(c, RPP_PART_IMAG, c->tensor[which], truth, scale, s, error);
  case RPP_CASE_LSE:
    return attention_lse(c, c->tensor[which], truth, scale, error);
  default:
    return attention_out(c, c->tensor[which], truth, scale, s, error);
  }
}

bool rpp_case_truth(const rpp_case *c, rpp_case_tensor which, double *truth, double *scale, rpp_message *error) {
  rpp_scratch s = {.count = 0};
  const bool ok = compute(c, which, truth, scale, &s, error);
  rpp_scratch_free(&s);
  return ok;
}
