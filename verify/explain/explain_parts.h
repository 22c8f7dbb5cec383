/* explain_parts.h: what can be said of a failure beside hypotheses. */
#ifndef RPP_EXPLAIN_PARTS_H
#define RPP_EXPLAIN_PARTS_H
#include "explain/trial.h"

/* Which part of out or LSE was left unwritten, where it is a part that can be named. */
bool rpp_explain_unwritten(const rpp_trial *t, rpp_message *explanation);

/* Asks with V one-hot for each key which keys a query really sees: names one that the mask hides, one that is missing, or a row
 * that is 0 as if it saw none. Runs the kernel again and leaves other results in t. */
bool rpp_explain_keys(rpp_trial *t, rpp_message *explanation);

/* For a failure of any kind: a kernel that is wrong in the sparse layout only. */
bool rpp_explain_offsets(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, rpp_message *explanation);

#endif
