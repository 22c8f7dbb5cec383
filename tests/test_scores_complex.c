/* scores_complex.c: scores in complex arithmetic against the real expansions. */
#include "scores_suite.h"

int main(void) {
  return support_run(scores_suite("scores_complex", rpp_scores_complex));
}
