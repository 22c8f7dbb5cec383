#include "cases/sample.h"

#include <math.h>

#define PICK(random, choices) (choices)[rpp_random_integer(random, 0, (int64_t)(sizeof(choices) / sizeof *(choices)) - 1)]

rpp_rotary rpp_sample_rotary(rpp_random *random, int64_t rotary_dim) {
  static const double bases[] = {1e4, 5e5, 1e6};
  static const rpp_scaling scalings[] = {{.kind = RPP_SCALING_NONE},
                                         {.kind = RPP_SCALING_LINEAR, .factor = 8},
                                         {.kind = RPP_SCALING_NTK, .factor = 4},
                                         {.kind = RPP_SCALING_NTK_AWARE, .factor = 4},
                                         {.kind = RPP_SCALING_YARN, .factor = 32, .orig = 4096},
                                         {.kind = RPP_SCALING_YARN_HF, .factor = 32, .orig = 4096},
                                         {.kind = RPP_SCALING_LLAMA3, .factor = 8, .orig = 8192, .low = 1, .high = 4}};
  rpp_rotary rotary = {.pairing = (rpp_pairing)rpp_random_integer(random, 0, 1), .rotary_dim = rotary_dim};
  rotary.base = PICK(random, bases);
  rotary.scaling = PICK(random, scalings);
  if (rotary.scaling.kind == RPP_SCALING_NTK_AWARE && rotary_dim == 2) rotary.scaling.kind = RPP_SCALING_NTK;
  return rotary;
}

/* Consecutive positions from a start up to 10^6, or, as in packed training samples, falling back to 0 on the way. */
static void fill_positions(int64_t start, int64_t reset, const rpp_tensor *pos) {
  int64_t *values = rpp_scratch_integers(pos);
  for (int64_t l = 0; l < rpp_scratch_size(pos); l++) values[l] = l < reset ? start + l : l - reset;
}

void rpp_sample_make(rpp_sample *sample, rpp_random *random, rpp_mode mode) {
  static const int64_t ratios[] = {2, 3, 4, 7}, widths[] = {4, 6, 8, 16, 34, 64}, v_widths[] = {1, 3, 8, 20};
  *sample = (rpp_sample){.batch = rpp_random_integer(random, 1, 2)};
  const int64_t kv_heads = 4, heads = kv_heads * PICK(random, ratios);
  sample->head_dim = PICK(random, widths);
  sample->v_dim = PICK(random, v_widths);
  sample->k_len = rpp_random_integer(random, 6, 12);
  sample->q_len = rpp_random_integer(random, 2, sample->k_len - 1);
  const int64_t partial = rpp_random_integer(random, 0, 3) == 0 ? sample->head_dim / 4 * 2 : sample->head_dim;
  sample->attention = (rpp_attention){.mode = mode,
                                      .heads = heads,
                                      .kv_heads = kv_heads,
                                      .rotary = rpp_sample_rotary(random, partial),
                                      .mask = (rpp_mask)rpp_random_integer(random, 0, 2),
                                      .causal_offset = sample->k_len - sample->q_len,
                                      .window = rpp_random_integer(random, 2, 12),
                                      .scale = 1 / sqrt((double)sample->head_dim)};
  rpp_attention_heads(&sample->attention, &sample->counts);
  rpp_scratch *scratch = &sample->scratch;
  sample->q = rpp_scratch_normal(scratch, random, sample->batch, sample->q_len, sample->counts.projected, sample->head_dim);
  sample->k = rpp_scratch_normal(scratch, random, sample->batch, sample->k_len, sample->counts.kv, sample->head_dim);
  sample->v = rpp_scratch_normal(scratch, random, sample->batch, sample->k_len, sample->counts.kv, sample->v_dim);
  sample->pos_k = rpp_scratch_positions(scratch, sample->k_len, 0, 1);
  sample->pos_q = rpp_scratch_positions(scratch, sample->q_len, 0, 1);
  const int64_t start = rpp_random_integer(random, 0, 1) ? rpp_random_integer(random, 0, 1000000) : 0;
  const int64_t reset = rpp_random_integer(random, 1, 2 * sample->k_len), offset = sample->k_len - sample->q_len;
  fill_positions(start, reset, &sample->pos_k);
  for (int64_t i = 0; i < rpp_scratch_size(&sample->pos_q); i++)
    rpp_scratch_integers(&sample->pos_q)[i] = rpp_scratch_integers(&sample->pos_k)[i + offset];
  sample->inputs =
      (rpp_attention_inputs){.q = &sample->q, .k = &sample->k, .v = &sample->v, .pos_q = &sample->pos_q, .pos_k = &sample->pos_k};
}

void rpp_sample_set_mode(rpp_sample *sample, rpp_mode mode) {
  sample->attention.mode = mode;
  rpp_attention_heads(&sample->attention, &sample->counts);
}

bool rpp_sample_answer(rpp_sample *sample, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_answer *answer) {
  rpp_head_counts counts;
  if (rpp_attention_heads(attention, &counts) != RPP_OK) return false;
  const int64_t batch = inputs->q->shape[0], length = inputs->q->shape[1];
  answer->out = rpp_scratch_zeros(&sample->scratch, batch, length, counts.output, inputs->v->shape[3]);
  answer->lse = rpp_scratch_tensor(&sample->scratch, RPP_F64, 3, (int64_t[]){batch, counts.output, length});
  return rpp_attention_forward(attention, inputs, NULL, &answer->out, &answer->lse) == RPP_OK;
}

double rpp_larger(double a, double b) {
  if (isnan(a) || isnan(b)) return INFINITY;
  return a > b ? a : b;
}

double rpp_answer_deviation(const rpp_answer *a, const rpp_answer *b) {
  return rpp_larger(rpp_scratch_deviation(&a->out, &b->out), rpp_scratch_deviation(&a->lse, &b->lse));
}
