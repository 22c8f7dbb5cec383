#include "coverage_search.h"

typedef struct {
  rpp_dimension_class dimension;
  rpp_method method;
  rpp_criterion criterion;
  bool packed;
  rpp_dd turns;
} question;

static bool covers_angle(const question *q, double high) {
  const rpp_interval angles = {q->packed ? -high : 0, high};
  return rpp_coverage_of_angles(q->dimension, q->method, q->criterion, angles).full;
}

static bool covers_length(const question *q, int64_t length) {
  const rpp_interval angles = rpp_angles_of_length(q->turns, length, q->packed);
  return rpp_coverage_of_angles(q->dimension, q->method, q->criterion, angles).full;
}

rpp_coverage_needed rpp_coverage_search(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion, bool packed,
                                        rpp_dd turns) {
  const question q = {dimension, method, criterion, packed, turns};
  if (covers_length(&q, 1)) return (rpp_coverage_needed){1, 0};
  int64_t not_yet = 1, covered = 2;
  while (!covers_length(&q, covered)) {
    if (covered == RPP_COVERAGE_LONGEST) return (rpp_coverage_needed){0, 0};
    not_yet = covered, covered *= 2;
  }
  while (covered - not_yet > 1) {
    const int64_t middle = not_yet + (covered - not_yet) / 2;
    if (covers_length(&q, middle))
      covered = middle;
    else
      not_yet = middle;
  }
  double low = rpp_angles_of_length(turns, not_yet, false).high, high = rpp_angles_of_length(turns, covered, false).high;
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return (rpp_coverage_needed){covered, high};
    if (covers_angle(&q, middle))
      high = middle;
    else
      low = middle;
  }
}
