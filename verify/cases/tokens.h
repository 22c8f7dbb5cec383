/* tokens.h: which token stands where: positions, packed sequences, sampled query rows. All from the spec and its seed alone. */
#ifndef RPP_TOKENS_H
#define RPP_TOKENS_H
#include "cases/spec.h"

/* Cumulative lengths of the packed sequences, packed + 1 of each; every fourth sequence or so is empty, and the two sides differ
 * unless lq = lk, where half the seeds pack them alike. Fills nothing for a spec that is not packed. */
void rpp_token_packing(const rpp_spec *spec, int64_t *cu_q, int64_t *cu_k);

/* Positions of l tokens of sequence b of the batch. A token counts from the start of its packed sequence, queries so that the
 * last one meets the last key where there are more keys than queries; count n stands at position + n, and from count reset on at
 * n mod reset. With batched positions sequence b starts a little later. cu_q, cu_k: as above, or null; pos_q, pos_k: null, not wanted. */
void rpp_token_positions(const rpp_spec *spec, const int64_t *cu_q, const int64_t *cu_k, int64_t b, int64_t *pos_q, int64_t *pos_k);

/* No position is above it, nor below min(0, spec's position). */
int64_t rpp_token_last_position(const rpp_spec *spec);

/* The lowest and the highest position of all its tokens; false for a spec without any, or whose inputs are rotated. */
bool rpp_token_reach(const rpp_spec *spec, int64_t *lowest, int64_t *highest);

/* The spec's rows query rows, ascending, one from each of as many equal parts, the first and the last row among them. */
void rpp_token_rows(const rpp_spec *spec, int64_t *rows);

#endif
