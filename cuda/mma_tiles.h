// mma_tiles.h: tiles in shared memory and in the registers of a warp, for attention on mma.sync: loads, scores, the online softmax, weighted
// values. Internal; how a kernel puts them together: attention_mma.cu.
#ifndef RPP_CUDA_MMA_TILES_H
#define RPP_CUDA_MMA_TILES_H
#include "attention.h"
#include "contracts.h"
#include "fragments.h"

namespace RPP_TARGET {
namespace mma {

constexpr int LANES = 32, MOST_WARPS = 8, FEWEST_ROWS = 48;
constexpr unsigned ALL = 0xffffffff;

struct Span { // of keys: some row sees first .. last - 1, and all that see any see all_first .. all_last - 1
  int first, last, all_first, all_last;
};

// How a block for tensors of up to WIDTH columns is laid out. SMALL: within the 99 KiB of shared memory that a block has at most on sm_86,
// sm_89 and sm_120; elsewhere it has 163 or more. Widths of 64 and 96 need no other layout there.
template <int WIDTH, bool SMALL> struct Sizes {
  static constexpr int W = WIDTH, ROWS = SMALL && W > 128 ? FEWEST_ROWS : 128;
  static constexpr int KEYS = W <= 128 && !SMALL ? 64 : RPP_CUDA_ATTENTION_MMA_KEYS;
  static constexpr int TILES = W <= 128 ? 2 : 1; // of 16 rows, of a warp
  static constexpr int WARP_ROWS = 16 * TILES, THREADS = ROWS / WARP_ROWS * LANES;
  static constexpr int STRIDE = W + 8; // of shared rows: an odd number of 16 bytes, so that eight of them share no bank
  static constexpr size_t SPANS = ROWS * (2 * sizeof(int64_t) + 2 * sizeof(int)), Q = SPANS + MOST_WARPS * sizeof(Span);
  static constexpr size_t STAGE = sizeof(uint16_t) * KEYS * STRIDE, K = Q + sizeof(uint16_t) * ROWS * STRIDE;
  static constexpr size_t V = K + 2 * STAGE, BYTES = V + 2 * STAGE;
  static_assert(THREADS >= ROWS && THREADS / LANES <= MOST_WARPS, "a thread for each row, a span for each warp");
  static_assert(BYTES <= (SMALL ? 99u : 163u) << 10, "shared memory");
};

// ---- Loads --------------------------------------------------------------------------------------------------------------

// COUNT rows of W columns into shared memory: source(j) is row j, null for a row of zeros; columns past width are 0. even: by
// asynchronous copies.
template <class S, int COUNT, class T, class Source>
__device__ inline void load_rows(T *to, int width, int64_t stride, bool even, Source source) {
  constexpr int W = S::W, STRIDE = S::STRIDE, SIDE = W <= 64 ? 8 : W <= 128 ? 16 : 32; // SIDE: threads of a row
  const int thread = static_cast<int>(threadIdx.x), c = thread % SIDE * 8;
  if (even && c < W) {
    const int columns = static_cast<int>(clamp(width - c, 0, 8));
    RPP_ROLLED
    for (int j = thread / SIDE; j < COUNT; j += S::THREADS / SIDE) {
      const T *from = source(j);
      const int valid = from ? columns * static_cast<int>(sizeof(T)) : 0;
      cp_async_16(to + j * STRIDE + c, valid > 0 ? from + c : source(0), static_cast<unsigned>(valid));
    }
  }
  RPP_ROLLED
  for (int n = thread; !even && n < COUNT * W; n += S::THREADS) {
    const int j = n / W, column = n % W;
    const T *from = source(j);
    to[j * STRIDE + column] = from && column < width ? from[column * stride] : T{0};
  }
}

// ---- A warp's share -----------------------------------------------------------------------------------------------------

// A lane has of each m16 tile rows lane / 4 and that + 8, and of every 8 columns 2 (lane % 4) and the next.
template <class S> struct Share {
  float out[S::TILES][S::W / 8][4];
  float top[S::TILES][2], sum[S::TILES][2]; // sum: of this lane's keys
};
template <class S> using Scores = float[S::TILES][S::KEYS / 8][4];

// s = q k^T: the warp's rows of q, a stage of k.
template <class S, class T> __device__ inline void score(const T *q, const T *k, Scores<S> &s) {
  constexpr int W = S::W, TILES = S::TILES, KEYS = S::KEYS, STRIDE = S::STRIDE;
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  q += lane % 16 * STRIDE + lane / 16 * 8;
  k += (lane % 8 + lane / 16 * 8) * STRIDE + lane / 8 % 2 * 8;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int n = 0; n < KEYS / 8; n++) s[t][n][0] = s[t][n][1] = s[t][n][2] = s[t][n][3] = 0;
  }
  RPP_UNROLL
  for (int c = 0; c < W; c += 16) {
    uint32_t a[TILES][4];
    RPP_UNROLL
    for (int t = 0; t < TILES; t++) ldmatrix_x4(a[t], q + t * 16 * STRIDE + c);
    RPP_UNROLL
    for (int n = 0; n < KEYS / 16; n++) {
      uint32_t b[4];
      ldmatrix_x4(b, k + n * 16 * STRIDE + c);
      RPP_UNROLL
      for (int t = 0; t < TILES; t++) multiply(T{}, s[t][2 * n], a[t], b), multiply(T{}, s[t][2 * n + 1], a[t], b + 2);
    }
  }
}

