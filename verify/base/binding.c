#define _GNU_SOURCE
#include "base/binding.h"

#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

/* False where a CPU of it does not fit the set. */
static bool add_place(int place, cpu_set_t *all) {
  const int count = omp_get_place_num_procs(place);
  int *cpus = calloc((size_t)count + 1, sizeof *cpus);
  bool fits = cpus != NULL;
  if (fits) omp_get_place_proc_ids(place, cpus);
  for (int i = 0; i < count && fits; i++) {
    fits = cpus[i] >= 0 && cpus[i] < CPU_SETSIZE;
    if (fits) CPU_SET((size_t)cpus[i], all);
  }
  free(cpus);
  return fits;
}

void rpp_binding_undo(void) {
  cpu_set_t all;
  CPU_ZERO(&all);
  if (omp_get_proc_bind() == omp_proc_bind_false) return;
  for (int place = 0; place < omp_get_num_places(); place++)
    if (!add_place(place, &all)) return;
  if (CPU_COUNT(&all) > 0) sched_setaffinity(0, sizeof all, &all); /* where it fails all stays as it was */
}
