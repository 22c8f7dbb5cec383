/* identities_attention.c: attention and the layer against their definitions. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_attention", rpp_identities_attention, 4);
}
