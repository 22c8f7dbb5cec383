/* identities_scores.c: what the scores before softmax must satisfy. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

typedef rpp_status scores_function(const rpp_attention *, const rpp_attention_inputs *, rpp_part, rpp_score_form, rpp_tensor *);

/* Scores of a sample by one of the forms, in a tensor of the sample's. */
static bool scores_of(rpp_sample *s, scores_function *function, const rpp_attention_inputs *inputs, rpp_part part,
                      rpp_score_form form, rpp_tensor *scores) {
  *scores = rpp_scratch_zeros(&s->scratch, inputs->q->shape[0], inputs->q->shape[2], inputs->q->shape[1], inputs->k->shape[1]);
  return function(&s->attention, inputs, part, form, scores) == RPP_OK;
}

static double finish(rpp_sample *s, bool worked, const rpp_tensor *a, const rpp_tensor *b) {
  const double deviation = worked ? rpp_scratch_deviation(a, b) : INFINITY;
  rpp_scratch_free(&s->scratch);
  return deviation;
}

static void shift(const rpp_tensor *pos, int64_t by) {
  for (int64_t i = 0; i < rpp_scratch_size(pos); i++) rpp_scratch_integers(pos)[i] += by;
}

static void negate(const rpp_tensor *t) {
  for (int64_t i = 0; i < rpp_scratch_size(t); i++) rpp_scratch_values(t)[i] *= -1;
}

static double complex_real(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  const rpp_score_form form = (rpp_score_form)rpp_random_integer(random, 0, 1);
  bool worked = scores_of(&s, rpp_scores_rotated, &s.inputs, RPP_PART_REAL, form, &a);
  if (planted) shift(&s.pos_k, 1);
  worked &= scores_of(&s, rpp_scores_complex, &s.inputs, RPP_PART_REAL, form, &b);
  return finish(&s, worked, &a, &b);
}

static double complex_imag(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  const rpp_score_form form = (rpp_score_form)rpp_random_integer(random, 0, 1);
  bool worked = scores_of(&s, rpp_scores_rotated, &s.inputs, RPP_PART_IMAG, form, &a);
  worked &= scores_of(&s, rpp_scores_complex, &s.inputs, RPP_PART_IMAG, form, &b);
  if (planted) negate(&b);
  return finish(&s, worked, &a, &b);
}

static double relative_form(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  scores_function *const function = rpp_random_integer(random, 0, 1) ? rpp_scores_rotated : rpp_scores_complex;
  const rpp_part part = (rpp_part)rpp_random_integer(random, 0, 1);
  bool worked = scores_of(&s, function, &s.inputs, part, RPP_SCORES_ABSOLUTE, &a);
  if (planted) shift(&s.pos_q, -1);
  worked &= scores_of(&s, function, &s.inputs, part, RPP_SCORES_RELATIVE, &b);
  return finish(&s, worked, &a, &b);
}

static double distance_alone(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  const rpp_part part = (rpp_part)rpp_random_integer(random, 0, 1);
  const int64_t by = rpp_random_integer(random, 1, 1000000);
  bool worked = scores_of(&s, rpp_scores_rotated, &s.inputs, part, RPP_SCORES_ABSOLUTE, &a);
  shift(&s.pos_q, by);
  if (!planted) shift(&s.pos_k, by);
  worked &= scores_of(&s, rpp_scores_rotated, &s.inputs, part, RPP_SCORES_ABSOLUTE, &b);
  return finish(&s, worked, &a, &b);
}

/* Scores of one query head for each KV head, and of the same with q and k exchanged and the distances reversed. The plant forgets to
 * reverse. */
