/* identities_heads.c: how the heads of EC and EH relate to RoPE's. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_heads", rpp_identities_heads, 7);
}
