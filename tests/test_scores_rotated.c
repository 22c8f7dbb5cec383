/* scores_rotated.c: scores from rotated pairs against the real expansions. */
#include "scores_suite.h"

int main(void) {
  return support_run(scores_suite("scores_rotated", rpp_scores_rotated));
}
