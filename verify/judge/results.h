/* results.h: what was returned for a problem, by a kernel just run or by a file, held against the truth. */
#ifndef RPP_RESULTS_H
#define RPP_RESULTS_H
#include "judge/gates.h"

typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  const rpp_contract *contract;
  const rpp_tensor *rows;      /* query rows that are judged; null: all */
  rpp_family family;           /* RPP_FAMILIES: nothing is known of the values, so that the statistical gates do not apply */
  const rpp_tensor *out, *lse; /* (B, Lq, O, Dv), (B, O, Lq); lse may be null */

  /* Rotated queries and keys that came with them, of any floating dtype, each may be null: (B, Lq, P, D), (B, Lk, K, D). */
  const rpp_tensor *q_real, *q_imag, *k_rot;
} rpp_results;

/* Fills *truth, applies every gate, adding to what is there of *verdict and *worsts, and decides. False, with the verdict an error, where
 * the truth cannot be had. */
bool rpp_results_judge(const rpp_results *results, rpp_scratch *scratch, rpp_judged_truth *truth, rpp_verdict *verdict,
                       rpp_gate_worsts *worsts);

#endif
