/* rules.h: what other projects' tests would say of the same numbers: the pass or fail rule of each, holes included. Nothing here
 * decides about a kernel; it is what notes/detection.md compares our gates with. */
#ifndef RPP_RULES_H
#define RPP_RULES_H
#include "ropepp.h"

/* What a rule may look at: the judged elements of one case, in float64, in any order, but the same in every array. */
typedef struct {
  rpp_dtype dtype;              /* of out as the kernel stores it; F64, which none of the rules knows, is taken for F32 */
  int64_t count;                /* elements of out; >= 1 */
  const double *expected, *got; /* (count): the truth, and what the kernel returned */
  const double *naive;          /* (count): softmax(q k) v with every intermediate result stored in dtype */
  const double *magnitude;      /* (count): sum p |v| */
  int64_t lse_count;            /* rows; 0: LSE is not looked at */
  const double *lse, *lse_got;  /* (lse_count) */
  int64_t keys;                 /* of the problem, seen or not */
} rpp_rule_case;

typedef bool rpp_rule_passes(const rpp_rule_case *c);

typedef struct {
  const char *name; /* of the column */
  rpp_rule_passes *passes;
} rpp_rule;

enum { RPP_RULES = 7 };
extern const rpp_rule rpp_rules[RPP_RULES];

/* Bit i: rpp_rules[i] fails the case. All bits when the case is not sound (no elements, or an array that a rule needs is null).
 * */
unsigned rpp_rules_failed(const rpp_rule_case *c);

#endif
