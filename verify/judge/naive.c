#include "judge/naive.h"

#include "visible.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_head_counts counts;
  rpp_dtype stored;
  rpp_tensor q, q_imag, k; /* rotated and stored; q_imag where the mode has imaginary heads */
  int64_t k_len, width, v_width;
  float *keys, *raw, *values; /* one KV head: alpha k stored, and not stored, (Lk, D); v, (Lk, Dv) */
  float *query;               /* (D) */
  float *scores, *exacts;     /* (Lk): stored scores, then weights; the same, not stored */
} naive_run;

static float stored(const naive_run *n, float x) {
  return (float)rpp_dtype_round(n->stored, (double)x);
}

/* x rotated into a tensor of its own, or x itself where it is rotated already. */
static bool rotated(rpp_scratch *scratch, const rpp_attention *attention, bool done, rpp_part part, const rpp_tensor *x,
                    const rpp_tensor *pos, rpp_dtype dtype, rpp_tensor *y, rpp_message *error) {
  *y = rpp_scratch_tensor(scratch, dtype, 4, x->shape);
  if (!y->data) return rpp_message_set(error, "out of memory for the naive attention");
  if (done) {
    rpp_scratch_assign(x, y);
    return true;
  }
  return rpp_rotate(&attention->rotary, part, x, pos, y) == RPP_OK || rpp_message_set(error, "%s", rpp_error_message());
}

static void load_kv_head(naive_run *n, int64_t b, int64_t g) {
  const float scale = (float)n->attention->scale;
  for (int64_t j = 0; j < n->k_len; j++) {
    for (int64_t d = 0; d < n->width; d++) {
      n->raw[j * n->width + d] = scale * (float)rpp_tensor_get(&n->k, (int64_t[]){b, j, g, d});
      n->keys[j * n->width + d] = stored(n, n->raw[j * n->width + d]);
    }
    for (int64_t c = 0; c < n->v_width; c++)
      n->values[j * n->v_width + c] = (float)rpp_tensor_get(n->inputs->v, (int64_t[]){b, j, g, c});
  }
}

static void load_query(naive_run *n, int64_t b, int64_t i, int64_t o) {
  const bool turned = n->q_imag.data && o % 2 == 1, paired = n->q_imag.data != NULL;
  const rpp_tensor *q = turned ? &n->q_imag : &n->q;
  for (int64_t d = 0; d < n->width; d++) n->query[d] = (float)rpp_tensor_get(q, (int64_t[]){b, i, paired ? o / 2 : o, d});
}

/* Scores become weights. */
static void softmax(float *scores, int64_t count) {
  float largest = -INFINITY, sum = 0;
  for (int64_t j = 0; j < count; j++) largest = fmaxf(largest, scores[j]);
  for (int64_t j = 0; j < count; j++) sum += scores[j] = expf(scores[j] - largest);
  for (int64_t j = 0; j < count; j++) scores[j] /= sum;
}

static float dot(const float *a, const float *b, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

static void attend(naive_run *n, rpp_key_range seen, double *out, double *magnitude) {
  const int64_t count = seen.last - seen.first;
  const float *values = n->values + seen.first * n->v_width;
  for (int64_t j = 0; j < count; j++) {
    n->scores[j] = stored(n, dot(n->query, n->keys + (seen.first + j) * n->width, n->width));
    n->exacts[j] = dot(n->query, n->raw + (seen.first + j) * n->width, n->width);
  }
  softmax(n->scores, count);
  softmax(n->exacts, count);
  for (int64_t j = 0; j < count; j++) n->scores[j] = stored(n, n->scores[j]);
  for (int64_t c = 0; c < n->v_width; c++) {
    float sum = 0, size = 0;
    for (int64_t j = 0; j < count; j++) {
      sum += n->scores[j] * values[j * n->v_width + c];
      size += n->exacts[j] * fabsf(values[j * n->v_width + c]);
    }
    out[c] = (double)stored(n, sum), magnitude[c] = (double)size;
  }
}

static void run(naive_run *n, const rpp_tensor *rows, const rpp_tensor *naive, const rpp_tensor *magnitude) {
  const int64_t row_count = naive->shape[1], group = n->counts.output / n->counts.kv;
  for (int64_t b = 0; b < naive->shape[0]; b++)
    for (int64_t o = 0; o < n->counts.output; o++) {
      if (o % group == 0) load_kv_head(n, b, o / group);
      for (int64_t r = 0; r < row_count; r++) {
        const int64_t i = rows ? (int64_t)rpp_tensor_get(rows, &r) : r;
        const int64_t at = ((b * row_count + r) * n->counts.output + o) * n->v_width;
        load_query(n, b, i, o);
        attend(n, rpp_visible_keys(n->attention, n->inputs, n->k_len, i), rpp_scratch_values(naive) + at,
               rpp_scratch_values(magnitude) + at);
      }
    }
}

static float *room(int64_t count) {
  return calloc((size_t)count + 1, sizeof(float));
}

bool rpp_naive_attention(rpp_scratch *scratch, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         rpp_dtype rotated_type, rpp_dtype stored_type, const rpp_tensor *rows, const rpp_tensor *naive,
                         const rpp_tensor *magnitude, rpp_message *error) {
  naive_run n = {.attention = attention, .inputs = inputs, .stored = stored_type};
  if (rpp_attention_heads(attention, &n.counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  n.k_len = inputs->v->shape[1], n.width = inputs->q->shape[3], n.v_width = inputs->v->shape[3];
  if (!rotated(scratch, attention, attention->q_rotated, RPP_PART_REAL, inputs->q, inputs->pos_q, rotated_type, &n.q, error) ||
      !rotated(scratch, attention, attention->k_rotated, RPP_PART_REAL, inputs->k, inputs->pos_k, rotated_type, &n.k, error))
    return false;
  if (attention->mode != RPP_MODE_ROPE && !attention->q_rotated &&
      !rotated(scratch, attention, false, RPP_PART_IMAG, inputs->q, inputs->pos_q, rotated_type, &n.q_imag, error))
    return false;
  n.keys = room(n.k_len * n.width), n.raw = room(n.k_len * n.width), n.values = room(n.k_len * n.v_width), n.query = room(n.width);
  n.scores = room(n.k_len), n.exacts = room(n.k_len);
  const bool good = n.keys && n.raw && n.values && n.query && n.scores && n.exacts;
  if (good) run(&n, rows, naive, magnitude);
  float *const rooms[] = {n.keys, n.raw, n.values, n.query, n.scores, n.exacts};
  for (int i = 0; i < 6; i++) free(rooms[i]);
  return good || rpp_message_set(error, "out of memory for the naive attention");
}
