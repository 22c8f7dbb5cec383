/* arithmetic.c: whatever a kernel may leave behind is seen, and put right, in each thread. */
#include "base/arithmetic.h"

#include <fenv.h>
#include <float.h>
#include <omp.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "support.h"

#if defined(__clang__)
#define LLVM_OPENMP true
#else
#define LLVM_OPENMP false
#endif

static float half_of_least(void) {
  volatile float least = FLT_MIN, half = 0.5F;
  return least * half;
}

START_TEST(is_as_it_starts) {
  ck_assert(rpp_arithmetic_restore());
  ck_assert(rpp_arithmetic_restore_team());
}
END_TEST

START_TEST(directions) {
  const int all[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    ck_assert_int_eq(fesetround(all[i]), 0);
    ck_assert(!rpp_arithmetic_restore());
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_assert(rpp_arithmetic_restore());
  }
}
END_TEST

/* Results flushed, operands flushed, each for itself: where the processor has the bits. */
START_TEST(subnormal_numbers) {
#if defined(__x86_64__)
  const unsigned bits[] = {0x8000, 0x0040};
  for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
    _mm_setcsr(_mm_getcsr() | bits[i]);
    ck_assert(!rpp_arithmetic_restore());
    ck_assert_uint_eq(_mm_getcsr() & 0x8040, 0);
    ck_assert(rpp_arithmetic_restore());
  }
#endif
  ck_assert(half_of_least() > 0);
}
END_TEST

static bool team_rounds_to_nearest(void) {
  bool right = true;
#pragma omp parallel reduction(&& : right)
  right = fegetround() == FE_TONEAREST;
  return right;
}

/* What the calling thread has outside of a team. LLVM's OpenMP gives that to every team, and back to the thread when the team is done. */
START_TEST(calling_thread) {
  omp_set_dynamic(0);
  omp_set_num_threads(3);
  ck_assert_int_eq(fesetround(FE_UPWARD), 0);
  ck_assert(!rpp_arithmetic_restore_team());
  ck_assert_int_eq(fegetround(), FE_TONEAREST);
  ck_assert(team_rounds_to_nearest());
  ck_assert(rpp_arithmetic_restore_team());
}
END_TEST

/* One thread of the team alone, in a team: LLVM's OpenMP has put that right before the next. */
START_TEST(every_thread) {
  omp_set_dynamic(0);
  omp_set_num_threads(3);
  for (int spoilt = 0; spoilt < 3; spoilt++) {
#pragma omp parallel
    if (omp_get_thread_num() == spoilt) fesetround(FE_UPWARD);
    const bool right = team_rounds_to_nearest();
    ck_assert(!right || LLVM_OPENMP);
    ck_assert(rpp_arithmetic_restore_team() == right);
    ck_assert(team_rounds_to_nearest());
    ck_assert(rpp_arithmetic_restore_team());
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("arithmetic");
  TCase *tests = tcase_create("arithmetic");
  tcase_add_test(tests, is_as_it_starts);
  tcase_add_test(tests, directions);
  tcase_add_test(tests, subnormal_numbers);
  tcase_add_test(tests, calling_thread);
  tcase_add_test(tests, every_thread);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
