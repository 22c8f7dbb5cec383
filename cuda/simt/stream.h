/* stream.h: what a stream of the SIMT runtime is: passed where a device's stream would be; null is one of zeros. */
#ifndef RPP_SIMT_STREAM_H
#define RPP_SIMT_STREAM_H
#include <stdint.h>

typedef struct {
  uint64_t seed; /* of the order in which runnable threads go on */
  int threads;   /* system threads that blocks are run by; 0: one */
} rpp_simt_stream;

/* How many multiprocessors kernels that this system thread starts are told of: 132, as of an H200, until it is set. */
#ifdef __cplusplus
extern "C" {
#endif
void rpp_simt_set_multiprocessors(int count);
int rpp_simt_multiprocessors(void);
#ifdef __cplusplus
}
#endif

#endif
