/* identities_attention.c: attention and the layer against their definitions, put together here from the smaller functions. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

static rpp_mode any_mode(rpp_random *random) {
  return (rpp_mode)rpp_random_integer(random, 0, 2);
}

static double finish(rpp_sample *s, bool worked, double deviation) {
  rpp_scratch_free(&s->scratch);
  return worked ? deviation : INFINITY;
}

/* Equation 9 for query i and key j of a sample, which may be packed into two sequences. */
static bool sees(const rpp_sample *s, int64_t i, int64_t j, int64_t cut_q, int64_t cut_k) {
  if ((i < cut_q) != (j < cut_k)) return false;
  const int64_t at = (i < cut_q ? i : i - cut_q) + s->attention.causal_offset, key = j < cut_k ? j : j - cut_k;
  switch (s->attention.mask) {
  case RPP_MASK_FULL:
    return true;
  case RPP_MASK_CAUSAL:
    return key <= at;
  case RPP_MASK_WINDOW:
    return key <= at && key > at - s->attention.window;
  }
  return false;
}

/* Equations 10 to 12 from raw scores (B, P, Lq, Lk) of both parts, into *answer. */
static void soften(const rpp_sample *s, const rpp_tensor scores[2], double scale, int64_t cut_q, int64_t cut_k,
                   const rpp_answer *answer) {
  const int64_t outputs = s->counts.output, parts = outputs / s->counts.projected, group = outputs / s->counts.kv;
  for (int64_t row = 0; row < s->batch * outputs * s->q_len; row++) {
    const int64_t i = row % s->q_len, o = row / s->q_len % outputs, b = row / s->q_len / outputs;
    const double *score =
        rpp_scratch_values(&scores[o % parts]) + ((b * s->counts.projected + o / parts) * s->q_len + i) * s->k_len;
    const double *v = rpp_scratch_values(&s->v) + (b * s->k_len * s->counts.kv + o / group) * s->v_dim;
    double *out = rpp_scratch_values(&answer->out) + ((b * s->q_len + i) * outputs + o) * s->v_dim, largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < s->k_len; j++)
      if (sees(s, i, j, cut_q, cut_k)) largest = fmax(largest, scale * score[j]);
    for (int64_t j = 0; j < s->k_len; j++)
      if (sees(s, i, j, cut_q, cut_k)) sum += exp(scale * score[j] - largest);
    for (int64_t c = 0; c < s->v_dim; c++) {
      out[c] = 0;
      for (int64_t j = 0; j < s->k_len; j++)
        if (sees(s, i, j, cut_q, cut_k)) out[c] += exp(scale * score[j] - largest) / sum * v[j * s->counts.kv * s->v_dim + c];
    }
    rpp_scratch_values(&answer->lse)[row] = largest + log(sum); /* -inf when it sees nothing */
  }
}

static double softmax_of_scores(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_tensor scores[2];
  rpp_sample_make(&s, random, any_mode(random));
  const int64_t cut_q = rpp_random_integer(random, 0, s.q_len - 1), cut_k = rpp_random_integer(random, 0, s.k_len - 2);
  const rpp_tensor cu_q = rpp_scratch_positions(&s.scratch, 3, 0, 0), cu_k = rpp_scratch_positions(&s.scratch, 3, 0, 0);
  const bool pack = rpp_random_integer(random, 0, 1), large = rpp_random_integer(random, 0, 3) == 0;
  rpp_attention_inputs inputs = s.inputs;
  if (large) s.attention.scale *= 64; /* e^x overflows unless the largest x is taken off */
  bool worked = cu_q.data && cu_k.data;
  if (pack && worked) { /* aligned at the last key of the second sequence: other rows may see nothing */
    s.attention.causal_offset = s.k_len - cut_k - (s.q_len - cut_q);
    rpp_scratch_integers(&cu_q)[1] = cut_q, rpp_scratch_integers(&cu_q)[2] = s.q_len;
    rpp_scratch_integers(&cu_k)[1] = cut_k, rpp_scratch_integers(&cu_k)[2] = s.k_len;
    inputs.cu_q = &cu_q, inputs.cu_k = &cu_k;
  }
  for (int part = 0; part < 2; part++) {
    scores[part] = rpp_scratch_zeros(&s.scratch, s.batch, s.counts.projected, s.q_len, s.k_len);
    worked &= rpp_scores_complex(&s.attention, &s.inputs, (rpp_part)part, RPP_SCORES_ABSOLUTE, &scores[part]) == RPP_OK;
  }
  worked = worked && rpp_sample_answer(&s, &s.attention, &inputs, &a) && rpp_sample_answer(&s, &s.attention, &inputs, &b);
  if (worked) soften(&s, scores, s.attention.scale * (planted ? 1.01 : 1), pack ? cut_q : 0, pack ? cut_k : 0, &b);
  return finish(&s, worked, worked ? rpp_answer_deviation(&a, &b) : INFINITY);
}

