/* values.h: the numbers of q, k and v. Each is a function of the seed, the tensor and its own (b, l, h, d) and, where a family
 * says so, of what that family needs (scale, width); so shrinking a length, a batch or a count of heads leaves the others'
 * values as they are. */
#ifndef RPP_VALUES_H
#define RPP_VALUES_H
#include "cases/normal.h"
#include "cases/spec.h"

typedef enum { RPP_VALUES_Q = 0, RPP_VALUES_K, RPP_VALUES_V } rpp_values_tensor;

typedef struct {
  const rpp_spec *spec;
  rpp_normal_table normal;
  double unit;    /* the score of a query and a key that face each other with strength 1 */
  int64_t needle; /* the key that takes all the weight */
} rpp_values;

/* The spec outlives it. */
void rpp_values_open(const rpp_spec *spec, rpp_values *values);

/* Whether q and k of this family are drawn as they are to be after rotation; raw ones are then turned back by their position. */
bool rpp_values_are_rotated(const rpp_values *values);

/* Head h of token l in sequence b: d, or dv, numbers, not rounded yet. */
void rpp_values_row(const rpp_values *values, rpp_values_tensor which, int64_t b, int64_t l, int64_t h, double *row);

/* Turns a row back by the angles of one position: cosine and sine, rotary / 2 of each. */
void rpp_values_turn_back(const rpp_rotary *rotary, const double *cosine, const double *sine, double *row);

#endif
