// decode_mma.cu: decode's kernel in float16 or bfloat16 on mma.sync, made to be bound by memory.
//
// q (B, Lq, P or O, D), Lq at most 8, and a cache of rotated k and v, contiguous or paged (decode.h), to rows of out and LSE, or to parts of
// them for decode.cu to combine. D and Dv up to 256 are padded with zeros to W = 64, 96, 128 or 256 columns. A block takes 16 rows of one KV
// head, or 32 where there are more and W <= 128: a row is a query and an output head, so that the whole group, real and imaginary, shares
// each key. More rows are further blocks, side by side, which find K and V in the cache of the device.
//
//   keys of a split:  | warp 0 | warp 1 | warp 2 | warp 3 | warp 0 | ...          16 keys each; K and V are read once
//
//   a warp, alone:     stage of K, V        S = q k^T          O += P V           stages by cp.async, the next ones under way
//                      16 x (W + 8), twice  16 keys, registers 16 x W, registers  S as weights is P's fragment: registers only
//
//   at the end the four warps' sums meet in shared memory, by their maxima; then out, or the split's part.
//
// There is no barrier of the block in the loop. A masked score has weight 0; NaN that is seen stays NaN.
// Contract: RPP_CUDA_DECODE_MMA_CONTRACT. Launch: 128 threads; shared memory: notes/cuda.md.
#include "decode.h"
#include "fragments.h"

namespace RPP_TARGET {

namespace {

constexpr int KEYS = DECODE_KEYS, LANES = 32;

// TILES: of 16 rows. SMALL: within 99 KiB of shared memory, as a block has at most on sm_86, sm_89 and sm_120; only W = 256 takes more.
template <int W, int TILES, bool SMALL = false> struct Sizes {
  static constexpr int ROWS = 16 * TILES, PITCH = W + 8; // of shared rows: an odd number of 16 bytes, so that eight share no bank
  static constexpr int STAGES = W <= 64 ? 4 : SMALL ? 1 : 2, TILE = KEYS * PITCH, WARP = STAGES * 2 * TILE; // in elements
  static constexpr size_t Q = sizeof(uint16_t) * DECODE_WARPS * WARP, STATS = Q + sizeof(uint16_t) * ROWS * PITCH;
  static constexpr size_t BYTES = STATS + sizeof(float) * 2 * DECODE_WARPS * ROWS;
  static constexpr int RESIDENT = W > 128 ? 1 : TILES > 1 ? 2 : 3; // blocks that a multiprocessor is to hold
  static_assert(sizeof(float) * ROWS * W <= sizeof(uint16_t) * WARP, "a warp's sums take the place of its stages");
};

// A lane has of each 16 rows lane / 4 and that + 8, and of every 8 columns 2 (lane % 4) and the next.
template <int W, int TILES> struct Share {
  float out[TILES][W / 8][4];
  float top[TILES][2], sum[TILES][2]; // sum: of this lane's keys
  KeyRange seen[TILES][2];
};
template <int TILES> using Scores = float[TILES][2][4];

// Keys start .. start + 15 of K and V into a stage, eight lanes a key; zeros for those that are not the block's.
template <int W, class T>
__device__ inline void load_tile(const DecodeProblem<T> &p, const DecodeBlock &block, int start, T *stage) {
  constexpr int PITCH = Sizes<W, 1>::PITCH;
  const int lane = static_cast<int>(threadIdx.x) % LANES, part = lane % 8;
  RPP_UNROLL
  for (int j = lane / 8; j < KEYS; j += 4) {
    const int key = start + j;
    const bool seen = key >= block.keys.first && key < block.keys.last;
    const Token at = seen ? token_at(p.pages, block.b, key) : Token{0, 0};
    const T *from_k = p.k.row(at.row, at.slot, block.kv), *from_v = p.v.row(at.row, at.slot, block.kv);
    T *k = stage + j * PITCH, *v = k + KEYS * PITCH;
    if (p.even) {
      RPP_UNROLL
      for (int c = part * 8; c < W; c += 64) {
        if (c < p.head_dim) cp_async_16(k + c, from_k + c, seen ? 16 : 0);
        if (c < p.v_dim) cp_async_16(v + c, from_v + c, seen ? 16 : 0);
      }
    } else {
      RPP_ROLLED
      for (int c = part; c < p.head_dim; c += 8) k[c] = seen ? from_k[c * p.k.strides[3]] : T{};
      RPP_ROLLED
      for (int c = part; c < p.v_dim; c += 8) v[c] = seen ? from_v[c * p.v.strides[3]] : T{};
    }
  }
}

// s = q k^T.
template <int W, int TILES, class T> __device__ inline void score(const T *q, const T *k, Scores<TILES> &s) {
  constexpr int PITCH = Sizes<W, TILES>::PITCH;
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  q += lane % 16 * PITCH + lane / 16 * 8;
  k += (lane % 8 + lane / 16 * 8) * PITCH + lane / 8 % 2 * 8;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int e = 0; e < 4; e++) s[t][0][e] = s[t][1][e] = 0;
  }
  RPP_UNROLL
  for (int c = 0; c < W; c += 16) {
    uint32_t a[4], b[4];
    ldmatrix_x4(b, k + c);
    RPP_UNROLL
    for (int t = 0; t < TILES; t++) {
      ldmatrix_x4(a, q + t * 16 * PITCH + c);
      multiply(T{}, s[t][0], a, b), multiply(T{}, s[t][1], a, b + 2);
    }
  }
}

