/* angles.h: the cosines and sines of one position, whatever they come from: exact angles, Hugging Face's, given tables. */
#ifndef RPP_ANGLES_H
#define RPP_ANGLES_H
#include "dd.h"
#include "ropepp.h"

typedef struct {
  const rpp_rotary *rotary;
  int64_t pairs;
  double magnitude;
  rpp_dd *theta; /* hf-f32: a float32 each; exact: in turns, theta / (2 pi); null for given tables */
} rpp_angle_source;

/* The arguments of rpp_angles. */
rpp_status rpp_check_angles(const rpp_rotary *rotary, const rpp_tensor *pos, const rpp_tensor *cos, const rpp_tensor *sin);

/* For a checked rotary, which must outlive the source. On failure there is nothing to close. Errors: MEMORY, OVERFLOW. */
rpp_status rpp_angle_source_open(const rpp_rotary *rotary, rpp_angle_source *source);
void rpp_angle_source_close(rpp_angle_source *source);

/* m cos(t theta_n), m sin(t theta_n), n < pairs, rounded to the rotary's table_dtype (eq. 2). t is inside the model's range. */
void rpp_angle_row(const rpp_angle_source *source, int64_t t, double *cosine, double *sine);

/* rpp_angle_row for positions first .. first + count - 1 of sequence b, as (count, pairs). */
void rpp_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count, double *cosine,
                    double *sine);

#endif
