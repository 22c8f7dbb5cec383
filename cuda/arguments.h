// arguments.h: arguments, checked before memory is touched; every message names the field. Internal to libropepp-cuda.
#ifndef RPP_CUDA_ARGUMENTS_H
#define RPP_CUDA_ARGUMENTS_H
#ifndef __CUDACC__
#include "simt/simt_symbols.h"
#endif
#include "ropepp_cuda.h"

#include "cu_compat.h"

namespace RPP_TARGET {

rpp_status fail(rpp_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define RPP_TRY(call)                                                                                                              \
  do {                                                                                                                             \
    const rpp_status status_ = (call);                                                                                             \
    if (status_ != RPP_OK) return status_;                                                                                         \
  } while (0)

// Whether data is there to be looked at: a question about a problem has shapes only.
enum class Data { absent, present };

// A sound tensor of a dtype and a shape (negative: any), its elements aligned.
rpp_status check_tensor(const char *name, const rpp_tensor *t, Data data, rpp_dtype dtype, int ndim, const int64_t *shape);

// Sound integers, of one shape or, for positions, (length) or (batch, length).
rpp_status check_integers(const char *name, const rpp_cuda_integers *t, Data data, int64_t length);
rpp_status check_positions(const char *name, const rpp_cuda_integers *t, Data data, int64_t batch, int64_t length);

// The bytes of integers, as a tensor to compare others with.
rpp_tensor bytes_of(const rpp_cuda_integers *t);

// No two elements of an output share memory, nor does it with the count others; null entries are skipped.
struct Named {
  const char *name;
  const rpp_tensor *tensor;
};
rpp_status check_output(const char *name, const rpp_tensor *t, int count, const Named *others);

// bytes of workspace, of which need are wanted, as a tensor too.
rpp_status check_workspace(void *workspace, size_t bytes, size_t need, rpp_tensor *t);

inline int64_t elements_of(const rpp_tensor &t) {
  int64_t count = 1;
  for (int d = 0; d < t.ndim; d++) count *= t.shape[d];
  return count;
}
template <class T> T *data_of(const rpp_tensor &t) {
  return reinterpret_cast<T *>(static_cast<char *>(t.data) + t.byte_offset);
}

} // namespace RPP_TARGET
#endif
