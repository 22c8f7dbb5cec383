#include "support.h"

#include <math.h>

int support_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_set_tap(runner, "-");
  srunner_run_all(runner, CK_SILENT);
  const int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
  srunner_free(runner);
  return failed == 0 && run > 0 ? 0 : 1;
}

uint64_t support_random(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double support_uniform(uint64_t *state, double low, double high) {
  return low + (high - low) * (double)(support_random(state) >> 11) * 0x1p-53;
}

void support_worse(double *worst, double error) {
  if (!(fabs(error) <= *worst)) *worst = isnan(error) ? INFINITY : fabs(error);
}
