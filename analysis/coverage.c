#include "coverage.h"

#include <math.h>

#include "sincos.h"

static const char *const class_names[] = {"q_even", "q_odd", "k_even", "k_odd"};
static const char *const method_names[] = {"rope", "rope++"};
static const char *const criterion_names[] = {"hull", "union", "families", "phase"};

const char *rpp_dimension_class_name(rpp_dimension_class dimension) {
  return class_names[dimension];
}
const char *rpp_method_name(rpp_method method) {
  return method_names[method];
}
const char *rpp_criterion_name(rpp_criterion criterion) {
  return criterion_names[criterion];
}

/* ---- Multipliers ---------------------------------------------------------------------------------------------------------- */

/* q.k = a_q a_k + b_q b_k brings every dimension its partner of like parity with a plus; q x k = a_q b_k - b_q a_k brings the other one with
 * a plus to a_q and b_k, with a minus to b_q and a_k. */
int rpp_orientation(rpp_dimension_class dimension) {
  return dimension == RPP_Q_EVEN || dimension == RPP_K_ODD ? 1 : -1;
}

unsigned rpp_multipliers_of_heads(rpp_dimension_class dimension, bool imaginary) {
  const bool plus = rpp_orientation(dimension) > 0;
  if (imaginary) return RPP_PLUS_SIN | (plus ? RPP_MINUS_COS : RPP_PLUS_COS); /* (q.k) sin - (q x k) cos */
  return RPP_PLUS_COS | (plus ? RPP_PLUS_SIN : RPP_MINUS_SIN);                /* (q.k) cos + (q x k) sin */
}

unsigned rpp_multipliers(rpp_dimension_class dimension, rpp_method method) {
  const unsigned real = rpp_multipliers_of_heads(dimension, false);
  return method == RPP_METHOD_ROPE ? real : real | rpp_multipliers_of_heads(dimension, true);
}

/* ---- Values and phases of an interval of angles --------------------------------------------------------------------------- */

rpp_dd rpp_turns_of_theta(double hi, double lo) {
  return rpp_dd_multiply((rpp_dd){hi, lo}, RPP_DD_TURNS);
}

rpp_interval rpp_angles_of_length(rpp_dd turns, int64_t length, bool packed) {
  const double high = rpp_dd_scale(turns, (double)(length - 1)).hi;
  return (rpp_interval){packed ? -high : 0, high};
}

/* Whether an angle at + a whole number of turns is in the interval; at is a multiple of a quarter. */
static bool passes(rpp_interval angles, double at) {
  return floor(angles.high - at) + at >= angles.low;
}

/* The cosine (its peak at 0) or the sine (at a quarter turn) on the angles: a continuous function's values on an interval are one. */
static rpp_interval image(rpp_interval angles, bool sine) {
  const double peak = sine ? 0.25 : 0;
  double low = 1, high = -1;
  for (int end = 0; end < 2; end++) {
    const double angle = end == 0 ? angles.low : angles.high;
    const rpp_dd turns = {angle - floor(angle), 0};
    double c, s;
    rpp_sincos_turns(1, 1, &turns, &c, &s);
    const double value = sine ? s : c;
    low = fmin(low, value), high = fmax(high, value);
  }
  const double short_of_one = 1 - 0x1p-53;
  return (rpp_interval){passes(angles, peak + 0.5) ? -1 : fmax(low, -short_of_one),
                        passes(angles, peak) ? 1 : fmin(high, short_of_one)};
}

rpp_interval_set rpp_values_of_angles(unsigned multipliers, rpp_interval angles) {
  const rpp_interval cosine = image(angles, false), sine = image(angles, true);
  rpp_interval_set set = {0}; /* 0 - x: no negative zero */
  if (multipliers & RPP_PLUS_COS) rpp_intervals_add(&set, cosine.low, cosine.high);
  if (multipliers & RPP_MINUS_COS) rpp_intervals_add(&set, 0 - cosine.high, 0 - cosine.low);
  if (multipliers & RPP_PLUS_SIN) rpp_intervals_add(&set, sine.low, sine.high);
  if (multipliers & RPP_MINUS_SIN) rpp_intervals_add(&set, 0 - sine.high, 0 - sine.low);
  return set;
}

rpp_interval_set rpp_phases_of_angles(rpp_dimension_class dimension, rpp_method method, rpp_interval angles) {
  const bool plus = rpp_orientation(dimension) > 0;
  rpp_interval_set set = {0};
  for (int part = 0; part <= (method == RPP_METHOD_ROPEPP); part++) {
    const double low = angles.low - 0.25 * part, high = angles.high - 0.25 * part;
    rpp_intervals_add_arc(&set, plus ? low : -high, plus ? high : -low);
  }
  return set;
}

/* ---- Criteria ------------------------------------------------------------------------------------------------------------- */

static double measure(rpp_criterion criterion, const rpp_interval_set *set) {
  return rpp_intervals_measure(set) / (criterion == RPP_PHASE ? 1 : 2);
}

rpp_interval_set rpp_coverage_set(rpp_criterion criterion, const rpp_coverage *coverage, int set) {
  return criterion == RPP_HULL ? rpp_intervals_hull(&coverage->seen[set]) : coverage->seen[set];
}

rpp_coverage rpp_coverage_of_angles(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion,
                                    rpp_interval angles) {
  const unsigned multipliers = rpp_multipliers(dimension, method), cosines = RPP_PLUS_COS | RPP_MINUS_COS;
  rpp_coverage c = {.sets = criterion == RPP_FAMILIES ? 2 : 1, .full = true};
  if (criterion == RPP_PHASE)
    c.seen[0] = rpp_phases_of_angles(dimension, method, angles);
  else if (criterion == RPP_FAMILIES) {
    c.seen[0] = rpp_values_of_angles(multipliers & cosines, angles);
    c.seen[1] = rpp_values_of_angles(multipliers & ~cosines, angles);
  } else
    c.seen[0] = rpp_values_of_angles(multipliers, angles);
  for (int i = 0; i < c.sets; i++) {
    rpp_interval_set set = rpp_coverage_set(criterion, &c, i);
    if (criterion == RPP_PHASE)
      set = rpp_phases_of_angles(RPP_Q_EVEN, method, angles); /* a mirror image: the same to the last bit */
    c.covered += measure(criterion, &set) / c.sets;
    c.full = c.full && rpp_intervals_fill(&set, criterion == RPP_PHASE ? 0 : -1, 1);
  }
  return c;
}

rpp_interval_set rpp_coverage_unseen_set(rpp_criterion criterion, const rpp_coverage *seen, const rpp_coverage *needed, int set) {
  const rpp_interval_set have = rpp_coverage_set(criterion, seen, set), want = rpp_coverage_set(criterion, needed, set);
  return rpp_intervals_minus(&want, &have);
}

double rpp_coverage_unseen(rpp_criterion criterion, const rpp_coverage *seen, const rpp_coverage *needed) {
  double sum = 0;
  for (int i = 0; i < seen->sets; i++) {
    const rpp_interval_set unseen = rpp_coverage_unseen_set(criterion, seen, needed, i);
    sum += measure(criterion, &unseen) / seen->sets;
  }
  return sum;
}