/* Positions (B, L): the given ones, later by b times a step. */
static rpp_tensor stagger(rpp_sample *s, const rpp_tensor *pos, int64_t step) {
  const int64_t length = pos->shape[0];
  const rpp_tensor rows = rpp_scratch_tensor(&s->scratch, RPP_I64, 2, (int64_t[]){s->batch, length});
  for (int64_t i = 0; i < rpp_scratch_size(&rows); i++)
    rpp_scratch_integers(&rows)[i] = rpp_scratch_integers(pos)[i % length] + i / length * step;
  return rows;
}

static double batch_is_apart(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer whole, alone;
  rpp_sample_make(&s, random, any_mode(random));
  const int64_t step_q = rpp_random_integer(random, 1, 1000), step_k = rpp_random_integer(random, 1, 1000);
  const rpp_tensor pos_q = stagger(&s, &s.pos_q, step_q), pos_k = stagger(&s, &s.pos_k, step_k);
  rpp_attention_inputs inputs = s.inputs;
  inputs.pos_q = &pos_q, inputs.pos_k = &pos_k;
  bool worked = rpp_sample_answer(&s, &s.attention, &inputs, &whole) && rpp_sample_answer(&s, &s.attention, &inputs, &alone);
  for (int64_t b = 0; worked && b < s.batch; b++) {
    rpp_tensor q, k, v, out, lse, at_q = s.pos_q, at_k = s.pos_k;
    at_q.data = rpp_scratch_integers(&pos_q) + b * s.q_len, at_k.data = rpp_scratch_integers(&pos_k) + b * s.k_len;
    for (int64_t j = 0; planted && j < s.k_len; j++) rpp_scratch_integers(&at_k)[j] += j;
    const rpp_attention_inputs one = {.q = &q, .k = &k, .v = &v, .pos_q = &at_q, .pos_k = &at_k};
    worked = rpp_tensor_slice(&s.q, 0, b, 1, 1, &q) == RPP_OK && rpp_tensor_slice(&s.k, 0, b, 1, 1, &k) == RPP_OK &&
             rpp_tensor_slice(&s.v, 0, b, 1, 1, &v) == RPP_OK && rpp_tensor_slice(&alone.out, 0, b, 1, 1, &out) == RPP_OK &&
             rpp_tensor_slice(&alone.lse, 0, b, 1, 1, &lse) == RPP_OK &&
             rpp_attention_forward(&s.attention, &one, NULL, &out, &lse) == RPP_OK;
  }
  return finish(&s, worked, worked ? rpp_answer_deviation(&whole, &alone) : INFINITY);
}

/* Attention over its own angles, handed over as tables of cos and sin or as frequencies. The plant is a table of every second
 * position, or the fastest frequency 1 % higher. */
static double given_tables(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, any_mode(random));
  const bool tables = rpp_random_integer(random, 0, 1);
  const int64_t length = s.k_len + 1, pairs = s.attention.rotary.rotary_dim / 2, shape[] = {length, pairs};
  rpp_rotary *rotary = &s.attention.rotary;
  if (!tables && (rotary->scaling.kind == RPP_SCALING_YARN || rotary->scaling.kind == RPP_SCALING_YARN_HF))
    rotary->scaling.kind = RPP_SCALING_LINEAR; /* given frequencies have no magnitude */
  const rpp_tensor rows = rpp_scratch_positions(&s.scratch, length, 0, 1 + planted);
  rpp_tensor cosine = rpp_scratch_tensor(&s.scratch, RPP_F64, 2, shape), sine = rpp_scratch_tensor(&s.scratch, RPP_F64, 2, shape);
  const rpp_tensor theta = rpp_scratch_tensor(&s.scratch, RPP_F64, 1, &pairs);
  bool worked = rows.data && theta.data && rpp_angles(rotary, &rows, &cosine, &sine) == RPP_OK;
  for (int64_t j = 0; j < s.k_len; j++) rpp_scratch_integers(&s.pos_k)[j] = (j * 5) % s.k_len; /* in any order */
  for (int64_t i = 0; i < s.q_len; i++) rpp_scratch_integers(&s.pos_q)[i] = s.k_len - i;
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a);
  worked = worked && rpp_frequencies(rotary, rpp_scratch_values(&theta), NULL, NULL) == RPP_OK;
  if (planted && worked) rpp_scratch_values(&theta)[0] *= 1.01;
  if (tables)
    rotary->cos = &cosine, rotary->sin = &sine;
  else
    rotary->inv_freq = &theta;
  rotary->base = NAN; /* not read any more */
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &b);
  return finish(&s, worked, worked ? rpp_answer_deviation(&a, &b) : INFINITY);
}