// Scores to base 2.
template <class S> __device__ inline void scale(float factor, Scores<S> &s) {
  RPP_UNROLL
  for (int t = 0; t < S::TILES; t++) {
    RPP_UNROLL
    for (int n = 0; n < S::KEYS / 8; n++) {
      RPP_UNROLL
      for (int e = 0; e < 4; e++) s[t][n][e] *= factor;
    }
  }
}

// -inf where a row of the warp does not see a key of the tile: row r sees firsts[r] .. lasts[r] - 1.
template <class S> __device__ inline void mask(const int *firsts, const int *lasts, int start, Scores<S> &s) {
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  RPP_UNROLL
  for (int t = 0; t < S::TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      const int row = t * 16 + h * 8 + lane / 4, from = start + lane % 4 * 2; // key from + 8 n + e
      const int first = firsts[row] - from, last = lasts[row] - from;
      RPP_UNROLL
      for (int n = 0; n < S::KEYS / 8; n++) {
        RPP_UNROLL
        for (int e = 0; e < 2; e++)
          if (8 * n + e < first || 8 * n + e >= last) s[t][n][2 * h + e] = -INFINITY;
      }
    }
  }
}

// The online softmax: s becomes weights, and what the share holds is rescaled to the new maximum.
template <class S> __device__ inline void soften(Scores<S> &s, Share<S> &share) {
  constexpr int W = S::W, TILES = S::TILES, KEYS = S::KEYS;
  RPP_UNROLL
  for (int t = 0; t < TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      float top = share.top[t][h];
      RPP_UNROLL
      for (int n = 0; n < KEYS / 8; n++) top = larger(larger(top, s[t][n][2 * h]), s[t][n][2 * h + 1]);
      top = larger(top, __shfl_xor_sync(ALL, top, 1));
      top = larger(top, __shfl_xor_sync(ALL, top, 2));
      const float base = top == -INFINITY ? 0 : top; // nothing seen yet: every weight is 2^-inf = 0
      const float rescale = exp2_approx(share.top[t][h] - base);
      float sum = 0;
      RPP_UNROLL
      for (int n = 0; n < KEYS / 8; n++) {
        RPP_UNROLL
        for (int e = 2 * h; e < 2 * h + 2; e++) {
          s[t][n][e] = exp2_approx(s[t][n][e] - base);
          sum += s[t][n][e];
        }
      }
      share.top[t][h] = top;
      share.sum[t][h] = share.sum[t][h] * rescale + sum;
      RPP_UNROLL
      for (int n = 0; n < W / 8; n++) share.out[t][n][2 * h] *= rescale, share.out[t][n][2 * h + 1] *= rescale;
    }
  }
}

// share.out += weights v: the accumulators of two times 8 keys are the fragment of 16.
template <class S, class T> __device__ inline void gather(const Scores<S> &s, const T *v, Share<S> &share) {
  constexpr int W = S::W, TILES = S::TILES, KEYS = S::KEYS, STRIDE = S::STRIDE;
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  v += lane % 16 * STRIDE + lane / 16 * 8;
  RPP_UNROLL
  for (int n = 0; n < KEYS / 16; n++) {
    uint32_t a[TILES][4];
    RPP_UNROLL
    for (int t = 0; t < TILES; t++) {
      RPP_UNROLL
      for (int i = 0; i < 4; i++) a[t][i] = pack(T{}, s[t][2 * n + i / 2][i % 2 * 2], s[t][2 * n + i / 2][i % 2 * 2 + 1]);
    }
    RPP_UNROLL
    for (int c = 0; c < W / 16; c++) {
      uint32_t b[4];
      ldmatrix_x4_trans(b, v + n * 16 * STRIDE + c * 16);
      RPP_UNROLL
      for (int t = 0; t < TILES; t++)
        multiply(T{}, share.out[t][2 * c], a[t], b), multiply(T{}, share.out[t][2 * c + 1], a[t], b + 2);
    }
  }
}

} // namespace mma
} // namespace RPP_TARGET
#endif
