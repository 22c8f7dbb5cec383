/* cuda_plants.h: the entries that plants/cuda/make.py makes, of which plants.h has plants. Internal to plants. */
#ifndef RPP_CUDA_PLANTS_H
#define RPP_CUDA_PLANTS_H
#include "kernels/kernel_simt.h"
#include "plants/plants.h"

typedef struct {
  const rpp_kernel *clean;
  const void *data;                                               /* of the planted kernel: the clean one's with other functions */
  const char *name, *description, *explanation, *report, *region; /* as in rpp_plant */
} rpp_cuda_plant;

/* Ended by one without a name. */
extern const rpp_cuda_plant rpp_cuda_plant_table[];

/* Room for the plants made of it, and an end. */
extern rpp_plant rpp_cuda_plant_places[];

#endif