/* y[token, r] = sum_c w[r, c] x[token, c], all contiguous. */
static void project(const rpp_tensor *w, const double *x, int64_t tokens, double *y) {
  const int64_t rows = w->shape[0], columns = w->shape[1];
  for (int64_t i = 0; i < tokens * rows; i++) {
    y[i] = 0;
    for (int64_t c = 0; c < columns; c++) y[i] += rpp_scratch_values(w)[i % rows * columns + c] * x[i / rows * columns + c];
  }
}

/* The layer's four outputs, and the same from projections done here, rpp_rotate and rpp_attention_forward. */
static double layer_is_its_parts(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_sample_make(&s, random, any_mode(random));
  const int64_t hidden = rpp_random_integer(random, 3, 12), length = s.k_len, tokens = s.batch * length, d = s.head_dim,
                dv = s.v_dim;
  const rpp_head_counts n = s.counts;
  rpp_scratch *scratch = &s.scratch;
  const int64_t rows[] = {n.projected * d, n.kv * d, n.kv * dv, hidden, tokens},
                columns[] = {hidden, hidden, hidden, n.output * dv, hidden};
  rpp_tensor w[5]; /* wq, wk, wv, wo, x */
  bool worked = true;
  for (int i = 0; i < 5; i++) {
    const rpp_tensor values = rpp_scratch_normal(scratch, random, 1, rows[i], 1, columns[i]);
    worked &= rpp_tensor_contiguous(values.data, RPP_F64, 2, (int64_t[]){rows[i], columns[i]}, &w[i]) == RPP_OK && values.data;
  }
  rpp_tensor x, layer[4], parts[4]; /* k_cache, v_cache, out, y */
  worked &= rpp_tensor_contiguous(w[4].data, RPP_F64, 3, (int64_t[]){s.batch, length, hidden}, &x) == RPP_OK;
  for (int i = 0; i < 2; i++) {
    rpp_tensor *t = i ? parts : layer;
    t[0] = rpp_scratch_zeros(scratch, s.batch, length, n.kv, d), t[1] = rpp_scratch_zeros(scratch, s.batch, length, n.kv, dv);
    t[2] = rpp_scratch_zeros(scratch, s.batch, length, n.output, dv);
    t[3] = rpp_scratch_tensor(scratch, RPP_F64, 3, x.shape);
    worked &= t[0].data && t[1].data && t[2].data && t[3].data;
  }
  const rpp_tensor q = rpp_scratch_zeros(scratch, s.batch, length, n.projected, d),
                   k = rpp_scratch_zeros(scratch, s.batch, length, n.kv, d);
  const rpp_layer_inputs inputs = {.x = &x, .wq = &w[0], .wk = &w[1], .wv = &w[2], .wo = &w[3], .pos = &s.pos_k};
  const rpp_layer_outputs outputs = {&layer[0], &layer[1], &layer[2], &layer[3]};
  worked = worked && q.data && k.data && rpp_layer_forward(&s.attention, &inputs, &outputs) == RPP_OK;
  if (worked) {
    project(&w[0], x.data, tokens, q.data), project(&w[1], x.data, tokens, k.data), project(&w[2], x.data, tokens, parts[1].data);
    const rpp_tensor pos_k = rpp_scratch_copy(scratch, &s.pos_k);
    for (int64_t j = 0; planted && j < length; j++) rpp_scratch_integers(&pos_k)[j] += 1;
    const rpp_attention_inputs attend = {.q = &q, .k = &k, .v = &parts[1], .pos_q = &s.pos_k, .pos_k = &pos_k};
    worked = rpp_rotate(&s.attention.rotary, RPP_PART_REAL, &k, &pos_k, &parts[0]) == RPP_OK &&
             rpp_attention_forward(&s.attention, &attend, NULL, &parts[2], NULL) == RPP_OK;
    project(&w[3], parts[2].data, tokens, parts[3].data);
  }
  double deviation = 0;
  for (int i = 0; worked && i < 4; i++) deviation = rpp_larger(deviation, rpp_scratch_deviation(&layer[i], &parts[i]));
  return finish(&s, worked, deviation);
}

const rpp_identity rpp_identities_attention[] = {
    {"softmax-of-scores", "9 to 12", "attention = softmax of the visible complex scores, times V; plant: scale 1 % off", 1e-12, 100,
     softmax_of_scores},
    {"batch-is-apart", "9, 11", "a batch with positions of its own each = one sequence at a time; plant: keys' positions", 0, 100,
     batch_is_apart},
    {"given-tables", "2", "its own cos and sin, or frequencies, given as tables = none given; plant: other tables", 1e-13, 100,
     given_tables},
    {"layer-is-its-parts", "16", "a layer = projections around attention; plant: keys one position late", 1e-13, 100,
     layer_is_its_parts},
    {0}};
