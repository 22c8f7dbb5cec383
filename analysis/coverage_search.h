/* coverage_search.h: how long training must be for a slow pair to be covered. */
#ifndef RPP_COVERAGE_SEARCH_H
#define RPP_COVERAGE_SEARCH_H
#include "coverage.h"

/* Lengths searched: past it a float64 does not hold every whole number. */
#define RPP_COVERAGE_LONGEST ((int64_t)1 << 52)

typedef struct {
  int64_t length; /* the least L at which the dimension is fully covered; 0: none up to RPP_COVERAGE_LONGEST */
  double angle;   /* the least angle theta (L - 1) in turns, for real L: what a pair needs, however slow */
} rpp_coverage_needed;

/* By bisection, first over whole lengths, then over angles between the last two of them, down to neighbouring float64; each step asks
 * rpp_coverage_of_angles whether a pair of those turns a token is fully covered. A longer training sees all that a shorter one does, so
 * that one length is where it changes. */
rpp_coverage_needed rpp_coverage_search(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion, bool packed,
                                        rpp_dd turns);

#endif
