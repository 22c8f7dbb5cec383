/* statistics.h: what stands for many repeats of a measurement. */
#ifndef RPP_STATISTICS_H
#define RPP_STATISTICS_H

typedef struct {
  double median, low, high;
} rpp_spread;

/* The middle number, or the mean of the middle two; NaN of none. Sorts x; none of it is NaN. */
double rpp_median(double *x, int count);

/* The same with the smallest and the largest. */
rpp_spread rpp_spread_of(double *x, int count);

/* The median of a[i] / b[i]; room: count numbers. What disturbs both of a pair drops out. */
double rpp_median_ratio(const double *a, const double *b, int count, double *room);

#endif
