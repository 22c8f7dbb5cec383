/* hf_f32.h: Hugging Face's float32 frequencies (transformers, modeling_rope_utils), each step correctly rounded. */
#ifndef RPP_HF_F32_H
#define RPP_HF_F32_H
#include "ropepp.h"

/* inv_freq[n], n < W / 2, for a rotary that has been checked and carries no tables. Every line is one float32 step:
 *   e = 2n / W; p = base^e; f = 1 / p                       none (base rounded to float32; ntk, ntk-aware: after scaling in float64)
 *   f / factor                                               linear
 *   f' = f (1 - x) / ..., see the source                     yarn, yarn-hf, llama3 */
void rpp_hf_inv_freq(const rpp_rotary *rotary, float *inv_freq);

#endif
