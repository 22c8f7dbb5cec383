/* contract_text.h: a contract as one line, `bf16,p=bf16,acc=f32,angles=exact,rotate=once`: on command lines and in plug-ins.
 *
 *   first    a dtype alone, f64, f32, f16 or bf16: of q, k and v, and of all that nothing else is said of: rpp_contract_default
 *   rotated  dtype that rotated q and k are stored in
 *   rotate   once: the rotation rounds its result alone; each: every product and sum of it too, as Hugging Face does
 *   v, p     dtype of v and of the weights where they meet
 *   acc      sums: f64, f32, or tc: tensor cores
 *   depth    products added in one step; 1 bounds any order
 *   tile     keys between two rescalings of the online softmax, at the least; a softmax that never rescales is within any
 *   splits   parts of the keys that are merged by LSE, at most
 *   out, lse dtype that they are rounded to
 *   angles   exact, or hf-f32: Hugging Face's float32 chain
 *   angle-error    none, f64 or f32: of the product t theta that the kernel's own angles come from
 *   deterministic  1: the same inputs give the same bits, and the verifier looks; 0: nothing is promised
 */
#ifndef RPP_CONTRACT_TEXT_H
#define RPP_CONTRACT_TEXT_H
#include "program/message.h"
#include "ropepp.h"

/* Room for any contract's line, with its end. */
#define RPP_CONTRACT_TEXT 256

/* What a kernel that answers in this floating dtype promises when nobody says more: a plain implementation, which sums in any order, in
 * float32 (f64: float64; 16 bits: as tensor cores do, which bounds float32 too), with an online softmax in tiles of 16 keys or more or
 * none, one rounding of rotated q and k, of weights and of out to the dtype, LSE in float32 (f64: float64), and exact angles as far as
 * float64 products give them. */
rpp_contract rpp_contract_default(rpp_dtype dtype);

/* Changes *contract as the text says, each key once, in any order; a dtype, which comes first, sets all of it to its default first, and
 * angles sets the angle error to what is usual with them (exact: f64, hf-f32: none) unless that is given as well. False, with a message
 * that names the key and its value, leaving *contract alone, for an unknown key, a value out of its range, a key given twice, an empty
 * text. */
bool rpp_contract_parse(const char *text, rpp_contract *contract, rpp_message *error);

/* All of a contract, so that nobody needs to know the defaults, into RPP_CONTRACT_TEXT characters; parsed, whatever it changes, it gives
 * the same contract. */
void rpp_contract_print(const rpp_contract *contract, char *text);

#endif
