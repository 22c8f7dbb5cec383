#include "synthetic_identities.h"

double synthetic_deviation = 1e-4, synthetic_planted = 1;

static double adjustable(rpp_random *random, bool planted) {
  rpp_random_bits(random);
  return planted ? synthetic_planted : synthetic_deviation;
}

static double exact(rpp_random *random, bool planted) {
  return planted + 0 * rpp_random_uniform(random);
}

const rpp_identity rpp_identities_rotation[] = {{"exact", "1", "nothing differs; plant: one", 0, 10, exact}, {0}};
const rpp_identity rpp_identities_scores[] = {{"adjustable", "2, 3", "as told; plant: as told", 1e-3, 5, adjustable},
                                              {"exact-too", "4a", "nothing differs; plant: one", 0, 1, exact},
                                              {0}};
const rpp_identity rpp_identities_attention[] = {{0}}, rpp_identities_heads[] = {{0}}, rpp_identities_keys[] = {{0}},
                   rpp_identities_cache[] = {{0}}, rpp_identities_statistics[] = {{0}};
