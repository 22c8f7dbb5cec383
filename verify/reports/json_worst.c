#include "reports/json_worst.h"

#include "base/json_number.h"

json_t *rpp_json_worst(const rpp_verdict *verdict) {
  const rpp_worst *w = &verdict->worst;
  if (verdict->elements == 0) return json_null();
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "tensor", rpp_names_get(rpp_names_judged, w->tensor), "b",
                   (json_int_t)w->b, "h", (json_int_t)w->h, "t", (json_int_t)w->t, "d", (json_int_t)w->d, "expected",
                   rpp_json_number(w->expected), "got", rpp_json_number(w->got), "bound", rpp_json_number(w->bound), "ratio",
                   rpp_json_number(w->ratio));
}

json_t *rpp_json_gate(rpp_outcome outcome, rpp_gate gate) {
  return outcome == RPP_OUTCOME_MISMATCH ? json_string(rpp_names_get(rpp_names_gate, gate)) : json_null();
}
