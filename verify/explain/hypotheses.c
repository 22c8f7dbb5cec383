#include "explain/hypotheses.h"

#include <math.h>
#include <stddef.h>

/* RoPE++'s own faults first: where a small case does not tell them from a commoner one, they are what this project is about. What
 * only loosens a bound comes last. */
const rpp_hypothesis *const rpp_hypotheses[] = {rpp_hypotheses_heads,
                                                rpp_hypotheses_rotary,
                                                rpp_hypotheses_positions,
                                                rpp_hypotheses_keys,
                                                rpp_hypotheses_results,
                                                rpp_hypotheses_angles,
                                                NULL};

bool rpp_hypothesis_scale(rpp_changed *c, double number) {
  double *scale = &c->attention.scale;
  const double before = *scale;
  if (number == RPP_SCALE_ONE)
    *scale = 1;
  else if (number == RPP_SCALE_SQUARED)
    *scale *= *scale;
  else if (number == RPP_SCALE_WIDTH)
    *scale = 1 / sqrt((double)c->q.shape[3]);
  else if (number == RPP_SCALE_VALUES)
    *scale = 1 / sqrt((double)c->v.shape[3]);
  else if (number == RPP_SCALE_ROTARY)
    *scale = 1 / sqrt((double)c->attention.rotary.rotary_dim);
  else
    *scale *= number == RPP_SCALE_NEGATED ? -1 : number;
  return *scale != before;
}
