/* angle_code.h: angles by recurrence, in vectors (sets.h). Every operation is rounded by itself, so that all instruction sets give the same
 * bits. */
#ifndef RPP_ANGLE_CODE_H
#define RPP_ANGLE_CODE_H
#include <stdint.h>

typedef struct {
  /* cosine, sine (count, pairs): row 0 is c + i s (pairs) rounded to float32, each next one is turned on by a step, in float64; c and s
   * are left at the row after the last. */
  void (*turn)(int64_t pairs, int64_t count, const double *step_c, const double *step_s, double *c, double *s, float *cosine,
               float *sine);
} rpp_angle_code;

#endif
