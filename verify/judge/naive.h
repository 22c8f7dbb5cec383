/* naive.h: attention as a few lines of a tensor library compute it, the yardstick of FlashAttention's tests. */
#ifndef RPP_NAIVE_H
#define RPP_NAIVE_H
#include "base/scratch.h"
#include "program/message.h"

/* For a problem that rpp_attention_forward takes: q and k are rotated and stored in the dtype rotated; alpha k, the scores, the
 * softmax and out are each stored in the dtype stored; sums are float32. rows: null for all, or (R), I64. naive, magnitude: (B,
 * R, O, Dv), F64, contiguous; magnitude becomes sum p |v| with weights that were not stored. Rows without keys are 0 in both.
 * False, with a message, when memory is out or the library refuses the problem. */
bool rpp_naive_attention(rpp_scratch *scratch, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         rpp_dtype rotated, rpp_dtype stored, const rpp_tensor *rows, const rpp_tensor *naive,
                         const rpp_tensor *magnitude, rpp_message *error);

#endif
