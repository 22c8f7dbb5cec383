/* changed.h: the truth of a problem that is not quite the one that was asked for. */
#ifndef RPP_CHANGED_H
#define RPP_CHANGED_H
#include "judge/gates.h"
#include "kernels/kernel.h"

/* A problem that a hypothesis may change: another attention, other tensors, and then other results. Tensors start as views of the
 * case's own and are never written through; whoever changes values puts a new tensor in place. */
typedef struct {
  rpp_attention attention;
  rpp_attention_inputs inputs; /* points into the tensors below, but for those that are null */
  rpp_tensor q, k, v, pos_q, pos_k, cu_q, cu_k;
  rpp_tensor inv_freq, cos, sin; /* for attention.rotary to point at */
  rpp_head_counts counts;        /* of the problem as asked for */
  const rpp_tensor *rows;        /* of q, to be judged; null: all */
  rpp_contract contract;
  const rpp_judged_truth *original;
  rpp_judged_truth truth; /* of the changed problem, once it is computed */
  bool loose;             /* bounds do not cover what was done to q, k or the results beforehand: take the original's on top */
  bool wider;             /* only the bounds are changed, on purpose */
  bool of_lse;            /* only LSE is changed: a right one speaks against it */
  rpp_scratch scratch;
} rpp_changed;

/* The problem unchanged; inputs must outlive it. original: its truth, or null. False when the problem is not sound. */
bool rpp_changed_open(rpp_changed *c, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                      const rpp_contract *contract, const rpp_tensor *rows, const rpp_judged_truth *original);
void rpp_changed_close(rpp_changed *c);

/* Computes the truth; false when the library refuses what became of the problem. */
bool rpp_changed_compute(rpp_changed *c);

/* A new (B, L, heads, D) tensor whose head o is x's head from(o). F64. */
typedef int64_t rpp_head_map(const rpp_head_counts *counts, int64_t o);
bool rpp_changed_gather(rpp_changed *c, rpp_tensor *x, int64_t heads, rpp_head_map *from);

/* The same problem as a `rope` one of O query heads and O KV heads, F64, so that single heads can be changed: q is turned
 * beforehand where it comes raw, in turn_pairing; k and v are repeated by k_map and v_map (null: the right one, o / (O / K)). */
bool rpp_changed_split(rpp_changed *c, rpp_pairing turn_pairing, rpp_head_map *k_map, rpp_head_map *v_map);

/* Rotates q or k beforehand, by a rotary of its own; q only once split. The bounds then are loose. */
bool rpp_changed_rotate_q(rpp_changed *c, const rpp_rotary *rotary);
bool rpp_changed_rotate_k(rpp_changed *c, const rpp_rotary *rotary);

/* Replaces positions by f of them and of their index. number: passed through. */
typedef int64_t rpp_position_map(const rpp_changed *c, int64_t b, int64_t i, int64_t position, double number);
bool rpp_changed_positions(rpp_changed *c, bool of_q, rpp_position_map *f, double number);

/* A fresh copy of the data of a tensor, F64, in its place, to be written through. Null when memory is out. */
double *rpp_changed_values(rpp_changed *c, rpp_tensor *t);

/* Head o, row r of the results becomes head *o, row *r of what they are. */
typedef void rpp_result_map(const rpp_changed *c, int64_t *o, int64_t *r);
bool rpp_changed_permute(rpp_changed *c, rpp_result_map *from);

/* Widens every bound of truth by factor times the original's largest in the same row of the same sequence. */
void rpp_changed_widen(rpp_judged_truth *truth, const rpp_judged_truth *original, double factor);

#endif
