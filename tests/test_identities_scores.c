/* identities_scores.c: what the scores before softmax must satisfy. */
#include "identity_suite.h"

int main(void) {
  return identity_suite_run("identities_scores", rpp_identities_scores, 9);
}
