#include "float_angles.h"

#include <omp.h>

#include "tensor.h"
#include "vector/sets.h"

static bool turns(const rpp_rotary *rotary) {
  return !rotary->cos && rotary->angles == RPP_ANGLES_EXACT && rotary->table_dtype == RPP_F64;
}

void rpp_float_angles_begin(const rpp_angle_source *source, double *scratch, rpp_float_angles *walk) {
  const int64_t pairs = source->pairs;
  *walk = (rpp_float_angles){
      .source = source, .c = scratch, .s = scratch + pairs, .step_c = scratch + 2 * pairs, .step_s = scratch + 3 * pairs};
  rpp_angle_source unit = *source; /* the magnitude comes with the row that is turned */
  unit.magnitude = 1;
  if (turns(source->rotary)) rpp_angle_row(&unit, 1, walk->step_c, walk->step_s);
}

/* Row `first`, and those that can be turned to from it. */
static int64_t run_from(rpp_float_angles *walk, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count) {
  const int64_t t = rpp_position(pos, b, first);
  if (walk->left == 0 || t != walk->next) {
    rpp_angle_row(walk->source, t, walk->c, walk->s);
    walk->next = t;
    walk->left = turns(walk->source->rotary) ? RPP_ANGLE_RESYNC : 1;
  }
  const int64_t most = walk->left < count ? walk->left : count;
  int64_t run = 1;
  while (run < most && rpp_position(pos, b, first + run) == t + run) run++;
  return run;
}

void rpp_float_angles_next(rpp_float_angles *walk, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count, float *cosine,
                           float *sine) {
  const rpp_angle_code *code = rpp_vector_sets()[0]->angles;
  const int64_t pairs = walk->source->pairs;
  for (int64_t l = 0; l < count;) {
    const int64_t run = run_from(walk, pos, b, first + l, count - l);
    code->turn(pairs, run, walk->step_c, walk->step_s, walk->c, walk->s, cosine + l * pairs, sine + l * pairs);
    walk->next += run;
    walk->left -= run;
    l += run;
  }
}

void rpp_float_angle_rows(const rpp_angle_source *source, const rpp_tensor *pos, int64_t b, int64_t first, int64_t count,
                          double *scratch, float *cosine, float *sine) {
  rpp_float_angles walk;
  rpp_float_angles_begin(source, scratch, &walk);
  rpp_float_angles_next(&walk, pos, b, first, count, cosine, sine);
}

void rpp_float_table_fill(const rpp_angle_source *source, const rpp_tensor *pos, int64_t first, double *scratch,
                          const rpp_float_table *table) {
  rpp_float_angles walk;
  rpp_float_angles_begin(source, scratch + omp_get_thread_num() * 4 * source->pairs, &walk);
  const int64_t runs = (table->tokens + RPP_ANGLE_RESYNC - 1) / RPP_ANGLE_RESYNC;
#pragma omp for schedule(static)
  for (int64_t n = 0; n < table->sequences * runs; n++) {
    const int64_t b = n / runs, l = n % runs * RPP_ANGLE_RESYNC, at = (b * table->tokens + l) * source->pairs;
    const int64_t count = table->tokens - l < RPP_ANGLE_RESYNC ? table->tokens - l : RPP_ANGLE_RESYNC;
    walk.left = 0; /* as if begun here: whichever run this thread had before */
    rpp_float_angles_next(&walk, pos, b, first + l, count, table->cosine + at, table->sine + at);
  }
}
