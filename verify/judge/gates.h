/* gates.h: what a kernel returned, held against the truth and its bounds (notes/tolerance.md). Every comparison is written so that NaN
 * fails. */
#ifndef RPP_GATES_H
#define RPP_GATES_H
#include "base/scratch.h"
#include "cases/spec.h"
#include "judge/verdict.h"

/* The truth of the judged rows, contiguous F64: out and its bounds (B, R, O, Dv), LSE and the rows' spread (B, O, R). */
typedef struct {
  rpp_tensor out, out_bound, out_noise, out_likely, lse, lse_bound, spread;
} rpp_judged_truth;

/* False, with a message, when memory is out or the truth refuses the problem. rows: null for all. */
bool rpp_judged_truth_make(rpp_scratch *scratch, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                           const rpp_contract *contract, const rpp_tensor *rows, rpp_judged_truth *truth, rpp_message *error);

/* A rotated tensor and its bound, x's shape, F64, for a kernel that stores to the dtype of its input: rounded once, to the coarser of
 * that and the contract's. x (B, L, heads, D), pos (L) or (B, L). False, with a message, as above. */
bool rpp_rotated_truth_make(rpp_scratch *scratch, const rpp_rotary *rotary, rpp_part part, const rpp_contract *contract,
                            const rpp_tensor *x, const rpp_tensor *pos, rpp_tensor *y, rpp_tensor *bound, rpp_message *error);
rpp_contract rpp_rotation_contract(const rpp_contract *contract);

/* The worst of each gate so far: what the functions below add to, beside the ratios of the verdict. Starts as zeros. */
typedef struct {
  rpp_worst of[RPP_GATES];
} rpp_gate_worsts;

/* Applies every gate to what the kernel left in out (B, Lq, O, Dv) and lse (B, O, Lq; null: there is none to judge), row r of the truth being query rows[r] (null: r),
 * adding to the ratios and elements of *verdict. A gate that the case does not allow keeps ratio -1: the statistical ones ask for a
 * family of independent numbers. */
void rpp_gates_apply(const rpp_judged_truth *truth, const rpp_contract *contract, rpp_family family, const rpp_tensor *rows,
                     const rpp_tensor *out, const rpp_tensor *lse, rpp_verdict *verdict, rpp_gate_worsts *worsts);

/* The structure and element gates for a tensor of values, rotated q or k: got, expected and bound (B, L, heads, D). */
void rpp_gates_elements(rpp_judged_tensor which, const rpp_tensor *expected, const rpp_tensor *bound, const rpp_tensor *got,
                        rpp_verdict *verdict, rpp_gate_worsts *worsts);

/* Sets outcome (pass or mismatch), gate (the first that fails) and worst from what was added. */
void rpp_gates_decide(const rpp_gate_worsts *worsts, rpp_verdict *verdict);

#endif
