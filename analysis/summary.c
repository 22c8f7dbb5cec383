#include "summary.h"

#include <math.h>

#include "json_file.h"

rpp_summary rpp_summary_none(void) {
  return (rpp_summary){NAN, NAN, NAN, NAN};
}

void rpp_summary_add(rpp_summary *summary, double t, double value) {
  if (isnan(value)) return;
  if (value < 0 && isnan(summary->first_negative)) summary->first_negative = t;
  if (isnan(summary->half_decay) && summary->max > 0 && value <= summary->max / 2) summary->half_decay = t;
  if (!(value <= summary->max)) summary->max = value, summary->max_at = t;
}

json_t *rpp_summary_json(const rpp_summary *summary) {
  return json_pack("{s:o, s:o, s:o, s:o}", "max", rpp_json_or_null(summary->max), "max_at", rpp_json_or_null(summary->max_at),
                   "first_negative", rpp_json_or_null(summary->first_negative), "half_decay",
                   rpp_json_or_null(summary->half_decay));
}
