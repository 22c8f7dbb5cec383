/* blas.h: OpenBLAS, one thread a call. */
#ifndef RPP_BLAS_H
#define RPP_BLAS_H

/* Between these two every call of OpenBLAS runs in its caller's thread alone: the library's threads come from OpenMP, and a matrix
 * product must not depend on how many there are. Calls nest and may come from several threads at once. */
void rpp_blas_enter(void);
void rpp_blas_leave(void);

/* c (m, n) = a (m, k) times b (n, k) transposed; row-major, rows of c c_stride apart. Sums come in whatever order OpenBLAS likes. */
void rpp_blas_product(int m, int n, int k, const double *a, const double *b, double *c, int c_stride);

#endif
