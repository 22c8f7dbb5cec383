/* coverage_map.h: all that is known of a pair's coverage: every class, method and criterion, by angles and by whole distances. */
#ifndef RPP_COVERAGE_MAP_H
#define RPP_COVERAGE_MAP_H
#include "coverage_points.h"

typedef struct {
  int64_t length; /* trained on, >= 1 */
  int64_t target; /* >= length; 0: none. Its distances are 0..target - 1, as those of one long document */
  bool packed;    /* training has the distances -(length - 1)..length - 1 */
} rpp_coverage_lengths;

typedef struct {
  rpp_coverage seen;
  rpp_coverage_hole points; /* of seen distances; all NaN when they are too many to be listed */
  rpp_coverage needed;      /* what the target asks for; without one, nothing */
  double unseen;            /* how much of that training has not seen */
  double new_distances;     /* of length..target - 1, those that meet what was not seen; NaN when not listed */
} rpp_coverage_cell;

typedef struct {
  double theta, periods, target_periods; /* theta (L - 1) / 2 pi */
  rpp_coverage_cell cells[RPP_DIMENSION_CLASSES][RPP_METHODS][RPP_CRITERIA];
} rpp_coverage_pair;

/* Whether the distances of training, and those past it, are listed: RPP_COVERAGE_LISTED at most. */
bool rpp_coverage_lists_training(const rpp_coverage_lengths *lengths);
bool rpp_coverage_lists_target(const rpp_coverage_lengths *lengths);

/* The pair of theta = hi + lo. points: with room for the training length when that is listed. */
void rpp_coverage_map_pair(const rpp_coverage_lengths *lengths, double hi, double lo, rpp_coverage_points *points,
                           rpp_coverage_pair *pair);

#endif
