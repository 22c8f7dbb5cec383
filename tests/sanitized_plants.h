/* sanitized_plants.h: the plants of verify/plants/cuda/table.py that only a sanitizer sees; verify/plants/cuda/make.py makes the tables. */
#ifndef SANITIZED_PLANTS_H
#define SANITIZED_PLANTS_H
#include "kernels/kernel_simt.h"
#include "tally.h"

typedef struct {
  const char *name, *file;
  rpp_simt_functions functions; /* with the fault, where it is in one of them */
  __typeof__(rpp_cuda_tally) *tally;
} sanitized_plant;

/* Ended by one without a name. */
extern const sanitized_plant sanitized_plants[];

#endif