// Scores become weights, of keys from start on, and what the share holds is rescaled to the new maximum.
template <int W, int TILES>
__device__ inline void soften(float scale, bool masked, int start, Scores<TILES> &s, Share<W, TILES> &share) {
  const int key = start + static_cast<int>(threadIdx.x) % 4 * 2;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      const KeyRange seen = share.seen[t][h];
      float top = share.top[t][h], sum = 0;
      RPP_UNROLL
      for (int n = 0; n < 4; n++) { // keys key, key + 1, key + 8, key + 9
        float &x = s[t][n / 2][2 * h + n % 2];
        const int at = key + n / 2 * 8 + n % 2;
        x = masked && (at < seen.first || at >= seen.last) ? -INFINITY : x * scale;
        top = larger(top, x);
      }
      top = larger(top, __shfl_xor_sync(ALL_LANES, top, 1));
      top = larger(top, __shfl_xor_sync(ALL_LANES, top, 2));
      const float base = top == -INFINITY ? 0 : top; // nothing seen yet: every weight is 2^-inf = 0
      const float rescale = exp2_approx((share.top[t][h] - base) * LOG2_E);
      RPP_UNROLL
      for (int n = 0; n < 4; n++) {
        float &x = s[t][n / 2][2 * h + n % 2];
        x = exp2_approx((x - base) * LOG2_E);
        sum += x;
      }
      share.top[t][h] = top;
      share.sum[t][h] = share.sum[t][h] * rescale + sum;
      RPP_UNROLL
      for (int n = 0; n < W / 8; n++) share.out[t][n][2 * h] *= rescale, share.out[t][n][2 * h + 1] *= rescale;
    }
  }
}

// share.out += weights v: the accumulators of 16 keys' scores are the fragment of the left factor.
template <int W, int TILES, class T> __device__ inline void gather(const Scores<TILES> &s, const T *v, Share<W, TILES> &share) {
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  uint32_t a[TILES][4];
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int i = 0; i < 4; i++) a[t][i] = pack(T{}, s[t][i / 2][i % 2 * 2], s[t][i / 2][i % 2 * 2 + 1]);
  }
  v += lane % 16 * Sizes<W, TILES>::PITCH + lane / 16 * 8;
  RPP_UNROLL
  for (int c = 0; c < W / 16; c++) {
    uint32_t b[4];
    ldmatrix_x4_trans(b, v + c * 16);
    RPP_UNROLL
    for (int t = 0; t < TILES; t++)
      multiply(T{}, share.out[t][2 * c], a[t], b), multiply(T{}, share.out[t][2 * c + 1], a[t], b + 2);
  }
}

template <int W, int TILES>
__device__ inline void start_share(const DecodeShape &p, const DecodeBlock &block, Share<W, TILES> &share) {
  const int row = static_cast<int>(threadIdx.x) % LANES / 4;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      KeyRange seen = seen_by(p, block.length, query_of(p, block, t * 16 + h * 8 + row));
      if (seen.first < block.keys.first) seen.first = block.keys.first;
      if (seen.last > block.keys.last) seen.last = block.keys.last;
      share.seen[t][h] = seen, share.top[t][h] = -INFINITY, share.sum[t][h] = 0;
    }
    RPP_UNROLL
    for (int n = 0; n < W / 8; n++) share.out[t][n][0] = share.out[t][n][1] = share.out[t][n][2] = share.out[t][n][3] = 0;
  }
}

