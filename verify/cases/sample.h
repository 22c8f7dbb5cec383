/* sample.h: random attention problems, small, over everything an identity must hold for: pairings, GQA ratios, widths, partial rotary
 * widths, scalings, masks, lengths, positions to 10^6. */
#ifndef RPP_SAMPLE_H
#define RPP_SAMPLE_H
#include "base/scratch.h"

typedef struct {
  rpp_attention attention;
  rpp_attention_inputs inputs; /* points into the tensors below */
  rpp_tensor q, k, v, pos_q, pos_k;
  rpp_head_counts counts;
  int64_t batch, q_len, k_len, head_dim, v_dim;
  rpp_scratch scratch;
} rpp_sample;

/* A rotary of width rotary_dim with a random pairing, base and scaling; exact angles. */
rpp_rotary rpp_sample_rotary(rpp_random *random, int64_t rotary_dim);

/* Fills *sample (in place, since inputs points into it) with raw float64 inputs from normal numbers. heads and kv_heads are nominal,
 * such that every mode is possible: both even, at least two KV heads for each mode's K >= 1 and two query heads a KV head. Every query
 * sees at least two keys; causal masks are aligned at the last key. */
void rpp_sample_make(rpp_sample *sample, rpp_random *random, rpp_mode mode);

/* The same data under another mode, with its head counts brought up to date; for EC <-> RoPE, whose inputs have one shape. */
void rpp_sample_set_mode(rpp_sample *sample, rpp_mode mode);

/* Room for the sample's out (B, Lq, O, Dv) and lse (B, O, Lq), filled by rpp_attention_forward; false when that failed. */
typedef struct {
  rpp_tensor out, lse;
} rpp_answer;
bool rpp_sample_answer(rpp_sample *sample, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_answer *answer);

/* The larger deviation of out and lse. */
double rpp_answer_deviation(const rpp_answer *a, const rpp_answer *b);

/* The largest of two deviations, NaN counting as infinite. */
double rpp_larger(double a, double b);

#endif
