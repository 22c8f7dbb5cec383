/* blas.c: OpenBLAS works in one thread between enter and leave, and finds its setting again afterwards. */
#include <cblas.h>
#include <omp.h>
#include "blas.h"
#include "ropepp.h"
#include "support.h"

START_TEST(the_core_has_a_name) {
  ck_assert_ptr_nonnull(rpp_blas_core());
  ck_assert_int_gt((int)strlen(rpp_blas_core()), 0);
}
END_TEST

START_TEST(the_thread_count_comes_back) {
  openblas_set_num_threads(2);
  const int openmp = omp_get_max_threads();
  rpp_blas_enter();
  ck_assert_int_eq(openblas_get_num_threads(), 1);
  rpp_blas_enter();
  rpp_blas_leave();
  ck_assert_int_eq(openblas_get_num_threads(), 1);
  rpp_blas_leave();
  ck_assert_int_eq(openblas_get_num_threads(), 2);
  ck_assert_int_eq(omp_get_max_threads(), openmp);
}
END_TEST

START_TEST(a_count_set_meanwhile_stays) {
  openblas_set_num_threads(2);
  rpp_blas_enter();
  openblas_set_num_threads(3);
  rpp_blas_leave();
  ck_assert_int_eq(openblas_get_num_threads(), 3);
  openblas_set_num_threads(1);
  rpp_blas_enter();
  rpp_blas_leave();
  ck_assert_int_eq(openblas_get_num_threads(), 1);
}
END_TEST

START_TEST(threads_share_one_setting) {
  openblas_set_num_threads(2);
  int wrong = 0;
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
  for (int n = 0; n < 4000; n++) {
    rpp_blas_enter();
    wrong += openblas_get_num_threads() != 1;
    rpp_blas_leave();
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_eq(openblas_get_num_threads(), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blas");
  TCase *tests = tcase_create("blas");
  tcase_add_test(tests, the_core_has_a_name);
  tcase_add_test(tests, the_thread_count_comes_back);
  tcase_add_test(tests, a_count_set_meanwhile_stays);
  tcase_add_test(tests, threads_share_one_setting);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
