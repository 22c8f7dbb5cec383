// rotate.h: rotate.cu for kernels that want rotated tensors. Internal.
#ifndef RPP_CUDA_ROTATE_H
#define RPP_CUDA_ROTATE_H
#include "angles.h"

namespace RPP_TARGET {

// Starts rpp_cuda_rotate's kernel with a table that is filled; nothing is checked. real or imag may be null.
rpp_status start_rotation(rpp_pairing pairing, const AngleTable &table, const rpp_tensor *x, const rpp_tensor *real,
                          const rpp_tensor *imag, void *stream);

} // namespace RPP_TARGET
#endif
