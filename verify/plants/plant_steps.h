/* plant_steps.h: faults that lie around a kernel: it is given another problem, its results are spoilt, or they are put in the wrong place.
 * Internal to plant*.c. */
#ifndef RPP_PLANT_STEPS_H
#define RPP_PLANT_STEPS_H
#include "base/scratch.h"
#include "kernels/emulate.h"

/* A problem that may be changed: inputs points into the tensors here, which start as the case's own. */
typedef struct {
  rpp_attention attention;
  rpp_attention_inputs inputs;
  rpp_tensor q, k, v, pos_q, pos_k, inv_freq;
  rpp_head_counts counts;
  int64_t batch, q_len, k_len, head_dim, v_dim;
  rpp_scratch scratch;
} rpp_planted;

/* Leaves alone what the fault does not touch. False when memory is out. */
typedef bool rpp_plant_change(rpp_planted *p);
typedef void rpp_plant_spoil(const rpp_planted *p, rpp_tensor *out, rpp_tensor *lse);

/* Where the kernel takes out and LSE to lie; a view without data is not written. */
typedef void rpp_plant_place(rpp_tensor *out, rpp_tensor *lse);

/* What a planted kernel's data points at. Its first member serves rpp_emulate_*. */
typedef struct {
  rpp_emulation emulation;
  rpp_plant_change *change;
  rpp_plant_spoil *spoil;
  rpp_plant_place *place;
  bool narrow; /* offsets into out and LSE are of 32 bits */
} rpp_planting;

/* What becomes of an offset that is kept in 32 bits. */
static inline int64_t rpp_offset_int32(int64_t offset) {
  return (int32_t)(uint32_t)offset;
}

/* plant_problem.c: the mask (eq. 9). */
rpp_plant_change rpp_change_causal_top_left, rpp_change_causal_strict, rpp_change_causal_lost, rpp_change_window_wider,
    rpp_change_window_narrower, rpp_change_window_lost, rpp_change_packing_lost;
/* Positions and angles (eq. 1, 2). */
rpp_plant_change rpp_change_q_shifted, rpp_change_k_by_index, rpp_change_first_batch_positions, rpp_change_positions_past_1024,
    rpp_change_half_only, rpp_change_interleaved_only, rpp_change_base_fixed, rpp_change_scaling_lost, rpp_change_ntk_confused,
    rpp_change_yarn_confused, rpp_change_head_width_frequencies;
/* The scale (eq. 10). */
rpp_plant_change rpp_change_scale_lost, rpp_change_scale_twice;

/* plant_memory.c: what is read from where. */
rpp_plant_change rpp_change_q_k_crossed, rpp_change_first_batch_v, rpp_change_qk_contiguous, rpp_change_k_by_q_head_stride,
    rpp_change_v_by_k_strides, rpp_change_rest_contiguous, rpp_change_offset_int32;
rpp_plant_place rpp_place_out_contiguous, rpp_place_out_head_major, rpp_place_lse_contiguous, rpp_place_lse_nowhere,
    rpp_place_nowhere;

/* plant_result.c: what becomes of right results. */
rpp_plant_spoil rpp_spoil_heads_swapped, rpp_spoil_heads_stacked, rpp_spoil_softmax_together, rpp_spoil_one_row_zero,
    rpp_spoil_one_element, rpp_spoil_one_element_narrow, rpp_spoil_one_huge, rpp_spoil_nan_corner, rpp_spoil_row_rough,
    rpp_spoil_write_after, rpp_spoil_write_before, rpp_spoil_write_when_empty, rpp_spoil_write_when_batched,
    rpp_spoil_empty_lse_slot, rpp_spoil_lse_by_group, rpp_spoil_rows_wrapped, rpp_spoil_input_written, rpp_spoil_last_bit;

/* A planted kernel's forward. */
int rpp_planted_forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                        rpp_tensor *out, rpp_tensor *lse, void *workspace, const char **reason);

/* Claims to support EH with odd counts of heads. */
const char *rpp_planted_supports_odd(const rpp_kernel *kernel, const rpp_kernel_problem *problem);

#endif
