/* identities_statistics.c: expectations over Gaussian queries and keys. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_statistics", rpp_identities_statistics, 4);
}
