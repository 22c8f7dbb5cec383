/* binding.c: what a program that was started with OMP_PROC_BIND may run on. meson.build starts this one so. */
#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/binding.h"
#include "shell.h"
#include "support.h"

static cpu_set_t of_starter; /* of the process that started this one: Check runs a test in a child of it */

START_TEST(the_main_thread_may_run_where_its_starter_may) {
  cpu_set_t before, after;
  ck_assert_int_ne(omp_get_proc_bind(), omp_proc_bind_false);
  ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
  rpp_binding_undo();
  ck_assert_int_eq(sched_getaffinity(0, sizeof after, &after), 0);
  ck_assert_msg(CPU_EQUAL(&after, &of_starter), "%d CPUs, %d before; the starter has %d", CPU_COUNT(&after), CPU_COUNT(&before),
                CPU_COUNT(&of_starter));
}
END_TEST

/* The program replaces itself once (blas_core.c): it must find as many places as it did the first time. */
START_TEST(the_second_start_has_all_places) {
  ck_assert_int_eq(sched_setaffinity(0, sizeof of_starter, &of_starter), 0);
  shell_run("ROPEPP_VERIFY",
            "OMP_DISPLAY_ENV=true $PROGRAM kernels 2>&1 >/dev/null | grep -o 'OMP_PLACES.*' | sort -u | grep -c .");
  ck_assert_msg(atoi(shell_out) <= 1, "%s different lists of places", shell_out);
}
END_TEST

int main(void) {
  if (sched_getaffinity(getppid(), sizeof of_starter, &of_starter) != 0) return EXIT_FAILURE;
  Suite *suite = suite_create("binding");
  TCase *cases = tcase_create("binding");
  tcase_add_checked_fixture(cases, shell_setup, shell_teardown);
  tcase_add_test(cases, the_main_thread_may_run_where_its_starter_may);
  tcase_add_test(cases, the_second_start_has_all_places);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
