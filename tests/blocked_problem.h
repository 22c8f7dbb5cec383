/* blocked_problem.h: problems for the fast CPU kernel, in float32, and how they are run. */
#ifndef BLOCKED_PROBLEM_H
#define BLOCKED_PROBLEM_H
#include "float_deviation.h"
#include "vector/sets.h"

problem_config blocked_config(rpp_mode mode);

/* Runs the kernel by the code of one set; fails the test on a refusal, a byte written outside of the outputs or an input changed. */
void blocked_run(const rpp_vector_set *by, problem *p);

/* And fails it where the outputs are not the truth's. */
float_deviation blocked_holds(const rpp_vector_set *by, problem *p, const char *what, uint64_t number);

static inline double get(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
  return rpp_tensor_get(t, (int64_t[]){i0, i1, i2, i3});
}

static inline void set(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3, double value) {
  rpp_tensor_set(t, (int64_t[]){i0, i1, i2, i3}, value);
}

#endif
