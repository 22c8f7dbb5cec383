// attention_f32.cu: softmax attention in float32 on CUDA cores (eq. 9 to 11), the plain one.
//
// q (B, Lq, P or O, D), k (B, Lk, K, D), v (B, Lk, K, Dv) to out (B, Lq, O, Dv) and lse (B, O, Lq), any strides; D and Dv up to 256; RoPE, EC
// and EH; causal, full, window, packed. A block takes 32 rows of one KV head: a row is a query and one of the KV head's output
// heads, and a query's rows lie side by side, so that real and imaginary rows share every tile of K and V. q and k are rotated when they
// are loaded; the imaginary row is the rotated pair (a, b) turned: (b, -a).
//
//            16 keys                        Dv columns
//          +---------+                     +-------------------+
//  32 rows | S, P    |  x  16 keys of V =  | O: 4 threads a row |   thread = 4 row + part; of a row's keys and columns it has
//          | 4 a row |                     |   part, part + 4.. |   part, part + 4, ...; a row's 4 threads are of one warp
//          +---------+                     +-------------------+
//
// Tiles start at multiples of 16 keys. What a row does not see is neither multiplied nor added, whatever it holds. Maximum and sum go
// through the row's four lanes by shuffles; NaN stays NaN. A row that sees no key has out 0 and lse -inf.
// Contract: RPP_CUDA_ATTENTION_F32_CONTRACT. Launch: 128 threads; shared memory: 4 (32 (D + 1) + 16 (D + 1) + 16 Dv + 32 * 17) + 512
// bytes (68,416 at D = Dv = 256).
#include "attention.h"
#include "contracts.h"

