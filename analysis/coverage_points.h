/* coverage_points.h: the multipliers at whole distances, which are finitely many points: how far they reach, the largest hole between
 * them, and how many distances past training meet a multiplier that training has not seen. */
#ifndef RPP_COVERAGE_POINTS_H
#define RPP_COVERAGE_POINTS_H
#include "coverage.h"

/* Lengths whose distances are listed one by one. */
#define RPP_COVERAGE_LISTED ((int64_t)1 << 20)

/* cos D, sin D, right to 2^-52, and D's fraction of a turn in 0..1, right to 2^-53 (without 1), at distance t, |t| <= 10^9. Whole turns are
 * dropped from a product of twice the precision. */
void rpp_point_of_distance(rpp_dd turns, int64_t t, double *cosine, double *sine, double *phase);

/* A pair's values at the distances 0..count - 1, sorted each for itself. */
typedef struct {
  int64_t count;
  double *cosine, *sine, *phase;
} rpp_coverage_points;

/* Room for as many distances; false without memory. rpp_coverage_points_fill takes at most as many. */
bool rpp_coverage_points_make(int64_t most, rpp_coverage_points *points);
void rpp_coverage_points_fill(rpp_coverage_points *points, rpp_dd turns, int64_t count);
void rpp_coverage_points_free(rpp_coverage_points *points);

/* Of the points that a dimension has seen: the least and the greatest, and the largest part of [-1, 1] between neighbours, or outside of
 * the ends, that none is in: hole, from hole_at up. On the circle: the largest arc without a point, in turns; low and high are where the
 * points begin after it and end before it. families: of the family whose hole is larger. */
typedef struct {
  double low, high, hole, hole_at;
} rpp_coverage_hole;

/* Packed: the distances -(count - 1)..count - 1. */
rpp_coverage_hole rpp_coverage_points_hole(const rpp_coverage_points *points, rpp_dimension_class dimension, rpp_method method,
                                           rpp_criterion criterion, bool packed);

/* Whether a dimension meets, at these cos D, sin D and phase of D, a multiplier outside of what was seen (that criterion's set). */
bool rpp_coverage_is_new(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion, const rpp_coverage *seen,
                         double cosine, double sine, double phase);

#endif
