/* blas.c: why this is not one line. A pthread build of OpenBLAS splits a product over its own pool, whatever OpenMP does: threads
 * would outnumber cores, and the bits depend on the count. Its only switch, openblas_set_num_threads, is global to the process and so
 * belongs to the program, not to us. It is therefore set to 1 by the first of our calls under way and put back by the last; another
 * part of the program that uses OpenBLAS meanwhile gets right answers from one thread, and finds its setting as it was. */
#include "blas.h"

#include "ropepp.h"

#include <cblas.h>
#include <omp.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int under_way, before;

/* An OpenMP build of OpenBLAS passes its setting on to OpenMP, where it would be the caller's. */
static void set_threads(int count) {
  const int openmp = omp_get_max_threads();
  openblas_set_num_threads(count);
  if (omp_get_max_threads() != openmp) omp_set_num_threads(openmp);
}

void rpp_blas_enter(void) {
  pthread_mutex_lock(&mutex);
  if (under_way++ == 0) {
    before = openblas_get_num_threads();
    if (before > 1) set_threads(1);
  }
  pthread_mutex_unlock(&mutex);
}

void rpp_blas_leave(void) {
  pthread_mutex_lock(&mutex);
  /* Where the program has set another count meanwhile, that one stays. */
  if (--under_way == 0 && before > 1 && openblas_get_num_threads() == 1) set_threads(before);
  pthread_mutex_unlock(&mutex);
}

void rpp_blas_product(int m, int n, int k, const double *a, const double *b, double *c, int c_stride) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k > 0 ? k : 1, b, k > 0 ? k : 1, 0, c, c_stride);
}

const char *rpp_blas_core(void) {
  return openblas_get_corename();
}
