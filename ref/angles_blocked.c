/* angles_blocked.c: the fast kernel's angle tables, by themselves: a walk over positions for each thread. */
#include "angles.h"
#include "check_tensor.h"
#include "float_angles.h"
#include "status.h"
#include "team.h"
#include "tensor.h"

#include <inttypes.h>
#include <stdlib.h>

static rpp_status check_dense(const char *name, const rpp_tensor *t) {
  if (t->dtype != RPP_F32) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = %s: expected F32", name, rpp_dtype_name(t->dtype));
  const int64_t *n = t->shape, *stride = t->strides;
  if ((n[1] > 1 && stride[1] != 1) || (n[0] > 1 && stride[0] != n[1]))
    return rpp_fail(RPP_ERROR_SHAPE, "%s.strides = (%" PRId64 ", %" PRId64 "): expected (%" PRId64 ", 1)", name, stride[0],
                    stride[1], n[1]);
  return RPP_OK;
}

rpp_status rpp_angles_blocked(const rpp_rotary *rotary, const rpp_tensor *pos, rpp_tensor *cos, rpp_tensor *sin) {
  RPP_TRY(rpp_check_angles(rotary, pos, cos, sin));
  RPP_TRY(check_dense("cos", cos));
  RPP_TRY(check_dense("sin", sin));
  if (rpp_tensor_is_empty(cos)) return RPP_OK;
  rpp_angle_source source;
  RPP_TRY(rpp_angle_source_open(rotary, &source));
  const rpp_float_table table = {(void *)rpp_tensor_at(cos, 0, 0, 0, 0), (void *)rpp_tensor_at(sin, 0, 0, 0, 0), 1, pos->shape[0]};
  /* For team.h, which counts the truth's multiplications. */
  const int threads = rpp_threads((double)table.tokens * (double)source.pairs);
  void *scratch;
  const rpp_status status = rpp_allocate(source.pairs, (size_t)threads * 4 * sizeof(double), &scratch);
  if (status == RPP_OK) {
#pragma omp parallel num_threads(threads)
    rpp_float_table_fill(&source, pos, 0, scratch, &table);
    free(scratch);
  }
  rpp_angle_source_close(&source);
  return status;
}
