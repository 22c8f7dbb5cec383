/* compare.h: other projects' rules (rules.h) applied to what a kernel returned, beside our gates. */
#ifndef RPP_COMPARE_H
#define RPP_COMPARE_H
#include "judge/gates.h"

/* A judged case: the problem, the kernel's contract, the judged query rows (null: all), their truth, and what the kernel left in
 * out (B, Lq, O, Dv) and lse (B, O, Lq). */
typedef struct {
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  const rpp_contract *contract;
  const rpp_tensor *rows;
  const rpp_judged_truth *truth;
  const rpp_tensor *out, *lse;
} rpp_compared_case;

/* *failed: bit i set where rpp_rules[i] fails the judged rows. False, with a message, when memory is out or there is no element.
 * */
bool rpp_compare(rpp_scratch *scratch, const rpp_compared_case *c, unsigned *failed, rpp_message *error);

#endif