// The warp's tiles of the block's keys; where there is one stage, none is under way while another is multiplied, but for other warps'.
template <int W, int TILES, bool SMALL, class T>
__device__ inline void attend(const DecodeProblem<T> &p, const DecodeBlock &block, const T *q, T *stages, Share<W, TILES> &share) {
  using S = Sizes<W, TILES, SMALL>;
  int start = block.keys.first / BLOCK_KEYS * BLOCK_KEYS + static_cast<int>(threadIdx.x) / LANES * KEYS;
  RPP_UNROLL
  for (int n = 0; n < S::STAGES - 1; n++) {
    if (start + n * BLOCK_KEYS < block.keys.last) load_tile<W>(p, block, start + n * BLOCK_KEYS, stages + n * 2 * S::TILE);
    cp_async_commit();
  }
  RPP_ROLLED
  for (int stage = 0; start < block.keys.last; start += BLOCK_KEYS) {
    const int ahead = start + (S::STAGES - 1) * BLOCK_KEYS, free = stage == 0 ? S::STAGES - 1 : stage - 1;
    if (ahead < block.keys.last) load_tile<W>(p, block, ahead, stages + free * 2 * S::TILE);
    cp_async_commit();
    cp_async_wait<S::STAGES - 1>();
    __syncwarp(); // every lane's copies have arrived
    const T *k = stages + stage * 2 * S::TILE, *v = k + S::TILE;
    const bool masked = start < block.keys.first || start < block.common.first || start + KEYS > block.keys.last ||
                        start + KEYS > block.common.last;
    Scores<TILES> s;
    score<W, TILES>(q, k, s);
    soften<W, TILES>(p.scale, masked, start, s, share);
    gather<W, TILES>(s, v, share);
    __syncwarp(); // the stage is free again
    stage = stage + 1 == S::STAGES ? 0 : stage + 1;
  }
}

// The warp's sums to where its stages were; maxima and sums to stats: (warps, rows, 2).
template <int W, int TILES> __device__ inline void leave(const Share<W, TILES> &share, float *sums, float *stats) {
  const int lane = static_cast<int>(threadIdx.x) % LANES, warp = static_cast<int>(threadIdx.x) / LANES;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      const int row = t * 16 + h * 8 + lane / 4;
      float sum = share.sum[t][h];
      sum += __shfl_xor_sync(ALL_LANES, sum, 1);
      sum += __shfl_xor_sync(ALL_LANES, sum, 2);
      float *stat = stats + (warp * Sizes<W, TILES>::ROWS + row) * 2;
      if (lane % 4 == 0) stat[0] = share.top[t][h], stat[1] = sum;
      RPP_UNROLL
      for (int n = 0; n < W / 8; n++) {
        RPP_UNROLL
        for (int e = 0; e < 2; e++) sums[row * W + n * 8 + lane % 4 * 2 + e] = share.out[t][n][2 * h + e];
      }
    }
  }
}

// The warps' sums, put together and stored: a warp a row. step: floats of a warp's place.
template <int W, int TILES, class T>
__device__ inline void store(const DecodeProblem<T> &p, const DecodeBlock &block, const float *sums, int step, const float *stats) {
  constexpr int ROWS = Sizes<W, TILES>::ROWS;
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  for (int row = static_cast<int>(threadIdx.x) / LANES; row < ROWS && block.item + row < block.items; row += DECODE_WARPS) {
    float top = -INFINITY, sum = 0, weights[DECODE_WARPS];
    RPP_UNROLL
    for (int w = 0; w < DECODE_WARPS; w++) top = larger(top, stats[(w * ROWS + row) * 2]);
    RPP_UNROLL
    for (int w = 0; w < DECODE_WARPS; w++) {
      const float *stat = stats + (w * ROWS + row) * 2;
      weights[w] = stat[0] == -INFINITY ? 0 : exp2_approx((stat[0] - top) * LOG2_E);
      sum += weights[w] * stat[1];
    }
    const Destination<T> to = block_row(p, block, row, top, sum, lane == 0);
    for (int c = lane; c < p.v_dim; c += LANES) {
      float x = 0;
      RPP_UNROLL
      for (int w = 0; w < DECODE_WARPS; w++) x += weights[w] * sums[w * step + row * W + c];
      to.put(c, x);
    }
  }
}