static double parity(rpp_random *random, bool planted, rpp_part part) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_ROPE);
  s.attention.heads = s.attention.kv_heads;
  s.attention.rotary.rotary_dim = s.head_dim; /* columns that do not turn are symmetric in both parts */
  if (s.attention.rotary.scaling.kind == RPP_SCALING_NTK_AWARE && s.head_dim == 2)
    s.attention.rotary.scaling.kind = RPP_SCALING_NTK;
  rpp_tensor q;
  bool worked = rpp_tensor_slice(&s.q, 2, 0, s.attention.heads, 1, &q) == RPP_OK;
  const rpp_attention_inputs straight = {.q = &q, .k = &s.k, .pos_q = &s.pos_q, .pos_k = &s.pos_k};
  rpp_attention_inputs exchanged = {.q = &s.k, .k = &q, .pos_q = &s.pos_k, .pos_k = &s.pos_q};
  const rpp_tensor zero_k = rpp_scratch_positions(&s.scratch, s.k_len, 0, 0),
                   zero_q = rpp_scratch_positions(&s.scratch, s.q_len, 0, 0);
  worked &= scores_of(&s, rpp_scores_rotated, &straight, part, RPP_SCORES_ABSOLUTE, &a);
  if (planted) exchanged.pos_q = &zero_k, exchanged.pos_k = &zero_q;
  worked &= scores_of(&s, rpp_scores_rotated, &exchanged, part, RPP_SCORES_ABSOLUTE, &b);
  if (part == RPP_PART_IMAG) negate(&b);
  rpp_tensor back = b; /* (B, P, Lk, Lq) read as (B, P, Lq, Lk) */
  back.shape[2] = b.shape[3], back.shape[3] = b.shape[2];
  back.strides[2] = b.strides[3], back.strides[3] = b.strides[2];
  return finish(&s, worked, &a, &back);
}

static double parity_real(rpp_random *random, bool planted) {
  return parity(random, planted, RPP_PART_REAL);
}
static double parity_imag(rpp_random *random, bool planted) {
  return parity(random, planted, RPP_PART_IMAG);
}

/* One pair: A_re^2 + A_im^2 at distance 0 and at others. The plant takes the imaginary part one distance off. */
static double modulus(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor re, im;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  bool worked = rpp_tensor_slice(&s.q, 3, 0, 2, 1, &s.q) == RPP_OK && rpp_tensor_slice(&s.k, 3, 0, 2, 1, &s.k) == RPP_OK;
  s.attention.rotary.rotary_dim = 2;
  if (s.attention.rotary.scaling.kind == RPP_SCALING_NTK_AWARE) s.attention.rotary.scaling.kind = RPP_SCALING_NTK;
  worked &= scores_of(&s, rpp_scores_rotated, &s.inputs, RPP_PART_REAL, RPP_SCORES_ABSOLUTE, &re);
  if (planted) shift(&s.pos_k, 1);
  worked &= scores_of(&s, rpp_scores_rotated, &s.inputs, RPP_PART_IMAG, RPP_SCORES_ABSOLUTE, &im);
  const rpp_tensor zero_q = rpp_scratch_positions(&s.scratch, s.q_len, 0, 0),
                   zero_k = rpp_scratch_positions(&s.scratch, s.k_len, 0, 0);
  const rpp_attention_inputs still = {.q = &s.q, .k = &s.k, .pos_q = &zero_q, .pos_k = &zero_k};
  rpp_tensor re0, im0;
  worked &= scores_of(&s, rpp_scores_rotated, &still, RPP_PART_REAL, RPP_SCORES_ABSOLUTE, &re0);
  worked &= scores_of(&s, rpp_scores_rotated, &still, RPP_PART_IMAG, RPP_SCORES_ABSOLUTE, &im0);
  for (int64_t i = 0; worked && i < rpp_scratch_size(&re); i++) {
    rpp_scratch_values(&re)[i] = hypot(rpp_scratch_values(&re)[i], rpp_scratch_values(&im)[i]);
    rpp_scratch_values(&re0)[i] = hypot(rpp_scratch_values(&re0)[i], rpp_scratch_values(&im0)[i]);
  }
  return finish(&s, worked, &re0, &re);
}

/* Imaginary scores of q = Wx are real scores of (R(-pi/2) W) x: with weights of their own, imaginary heads are RoPE heads. */
static double collapse(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_tensor a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  const int64_t hidden = 5, width = s.head_dim, heads = s.counts.projected;
  const rpp_tensor x = rpp_scratch_normal(&s.scratch, random, 1, s.batch, s.q_len, hidden);
  const rpp_tensor w = rpp_scratch_normal(&s.scratch, random, 1, hidden, heads, width); /* a column of W for each hidden unit */
  rpp_tensor turned = rpp_scratch_zeros(&s.scratch, 1, hidden, heads, width);
  const rpp_tensor own = rpp_scratch_zeros(&s.scratch, s.batch, s.q_len, heads, width);
  bool worked = rpp_quarter_turn(&s.attention.rotary, &w, &turned) == RPP_OK;
  if (planted) negate(&turned);
  for (int64_t token = 0; worked && token < s.batch * s.q_len; token++)
    for (int64_t r = 0; r < heads * width; r++) {
      double *q = rpp_scratch_values(&s.q) + token * heads * width + r,
             *q_own = rpp_scratch_values(&own) + token * heads * width + r;
      *q = *q_own = 0;
      for (int64_t c = 0; c < hidden; c++) {
        *q += rpp_scratch_values(&w)[c * heads * width + r] * rpp_scratch_values(&x)[token * hidden + c];
        *q_own += rpp_scratch_values(&turned)[c * heads * width + r] * rpp_scratch_values(&x)[token * hidden + c];
      }
    }
  rpp_attention_inputs own_inputs = s.inputs;
  own_inputs.q = &own;
  worked &= scores_of(&s, rpp_scores_rotated, &s.inputs, RPP_PART_IMAG, RPP_SCORES_ABSOLUTE, &a);
  worked &= scores_of(&s, rpp_scores_rotated, &own_inputs, RPP_PART_REAL, RPP_SCORES_ABSOLUTE, &b);
  return finish(&s, worked, &a, &b);
}

