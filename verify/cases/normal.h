/* normal.h: many normal numbers, fast: the ziggurat method (Marsaglia and Tsang 2000; Doornik 2005) in float64, from + - * /
 * sqrt alone, so that they are the same bits on every machine. */
#ifndef RPP_NORMAL_H
#define RPP_NORMAL_H
#include <stdint.h>

enum { RPP_NORMAL_LAYERS = 128 };

/* Edges of the layers of equal area under exp(-x^2 / 2), and that function at them. */
typedef struct {
  double x[RPP_NORMAL_LAYERS + 1], f[RPP_NORMAL_LAYERS + 1];
} rpp_normal_table;

void rpp_normal_table_make(rpp_normal_table *table);

/* Mean 0, variance 1. Number i is a function of seed, stream and i, whatever count is; stream < 2^63. */
void rpp_normal_fill(const rpp_normal_table *table, uint64_t seed, uint64_t stream, int64_t count, double *values);

#endif
