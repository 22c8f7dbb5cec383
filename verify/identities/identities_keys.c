/* identities_keys.c: how attention over keys may be cut up, extended and put together again. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

static double finish(rpp_sample *s, bool worked, const rpp_answer *a, const rpp_answer *b) {
  const double deviation = worked ? rpp_answer_deviation(a, b) : INFINITY;
  rpp_scratch_free(&s->scratch);
  return deviation;
}

static rpp_mode any_mode(rpp_random *random) {
  return (rpp_mode)rpp_random_integer(random, 0, 2);
}

/* count keys from first of a sample's inputs; the mask's offset goes with them. */
static bool cut_keys(const rpp_sample *s, int64_t first, int64_t count, rpp_tensor part[3], rpp_attention_inputs *inputs,
                     rpp_attention *attention) {
  *attention = s->attention;
  attention->causal_offset -= first;
  *inputs = s->inputs;
  inputs->k = &part[0], inputs->v = &part[1], inputs->pos_k = &part[2];
  return rpp_tensor_slice(&s->k, 1, first, count, 1, &part[0]) == RPP_OK &&
         rpp_tensor_slice(&s->v, 1, first, count, 1, &part[1]) == RPP_OK &&
         rpp_tensor_slice(&s->pos_k, 0, first, count, 1, &part[2]) == RPP_OK;
}

/* Three parts: keys [0, c1), [c1, c2), [c2, Lk), the second perhaps empty. The last two are merged first, so that rows which see
 * neither are merged too. The plant adds ln 2 to the last part's LSE, which with other keys in sight shows. */
static double splits_merge(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer whole, part[3], late, merged;
  rpp_sample_make(&s, random, any_mode(random));
  const int64_t c2 = rpp_random_integer(random, s.k_len - 2, s.k_len - 1), c1 = rpp_random_integer(random, 1, c2);
  const int64_t cuts[] = {0, c1, c2, s.k_len};
  s.attention.window += 3;
  bool worked = rpp_sample_answer(&s, &s.attention, &s.inputs, &whole);
  for (int n = 0; worked && n < 3; n++) {
    rpp_tensor keys[3];
    rpp_attention_inputs inputs;
    rpp_attention attention;
    worked = cut_keys(&s, cuts[n], cuts[n + 1] - cuts[n], keys, &inputs, &attention) &&
             rpp_sample_answer(&s, &attention, &inputs, &part[n]);
  }
  worked =
      worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &late) && rpp_sample_answer(&s, &s.attention, &s.inputs, &merged);
  for (int64_t i = 0; worked && planted && i < rpp_scratch_size(&part[2].lse); i++) rpp_scratch_values(&part[2].lse)[i] += log(2);
  worked = worked && rpp_attention_merge(&part[1].out, &part[1].lse, &part[2].out, &part[2].lse, &late.out, &late.lse) == RPP_OK &&
           rpp_attention_merge(&part[0].out, &part[0].lse, &late.out, &late.lse, &merged.out, &merged.lse) == RPP_OK;
  return finish(&s, worked, &whole, &merged);
}

static double constant_v(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, any_mode(random));
  double *v = rpp_scratch_values(&s.v);
  for (int64_t i = 0; i < rpp_scratch_size(&s.v); i++) {
    const int64_t in_row = s.counts.kv * s.v_dim, key = i / in_row % s.k_len;
    v[i] = v[i % in_row] + (planted && key % 2 == 1);
  }
  bool worked = rpp_sample_answer(&s, &s.attention, &s.inputs, &a);
  b = a;
  b.out = rpp_scratch_copy(&s.scratch, &a.out);
  const int64_t group = s.counts.output / s.counts.kv;
  for (int64_t i = 0; worked && i < rpp_scratch_size(&b.out); i++) {
    const int64_t head = i / s.v_dim % s.counts.output;
    rpp_scratch_values(&b.out)[i] = v[head / group * s.v_dim + i % s.v_dim];
  }
  return finish(&s, worked, &a, &b);
}

static double masked_keys(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, any_mode(random));
  if (s.attention.mask == RPP_MASK_FULL) s.attention.mask = RPP_MASK_CAUSAL;
  const int64_t extra = rpp_random_integer(random, 1, 5);
  const rpp_tensor k = rpp_scratch_zeros(&s.scratch, s.batch, s.k_len + extra, s.counts.kv, s.head_dim);
  const rpp_tensor v = rpp_scratch_zeros(&s.scratch, s.batch, s.k_len + extra, s.counts.kv, s.v_dim);
  const rpp_tensor pos = rpp_scratch_positions(&s.scratch, s.k_len + extra, 0, 1);
  for (int64_t i = 0; i < rpp_scratch_size(&k); i++) rpp_scratch_values(&k)[i] = NAN;
  for (int64_t i = 0; i < rpp_scratch_size(&v); i++) rpp_scratch_values(&v)[i] = NAN;
  rpp_sample longer = s;
  longer.k = k, longer.v = v, longer.pos_k = pos;
  rpp_tensor part[3];
  rpp_attention_inputs inputs = s.inputs, head;
  rpp_attention attention;
  bool worked = cut_keys(&longer, 0, s.k_len, part, &head, &attention);
  if (worked) rpp_scratch_assign(&s.k, &part[0]), rpp_scratch_assign(&s.v, &part[1]);
  for (int64_t i = 0; worked && i < s.k_len; i++) rpp_scratch_integers(&pos)[i] = rpp_scratch_integers(&s.pos_k)[i];
  inputs.k = &k, inputs.v = &v, inputs.pos_k = &pos;
  attention.causal_offset += planted;
  worked = worked && rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &attention, &inputs, &b);
  return finish(&s, worked, &a, &b);
}

