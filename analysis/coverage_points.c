#include "coverage_points.h"

#include <math.h>
#include <stdlib.h>

#include "sincos.h"

/* ---- Points --------------------------------------------------------------------------------------------------------------- */

static double wrap(double turns) {
  const double fraction = turns - floor(turns);
  return fraction < 1 ? fraction : 0; /* a tiny negative number's is rounded to 1 */
}

void rpp_point_of_distance(rpp_dd turns, int64_t t, double *cosine, double *sine, double *phase) {
  rpp_sincos_turns(1, (double)t, &turns, cosine, sine);
  const rpp_dd product = rpp_dd_scale(turns, (double)t);
  *phase = wrap(rpp_dd_add_double(product, -floor(product.hi)).hi);
}

bool rpp_coverage_points_make(int64_t most, rpp_coverage_points *points) {
  double *room = malloc((size_t)most * 3 * sizeof *room);
  *points = (rpp_coverage_points){.cosine = room};
  if (room == NULL) return false;
  points->sine = room + most, points->phase = points->sine + most;
  return true;
}

void rpp_coverage_points_free(rpp_coverage_points *points) {
  free(points->cosine);
  *points = (rpp_coverage_points){0};
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void sort(double *values, int64_t count) {
  int64_t sorted = 1;
  while (sorted < count && values[sorted - 1] <= values[sorted]) sorted++;
  if (sorted >= count) return; /* those of a slow pair are */
  qsort(values, (size_t)count, sizeof *values, compare);
}

void rpp_coverage_points_fill(rpp_coverage_points *points, rpp_dd turns, int64_t count) {
  points->count = count;
  for (int64_t t = 0; t < count; t++) rpp_point_of_distance(turns, t, points->cosine + t, points->sine + t, points->phase + t);
  sort(points->cosine, count);
  sort(points->sine, count);
  sort(points->phase, count);
}

/* ---- Holes ---------------------------------------------------------------------------------------------------------------- */

/* Sorted numbers, or their negatives; on the circle shifted by so many turns, so that they start elsewhere. In growing order. */
typedef struct {
  const double *sorted;
  int64_t count, start;
  bool negated, circle;
  double shift;
  int64_t taken;
  double head; /* the next one; infinite when all were taken */
} stream;

static double element(const stream *s, int64_t i) {
  i += s->start;
  if (i >= s->count) i -= s->count;
  const double x = s->negated ? 0 - s->sorted[s->count - 1 - i] : s->sorted[i];
  return s->circle ? wrap(x + s->shift) : x;
}

static void advance(stream *s, int64_t taken) {
  s->taken = taken;
  s->head = taken < s->count ? element(s, taken) : INFINITY;
}

static stream line(const double *sorted, int64_t count, bool negated) {
  stream s = {.sorted = sorted, .count = count, .negated = negated};
  advance(&s, 0);
  return s;
}

static stream circle(const double *sorted, int64_t count, bool negated, double shift) {
  stream s = {.sorted = sorted, .count = count, .negated = negated, .circle = true, .shift = shift};
  int64_t start = 0;
  for (int64_t i = 1; i < count && start == 0; i++)
    if (element(&s, i) < element(&s, i - 1)) start = i;
  s.start = start;
  advance(&s, 0);
  return s;
}

/* The least of what the streams have left; false when nothing is. */
static bool take(stream *streams, int count, double *x) {
  stream *least = streams;
  for (stream *s = streams + 1; s < streams + count; s++)
    if (s->head < least->head) least = s;
  *x = least->head;
  if (least->taken == least->count) return false;
  advance(least, least->taken + 1);
  return true;
}

static void widen(rpp_coverage_hole *h, double from, double to) {
  if (to - from > h->hole) h->hole = to - from, h->hole_at = from;
}

static rpp_coverage_hole hole_of_line(stream *streams, int count) {
  rpp_coverage_hole h = {.low = 1, .high = -1};
  double x, last = -1;
  while (take(streams, count, &x)) {
    h.low = fmin(h.low, x), h.high = fmax(h.high, x);
    widen(&h, last, x);
    last = x;
  }
  widen(&h, last, 1);
  return h;
}

static rpp_coverage_hole hole_of_circle(stream *streams, int count) {
  rpp_coverage_hole h = {0};
  double x, first = 0, last = 0;
  for (bool begun = false; take(streams, count, &x); begun = true, last = x) {
    if (!begun)
      first = x;
    else
      widen(&h, last, x);
  }
  widen(&h, last, first + 1);
  h.low = wrap(h.hole_at + h.hole), h.high = h.hole_at;
  return h;
}

static rpp_coverage_hole hole_of_values(const rpp_coverage_points *p, unsigned multipliers, bool packed) {
  stream streams[RPP_MULTIPLIERS];
  int count = 0;
  const unsigned sines = RPP_PLUS_SIN | RPP_MINUS_SIN;
  if (packed && (multipliers & sines)) multipliers |= sines; /* sin(-D) = -sin D */
  if (multipliers & RPP_PLUS_COS) streams[count++] = line(p->cosine, p->count, false);
  if (multipliers & RPP_MINUS_COS) streams[count++] = line(p->cosine, p->count, true);
  if (multipliers & RPP_PLUS_SIN) streams[count++] = line(p->sine, p->count, false);
  if (multipliers & RPP_MINUS_SIN) streams[count++] = line(p->sine, p->count, true);
  return hole_of_line(streams, count);
}

static rpp_coverage_hole hole_of_phases(const rpp_coverage_points *p, int orientation, rpp_method method, bool packed) {
  stream streams[4];
  int count = 0;
  for (int part = 0; part <= (method == RPP_METHOD_ROPEPP); part++)
    for (int direction = 1; direction >= (packed ? -1 : 1); direction -= 2)
      streams[count++] = circle(p->phase, p->count, direction * orientation < 0, -0.25 * part * orientation);
  return hole_of_circle(streams, count);
}

rpp_coverage_hole rpp_coverage_points_hole(const rpp_coverage_points *points, rpp_dimension_class dimension, rpp_method method,
                                           rpp_criterion criterion, bool packed) {
  const unsigned multipliers = rpp_multipliers(dimension, method), cosines = RPP_PLUS_COS | RPP_MINUS_COS;
  if (criterion == RPP_PHASE) return hole_of_phases(points, rpp_orientation(dimension), method, packed);
  if (criterion != RPP_FAMILIES) return hole_of_values(points, multipliers, packed);
  const rpp_coverage_hole a = hole_of_values(points, multipliers & cosines, packed),
                          b = hole_of_values(points, multipliers & ~cosines, packed);
  return a.hole >= b.hole ? a : b;
}

/* ---- Past training -------------------------------------------------------------------------------------------------------- */

bool rpp_coverage_is_new(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion, const rpp_coverage *seen,
                         double cosine, double sine, double phase) {
  const double values[RPP_MULTIPLIERS] = {cosine, -cosine, sine, -sine};
  const rpp_interval_set first = rpp_coverage_set(criterion, seen, 0);
  if (criterion == RPP_PHASE) {
    const int orientation = rpp_orientation(dimension);
    for (int part = 0; part <= (method == RPP_METHOD_ROPEPP); part++) {
      const double turns = wrap(orientation * (phase - 0.25 * part));
      if (!rpp_intervals_contain(&first, turns) && !(turns == 0 && rpp_intervals_contain(&first, 1))) return true;
    }
    return false;
  }
  const unsigned multipliers = rpp_multipliers(dimension, method);
  for (int i = 0; i < RPP_MULTIPLIERS; i++) {
    const rpp_interval_set *set = criterion == RPP_FAMILIES ? &seen->seen[i / 2] : &first;
    if ((multipliers >> i & 1) != 0 && !rpp_intervals_contain(set, values[i])) return true;
  }
  return false;
}
