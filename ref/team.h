/* team.h: how many threads a piece of work is worth. Results never depend on it. */
#ifndef RPP_TEAM_H
#define RPP_TEAM_H
#include <omp.h>

/* One for work (in multiplications, roughly) that is done sooner than a team of threads has met at a barrier. */
static inline int rpp_threads(double work) {
  return work < 100000 ? 1 : omp_get_max_threads();
}

#endif
