/* blas_core.c: which core is better, and that the environment is given back. The restart itself is seen in `ropepp-verify kernels`. */
#include <stdlib.h>
#include "kernels/blas_core.h"
#include "ropepp.h"
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
  setenv("ROPEPP_BLAS_RESTARTED", "t", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OPENBLAS_CORETYPE", "HASWELL", 1);
  rpp_blas_restart((char *[]){"never started", NULL});
  ck_assert_ptr_null(getenv("ROPEPP_BLAS_RESTARTED"));
  ck_assert_ptr_null(getenv("OPENBLAS_NUM_THREADS"));
  ck_assert_str_eq(getenv("OPENBLAS_CORETYPE"), "HASWELL");
}
END_TEST

START_TEST(nothing_to_set_means_no_restart) {
  setenv("OPENBLAS_NUM_THREADS", "2", 1);
  setenv("OPENBLAS_CORETYPE", "HASWELL", 1);
  rpp_blas_restart((char *[]){"never started", NULL});
  ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "2");
  ck_assert_ptr_null(getenv("ROPEPP_BLAS_RESTARTED"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blas_core");
  TCase *tests = tcase_create("blas_core");
  tcase_add_test(tests, a_core_is_bettered_only_where_the_cpu_can);
  tcase_add_test(tests, the_second_start_cleans_up);
  tcase_add_test(tests, nothing_to_set_means_no_restart);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
