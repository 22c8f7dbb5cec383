/* explain_parts.h: what can be said of a failure beside hypotheses. */
#ifndef RPP_EXPLAIN_PARTS_H
#define RPP_EXPLAIN_PARTS_H
#include "explain/trial.h"

/* Hypotheses that fit so far, in the order of the tables. */
enum { RPP_SURVIVORS = 256 };
typedef struct {
  const rpp_hypothesis *of[RPP_SURVIVORS];
  int count;
} rpp_survivors;

/* Adds those of a table that fit. */
void rpp_survivors_gather(const rpp_trial *t, const rpp_hypothesis *table, rpp_survivors *s);

/* Names the first of them, and one more; false when there is none. */
bool rpp_survivors_name(const rpp_survivors *s, const char *where, rpp_message *explanation);

/* Which part of out or LSE was left unwritten, where it is a part that can be named. */
bool rpp_explain_unwritten(const rpp_trial *t, rpp_message *explanation);

/* Asks with V one-hot for each key which keys a query really sees: names one that the mask hides, one that is missing, or a row
 * that is 0 as if it saw none. Runs the kernel again and leaves other results in t. */
bool rpp_explain_keys(rpp_trial *t, rpp_message *explanation);

/* For a failure of any kind: a kernel that fails in the sparse layout only, there with this outcome. */
bool rpp_explain_offsets(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, rpp_outcome outcome,
                         rpp_message *explanation);

#endif
