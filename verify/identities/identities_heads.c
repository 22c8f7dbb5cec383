/* identities_heads.c: how the heads of EC and EH relate to RoPE's. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

static double finish(rpp_sample *s, bool worked, const rpp_answer *a, const rpp_answer *b) {
  const double deviation = worked ? rpp_answer_deviation(a, b) : INFINITY;
  rpp_scratch_free(&s->scratch);
  return deviation;
}

/* Doubles the query heads: head j becomes q_j and R(-pi/2) q_j, side by side or all turned ones last. */
static bool double_queries(rpp_sample *s, rpp_head_order order, rpp_tensor *doubled) {
  const rpp_tensor turned = rpp_scratch_copy(&s->scratch, &s->q);
  const int64_t heads = s->counts.projected;
  *doubled = rpp_scratch_zeros(&s->scratch, s->batch, s->q_len, 2 * heads, s->head_dim);
  bool worked = true;
  for (int i = 0; i < 2; i++) {
    const bool stacked = order == RPP_ORDER_STACKED;
    rpp_tensor half, from = s->q;
    if (i == 1) {
      rpp_tensor to = turned;
      worked &= rpp_quarter_turn(&s->attention.rotary, &s->q, &to) == RPP_OK;
      from = turned;
    }
    worked &= rpp_tensor_slice(doubled, 2, stacked ? i * heads : i, heads, stacked ? 1 : 2, &half) == RPP_OK;
    if (worked) rpp_scratch_assign(&from, &half);
  }
  return worked;
}

static double ec_is_doubled_rope(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_tensor doubled;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  bool worked = double_queries(&s, planted ? RPP_ORDER_STACKED : RPP_ORDER_INTERLEAVED, &doubled);
  rpp_attention rope = s.attention;
  rope.mode = RPP_MODE_ROPE;
  rope.heads *= 2;
  rpp_attention_inputs inputs = s.inputs;
  inputs.q = &doubled;
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &rope, &inputs, &b);
  return finish(&s, worked, &a, &b);
}

static double eh_is_half_ec(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, RPP_MODE_EH);
  rpp_attention ec = s.attention;
  ec.mode = RPP_MODE_EC;
  ec.heads /= 2, ec.kv_heads /= 2;
  bool worked = rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &ec, &s.inputs, &b);
  if (planted && worked) {
    rpp_tensor stacked = rpp_scratch_copy(&s.scratch, &b.out);
    worked = rpp_heads_convert(RPP_ORDER_INTERLEAVED, RPP_ORDER_STACKED, &b.out, &stacked) == RPP_OK;
    b.out = stacked;
  }
  return finish(&s, worked, &a, &b);
}

static double ec_real_is_rope(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b, real;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  rpp_attention rope = s.attention;
  rope.mode = RPP_MODE_ROPE;
  bool worked = rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &rope, &s.inputs, &b);
  worked = worked && rpp_tensor_slice(&a.out, 2, planted, s.counts.projected, 2, &real.out) == RPP_OK &&
           rpp_tensor_slice(&a.lse, 1, planted, s.counts.projected, 2, &real.lse) == RPP_OK;
  return finish(&s, worked, &real, &b);
}

static double gqa_is_expanded(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, (rpp_mode)rpp_random_integer(random, 0, 2));
  /* KV head o / group for every projected head, as MHA; the plant tiles the KV heads instead of repeating them. */
  const int64_t heads = s.counts.projected, kv = s.counts.kv, group = heads / kv;
  const rpp_tensor k = rpp_scratch_zeros(&s.scratch, s.batch, s.k_len, heads, s.head_dim);
  const rpp_tensor v = rpp_scratch_zeros(&s.scratch, s.batch, s.k_len, heads, s.v_dim);
  bool worked = true;
  for (int64_t h = 0; h < heads; h++)
    for (int i = 0; i < 2; i++) {
      rpp_tensor from, to;
      worked &= rpp_tensor_slice(i ? &s.v : &s.k, 2, planted ? h % kv : h / group, 1, 1, &from) == RPP_OK;
      worked &= rpp_tensor_slice(i ? &v : &k, 2, h, 1, 1, &to) == RPP_OK;
      if (worked) rpp_scratch_assign(&from, &to);
    }
  rpp_attention mha = s.attention;
  mha.kv_heads = mha.heads;
  rpp_attention_inputs inputs = s.inputs;
  inputs.k = &k, inputs.v = &v;
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &mha, &inputs, &b);
  return finish(&s, worked, &a, &b);
}

