/* decode_blocked.h: the fast CPU kernel where few query rows meet many keys. */
#ifndef RPP_DECODE_BLOCKED_H
#define RPP_DECODE_BLOCKED_H
#include "blocked.h"

/* Query rows of a KV head (queries times its output heads) from which on packing K and V for all of them is faster than reading them where
 * they lie. */
enum { RPP_DECODE_ROWS = 16 };

/* A call of checked arguments whose inputs, problem, layouts, angles, keys and visible are set, and whose rows of a KV head are from 1 to
 * RPP_DECODE_ROWS (any other number is right as well, and slower). Errors: MEMORY, OVERFLOW. */
rpp_status rpp_decode_blocked(const rpp_blocked *f);

#endif