template <class T, int W, int TILES, bool SMALL>
__global__ void __launch_bounds__(DECODE_THREADS, (Sizes<W, TILES, SMALL>::RESIDENT)) decode_mma(const DecodeProblem<T> p) {
  using S = Sizes<W, TILES, SMALL>;
  const int lane = static_cast<int>(threadIdx.x) % LANES, warp = static_cast<int>(threadIdx.x) / LANES;
  const DecodeBlock block = this_block(p, S::ROWS);
  T *const all = shared_array<T>(0, DECODE_WARPS * S::WARP), *const stages = all + warp * S::WARP;
  T *const q = shared_array<T>(S::Q, S::ROWS * S::PITCH);
  float *const stats = shared_array<float>(S::STATS, 2 * DECODE_WARPS * S::ROWS);
  for (int row = warp; row < S::ROWS; row += DECODE_WARPS) load_query(p, block, row, W, q + row * S::PITCH, lane, LANES);
  if (p.head_dim < W || p.v_dim < W) // columns that no copy brings
    for (int n = lane; n < S::WARP; n += LANES) stages[n] = T{};
  __syncthreads();
  Share<W, TILES> share;
  start_share(p, block, share);
  attend<W, TILES, SMALL>(p, block, q, stages, share);
  leave<W, TILES>(share, reinterpret_cast<float *>(stages), stats);
  __syncthreads();
  store<W, TILES>(p, block, reinterpret_cast<const float *>(all), S::WARP / 2, stats);
}

template <class T, int W, int TILES, bool SMALL = false>
bool start(const DecodeProblem<T> &p, unsigned blocks, void *stream, char *report) {
  return launch("decode_mma", decode_mma<T, W, TILES, SMALL>, dim3(blocks), dim3(DECODE_THREADS), Sizes<W, TILES, SMALL>::BYTES,
                stream, report, p);
}

bool is_tall(int width, int64_t items) {
  return width <= 128 && items > 16;
}

} // namespace

DecodeBlocks decode_mma_blocks(int width, int64_t items) {
  if (width > 128) return {Sizes<256, 1>::ROWS, Sizes<256, 1>::RESIDENT};
  return is_tall(width, items) ? DecodeBlocks{Sizes<128, 2>::ROWS, Sizes<128, 2>::RESIDENT}
                               : DecodeBlocks{Sizes<128, 1>::ROWS, Sizes<128, 1>::RESIDENT};
}

size_t decode_mma_shared(int width, int64_t items, size_t limit) {
  const bool tall = is_tall(width, items);
  return width <= 64                     ? tall ? Sizes<64, 2>::BYTES : Sizes<64, 1>::BYTES
         : width <= 96                   ? tall ? Sizes<96, 2>::BYTES : Sizes<96, 1>::BYTES
         : width <= 128                  ? tall ? Sizes<128, 2>::BYTES : Sizes<128, 1>::BYTES
         : Sizes<256, 1>::BYTES <= limit ? Sizes<256, 1>::BYTES
                                         : Sizes<256, 1, true>::BYTES;
}

template <class T> bool start_decode_mma(const DecodeProblem<T> &p, size_t shared, unsigned blocks, void *stream, char *report) {
  const int width = p.head_dim > p.v_dim ? p.head_dim : p.v_dim;
  const bool tall = is_tall(width, p.q_len * p.group);
  const auto chosen = width <= 64                      ? tall ? start<T, 64, 2> : start<T, 64, 1>
                                           : width <= 96 ? tall ? start<T, 96, 2> : start<T, 96, 1>
                                           : width <= 128 ? tall ? start<T, 128, 2> : start<T, 128, 1>
                                           : shared == Sizes<256, 1>::BYTES ? start<T, 256, 1>
                                                       : start<T, 256, 1, true>;
  return chosen(p, blocks, stream, report);
}
template bool start_decode_mma<rpp_f16>(const DecodeProblem<rpp_f16> &, size_t, unsigned, void *, char *);
template bool start_decode_mma<rpp_bf16>(const DecodeProblem<rpp_bf16> &, size_t, unsigned, void *, char *);

} // namespace RPP_TARGET
