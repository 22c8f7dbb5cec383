/* identities_cache.c: the KV cache of RoPE, EC and EH. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_cache", rpp_identities_cache, 4);
}
