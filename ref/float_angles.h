/* float_angles.h: cosines and sines in float32 for the fast kernel, many positions at a time. */
#ifndef RPP_FLOAT_ANGLES_H
#define RPP_FLOAT_ANGLES_H
#include "angles.h"

/* Positions that are turned to, one from the other, before one is computed afresh. */
enum { RPP_ANGLE_RESYNC = 1024 };

/* A walk over positions. Where a position follows the one before it, exact angles are turned on by one step in float64, else, and after
 * RPP_ANGLE_RESYNC positions, they come from rpp_angle_row: within 5e-13 of its, relative to the magnitude, before rounding. For a step is
 * off by 2^-52.5, a product of two complex numbers by sqrt(5) 2^-53 (Brent, Percival, Zimmermann 2007), so that a turn adds at most
 * 4.3e-16. What is not exact angles in float64 (tables, hf-f32, rounded ones) is rpp_angle_row's everywhere. */
typedef struct {
  const rpp_angle_source *source;
  double *c, *s, *step_c, *step_s; /* (pairs) */
  int64_t next, left;              /* the position of c and s, and how many may still be turned to */
} rpp_float_angles;

/* scratch: 4 pairs. The source and scratch must outlive the walk. */
void rpp_float_angles_begin(const rpp_angle_source *source, double *scratch, rpp_float_angles *walk);

/* Positions first .. first + count - 1 of sequence b, rounded to float32: cosine, sine (count, pairs). The bits depend on the positions
 * since the walk began, and not on how calls cut them. */
void rpp_float_angles_next(rpp_float_angles *walk, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count, float *cosine,
                           float *sine);

/* Cosines and sines of all positions: (sequences, tokens, pairs), sequences 1 where positions are shared. */
typedef struct {
  float *cosine, *sine;
  int64_t sequences, tokens;
} rpp_float_table;

/* Of positions first .. first + tokens - 1 of each sequence, by the threads of the team that calls, to its barrier. scratch: 4 pairs for
 * each of them. The bits do not depend on their number. */
void rpp_float_table_fill(const rpp_angle_source *source, const rpp_tensor *pos, int64_t first, double *scratch,
                          const rpp_float_table *table);

/* A walk of one call. */
void rpp_float_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count,
                          double *scratch, float *cosine, float *sine);

#endif
