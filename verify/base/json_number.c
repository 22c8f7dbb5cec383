#include "base/json_number.h"

#include <math.h>

json_t *rpp_json_number(double x) {
  if (isnan(x)) return json_string("nan");
  if (isinf(x)) return json_string(x > 0 ? "inf" : "-inf");
  return json_real(x);
}