/* Attention over queries, keys or both that were rotated before, real and imaginary, = attention that rotates. */
static double rotated_inputs(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  rpp_tensor doubled, q = rpp_scratch_zeros(&s.scratch, s.batch, s.q_len, 2 * s.counts.projected, s.head_dim);
  rpp_tensor k = rpp_scratch_copy(&s.scratch, &s.k);
  const int which = (int)rpp_random_integer(random, 1, 3);
  rpp_attention rotated = s.attention;
  rotated.q_rotated = which & 1, rotated.k_rotated = which & 2;
  const rpp_part wrong_q = planted && which == 1 ? RPP_PART_IMAG : RPP_PART_REAL;
  bool worked = double_queries(&s, RPP_ORDER_INTERLEAVED, &doubled);
  worked &= rpp_rotate(&s.attention.rotary, wrong_q, &doubled, &s.pos_q, &q) == RPP_OK;
  worked &= rpp_rotate(&s.attention.rotary, planted ? RPP_PART_IMAG : RPP_PART_REAL, &s.k, &s.pos_k, &k) == RPP_OK;
  rpp_attention_inputs inputs = s.inputs;
  if (rotated.q_rotated) inputs.q = &q, inputs.pos_q = NULL;
  if (rotated.k_rotated) inputs.k = &k, inputs.pos_k = NULL;
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &rotated, &inputs, &b);
  return finish(&s, worked, &a, &b);
}

/* An EC layer, and a RoPE layer of twice the query heads whose Wq holds each head's rows and their quarter turn. */
static double layer_folds(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_sample_make(&s, random, RPP_MODE_EC);
  const int64_t hidden = rpp_random_integer(random, 3, 12), heads = s.counts.projected, kv = s.counts.kv, d = s.head_dim,
                dv = s.v_dim;
  rpp_scratch *scratch = &s.scratch;
  const rpp_tensor x = rpp_scratch_tensor(scratch, RPP_F64, 3, (int64_t[]){s.batch, s.k_len, hidden});
  for (int64_t i = 0; i < rpp_scratch_size(&x); i++) rpp_scratch_values(&x)[i] = rpp_random_normal(random);
  /* Weights as (1, rows, 1, columns) and, for the library, (rows, columns) over the same memory. */
  const int64_t rows[] = {heads * d, kv * d, kv * dv, hidden, 2 * heads * d},
                columns[] = {hidden, hidden, hidden, 2 * heads * dv, hidden};
  rpp_tensor w[5];
  bool worked = true;
  for (int i = 0; i < 5; i++) {
    const rpp_tensor values = rpp_scratch_normal(scratch, random, 1, rows[i], 1, columns[i]);
    worked &= rpp_tensor_contiguous(values.data, RPP_F64, 2, (int64_t[]){rows[i], columns[i]}, &w[i]) == RPP_OK && values.data;
  }
  /* A head's rows as the last dimension: (1, hidden, heads, d), so that the quarter turn acts on them. */
  const rpp_tensor by_head = {w[0].data, RPP_F64, 4, {1, hidden, heads, d}, {0, 1, d * hidden, hidden}, 0};
  const rpp_tensor folded = {w[4].data, RPP_F64, 4, {1, hidden, 2 * heads, d}, {0, 1, d * hidden, hidden}, 0};
  rpp_tensor real, imag, turned = rpp_scratch_zeros(scratch, 1, hidden, heads, d);
  worked &=
      rpp_tensor_slice(&folded, 2, 0, heads, 2, &real) == RPP_OK && rpp_tensor_slice(&folded, 2, 1, heads, 2, &imag) == RPP_OK;
  worked &= rpp_quarter_turn(&s.attention.rotary, &by_head, &turned) == RPP_OK;
  for (int64_t i = 0; planted && i < rpp_scratch_size(&turned); i++) rpp_scratch_values(&turned)[i] *= -1;
  if (worked) rpp_scratch_assign(&by_head, &real), rpp_scratch_assign(&turned, &imag);
  rpp_tensor y[2];
  for (int i = 0; worked && i < 2; i++) {
    rpp_attention attention = s.attention;
    if (i == 1) attention.mode = RPP_MODE_ROPE, attention.heads *= 2;
    y[i] = rpp_scratch_tensor(scratch, RPP_F64, 3, (int64_t[]){s.batch, s.k_len, hidden});
    const rpp_layer_inputs inputs = {.x = &x, .wq = i ? &w[4] : &w[0], .wk = &w[1], .wv = &w[2], .wo = &w[3], .pos = &s.pos_k};
    worked = rpp_layer_forward(&attention, &inputs, &(rpp_layer_outputs){.y = &y[i]}) == RPP_OK;
  }
  const double deviation = worked ? rpp_scratch_deviation(&y[0], &y[1]) : INFINITY;
  rpp_scratch_free(scratch);
  return deviation;
}

