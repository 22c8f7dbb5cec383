/* coverage.h: what the dimensions of queries and keys have seen of their multipliers when a training length ends (notes/coverage.md).
 * Angles D = theta (t - s) are in turns, D / 2 pi, and continuous here; coverage_points.h has those of whole distances. */
#ifndef RPP_COVERAGE_H
#define RPP_COVERAGE_H
#include <stdint.h>

#include "dd.h"
#include "interval_set.h"

/* The two dimensions of a pair, of the query and of the key. */
typedef enum { RPP_Q_EVEN = 0, RPP_Q_ODD, RPP_K_EVEN, RPP_K_ODD, RPP_DIMENSION_CLASSES } rpp_dimension_class;

/* RoPE has real heads, RoPE++ real and imaginary ones. */
typedef enum { RPP_METHOD_ROPE = 0, RPP_METHOD_ROPEPP, RPP_METHODS } rpp_method;

/* What must be seen for a dimension to be covered.
 * hull: [-1, 1] from the least to the greatest value; union: every value of [-1, 1], by any multiplier; families: every value by +-cos, and
 * every value by +-sin; phase: every point of the circle that (multiplier of the partner of like parity, of the other one) is on. */
typedef enum { RPP_HULL = 0, RPP_UNION, RPP_FAMILIES, RPP_PHASE, RPP_CRITERIA } rpp_criterion;

const char *rpp_dimension_class_name(rpp_dimension_class dimension); /* "q_even" ... */
const char *rpp_method_name(rpp_method method);                      /* "rope", "rope++" */
const char *rpp_criterion_name(rpp_criterion criterion);             /* "hull" ... */

/* Multipliers of a dimension in the score, as a set of bits. */
enum { RPP_PLUS_COS = 1, RPP_MINUS_COS = 2, RPP_PLUS_SIN = 4, RPP_MINUS_SIN = 8, RPP_MULTIPLIERS = 4 };

/* From A_re = sum (q.k) cos D + (q x k) sin D and A_im = sum (q.k) sin D - (q x k) cos D (eq. 7): what multiplies the dimension in real
 * heads (imaginary = false) or imaginary ones; and in all heads of a method. */
unsigned rpp_multipliers_of_heads(rpp_dimension_class dimension, bool imaginary);
unsigned rpp_multipliers(rpp_dimension_class dimension, rpp_method method);

/* +1 or -1: (like, other) = (cos, sin) of orientation D in real heads, of orientation (D - 1/4 turn) in imaginary ones. */
int rpp_orientation(rpp_dimension_class dimension);

/* Turns that a token adds: theta / 2 pi, of theta = hi + lo. */
rpp_dd rpp_turns_of_theta(double hi, double lo);

/* Angles of the distances 0..length - 1, or, packed, of -(length - 1)..length - 1. length >= 1. */
rpp_interval rpp_angles_of_length(rpp_dd turns, int64_t length, bool packed);

/* The values that the multipliers take on those angles. An extremum is +-1 only when its angle is there: none is reached by rounding. */
rpp_interval_set rpp_values_of_angles(unsigned multipliers, rpp_interval angles);

/* The points of the circle, in turns 0..1, that the dimension's real heads (and imaginary ones) see. */
rpp_interval_set rpp_phases_of_angles(rpp_dimension_class dimension, rpp_method method, rpp_interval angles);

/* What was seen, and how much of what the criterion asks for. */
typedef struct {
  int sets;                 /* 2 for families: of +-cos, then of +-sin; else 1 */
  rpp_interval_set seen[2]; /* hull: values, as for union; phase: turns 0..1 */
  double covered;           /* of [-1, 1], of both families' or of the circle: 0..1 */
  bool full;
} rpp_coverage;

rpp_coverage rpp_coverage_of_angles(rpp_dimension_class dimension, rpp_method method, rpp_criterion criterion, rpp_interval angles);

/* What a criterion takes as seen: for hull the hull of what was seen, else that itself. */
rpp_interval_set rpp_coverage_set(rpp_criterion criterion, const rpp_coverage *coverage, int set);

/* What is needed and was not seen; and how much that is, in the measure of covered. */
rpp_interval_set rpp_coverage_unseen_set(rpp_criterion criterion, const rpp_coverage *seen, const rpp_coverage *needed, int set);
double rpp_coverage_unseen(rpp_criterion criterion, const rpp_coverage *seen, const rpp_coverage *needed);

#endif
