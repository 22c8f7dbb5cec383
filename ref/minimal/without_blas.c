/* without_blas.c: what a minimal build, without OpenBLAS, has in place of blas.c. */
#include "ropepp.h"

const char *rpp_blas_core(void) {
  return "none";
}
