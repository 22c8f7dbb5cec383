// decode_f32.cu: decode's kernel in float32 on CUDA cores, the plain one.
//
// q (B, Lq, P or O, D), Lq at most 8, and a cache of rotated k and v, contiguous or paged (decode.h), to rows of out and LSE, or to parts of
// them for decode.cu to combine. A block takes 16 rows of one KV head, each a query and an output head, real and imaginary ones alike, and
// its split of the keys; more rows are further blocks. Eight threads of a warp have a row: of a tile of 16 keys they take keys part and
// part + 8, of Dv columns part, part + 8, ... Tiles are loaded by all threads, eight a key, and used by all. What a row does not see is neither
// multiplied nor added.
// Contract: RPP_CUDA_DECODE_F32_CONTRACT. Launch: 128 threads; shared memory: 4 (32 (D + 1) + 16 Dv + 16 * 17) bytes (50,368 at 256).
#include "decode.h"

namespace RPP_TARGET {

namespace {

constexpr int ROWS = 16, PARTS = 8, THREADS = ROWS * PARTS, KEYS = DECODE_KEYS;

struct Shared {
  float *q, *k, *v, *weights; // rows of D + 1, D + 1, Dv and KEYS + 1
};

__host__ __device__ inline size_t floats_of(int d, int dv) {
  return static_cast<size_t>((ROWS + KEYS) * (d + 1) + KEYS * dv + ROWS * (KEYS + 1));
}

// The maximum, or the sum, over the eight lanes of a row.
__device__ inline float row_maximum(float x) {
  for (int n = 1; n < PARTS; n *= 2) x = larger(x, __shfl_xor_sync(ALL_LANES, x, n));
  return x;
}
__device__ inline float row_sum(float x) {
  for (int n = 1; n < PARTS; n *= 2) x += __shfl_xor_sync(ALL_LANES, x, n);
  return x;
}

__device__ inline void load_tile(const DecodeProblem<float> &p, const DecodeBlock &block, int start, const Shared &s) {
  const int thread = static_cast<int>(threadIdx.x), j = thread / 8, key = start + j;
  if (key < block.keys.first || key >= block.keys.last) return;
  const Token at = token_at(p.pages, block.b, key);
  const float *k = p.k.row(at.row, at.slot, block.kv), *v = p.v.row(at.row, at.slot, block.kv);
  for (int c = thread % 8; c < p.head_dim; c += 8) s.k[j * (p.head_dim + 1) + c] = k[c * p.k.strides[3]];
  for (int c = thread % 8; c < p.v_dim; c += 8) s.v[j * p.v_dim + c] = v[c * p.v.strides[3]];
}

template <int COLUMNS> // of out, of a thread: at least Dv / 8
__global__ void __launch_bounds__(THREADS) decode_f32(const DecodeProblem<float> p) {
  const int thread = static_cast<int>(threadIdx.x), row = thread / PARTS, part = thread % PARTS, d = p.head_dim, dv = p.v_dim;
  const DecodeBlock block = this_block(p, ROWS);
  Shared s;
  s.q = shared_array<float>(0, floats_of(d, dv));
  s.k = s.q + ROWS * (d + 1), s.v = s.k + KEYS * (d + 1), s.weights = s.v + KEYS * dv;
  load_query(p, block, row, d, s.q + row * (d + 1), part, PARTS);
  KeyRange seen = seen_by(p, block.length, query_of(p, block, row));
  if (seen.first < block.keys.first) seen.first = block.keys.first;
  if (seen.last > block.keys.last) seen.last = block.keys.last;

  float top = -INFINITY, sum = 0, acc[COLUMNS];
  RPP_UNROLL
  for (int c = 0; c < COLUMNS; c++) acc[c] = 0;
  for (int start = block.keys.first / KEYS * KEYS; start < block.keys.last; start += KEYS) {
    __syncthreads(); // the tile before is no longer read
    load_tile(p, block, start, s);
    __syncthreads();
    float x[KEYS / PARTS], high = top;
    RPP_UNROLL
    for (int n = 0; n < KEYS / PARTS; n++) {
      const int j = part + n * PARTS;
      x[n] = -INFINITY;
      if (start + j < seen.first || start + j >= seen.last) continue;
      float dot = 0;
      for (int c = 0; c < d; c++) dot += s.q[row * (d + 1) + c] * s.k[j * (d + 1) + c];
      x[n] = p.scale * dot;
      high = larger(high, x[n]);
    }
    high = row_maximum(high);
    const bool any = high != -INFINITY; // the row has seen a key
    const float rescale = any ? expf(top - high) : 1;
    float added = 0;
    RPP_UNROLL
    for (int n = 0; n < KEYS / PARTS; n++) {
      const float weight = any ? expf(x[n] - high) : 0;
      added += weight;
      s.weights[row * (KEYS + 1) + part + n * PARTS] = weight;
    }
    top = high, sum = sum * rescale + row_sum(added);
    __syncwarp(); // a row's weights were written by its eight lanes
    const int from = static_cast<int>(clamp(seen.first - start, 0, KEYS)), to = static_cast<int>(clamp(seen.last - start, 0, KEYS));
    RPP_UNROLL
    for (int c = 0; c < COLUMNS; c++) acc[c] *= rescale;
    for (int j = from; j < to; j++) {
      const float weight = s.weights[row * (KEYS + 1) + j];
      RPP_UNROLL
      for (int c = 0; c < COLUMNS; c++)
        if (part + c * PARTS < dv) acc[c] += weight * s.v[j * dv + part + c * PARTS];
    }
  }

  if (block.item + row >= block.items) return; // no barrier is left
  const Destination<float> to = block_row(p, block, row, top, sum, part == 0);
  RPP_UNROLL
  for (int c = 0; c < COLUMNS; c++)
    if (part + c * PARTS < dv) to.put(part + c * PARTS, acc[c]);
}

} // namespace

DecodeBlocks decode_f32_blocks() {
  return {ROWS, 2};
}

size_t decode_f32_shared(int head_dim, int v_dim) {
  return floats_of(head_dim, v_dim) * sizeof(float);
}

bool start_decode_f32(const DecodeProblem<float> &p, unsigned blocks, void *stream, char *report) {
  void (*kernel)(DecodeProblem<float>) = p.v_dim <= 64 ? decode_f32<8> : p.v_dim <= 128 ? decode_f32<16> : decode_f32<32>;
  return launch("decode_f32", kernel, dim3(blocks), dim3(THREADS), decode_f32_shared(p.head_dim, p.v_dim), stream, report, p);
}

} // namespace RPP_TARGET
