#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double rpp_median(double *x, int count) {
  return rpp_spread_of(x, count).median;
}

rpp_spread rpp_spread_of(double *x, int count) {
  if (count <= 0) return (rpp_spread){NAN, NAN, NAN};
  qsort(x, (size_t)count, sizeof *x, compare);
  return (rpp_spread){(x[(count - 1) / 2] + x[count / 2]) / 2, x[0], x[count - 1]};
}

double rpp_median_ratio(const double *a, const double *b, int count, double *room) {
  for (int i = 0; i < count; i++) room[i] = a[i] / b[i];
  return rpp_median(room, count);
}
