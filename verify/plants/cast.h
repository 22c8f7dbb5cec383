/* cast.h: who takes part in a run of the planted bugs: every plant, then every clean kernel of this CPU. */
#ifndef RPP_CAST_H
#define RPP_CAST_H
#include "plants/plants.h"

/* Cases a kernel gets. */
enum { RPP_CAST_ROUNDS = 500 };

typedef struct {
  const rpp_plant **planted;  /* (plants): rpp_plants, then, where they take part, rpp_cuda_plants() */
  const rpp_kernel **kernels; /* (count): those of planted, then clean ones */
  const char **names;         /* (count) */
  int *twins;                 /* (plants): the clean kernel with the plant's contract; null unless asked for */
  int plants, count;
  char (*labels)[48]; /* names of those that are only twins */
} rpp_cast;

/* cuda: whether planted CUDA kernels take part, in the SIMT runtime; the clean ones do not: they are fuzzed on their own (fuzz_simt), and
 * test_plants runs each on its plants' cases. twins: whether each plant is to have one; where no clean kernel has its contract, the plant
 * without its fault joins at the end, as "without PLANT". False when memory is out; nothing is to be freed then. */
bool rpp_cast_gather(rpp_cast *cast, bool cuda, bool twins);
void rpp_cast_free(rpp_cast *cast);

#endif
