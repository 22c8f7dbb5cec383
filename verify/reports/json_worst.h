/* json_worst.h: an element and what was wrong with it, in JSON. */
#ifndef RPP_JSON_WORST_H
#define RPP_JSON_WORST_H
#include <jansson.h>

#include "judge/verdict.h"

/* An object of tensor, b, h, t, d, expected, got, bound and ratio; null where no element was judged. */
json_t *rpp_json_worst(const rpp_verdict *verdict);

/* The name of the gate of a mismatch, else null. */
json_t *rpp_json_gate(rpp_outcome outcome, rpp_gate gate);

#endif
