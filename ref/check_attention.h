/* check_attention.h: the descriptions of a problem, checked before any memory is touched. */
#ifndef RPP_CHECK_ATTENTION_H
#define RPP_CHECK_ATTENTION_H
#include "ropepp.h"

/* A rotary that serves heads of this width (negative: any). */
rpp_status rpp_check_rotary(const rpp_rotary *rotary, int64_t head_dim);

/* The largest |t| the angle model of a checked rotary takes: every frequency's angle keeps its fraction of a turn. */
int64_t rpp_largest_position(const rpp_rotary *rotary);

/* Positions of B sequences of L tokens, (L) or (B, L), each inside the angle model's range. batch < 0: (L) only. The rotary has
 * been checked. */
rpp_status rpp_check_positions(const char *name, const rpp_tensor *pos, int64_t batch, int64_t length, const rpp_rotary *rotary);

/* Counts, mask, scale and modes; the rotary against head_dim unless both inputs are rotated. */
rpp_status rpp_check_attention(const rpp_attention *attention, int64_t head_dim, rpp_head_counts *counts);

/* The attention and all its inputs (v and cu_* when with_values). On success the sizes are filled in; Dv is 0 without values. */
typedef struct {
  rpp_head_counts counts;
  int64_t batch, q_len, k_len, head_dim, v_dim;
} rpp_problem;
rpp_status rpp_check_inputs(const rpp_attention *attention, const rpp_attention_inputs *inputs, bool with_values,
                            rpp_problem *problem);

#endif