namespace RPP_TARGET {

namespace {

constexpr int ROWS = 32, KEYS = RPP_CUDA_ATTENTION_F32_KEYS, PARTS = 4, THREADS = ROWS * PARTS;
constexpr unsigned WARP_LANES = 0xffffffff;

struct Problem : Attention {
  Rows<const float> q, k, v;
  Rows<float> out; // null: not wanted
};

struct Shared {
  int64_t *first, *last;
  float *q, *k, *v, *p;
};

constexpr size_t RANGE_BYTES = 2 * ROWS * sizeof(int64_t);
__host__ __device__ inline size_t floats_of(int d, int dv) {
  return static_cast<size_t>((ROWS + KEYS) * (d + 1) + KEYS * dv + ROWS * (KEYS + 1));
}

// A row of q or k into shared memory, by all threads of `step`: rotated by the table's row, or as it is.
__device__ inline void load_row(const Problem &p, const float *from, int64_t stride, bool rotated, bool imaginary,
                                const AngleTable &table, int64_t angles, float *to, int thread, int step) {
  const int pairs = rotated ? 0 : static_cast<int>(table.pairs);
  for (int n = thread; n < pairs; n += step) {
    const int one = p.pairing == RPP_PAIRING_HALF ? n : 2 * n, two = p.pairing == RPP_PAIRING_HALF ? n + pairs : 2 * n + 1;
    const float a = from[one * stride], b = from[two * stride], c = table.cosine[angles + n], s = table.sine[angles + n];
    const float x = a * c - b * s, y = b * c + a * s;
    to[one] = imaginary ? y : x;
    to[two] = imaginary ? -x : y;
  }
  for (int c = 2 * pairs + thread; c < p.head_dim; c += step) to[c] = from[c * stride];
}

// The maximum, or the sum, over the four lanes of a row.
__device__ inline float row_maximum(float x) {
  x = larger(x, __shfl_xor_sync(WARP_LANES, x, 1));
  return larger(x, __shfl_xor_sync(WARP_LANES, x, 2));
}
__device__ inline float row_sum(float x) {
  x += __shfl_xor_sync(WARP_LANES, x, 1);
  return x + __shfl_xor_sync(WARP_LANES, x, 2);
}

template <int COLUMNS> // of out, of a thread: at least Dv / 4
__global__ void __launch_bounds__(THREADS, 2) attention_f32(Problem p) {
  const int thread = static_cast<int>(threadIdx.x), row = thread / PARTS, part = thread % PARTS, d = p.head_dim, dv = p.v_dim;
  const int64_t tile = blockIdx.x % p.tiles, kv = blockIdx.x / p.tiles % p.kv_heads, b = blockIdx.x / p.tiles / p.kv_heads;
  const int64_t items = p.q_len * p.group;
  Shared s;
  s.first = shared_array<int64_t>(0, ROWS), s.last = shared_array<int64_t>(ROWS * sizeof(int64_t), ROWS);
  s.q = shared_array<float>(RANGE_BYTES, floats_of(d, dv));
  s.k = s.q + ROWS * (d + 1), s.v = s.k + KEYS * (d + 1), s.p = s.v + KEYS * dv;

  const int64_t item = tile * ROWS + row, i = item / p.group, head = kv * p.group + item % p.group;
  if (part == 0) s.first[row] = s.last[row] = 0;
  if (item < items) { // a row's four threads load it
    if (part == 0) visible(p, i, &s.first[row], &s.last[row]);
    load_row(p, p.q.row(b, i, p.q_rotated || !p.paired ? head : head / 2), p.q.strides[3], p.q_rotated,
             p.paired && !p.q_rotated && head % 2 == 1, p.q_table, p.q_table.row(b, i), s.q + row * (d + 1), part, PARTS);
  }
  __syncthreads();

  int64_t begin = p.k_len, end = 0; // what the block's rows see together
  for (int r = 0; r < ROWS; r++)
    if (s.first[r] < s.last[r]) {
      if (s.first[r] < begin) begin = s.first[r];
      if (s.last[r] > end) end = s.last[r];
    }
  const int64_t first = s.first[row], last = s.last[row];

  float m = -INFINITY, l = 0, acc[COLUMNS];
  RPP_UNROLL
  for (int c = 0; c < COLUMNS; c++) acc[c] = 0;
  for (int64_t start = begin / KEYS * KEYS; start < end; start += KEYS) {
    __syncthreads();                                       // the tile before is no longer read
    for (int j = thread / 8; j < KEYS; j += THREADS / 8) { // eight threads a key
      const int64_t key = start + j;
      if (key < begin || key >= end) continue;
      load_row(p, p.k.row(b, key, kv), p.k.strides[3], p.k_rotated, false, p.k_table, p.k_table.row(b, key), s.k + j * (d + 1),
               thread % 8, 8);
      const float *v = p.v.row(b, key, kv);
      for (int c = thread % 8; c < dv; c += 8) s.v[j * dv + c] = v[c * p.v.strides[3]];
    }
    __syncthreads();

    float x[KEYS / PARTS], top = -INFINITY;
    RPP_UNROLL
    for (int n = 0; n < KEYS / PARTS; n++) {
      const int j = part + n * PARTS;
      x[n] = -INFINITY;
      if (start + j < first || start + j >= last) continue;
      float dot = 0;
      const float *q = s.q + row * (d + 1), *k = s.k + j * (d + 1);
      for (int c = 0; c < d; c++) dot += q[c] * k[c];
      x[n] = p.scale * dot;
      top = larger(top, x[n]);
    }
    top = larger(m, row_maximum(top));
    const bool any = top != -INFINITY; // the row has seen a key
    const float rescale = any ? expf(m - top) : 1;
    float sum = 0;
    RPP_UNROLL
    for (int n = 0; n < KEYS / PARTS; n++) {
      const float weight = any ? expf(x[n] - top) : 0;
      sum += weight;
      s.p[row * (KEYS + 1) + part + n * PARTS] = weight;
    }
    l = l * rescale + row_sum(sum);
    m = top;
    __syncwarp(); // a row's weights were written by its four lanes
    const int from = static_cast<int>(clamp(first - start, 0, KEYS)), to = static_cast<int>(clamp(last - start, 0, KEYS));
    RPP_UNROLL
    for (int c = 0; c < COLUMNS; c++) acc[c] *= rescale;
    for (int j = from; j < to; j++) {
      const float weight = s.p[row * (KEYS + 1) + j];
      RPP_UNROLL
      for (int c = 0; c < COLUMNS; c++)
        if (part + c * PARTS < dv) acc[c] += weight * s.v[j * dv + part + c * PARTS];
    }
  }

  if (item >= items) return; // no barrier is left
  const bool empty = first >= last;
  if (p.lse && part == 0)
    p.lse[b * p.lse_strides[0] + head * p.lse_strides[1] + i * p.lse_strides[2]] = empty ? -INFINITY : m + logf(l);
  if (!p.out.data) return;
  float *out = p.out.row(b, i, head);
  RPP_UNROLL
  for (int c = 0; c < COLUMNS; c++)
    if (part + c * PARTS < dv) out[(part + c * PARTS) * p.out.strides[3]] = empty ? 0 : acc[c] / l;
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

rpp_status run(const AttentionCall &c, char *workspace, void *stream) {
  char report[REPORT];
  Problem p = {};
  static_cast<Attention &>(p) = describe_attention(c, ROWS);
  p.q = rows_of<const float>(c.in->q), p.k = rows_of<const float>(c.in->k), p.v = rows_of<const float>(c.in->v);
  p.out = rows_of<float>(c.out);
  const int64_t blocks = p.tiles * p.kv_heads * c.batch;
  if (blocks == 0) return RPP_OK;
  RPP_TRY(fill_attention_tables(c, workspace, stream, &p));
  const size_t shared = RANGE_BYTES + floats_of(p.head_dim, p.v_dim) * sizeof(float);
  void (*kernel)(Problem) = p.v_dim <= 64 ? attention_f32<16> : p.v_dim <= 128 ? attention_f32<32> : attention_f32<64>;
  if (!launch("attention_f32", kernel, dim3(static_cast<unsigned>(blocks)), dim3(THREADS), shared, stream, report, p))
    return fail(RPP_ERROR_DEVICE, "%s", report);
  return RPP_OK;
}

} // namespace

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_attention_f32_workspace(const rpp_attention *attention, const rpp_cuda_inputs *inputs,
                                                       const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes) {
  AttentionCall c = {};
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  if (!bytes) return fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  RPP_TRY(check_attention(&c, Data::absent, RPP_F32, ROWS));
  *bytes = c.q_bytes + c.k_bytes;
  return RPP_OK;
}

extern "C" rpp_status rpp_cuda_attention_f32(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                                             const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream) {
  AttentionCall c = {};
  rpp_tensor scratch;
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  RPP_TRY(check_attention(&c, Data::present, RPP_F32, ROWS));
  RPP_TRY(check_attention_memory(c, workspace, bytes, c.q_bytes + c.k_bytes, &scratch));
  return run(c, static_cast<char *>(workspace), stream);
}
