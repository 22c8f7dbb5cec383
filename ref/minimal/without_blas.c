/* without_blas.c: what a minimal build, without OpenBLAS, has in place of blas.c. */
#include "blas.h"
#include "ropepp.h"

void rpp_blas_enter(void) {}

void rpp_blas_leave(void) {}

void rpp_blas_product(int m, int n, int k, const double *a, const double *b, double *c, int c_stride) {
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      double sum = 0;
      for (int p = 0; p < k; p++) sum += a[(int64_t)i * k + p] * b[(int64_t)j * k + p];
      c[(int64_t)i * c_stride + j] = sum;
    }
}

const char *rpp_blas_core(void) {
  return "none";
}