/* q = k = 1 in every pair: scores over pairs are c_re(t) and c_im(t), summed here from the definition by libm. */
static double unit_curves(rpp_random *random, bool planted) {
  rpp_scratch scratch = {0};
  const int64_t width = 2 * rpp_random_integer(random, 2, 64), length = 40, first = rpp_random_integer(random, 0, 4000);
  const rpp_part part = (rpp_part)rpp_random_integer(random, 0, 1);
  rpp_attention attention = {.mode = RPP_MODE_EC, .heads = 1, .kv_heads = 1, .scale = 1};
  attention.rotary = (rpp_rotary){.rotary_dim = width, .base = rpp_random_integer(random, 0, 1) ? 1e4 : 5e5};
  const rpp_tensor q = rpp_scratch_zeros(&scratch, 1, length, 1, width), k = rpp_scratch_zeros(&scratch, 1, 1, 1, width);
  const rpp_tensor pos_q = rpp_scratch_positions(&scratch, length, first, 1), pos_k = rpp_scratch_positions(&scratch, 1, 0, 1);
  rpp_tensor scores = rpp_scratch_zeros(&scratch, 1, 1, length, 1), curve = rpp_scratch_zeros(&scratch, 1, 1, length, 1);
  for (int64_t i = 0; i < rpp_scratch_size(&q); i += 2) rpp_scratch_values(&q)[i] = 1;
  for (int64_t i = 0; i < rpp_scratch_size(&k); i += 2) rpp_scratch_values(&k)[i] = 1;
  for (int64_t i = 0; i < rpp_scratch_size(&curve); i++)
    for (int64_t n = 0; n < width / 2; n++) {
      const double angle = (double)(first + i + planted) * pow(attention.rotary.base, -2.0 * (double)n / (double)width);
      rpp_scratch_values(&curve)[i] += part == RPP_PART_REAL ? cos(angle) : sin(angle);
    }
  const rpp_attention_inputs inputs = {.q = &q, .k = &k, .pos_q = &pos_q, .pos_k = &pos_k};
  const bool worked = rpp_scores_rotated(&attention, &inputs, part, RPP_SCORES_ABSOLUTE, &scores) == RPP_OK;
  const double deviation = rpp_scratch_deviation(&scores, &curve);
  rpp_scratch_free(&scratch);
  return worked ? deviation : INFINITY;
}

const rpp_identity rpp_identities_scores[] = {
    {"complex-real", "7, 8", "Re Z = the rotated real scores; plant: keys one position off", 1e-13, 100, complex_real},
    {"complex-imag", "7, 8", "-Im Z = the rotated imaginary scores; plant: +Im Z", 1e-13, 100, complex_imag},
    {"relative-form", "7, 8", "turned to t and to s = turned by t - s; plant: t - s - 1", 1e-13, 100, relative_form},
    {"distance-alone", "7", "all positions shifted by up to 10^6: scores stay; plant: only the queries'", 1e-13, 100,
     distance_alone},
    {"parity-real", "7", "q, k exchanged and t - s reversed: real scores stay; plant: not reversed", 1e-13, 100, parity_real},
    {"parity-imag", "7", "q, k exchanged and t - s reversed: imaginary scores change sign; plant: not reversed", 1e-13, 100,
     parity_imag},
    {"modulus-constant", "8", "|Z| of one pair does not depend on t - s; plant: Im Z one distance off", 1e-13, 100, modulus},
    {"collapse", "3, 7", "imaginary heads with query weights of their own are RoPE heads; plant: +pi/2", 0, 100, collapse},
    {"unit-curves", "18", "scores of unit pairs = sum of cos, or sin, of theta_n t; plant: one token off", 1e-12, 100, unit_curves},
    {0}};
