/* hypotheses.h: what a wrong kernel may be computing instead, one line of a table each. */
#ifndef RPP_HYPOTHESES_H
#define RPP_HYPOTHESES_H
#include "explain/changed.h"

typedef struct {
  const char *text; /* completes "matches with ..." */

  /* Changes the problem; false where the change would mean nothing. Null: the problem stays. */
  bool (*change)(rpp_changed *c, double number);

  /* Changes the results in c->truth. False as above. Null: they stay. */
  bool (*result)(rpp_changed *c, double number);

  double number; /* for both */
} rpp_hypothesis;

/* By subject, each ended by a null text. Where several fit, the first is the likelier or the more specific. */
extern const rpp_hypothesis rpp_hypotheses_heads[], rpp_hypotheses_rotary[], rpp_hypotheses_positions[], rpp_hypotheses_keys[],
    rpp_hypotheses_results[], rpp_hypotheses_angles[];

/* All of them in order, ended by null. */
extern const rpp_hypothesis *const rpp_hypotheses[];

/* Those that only widen the bound: for where nothing else fits. */
extern const rpp_hypothesis rpp_hypotheses_wider[];

/* The scale becomes number times itself, or, for these, what they say. Shared by all heads and the imaginary ones alone. */
#define RPP_SCALE_ONE (-1.0)     /* 1 */
#define RPP_SCALE_SQUARED (-2.0) /* applied twice */
#define RPP_SCALE_WIDTH (-3.0)   /* D^(-1/2), whatever was given */
#define RPP_SCALE_VALUES (-4.0)  /* Dv^(-1/2) */
#define RPP_SCALE_ROTARY (-5.0)  /* W^(-1/2) */
#define RPP_SCALE_NEGATED (-6.0) /* of the other sign */
bool rpp_hypothesis_scale(rpp_changed *c, double number);

#endif
