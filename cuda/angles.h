// angles.h: cosines and sines of all positions, computed on the device in float64 and stored as float32 (eq. 2, 5). Internal.
#ifndef RPP_CUDA_ANGLES_H
#define RPP_CUDA_ANGLES_H
#include "arguments.h"

namespace RPP_TARGET {

constexpr int64_t MAX_PAIRS = 128; // of a rotary width of 256

// cos and sin of position (b, l) and pair n: at[sequence(b) * tokens + l][n].
struct AngleTable {
  const float *cosine, *sine;
  int64_t tokens, batch_stride, pairs; // batch_stride: tokens, or 0 where positions are shared

  __device__ int64_t row(int64_t b, int64_t l) const { return (b * batch_stride + l) * pairs; }
};

// Bytes of the table of these positions: two float32 for each position and pair. Checks rotary; pos has been checked.
rpp_status angle_table_bytes(const rpp_rotary *rotary, const rpp_cuda_integers *pos, size_t *bytes);

// Starts the kernel that fills the table at memory.
rpp_status angle_table_fill(const rpp_rotary *rotary, const rpp_cuda_integers *pos, void *memory, void *stream, AngleTable *table);

} // namespace RPP_TARGET
#endif
