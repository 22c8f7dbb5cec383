/* plants.h: kernels with a fault each. A verifier that misses one of them is not worth running. */
#ifndef RPP_PLANTS_H
#define RPP_PLANTS_H
#include "kernels/kernel.h"

typedef struct {
  rpp_kernel kernel;       /* with the contract that it claims */
  rpp_kernel clean;        /* the same without the fault, of the same contract */
  const char *source;      /* "BUGS 1" of the list of real faults, "RoPE++", "CUDA", or "subtle" */
  const char *explanation; /* a word that a right explanation of it contains; null: none is asked for */
  const char *report;      /* the same of the SIMT runtime's report, where it is the runtime that finds it */
  const char *region;      /* one case that shows it, a SPEC */
} rpp_plant;

/* Ended by one whose kernel has no name. */
extern const rpp_plant rpp_plants[];

/* CUDA kernels with a fault each (plants/cuda/table.py), run by the SIMT runtime. Ended in the same way. */
const rpp_plant *rpp_cuda_plants(void);

/* By its kernel's name, of both; null when there is none. */
const rpp_plant *rpp_plant_find(const char *name);

#endif
