/* stream.h: what a stream of the SIMT runtime is: passed where a device's stream would be; null is one of zeros. */
#ifndef RPP_SIMT_STREAM_H
#define RPP_SIMT_STREAM_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t seed; /* of the order in which runnable threads go on */
  int threads;   /* system threads that blocks are run by; 0: one */
} rpp_simt_stream;

/* The device that kernels which this system thread starts are told of: an H200 until another is set. */
typedef struct {
  int multiprocessors;
  size_t shared; /* bytes of shared memory that a block may have: at most 227 KiB; a launch that asks for more is refused */
} rpp_simt_device;

#ifdef __cplusplus
extern "C" {
#endif
void rpp_simt_set_device(const rpp_simt_device *device);
const rpp_simt_device *rpp_simt_current_device(void);
#ifdef __cplusplus
}
#endif

#endif
