// attention.h: what the attention kernels share: the problem as they get it, which keys a query sees, and the checks of their arguments (eq. 9
// to 12). Internal.
#ifndef RPP_CUDA_ATTENTION_H
#define RPP_CUDA_ATTENTION_H
#include "angles.h"

namespace RPP_TARGET {

constexpr int64_t FAR = int64_t(1) << 58; // further than any length
constexpr int64_t MAX_WIDTH = 256;        // of q and k, and of v

template <class T> struct Rows { // of (B, L, heads, width)
  T *data;
  int64_t strides[4];

  __device__ T *row(int64_t b, int64_t l, int64_t h) const { return data + b * strides[0] + l * strides[1] + h * strides[2]; }
};
template <class T> Rows<T> rows_of(const rpp_tensor *t) { // of null: null data
  if (!t) return {};
  return {data_of<T>(*t), {t->strides[0], t->strides[1], t->strides[2], t->strides[3]}};
}

struct Cumulative { // (n + 1); null: not packed
  const void *data;
  rpp_cuda_integer type;
  int64_t stride, last;

  __device__ int64_t at(int64_t n) const {
    return type == RPP_CUDA_I32 ? static_cast<const int32_t *>(data)[n * stride] : static_cast<const int64_t *>(data)[n * stride];
  }
};

// A problem without its tensors. Its rows are items: item i * group + r is query i and output head r of a KV head's.
struct Attention {
  int64_t q_len, k_len, kv_heads, group, tiles; // group: output heads of a KV head; tiles: of a KV head's rows
  int head_dim, v_dim;
  bool paired, q_rotated, k_rotated; // paired: odd output heads are imaginary
  rpp_pairing pairing;
  float scale;
  int64_t end, begin; // query i sees keys i + begin .. i + end - 1
  AngleTable q_table, k_table;
  Cumulative cu_q, cu_k;
  float *lse; // null: not wanted
  int64_t lse_strides[3];
};

__device__ inline int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

// The keys that query i sees, *first .. *last - 1.
__device__ inline void visible(const Attention &p, int64_t i, int64_t *first, int64_t *last) {
  int64_t start = 0, stop = p.k_len;
  if (p.cu_q.data) { // the last sequence that begins at i or before
    int64_t low = 0, high = p.cu_q.last;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      if (p.cu_q.at(middle) <= i)
        low = middle;
      else
        high = middle;
    }
    i -= p.cu_q.at(low);
    start = p.cu_k.at(low), stop = p.cu_k.at(low + 1);
  }
  *last = start + clamp(i + p.end, 0, stop - start);
  *first = start + clamp(i + p.begin, 0, *last - start);
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

struct AttentionCall {
  const rpp_attention *attention;
  const rpp_cuda_inputs *in;
  const rpp_tensor *out, *lse;
  rpp_head_counts counts;
  int64_t batch, q_len, k_len, head_dim, v_dim;
  size_t q_bytes, k_bytes; // of their tables of angles
};

// The description alone, and the counts of heads that it means.
rpp_status check_description(const rpp_attention *attention, rpp_head_counts *counts);

// Positions and rotary of inputs that are not rotated, whose shapes the call has; fills the sizes of their tables.
rpp_status check_tables(AttentionCall *call, Data data);

// Everything but memory: description, shapes, positions, packing; fills the rest of the call. q, k, v and out are of the dtype, LSE F32.
// rows: items of a block; more than 2^31 - 1 blocks are refused.
rpp_status check_attention(AttentionCall *call, Data data, rpp_dtype dtype, int rows);

// The workspace of need bytes, as a tensor, and that no output shares memory with anything.
rpp_status check_attention_memory(const AttentionCall &call, void *workspace, size_t bytes, size_t need, rpp_tensor *scratch);

// The problem, its tables not filled yet.
Attention describe_attention(const AttentionCall &call, int rows);

// Fills the tables of raw inputs at workspace: q_bytes, then k_bytes.
rpp_status fill_attention_tables(const AttentionCall &call, char *workspace, void *stream, Attention *problem);

} // namespace RPP_TARGET
#endif
