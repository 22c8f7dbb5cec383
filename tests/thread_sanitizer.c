/* thread_sanitizer.c: under -Db_sanitize=thread only: a race in an OpenMP loop ends the program, and what OpenMP puts in order does not.
 * Without the first, the other tests would prove nothing there; without the second, OpenMP's runtime is not understood. */
#include <omp.h>

#include "support.h"

enum { REPORTED = 66, COUNT = 20000 }; /* 66: the status of a program that ThreadSanitizer ends */

static volatile int64_t shared;
static int64_t values[COUNT];

START_TEST(a_race_is_reported) {
#pragma omp parallel for num_threads(2) schedule(static, 1)
  for (int i = 0; i < COUNT; i++) shared++;
}
END_TEST

/* Barriers at the end of loops, a reduction, and a dynamic schedule. */
START_TEST(order_is_understood) {
  int64_t sum = 0;
#pragma omp parallel num_threads(2)
  {
#pragma omp for schedule(dynamic, 16)
    for (int i = 0; i < COUNT; i++) values[i] = i;
#pragma omp for schedule(static) reduction(+ : sum)
    for (int i = 0; i < COUNT; i++) sum += values[COUNT - 1 - i];
  }
  ck_assert_int_eq(sum, (int64_t)COUNT * (COUNT - 1) / 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("thread_sanitizer");
  TCase *tests = tcase_create("thread_sanitizer");
  tcase_add_exit_test(tests, a_race_is_reported, REPORTED);
  tcase_add_test(tests, order_is_understood);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
