/* identities_keys.c: keys cut up, extended and put together again. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_keys", rpp_identities_keys, 5);
}
