#include "kernels/simt_stream.h"

#include <omp.h>
#include <string.h>

static _Thread_local rpp_simt_stream stream;
static _Thread_local uint64_t launches;

void rpp_simt_case_begins(const rpp_tensor *k) {
  static const rpp_simt_device devices[] = {{1, 99 << 10}, {5, 163 << 10}, {132, 227 << 10}}; /* shared memory of sm_86, 80, 90 */
  launches = 0;
  rpp_simt_set_device(&devices[k->shape[1] % 3]);
}

static uint64_t mixed(uint64_t hash, uint64_t word) {
  return (hash ^ word) * 0x9e3779b97f4a7c15u ^ hash >> 29;
}

rpp_simt_stream *rpp_simt_next_stream(const rpp_tensor *x) {
  enum { FIRST = 8 };
  int64_t index[RPP_MAX_DIMS] = {0}, elements = 1;
  uint64_t seed = mixed(0, ++launches);
  for (int d = 0; d < x->ndim; d++) seed = mixed(seed, (uint64_t)x->shape[d]), elements *= x->shape[d];
  for (int64_t *last = &index[x->ndim - 1]; elements > 0 && *last < x->shape[x->ndim - 1] && *last < FIRST; ++*last) {
    const double value = rpp_tensor_get(x, index);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    seed = mixed(seed, bits);
  }
  stream = (rpp_simt_stream){seed, omp_get_max_threads()};
  return &stream;
}