/* Attention of queries and keys [q0, q1), [k0, k1) alone, written into their rows of *all. */
static bool one_sequence(rpp_sample *s, int64_t q0, int64_t q1, int64_t k0, int64_t k1, const rpp_answer *all) {
  rpp_tensor part[3], q, pos_q, out, lse;
  rpp_attention_inputs inputs;
  rpp_attention attention;
  rpp_answer answer;
  if (!cut_keys(s, k0, k1 - k0, part, &inputs, &attention)) return false;
  attention.causal_offset = s->attention.causal_offset;
  inputs.q = &q, inputs.pos_q = &pos_q;
  if (rpp_tensor_slice(&s->q, 1, q0, q1 - q0, 1, &q) != RPP_OK ||
      rpp_tensor_slice(&s->pos_q, 0, q0, q1 - q0, 1, &pos_q) != RPP_OK ||
      rpp_tensor_slice(&all->out, 1, q0, q1 - q0, 1, &out) != RPP_OK ||
      rpp_tensor_slice(&all->lse, 2, q0, q1 - q0, 1, &lse) != RPP_OK || !rpp_sample_answer(s, &attention, &inputs, &answer))
    return false;
  rpp_scratch_assign(&answer.out, &out);
  rpp_scratch_assign(&answer.lse, &lse);
  return true;
}

static double packed(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer a, b;
  rpp_sample_make(&s, random, any_mode(random));
  if (s.attention.mask == RPP_MASK_WINDOW) s.attention.mask = RPP_MASK_CAUSAL;
  /* Four sequences: the second has queries, so that the plant, a key moved from it to the first, shows; the third is empty. */
  const int64_t q1 = rpp_random_integer(random, 0, s.q_len - 1), q2 = rpp_random_integer(random, q1 + 1, s.q_len);
  const int64_t k1 = rpp_random_integer(random, 1, s.k_len - 2), k2 = rpp_random_integer(random, k1 + 1, s.k_len);
  const int64_t starts_q[] = {0, q1, q2, q2, s.q_len}, starts_k[] = {0, k1, k2, k2, s.k_len};
  const rpp_tensor cu_q = rpp_scratch_positions(&s.scratch, 5, 0, 0), cu_k = rpp_scratch_positions(&s.scratch, 5, 0, 0);
  rpp_attention_inputs inputs = s.inputs;
  inputs.cu_q = &cu_q, inputs.cu_k = &cu_k;
  bool worked = cu_q.data && cu_k.data;
  for (int n = 0; worked && n < 5; n++)
    rpp_scratch_integers(&cu_q)[n] = starts_q[n], rpp_scratch_integers(&cu_k)[n] = starts_k[n] + (planted && n == 1);
  worked = worked && rpp_sample_answer(&s, &s.attention, &inputs, &a) && rpp_sample_answer(&s, &s.attention, &s.inputs, &b);
  for (int n = 0; worked && n < 4; n++) worked = one_sequence(&s, starts_q[n], starts_q[n + 1], starts_k[n], starts_k[n + 1], &b);
  return finish(&s, worked, &a, &b);
}

static double row_subset(rpp_random *random, bool planted) {
  rpp_sample s;
  rpp_answer all, picked, some;
  rpp_sample_make(&s, random, any_mode(random));
  const int64_t count = rpp_random_integer(random, 1, 5);
  const rpp_tensor rows = rpp_scratch_positions(&s.scratch, count, 0, 0);
  picked.out = rpp_scratch_zeros(&s.scratch, s.batch, count, s.counts.output, s.v_dim);
  picked.lse = rpp_scratch_tensor(&s.scratch, RPP_F64, 3, (int64_t[]){s.batch, s.counts.output, count});
  some = (rpp_answer){rpp_scratch_copy(&s.scratch, &picked.out), rpp_scratch_copy(&s.scratch, &picked.lse)};
  bool worked = rows.data && rpp_sample_answer(&s, &s.attention, &s.inputs, &all);
  for (int64_t r = 0; worked && r < count; r++) {
    rpp_tensor from, to;
    const int64_t row = rpp_random_integer(random, 0, s.q_len - 1);
    rpp_scratch_integers(&rows)[r] = planted ? (row + 1) % s.q_len : row;
    worked &= rpp_tensor_slice(&all.out, 1, row, 1, 1, &from) == RPP_OK && rpp_tensor_slice(&some.out, 1, r, 1, 1, &to) == RPP_OK;
    if (worked) rpp_scratch_assign(&from, &to);
    worked &= rpp_tensor_slice(&all.lse, 2, row, 1, 1, &from) == RPP_OK && rpp_tensor_slice(&some.lse, 2, r, 1, 1, &to) == RPP_OK;
    if (worked) rpp_scratch_assign(&from, &to);
  }
  worked = worked && rpp_attention_forward(&s.attention, &s.inputs, &rows, &picked.out, &picked.lse) == RPP_OK;
  return finish(&s, worked, &some, &picked);
}

const rpp_identity rpp_identities_keys[] = {
    {"splits-merge", "14", "three parts of the keys merged by LSE = the whole; plant: ln 2 on one part's LSE", 1e-13, 100,
     splits_merge},
    {"constant-v", "11", "constant V returns itself; plant: every other key's V one higher", 1e-13, 100, constant_v},
    {"masked-keys", "9", "NaN keys and values behind the mask change nothing; plant: the mask one key longer", 0, 100, masked_keys},
    {"packed", "9", "packed sequences = one at a time; plant: one key in the wrong sequence", 0, 100, packed},
    {"row-subset", "11", "any subset of query rows = those rows of the whole; plant: the next row", 0, 100, row_subset},
    {0}};
