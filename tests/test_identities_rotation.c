/* identities_rotation.c: what rotation itself must satisfy. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_rotation", rpp_identities_rotation, 7);
}
