/* binding.c: what a program that was started with OMP_PROC_BIND may run on. This one starts itself again so. */
#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/binding.h"
#include "shell.h"
#include "support.h"

static cpu_set_t whole; /* before anything was bound */

static cpu_set_t own(void) {
  cpu_set_t set;
  ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
  return set;
}

START_TEST(the_main_thread_may_run_everywhere) {
  ck_assert_int_ne(omp_get_proc_bind(), omp_proc_bind_false);
  rpp_binding_undo();
#pragma omp parallel num_threads(2) /* where some runtimes bind, too */
  ck_assert_int_ge(omp_get_thread_num(), 0);
  const cpu_set_t after = own();
  ck_assert_msg(CPU_EQUAL(&after, &whole), "%d CPUs, of %d", CPU_COUNT(&after), CPU_COUNT(&whole));
}
END_TEST

/* The program replaces itself once (blas_core.c): it must find as many places as it did the first time. LLVM's runtime prints them only
 * where they are used. */
START_TEST(the_second_start_has_all_places) {
  ck_assert_int_eq(sched_setaffinity(0, sizeof whole, &whole), 0);
  shell_run("ROPEPP_VERIFY",
            "OMP_DISPLAY_ENV=true $PROGRAM kernels 2>&1 >/dev/null | grep -o 'OMP_PLACES.*' | sort -u | grep -c .");
  const int lists = atoi(shell_out);
#ifdef __clang__
  ck_assert_int_le(lists, 1);
#else
  ck_assert_int_eq(lists, 1);
#endif
}
END_TEST

/* The set as text, a letter for each CPU, for the second start. */
static int start_bound(char **argv) {
  char text[CPU_SETSIZE + 1] = "";
  if (sched_getaffinity(0, sizeof whole, &whole) != 0) return EXIT_FAILURE;
  for (size_t i = 0; i < CPU_SETSIZE; i++) text[i] = CPU_ISSET(i, &whole) ? 'x' : '-';
  setenv("TEST_BINDING_CPUS", text, 1);
  setenv("OMP_PROC_BIND", "true", 1);
  setenv("OMP_PLACES", "threads", 1);
  execv("/proc/self/exe", argv);
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  const char *text = getenv("TEST_BINDING_CPUS");
  (void)argc;
  if (text == NULL) return start_bound(argv);
  for (size_t i = 0; i < CPU_SETSIZE && text[i]; i++)
    if (text[i] == 'x') CPU_SET(i, &whole);
  Suite *suite = suite_create("binding");
  TCase *cases = tcase_create("binding");
  tcase_add_checked_fixture(cases, shell_setup, shell_teardown);
  tcase_add_test(cases, the_main_thread_may_run_everywhere);
  tcase_add_test(cases, the_second_start_has_all_places);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
