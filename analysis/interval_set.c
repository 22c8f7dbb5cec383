#include "interval_set.h"

#include <math.h>
#include <string.h>

bool rpp_intervals_add(rpp_interval_set *set, double low, double high) {
  int first = 0;
  while (first < set->count && set->at[first].high < low) first++;
  int end = first; /* first..end - 1 meet low..high */
  while (end < set->count && set->at[end].low <= high) end++;
  if (first == end && set->count == RPP_INTERVALS) return false;
  if (first < end) low = fmin(low, set->at[first].low), high = fmax(high, set->at[end - 1].high);
  memmove(set->at + first + 1, set->at + end, (size_t)(set->count - end) * sizeof *set->at);
  set->at[first] = (rpp_interval){low, high};
  set->count += 1 - (end - first);
  return true;
}

bool rpp_intervals_add_arc(rpp_interval_set *set, double low, double high) {
  if (!(high - low < 1)) return rpp_intervals_add(set, 0, 1);
  const double whole = floor(low), end = whole + 1; /* differences are exact wherever they can be */
  if (high <= end) return rpp_intervals_add(set, low - whole, high - whole);
  const rpp_interval_set before = *set;
  if (rpp_intervals_add(set, low - whole, 1) && rpp_intervals_add(set, 0, high - end)) return true;
  *set = before;
  return false;
}

double rpp_intervals_measure(const rpp_interval_set *set) {
  double sum = 0;
  for (int i = 0; i < set->count; i++) sum += set->at[i].high - set->at[i].low;
  return sum;
}

bool rpp_intervals_contain(const rpp_interval_set *set, double x) {
  return rpp_intervals_fill(set, x, x);
}

bool rpp_intervals_fill(const rpp_interval_set *set, double low, double high) {
  for (int i = 0; i < set->count; i++)
    if (set->at[i].low <= low && high <= set->at[i].high) return true;
  return false;
}

rpp_interval_set rpp_intervals_hull(const rpp_interval_set *set) {
  rpp_interval_set hull = {0};
  if (set->count > 0) rpp_intervals_add(&hull, set->at[0].low, set->at[set->count - 1].high);
  return hull;
}

rpp_interval_set rpp_intervals_minus(const rpp_interval_set *a, const rpp_interval_set *b) {
  rpp_interval_set rest = {0};
  for (int i = 0; i < a->count; i++) {
    double from = a->at[i].low;
    for (int j = 0; j < b->count && b->at[j].low < a->at[i].high; j++) {
      if (b->at[j].high < from) continue;
      if (from < b->at[j].low) rpp_intervals_add(&rest, from, b->at[j].low);
      from = b->at[j].high;
    }
    if (from < a->at[i].high) rpp_intervals_add(&rest, from, a->at[i].high);
  }
  return rest;
}

rpp_interval_set rpp_intervals_gaps(const rpp_interval_set *set, double low, double high) {
  const rpp_interval_set all = {1, {{low, high}}};
  return rpp_intervals_minus(&all, set);
}
