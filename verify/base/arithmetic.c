#include "base/arithmetic.h"

#include <fenv.h>
#include <float.h>

/* Flushed results and flushed operands are two bits of a processor, and may be set one without the other. */
static bool is_standard(void) {
  volatile float least = FLT_MIN, half = 0.5F, subnormal = FLT_TRUE_MIN, one = 1;
  return fegetround() == FE_TONEAREST && least * half > 0 && subnormal * one > 0;
}

bool rpp_arithmetic_restore(void) {
  const bool standard = is_standard();
  fesetenv(FE_DFL_ENV);
  return standard;
}

/* The calling thread first: LLVM's OpenMP gives it back, after a team, the arithmetic that it called for the team with. */
bool rpp_arithmetic_restore_team(void) {
  bool standard = rpp_arithmetic_restore();
#pragma omp parallel reduction(&& : standard)
  standard = rpp_arithmetic_restore();
  return standard;
}
