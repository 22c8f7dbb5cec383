/* blas_core.c: which core is better, and that the environment is given back. The restart itself is seen in `ropepp-verify kernels`. */
#include <stdlib.h>
#include "kernels/blas_core.h"
#include "ropepp.h"
#include "shell.h"
#include "support.h"

START_TEST(a_core_is_bettered_only_where_the_cpu_can) {
  ck_assert_str_eq(rpp_blas_better_core("Haswell", true, true), "SKYLAKEX");
  ck_assert_str_eq(rpp_blas_better_core("Zen", true, true), "SKYLAKEX");
  ck_assert_str_eq(rpp_blas_better_core("Prescott", false, true), "HASWELL");
  static const char *const best[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
  for (int i = 0; i < 3; i++) ck_assert_ptr_null(rpp_blas_better_core(best[i], true, true));
  ck_assert_ptr_null(rpp_blas_better_core("Haswell", false, true));
  ck_assert_ptr_null(rpp_blas_better_core("Zen", false, true));
  ck_assert_ptr_null(rpp_blas_better_core("Nehalem", false, false));
}
END_TEST

/* After the restart: what was set for it is gone, what the user set is there, and nothing is started again. */
START_TEST(the_second_start_cleans_up) {
  setenv("ROPEPP_BLAS_RESTARTED", "tw", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("OPENBLAS_CORETYPE", "HASWELL", 1);
  rpp_blas_restart((char *[]){"never started", NULL}, true);
  ck_assert_ptr_null(getenv("ROPEPP_BLAS_RESTARTED"));
  ck_assert_ptr_null(getenv("OPENBLAS_NUM_THREADS"));
  ck_assert_ptr_null(getenv("OMP_WAIT_POLICY"));
  ck_assert_str_eq(getenv("OPENBLAS_CORETYPE"), "HASWELL");
}
END_TEST

START_TEST(nothing_to_set_means_no_restart) {
  setenv("OPENBLAS_NUM_THREADS", "2", 1);
  setenv("OPENBLAS_CORETYPE", "HASWELL", 1);
  setenv("OMP_WAIT_POLICY", "active", 1);
  rpp_blas_restart((char *[]){"never started", NULL}, true);
  ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "2");
  ck_assert_str_eq(getenv("OMP_WAIT_POLICY"), "active");
  ck_assert_ptr_null(getenv("ROPEPP_BLAS_RESTARTED"));
  unsetenv("OMP_WAIT_POLICY");
  rpp_blas_restart((char *[]){"never started", NULL}, false);
  ck_assert_ptr_null(getenv("OMP_WAIT_POLICY"));
}
END_TEST

/* How long the last start's threads wait awake, by GNU's OpenMP; another says nothing of it. */
static long spins(const char *call) {
  shell_run("ROPEPP_VERIFY", "%s 2>&1 >/dev/null | grep GOMP_SPINCOUNT | tail -n 1 | tr -dc 0-9", call);
  return *shell_out ? atol(shell_out) : -1;
}

START_TEST(threads_sleep_but_in_bench) {
  const long asleep = spins("unset OMP_WAIT_POLICY; OMP_DISPLAY_ENV=verbose $PROGRAM kernels");
  if (asleep < 0) return;
  ck_assert_int_eq(asleep, 0);
  ck_assert_int_gt(spins("unset OMP_WAIT_POLICY; OMP_DISPLAY_ENV=verbose $PROGRAM bench --help"), 0);
  ck_assert_int_gt(spins("export OMP_WAIT_POLICY=active; OMP_DISPLAY_ENV=verbose $PROGRAM kernels"), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blas_core");
  TCase *tests = tcase_create("blas_core");
  tcase_add_test(tests, a_core_is_bettered_only_where_the_cpu_can);
  tcase_add_test(tests, the_second_start_cleans_up);
  tcase_add_test(tests, nothing_to_set_means_no_restart);
  tcase_add_test(tests, threads_sleep_but_in_bench);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
