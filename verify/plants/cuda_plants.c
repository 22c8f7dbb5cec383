#include "plants/cuda_plants.h"

#include <pthread.h>

/* A planted kernel is the clean one with other functions. */
static void make(void) {
  rpp_plant *plant = rpp_cuda_plant_places;
  for (const rpp_cuda_plant *entry = rpp_cuda_plant_table; entry->name; entry++, plant++) {
    *plant = (rpp_plant){.kernel = *entry->clean,
                         .clean = *entry->clean,
                         .source = "CUDA",
                         .explanation = entry->explanation,
                         .report = entry->report,
                         .region = entry->region};
    plant->kernel.name = entry->name;
    plant->kernel.description = entry->description;
    plant->kernel.data = entry->data;
  }
}

const rpp_plant *rpp_cuda_plants(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make);
  return rpp_cuda_plant_places;
}
