/* coverage_brute.h: coverage by brute force, from the definition of the score: no multiplier, interval or formula of analysis/. A unit
 * query and a unit key, rotated and multiplied, at many angles, mark cells of [-1, 1] and of the circle. */
#ifndef COVERAGE_BRUTE_H
#define COVERAGE_BRUTE_H
#include "coverage.h"

/* The score of a pair (a_q, b_q), (a_k, b_k) whose angle is D, in radians. */
double brute_score(bool imaginary, double a_q, double b_q, double a_k, double b_k, double angle);

/* What multiplies the dimension times its partner of like parity, and times the other one; by the cosine and sine of D. */
void brute_multipliers(rpp_dimension_class dimension, bool imaginary, double cosine, double sine, double *like, double *other);

/* The phase of (like, other) in turns 0..1. */
double brute_phase(double like, double other);

/* Which of CELLS equal cells were met: of values for +-cos, for +-sin, and for phases. */
enum { BRUTE_CELLS = 1000 };
typedef struct {
  bool cosine[BRUTE_CELLS], sine[BRUTE_CELLS], phase[BRUTE_CELLS];
} brute_marks;

int brute_cell_of_value(double value);
int brute_cell_of_phase(double turns);

/* Marks what is met at some ten thousand angles of the interval, its ends among them. */
void brute_mark(rpp_dimension_class dimension, rpp_method method, rpp_interval angles, brute_marks *marks);

/* What a criterion takes as seen, in its two sets of cells (one but for families). */
void brute_seen(rpp_criterion criterion, const brute_marks *marks, bool seen[2][BRUTE_CELLS]);

/* The share of cells seen; of those needed and not seen. */
double brute_covered(rpp_criterion criterion, const brute_marks *marks);
double brute_unseen(rpp_criterion criterion, const brute_marks *marks, const brute_marks *needed);

#endif
