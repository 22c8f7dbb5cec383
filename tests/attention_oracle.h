/* attention_oracle.h: head counts, masks, scores and attention in long double, straight from FACTS.md and CASE-FILES.md, with the
 * frequencies of mpfr_oracle.h. Slow, and nothing of ref/ but its types, its access to elements and its rounding to a dtype. */
#ifndef ATTENTION_ORACLE_H
#define ATTENTION_ORACLE_H
#include "ropepp.h"

/* P, K, O of the table in FACTS.md, for a sound description. */
rpp_head_counts oracle_heads(const rpp_attention *attention);

/* Whether query i sees key j, of two sequences or of packed ones. */
bool oracle_sees(const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t i, int64_t j);

/* Where cosines and sines come from: frequencies under both angle models, or given tables. */
enum { ORACLE_PAIRS = 16 };
typedef struct {
  const rpp_rotary *rotary;
  int64_t pairs;
  long double theta[ORACLE_PAIRS], magnitude;
} oracle_angles;
oracle_angles oracle_angles_of(const rpp_rotary *rotary); /* W <= 2 ORACLE_PAIRS */

/* m cos(t theta_n) and m sin(t theta_n), rounded as the rotary asks. */
void oracle_angle(const oracle_angles *angles, int64_t t, int64_t n, long double *cosine, long double *sine);

/* A_re or A_im of query head j at i and key s of its KV head, by the real expansions in t - s (exact angles, raw inputs):
 *   A_re = sum (q.k) cos D + (q x k) sin D;  A_im = sum (q.k) sin D - (q x k) cos D, times m^2. */
long double oracle_score(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         rpp_part part, int64_t b, int64_t j, int64_t i, int64_t s);

/* The same from explicitly rotated pairs, each rounded nowhere: any angles, and inputs that are rotated already. o is an output head. */
long double oracle_dot(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t b,
                       int64_t o, int64_t i, int64_t s);

/* out: (B, Lq, O, Dv), lse: (B, O, Lq), row-major. */
void oracle_attention(const rpp_attention *attention, const rpp_attention_inputs *inputs, long double *out, long double *lse);

/* The error of got, an element of this dtype, past the half spacing that its rounding may cost, over scale. Infinite where got or
 * exact is not finite and they are not alike, and where exact is 0, which is never the sum of random numbers, and got is not. */
double oracle_disagreement(rpp_dtype dtype, double got, long double exact, double scale);

#endif
