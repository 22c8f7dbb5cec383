/* case_truth.h: the right answers to a case, and the size that their errors are measured by. */
#ifndef RPP_CASE_TRUTH_H
#define RPP_CASE_TRUTH_H

#include "files/case.h"

/* The truth of one expected tensor that the case holds, and the scale of each of its elements, row-major in that tensor's shape.
 * The scale is what the element would be if nothing in it cancelled, so that an error of one rounding is about 1e-16 of it
 * wherever the element itself comes near zero; it is the element's own, so that one large row cannot hide the errors of another:
 *   rotated q and k: the modulus of the element's rotated pair, or the column itself past the rotary width;
 *   scores: the sum over pairs of |q| |k|;
 *   out: sum_k p_k |v_k|;  lse: max(1, |lse|);
 *   layer: the same, where each projected k and v is replaced by sum |w| |x|; y: sum |wo| times the scale of out. Errors: the
 *   library's message, or out of memory. */
bool rpp_case_truth(const rpp_case *c, rpp_case_tensor which, double *truth, double *scale, rpp_message *error);

#endif
