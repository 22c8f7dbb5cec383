/* explain_offsets.c: offsets that do not fit into 32 bits, and accesses where the sparse layout alone has no memory. */
#include "explain/explain_parts.h"

bool rpp_explain_offsets(const rpp_kernel *kernel, const rpp_spec *spec, bool of_rotation, rpp_outcome outcome,
                         rpp_message *explanation) {
  static const rpp_layout small[] = {RPP_LAYOUT_PADDED, RPP_LAYOUT_HEAD_MAJOR}; /* steps as irregular, or in another order */
  bool right = spec->layout == RPP_LAYOUT_SPARSE;
  for (int i = 0; i < 2 && right; i++) {
    rpp_spec close = *spec;
    rpp_trial t = {0};
    close.layout = small[i];
    right = rpp_trial_open(&t, kernel, &close, of_rotation, -1) && rpp_trial_right(&t);
    rpp_trial_close(&t);
  }
  if (!right) return false;
  /* Elsewhere what lies behind a tensor's guard is somebody's memory, so that a stray access need not show. */
  if (rpp_outcome_severe(outcome))
    rpp_message_set(explanation, "offsets in 32 bits, or an access past a tensor's end: right where other memory lies there "
                                 "(layout=padded), not where none does (layout=sparse)");
  else
    rpp_message_set(explanation, "offsets in 32 bits: right where elements lie close together (layout=padded), wrong past 2^31");
  return true;
}
