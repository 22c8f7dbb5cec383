/* decode_ahead.h: in which order the lines of the next strip of K or V are called into cache (vector/decode.h). */
#ifndef RPP_DECODE_AHEAD_H
#define RPP_DECODE_AHEAD_H
#include "ropepp.h"

/* How many lines of 64 bytes hold `tokens` tokens of `heads` heads of t (B, L, heads, width); 0 where a row's elements do not lie side by
 * side, or where t has fewer tokens or heads. t is valid. */
int64_t rpp_ahead_count(const rpp_tensor *t, int64_t tokens, int64_t heads);

/* Where they are: offset[i], in bytes from the first token's first head's first element, for every i < that count. Neighbours are far from each
 * other, in four places that are each gone through in the order of memory: a processor fetches from several places faster than from one. */
void rpp_ahead_offsets(const rpp_tensor *t, int64_t tokens, int64_t heads, int64_t *offset);

#endif
