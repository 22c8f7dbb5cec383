/* tally.h: the function of tally.cu, under its name for the SIMT runtime. */
#ifndef RPP_TALLY_H
#define RPP_TALLY_H
#include "ropepp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* *count: how many of x[0 .. n - 1] are below 0. */
#define rpp_cuda_tally rpp_simt_tally
rpp_status rpp_cuda_tally(const float *x, int64_t n, unsigned *count);

#ifdef __cplusplus
}
#endif
#endif
