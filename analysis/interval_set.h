/* interval_set.h: unions of closed intervals of the line, and of arcs of the circle. */
#ifndef RPP_INTERVAL_SET_H
#define RPP_INTERVAL_SET_H
#include <stdbool.h>

enum { RPP_INTERVALS = 8 };

typedef struct {
  double low, high; /* low <= high */
} rpp_interval;

/* In growing order; no two of them meet. {0} is empty. */
typedef struct {
  int count;
  rpp_interval at[RPP_INTERVALS];
} rpp_interval_set;

/* The set and low..high. False, and the set as it was, when it is full. */
bool rpp_intervals_add(rpp_interval_set *set, double low, double high);

/* The set of the circle 0..1, in turns, whose ends are one point, and the arc that runs from low up to high, at any number of turns. What
 * passes an end comes back at the other: such an arc is two intervals. */
bool rpp_intervals_add_arc(rpp_interval_set *set, double low, double high);

/* Lengths added up. */
double rpp_intervals_measure(const rpp_interval_set *set);

bool rpp_intervals_contain(const rpp_interval_set *set, double x);

/* Whether one interval of the set holds all of low..high. */
bool rpp_intervals_fill(const rpp_interval_set *set, double low, double high);

/* From the least to the greatest point; empty of an empty set. */
rpp_interval_set rpp_intervals_hull(const rpp_interval_set *set);

/* What of a is not in b, with its ends; isolated points are left out. The counts of a and b add up to RPP_INTERVALS at most. */
rpp_interval_set rpp_intervals_minus(const rpp_interval_set *a, const rpp_interval_set *b);

/* What of low..high is not in the set. */
rpp_interval_set rpp_intervals_gaps(const rpp_interval_set *set, double low, double high);

#endif
