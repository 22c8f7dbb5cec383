// decode.h: what the decode kernels share: the cache, which keys a row sees and which of them are a block's, where a row's result goes.
// Internal.
#ifndef RPP_CUDA_DECODE_H
#define RPP_CUDA_DECODE_H
#include "attention.h"
#include "contracts.h"

namespace RPP_TARGET {

constexpr int DECODE_WARPS = RPP_CUDA_DECODE_WARPS, DECODE_THREADS = 32 * DECODE_WARPS;
constexpr int DECODE_KEYS = RPP_CUDA_DECODE_KEYS, BLOCK_KEYS = DECODE_KEYS * DECODE_WARPS; // of a warp's tile, of a block's
constexpr int64_t MAX_QUERIES = 8, MAX_CAPACITY = int64_t(1) << 30;
constexpr unsigned ALL_LANES = 0xffffffff;
constexpr float LOG2_E = 1.44269504088896341f;

// ---- The cache ----------------------------------------------------------------------------------------------------------

struct PageTable { // (B, max_pages); null data: a contiguous cache
  const void *data;
  rpp_cuda_integer type;
  int64_t strides[2];
  unsigned page_size;
};

struct Token { // a row of the cache's tensors
  int64_t row, slot;
};

// Token n of sequence b.
__device__ inline Token token_at(const PageTable &pages, int64_t b, int n) {
  if (!pages.data) return {b, n};
  const unsigned page = static_cast<unsigned>(n) / pages.page_size;
  const int64_t at = b * pages.strides[0] + page * pages.strides[1];
  const int64_t row =
      pages.type == RPP_CUDA_I32 ? static_cast<const int32_t *>(pages.data)[at] : static_cast<const int64_t *>(pages.data)[at];
  return {row, static_cast<unsigned>(n) - page * pages.page_size};
}

// ---- Problems -----------------------------------------------------------------------------------------------------------

// Of the fields of a problem, k_len is the capacity, and begin and end count from a sequence's length less q_len.
struct DecodeShape : Attention {
  Cumulative lengths; // null data: the capacity
  PageTable pages;
  int splits;
  float *parts, *part_stats; // of splits above 1: v_dim sums, and maximum and sum, of each (row, split)
  bool even;                 // k and v can be copied by 16 bytes
};
template <class T> struct DecodeProblem : DecodeShape {
  Rows<const T> q, k, v;
  Rows<T> out; // null data: not wanted
};

struct KeyRange {
  int first, last; // first .. last - 1
};

__device__ inline int length_of(const DecodeShape &p, int64_t b) {
  return static_cast<int>(p.lengths.data ? clamp(p.lengths.at(b), 0, p.k_len) : p.k_len);
}

// What query i of a sequence sees. Both ends rise with i.
__device__ inline KeyRange seen_by(const DecodeShape &p, int length, int64_t i) {
  const int64_t at = i + length - p.q_len, last = clamp(at + p.end, 0, length);
  return {static_cast<int>(clamp(at + p.begin, 0, last)), static_cast<int>(last)};
}

// ---- Blocks -------------------------------------------------------------------------------------------------------------

// A block: rows from item on of a KV head, and the keys of a split that some row sees, from a multiple of BLOCK_KEYS or the first of all.
struct DecodeBlock {
  int64_t b, kv, item, items;
  int split, length;
  KeyRange keys, common; // common: those that every row sees
};

__device__ inline int64_t query_of(const DecodeShape &p, const DecodeBlock &s, int row) { // rows past the last are as the last
  const int64_t item = s.item + row < s.items ? s.item + row : s.items - 1;
  return item / p.group;
}

__device__ inline DecodeBlock this_block(const DecodeShape &p, int rows) {
  DecodeBlock s;
  const int64_t tile = blockIdx.x % p.tiles, rest = blockIdx.x / p.tiles;
  s.split = static_cast<int>(rest % p.splits), s.kv = rest / p.splits % p.kv_heads, s.b = rest / p.splits / p.kv_heads;
  s.item = tile * rows, s.items = p.q_len * p.group, s.length = length_of(p, s.b);
  const KeyRange low = seen_by(p, s.length, query_of(p, s, 0)), high = seen_by(p, s.length, query_of(p, s, rows - 1));
  s.common = {high.first, low.last}, s.keys = {0, 0};
  if (low.first >= high.last) return s;
  const int from = low.first / BLOCK_KEYS, tiles = (high.last + BLOCK_KEYS - 1) / BLOCK_KEYS - from;
  const int share = (tiles + p.splits - 1) / p.splits;
  const int64_t first = static_cast<int64_t>(from + s.split * share) * BLOCK_KEYS, last = first + share * BLOCK_KEYS;
  s.keys = {static_cast<int>(clamp(first, low.first, high.last)), static_cast<int>(clamp(last, low.first, high.last))};
  return s;
}

// A row of q in the storage type, width columns of it, by lanes: rotated, and turned for an imaginary head (eq. 3); zeros past the head's
// width and past the last row.
template <class T>
__device__ inline void load_query(const DecodeProblem<T> &p, const DecodeBlock &s, int row, int width, T *to, int lane, int lanes) {
  const bool exists = s.item + row < s.items;
  const int64_t i = query_of(p, s, row), head = s.kv * p.group + (s.item + row) % p.group, stride = p.q.strides[3];
  const bool turned = p.paired && !p.q_rotated;
  const T *from = p.q.row(s.b, i, turned ? head / 2 : head);
  const int pairs = p.q_rotated || !exists ? 0 : static_cast<int>(p.q_table.pairs);
  const int64_t angles = p.q_table.row(s.b, i);
  for (int n = lane; n < pairs; n += lanes) {
    const int one = p.pairing == RPP_PAIRING_HALF ? n : 2 * n, two = p.pairing == RPP_PAIRING_HALF ? n + pairs : 2 * n + 1;
    const float a = rpp_widen(from[one * stride]), b = rpp_widen(from[two * stride]);
    const float cosine = p.q_table.cosine[angles + n], sine = p.q_table.sine[angles + n];
    const float x = a * cosine - b * sine, y = b * cosine + a * sine;
    rpp_narrow(turned && head % 2 == 1 ? y : x, to + one);
    rpp_narrow(turned && head % 2 == 1 ? -x : y, to + two);
  }
  for (int c = 2 * pairs + lane; c < width; c += lanes) to[c] = exists && c < p.head_dim ? from[c * stride] : T{};
}

// ---- Results ------------------------------------------------------------------------------------------------------------

template <class T> struct Destination { // of a row: a part in the workspace, or out, or, both null, nowhere
  float *part;
  T *out;
  int64_t stride;
  float sum;
  bool empty;

  __device__ void put(int c, float x) const {
    if (part)
      part[c] = x;
    else if (out)
      rpp_narrow(empty ? 0 : x / sum, out + c * stride);
  }
};

// Writes LSE, if leader is set, and tells where the weighted values go that are still to be divided by the sum.
template <class T>
__device__ inline Destination<T> final_row(const DecodeProblem<T> &p, int64_t b, int64_t kv, int64_t item, float top, float sum,
                                           bool leader) {
  const int64_t i = item / p.group, head = kv * p.group + item % p.group;
  const KeyRange seen = seen_by(p, length_of(p, b), i);
  const bool empty = seen.first >= seen.last;
  if (p.lse && leader)
    p.lse[b * p.lse_strides[0] + head * p.lse_strides[1] + i * p.lse_strides[2]] = empty ? -INFINITY : top + logf(sum);
  return {nullptr, p.out.data ? p.out.row(b, i, head) : nullptr, p.out.strides[3], sum, empty};
}

// As a block gives it: final when there is one split, else a part, of which a maximum of -inf says that it is empty and has
// no values.
template <class T>
__device__ inline Destination<T> block_row(const DecodeProblem<T> &p, const DecodeBlock &s, int row, float top, float sum,
                                           bool leader) {
  if (p.splits == 1) return final_row(p, s.b, s.kv, s.item + row, top, sum, leader);
  const int64_t part = ((s.b * p.kv_heads + s.kv) * s.items + s.item + row) * p.splits + s.split;
  if (leader) p.part_stats[2 * part] = top, p.part_stats[2 * part + 1] = sum;
  return {top == -INFINITY ? nullptr : p.parts + part * p.v_dim, nullptr, 1, sum, false};
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

// The cache's tensors and page table; capacity: tokens of a sequence.
rpp_status check_cache(const rpp_cuda_cache *cache, Data data, rpp_dtype dtype, int64_t batch, int64_t kv_heads, int64_t *capacity);
PageTable page_table_of(const rpp_cuda_cache &cache);

// Rows of a block, and blocks that a multiprocessor of an H100 holds at once.
struct DecodeBlocks {
  int rows, resident;
};
DecodeBlocks decode_f32_blocks();
DecodeBlocks decode_mma_blocks(int width, int64_t items); // width: the larger one of D and Dv

// Bytes of shared memory of a block. mma: of the layout that suits a device where a block has limit at most, or of the smallest.
size_t decode_f32_shared(int head_dim, int v_dim);
size_t decode_mma_shared(int width, int64_t items, size_t limit);

// Start the kernels; false with a line in report. mma: T is rpp_f16 or rpp_bf16; shared: as decode_mma_shared said.
bool start_decode_f32(const DecodeProblem<float> &p, unsigned blocks, void *stream, char *report);
template <class T> bool start_decode_mma(const DecodeProblem<T> &p, size_t shared, unsigned blocks, void *stream, char *report);

} // namespace RPP_TARGET
#endif
