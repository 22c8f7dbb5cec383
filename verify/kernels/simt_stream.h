/* simt_stream.h: on what SIMT kernels run: the order of their threads, another for every case, and for every launch of a case, and the same in
 * every replay. */
#ifndef RPP_SIMT_STREAMS_H
#define RPP_SIMT_STREAMS_H
#include "ropepp.h"
#include "simt/stream.h"

/* By a kernel's `supports`, which is asked first: the launches that follow are counted anew. k: (B, L, heads, D), whose length says
 * whether the device is told to be a large or a small one: where keys are split among blocks, parts are short on the one, and long on the
 * other. */
void rpp_simt_case_begins(const rpp_tensor *k);

/* The stream of the next launch over x (B, L, heads, D): seeded by its shape, its first numbers and the launches before; blocks go to as
 * many system threads as OpenMP has. Valid until the next call of this thread. */
rpp_simt_stream *rpp_simt_next_stream(const rpp_tensor *x);

#endif