/* Interleaved heads, stacked: the even ones, then the odd ones; and back. The plant exchanges the halves. */
static double head_orders(rpp_random *random, bool planted) {
  rpp_scratch scratch = {0};
  const int64_t heads = rpp_random_integer(random, 1, 9);
  const rpp_tensor x = rpp_scratch_normal(&scratch, random, rpp_random_integer(random, 1, 2), rpp_random_integer(random, 1, 4),
                                          2 * heads, rpp_random_integer(random, 1, 8));
  rpp_tensor stacked = rpp_scratch_copy(&scratch, &x), back = rpp_scratch_copy(&scratch, &x), from, to;
  bool worked = rpp_heads_convert(RPP_ORDER_INTERLEAVED, RPP_ORDER_STACKED, &x, &stacked) == RPP_OK &&
                rpp_heads_convert(RPP_ORDER_STACKED, RPP_ORDER_INTERLEAVED, &stacked, &back) == RPP_OK;
  double deviation = rpp_scratch_deviation(&x, &back);
  for (int part = 0; worked && part < 2; part++) {
    worked = rpp_tensor_slice(&x, 2, part, heads, 2, &from) == RPP_OK &&
             rpp_tensor_slice(&stacked, 2, (part ^ planted) * heads, heads, 1, &to) == RPP_OK;
    if (worked) deviation = rpp_larger(deviation, rpp_scratch_deviation(&from, &to));
  }
  rpp_scratch_free(&scratch);
  return worked ? deviation : INFINITY;
}

const rpp_identity rpp_identities_heads[] = {
    {"ec-is-doubled-rope", "12", "EC = RoPE with 2H query heads, q and R(-pi/2) q, over the same KV; plant: stacked order", 0, 100,
     ec_is_doubled_rope},
    {"eh-is-half-ec", "12", "EH(H, G) = EC(H/2, G/2); plant: output heads stacked", 0, 100, eh_is_half_ec},
    {"ec-real-is-rope", "12", "EC's even output heads = RoPE's heads; plant: the odd ones", 0, 100, ec_real_is_rope},
    {"ec-layer-folds", "16", "an EC layer = a RoPE layer with Wq doubled by R(-pi/2) Wq; plant: +pi/2", 0, 100, layer_folds},
    {"gqa-is-expanded-mha", "12", "grouped KV heads = each repeated for its queries; plant: tiled", 0, 100, gqa_is_expanded},
    {"head-orders", "13", "stacked heads are the even ones, then the odd ones, and back; plant: odd ones first", 0, 100,
     head_orders},
    {"rotated-inputs", "2, 3, 11", "queries, keys or both rotated beforehand = raw ones; plant: a quarter turn too many", 1e-13,
     100, rotated_inputs},
    {0}};
