// attention_mma.cu: softmax attention in float16 or bfloat16 on mma.sync, forward (eq. 9 to 11).
//
// q (B, Lq, P or O, D), k (B, Lk, K, D), v (B, Lk, K, Dv) to out (B, Lq, O, Dv), and lse (B, O, Lq) in float32, any strides; D and Dv up to
// 256, padded with zeros to 64, 96, 128 or 256 columns W; RoPE, EC and EH; causal, full, window, packed. A block takes 128 rows of one KV head
// (48 of W = 256, where a device has 99 KiB of shared memory): a row is a query and one of the KV head's output heads; a query's rows lie side
// by side, so that real and imaginary rows share every tile of K and V.
//
//             64 keys (32)         W columns               a warp: 32 rows, two m16 tiles (W = 256: 16 rows, one), so that a
//           +-------------+     +-------------+            fragment of K or V that ldmatrix brings serves both
//   warp 0  | S = q k^T   |     | O, float32, |
//   warp 1  | in registers|     | in registers|            S's accumulators, as exponentials packed in pairs, are the fragments of
//     ...   | P = 2^(S-m) | V = |             |            the left factor P: weights never pass through memory
//           +-------------+     +-------------+
//
// Raw q is rotated when it is loaded, one load of a pair for the real and the imaginary row; raw k once a call, by rotate.cu, into the
// workspace. Tiles of K and V come by cp.async in two stages, one under way while the other is multiplied; where addresses or strides are no
// multiples of 16 bytes, by plain loads. Tiles that no row of a warp sees are skipped; masks are applied where a row sees a part of one only.
// A masked score has weight 0; NaN that is seen stays NaN. A row that sees no key has out 0 and lse -inf.
// Contract: RPP_CUDA_ATTENTION_MMA_CONTRACT. Launch: 128 threads (W = 256: 256, or 96); shared memory: notes/cuda.md.
#include "mma_tiles.h"
#include "rotate.h"

#include <cfloat>

namespace RPP_TARGET {

namespace {

using namespace mma;

constexpr float LOG2_E = 1.44269504088896341f, LN_2 = 0.693147180559945309f;

template <class T> struct Problem : Attention {
  Rows<const T> q, k, v; // k: rotated
  Rows<T> out;           // null: not wanted
  bool q_even, k_even, v_even;
  float scale_log2; // of scores in base 2
};

// ---- The rows of a block ------------------------------------------------------------------------------------------------

struct RowTable { // of a block; query -1: past the last
  int64_t *query, *head;
  int *first, *last;
  Span *spans; // of warps
};

template <class S> __device__ inline RowTable row_table() {
  constexpr int ROWS = S::ROWS;
  RowTable r;
  r.query = shared_array<int64_t>(0, ROWS), r.head = shared_array<int64_t>(ROWS * sizeof(int64_t), ROWS);
  r.first = shared_array<int>(2 * ROWS * sizeof(int64_t), 2 * ROWS), r.last = r.first + ROWS;
  r.spans = shared_array<Span>(S::SPANS, MOST_WARPS);
  return r;
}

template <class S> __device__ inline void fill_row_table(const Attention &p, int64_t tile, int64_t kv, const RowTable &r) {
  const int row = static_cast<int>(threadIdx.x);
  if (row >= S::ROWS) return;
  const int64_t item = tile * S::ROWS + row;
  int64_t first = 0, last = 0;
  r.query[row] = -1;
  if (item < p.q_len * p.group) {
    r.query[row] = item / p.group, r.head[row] = kv * p.group + item % p.group;
    visible(p, r.query[row], &first, &last);
  }
  r.first[row] = static_cast<int>(first), r.last[row] = static_cast<int>(last);
}

__device__ inline int lowest(int x) {
  for (int n = 1; n < LANES; n *= 2) {
    const int other = __shfl_xor_sync(ALL, x, n);
    if (other < x) x = other;
  }
  return x;
}

// What count rows from `row` on see together; the same in every lane.
__device__ inline Span span_of(const RowTable &r, int row, int count) {
  Span s = {INT32_MAX, 0, 0, INT32_MAX};
  for (int n = static_cast<int>(threadIdx.x) % LANES; n < count; n += LANES) {
    const int first = r.first[row + n], last = r.last[row + n];
    if (first >= last) continue;
    if (first < s.first) s.first = first;
    if (last > s.last) s.last = last;
    if (first > s.all_first) s.all_first = first;
    if (last < s.all_last) s.all_last = last;
  }
  return {lowest(s.first), -lowest(-s.last), -lowest(-s.all_first), lowest(s.all_last)};
}

// Rows of raw q, rotated: one load of a pair for the real and the imaginary row, (x, y) and (y, -x). A warp takes a query head.
template <class S, class T> __device__ inline void load_turned(const Problem<T> &p, int64_t b, const RowTable &r, T *to) {
  constexpr int W = S::W, ROWS = S::ROWS, WARPS = S::THREADS / LANES, STRIDE = S::STRIDE;
  const int warp = static_cast<int>(threadIdx.x) / LANES, lane = static_cast<int>(threadIdx.x) % LANES, heads = p.paired ? 2 : 1;
  const int pairs = static_cast<int>(p.q_table.pairs);
  const int64_t stride = p.q.strides[3];
  for (int row = warp * heads; row < ROWS; row += WARPS * heads) {
    const bool exists = r.query[row] >= 0;
    const T *from = exists ? p.q.row(b, r.query[row], r.head[row] / heads) : nullptr;
    T *real = to + row * STRIDE, *imag = real + STRIDE;
    const int64_t angles = exists ? p.q_table.row(b, r.query[row]) : 0;
    for (int n = lane; exists && n < pairs; n += LANES) {
      const int one = p.pairing == RPP_PAIRING_HALF ? n : 2 * n, two = p.pairing == RPP_PAIRING_HALF ? n + pairs : 2 * n + 1;
      const float x = rpp_widen(from[one * stride]), y = rpp_widen(from[two * stride]);
      const float c = p.q_table.cosine[angles + n], s = p.q_table.sine[angles + n], turned_x = x * c - y * s,
                  turned_y = y * c + x * s;
      rpp_narrow(turned_x, real + one), rpp_narrow(turned_y, real + two);
      if (p.paired) rpp_narrow(turned_y, imag + one), rpp_narrow(-turned_x, imag + two);
    }
    for (int n = (exists ? 2 * pairs : 0) + lane; n < W; n += LANES) {
      const T value = exists && n < p.head_dim ? from[n * stride] : T{0};
      real[n] = value;
      if (p.paired) imag[n] = value;
    }
  }
}

template <class S, class T>
__device__ inline void store(const Problem<T> &p, int64_t b, const RowTable &r, int row, const Share<S> &share) {
  const int lane = static_cast<int>(threadIdx.x) % LANES;
  RPP_UNROLL
  for (int t = 0; t < S::TILES; t++) {
    RPP_UNROLL
    for (int h = 0; h < 2; h++) {
      float sum = share.sum[t][h];
      sum += __shfl_xor_sync(ALL, sum, 1);
      sum += __shfl_xor_sync(ALL, sum, 2);
      const int at = row + t * 16 + h * 8 + lane / 4;
      const int64_t i = r.query[at], head = r.head[at];
      const bool empty = r.first[at] >= r.last[at];
      if (i < 0) continue; // a row's four lanes alike
      if (p.lse && lane % 4 == 0)
        p.lse[b * p.lse_strides[0] + head * p.lse_strides[1] + i * p.lse_strides[2]] =
            empty ? -INFINITY : fmaf(share.top[t][h], LN_2, logf(sum));
      if (!p.out.data) continue;
      T *out = p.out.row(b, i, head);
      const float factor = 1 / sum;
      RPP_UNROLL
      for (int n = 0; n < S::W / 8; n++) {
        RPP_UNROLL
        for (int e = 0; e < 2; e++) {
          const int c = n * 8 + lane % 4 * 2 + e;
          if (c < p.v_dim) rpp_narrow(empty ? 0 : share.out[t][n][2 * h + e] * factor, out + c * p.out.strides[3]);
        }
      }
    }
  }
}

// ---- The kernel ---------------------------------------------------------------------------------------------------------

template <class T, class S> __global__ void __launch_bounds__(S::THREADS) attention_mma(const Problem<T> p) {
  constexpr int ROWS = S::ROWS;
  const int64_t tile = p.tiles - 1 - blockIdx.x % p.tiles; // under a causal mask the longest go first
  const int64_t kv = blockIdx.x / p.tiles % p.kv_heads, b = blockIdx.x / p.tiles / p.kv_heads;
  const int row = static_cast<int>(threadIdx.x) / LANES * S::WARP_ROWS; // the warp's first
  const RowTable r = row_table<S>();
  T *const q = shared_array<T>(S::Q, ROWS * S::STRIDE);
  T *const ks = shared_array<T>(S::K, 2 * S::KEYS * S::STRIDE), *const vs = shared_array<T>(S::V, 2 * S::KEYS * S::STRIDE);

  fill_row_table<S>(p, tile, kv, r);
  __syncthreads();
  const Span block = span_of(r, 0, ROWS), mine = span_of(r, row, S::WARP_ROWS);
  if (threadIdx.x % LANES == 0) r.spans[threadIdx.x / LANES] = mine;
  const T *const k = p.k.row(b, 0, kv), *const v = p.v.row(b, 0, kv);
  const auto load_tile = [&](int start, int stage) {
    const int rest = block.last - start;
    load_rows<S, S::KEYS>(ks + stage * S::KEYS * S::STRIDE, p.head_dim, p.k.strides[3], p.k_even,
                          [&](int j) { return j < rest ? k + (start + j) * p.k.strides[1] : nullptr; });
    load_rows<S, S::KEYS>(vs + stage * S::KEYS * S::STRIDE, p.v_dim, p.v.strides[3], p.v_even,
                          [&](int j) { return j < rest ? v + (start + j) * p.v.strides[1] : nullptr; });
    cp_async_commit();
  };
  if (block.first < block.last) load_tile(block.first, 0);
  if (p.q_rotated)
    load_rows<S, ROWS>(q, p.head_dim, p.q.strides[3], p.q_even,
                       [&](int j) { return r.query[j] >= 0 ? p.q.row(b, r.query[j], r.head[j]) : nullptr; });
  else
    load_turned<S>(p, b, r, q);

  Share<S> share;
  RPP_UNROLL
  for (int t = 0; t < S::TILES; t++) {
    share.top[t][0] = share.top[t][1] = -INFINITY, share.sum[t][0] = share.sum[t][1] = 0;
    RPP_UNROLL
    for (int n = 0; n < S::W / 8; n++) share.out[t][n][0] = share.out[t][n][1] = share.out[t][n][2] = share.out[t][n][3] = 0;
  }
  for (int start = block.first, stage = 0; start < block.last; start += S::KEYS, stage ^= 1) {
    cp_async_wait_all();
    __syncthreads(); // this stage is there, and nobody reads the other one any more
    if (start + S::KEYS < block.last) load_tile(start + S::KEYS, stage ^ 1);
    const Span &own = r.spans[threadIdx.x / LANES];
    if (start >= own.last || start + S::KEYS <= own.first) continue;
    Scores<S> s;
    score<S>(q + row * S::STRIDE, ks + stage * S::KEYS * S::STRIDE, s);
    scale<S>(p.scale_log2, s);
    if (start < own.all_first || start + S::KEYS > own.all_last) mask<S>(r.first + row, r.last + row, start, s);
    soften<S>(s, share);
    gather<S>(s, vs + stage * S::KEYS * S::STRIDE, share);
  }
  cp_async_wait_all(); // of q, where no key is seen
  store<S>(p, b, r, row, share);
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

// Whether rows begin at multiples of 16 bytes and their columns lie side by side.
bool is_even(const rpp_tensor &t) {
  if (reinterpret_cast<uintptr_t>(data_of<char>(t)) % 16 != 0 || (t.shape[3] > 1 && t.strides[3] != 1)) return false;
  for (int d = 0; d < 3; d++)
    if (t.shape[d] > 1 && t.strides[d] % 8 != 0) return false;
  return true;
}

// Rotated k as it lies in the workspace: rows of whole 16 bytes.
rpp_status rotated_k(const AttentionCall &c, char *data, rpp_tensor *t, size_t *bytes) {
  const rpp_tensor &k = *c.in->k;
  size_t size = 2;
  *t = k;
  t->data = data, t->byte_offset = 0;
  const int64_t counts[] = {k.shape[0], k.shape[1], k.shape[2], (c.head_dim + 7) / 8 * 8};
  for (int d = 3; d >= 0; d--) {
    t->strides[d] = d == 3 ? 1 : static_cast<int64_t>(size / 2);
    if (k.shape[d] > 0 && (__builtin_mul_overflow(size, static_cast<size_t>(counts[d]), &size) || size > SIZE_MAX / 4))
      return fail(RPP_ERROR_OVERFLOW, "k.shape[%d] = %lld: too many elements to be rotated", d, static_cast<long long>(k.shape[d]));
  }
  *bytes = c.attention->k_rotated || elements_of(k) == 0 ? 0 : size;
  return RPP_OK;
}

// A kernel and how it is laid out, for tensors of up to width columns.
template <class T> struct Layout {
  int width, rows, threads;
  size_t shared;
  void (*kernel)(Problem<T>);
};
template <class T, class S> constexpr Layout<T> layout() {
  return {S::W, S::ROWS, S::THREADS, S::BYTES, attention_mma<T, S>};
}

// The first that is wide enough and finds its shared memory on the current device.
template <class T> rpp_status choose(const AttentionCall &c, Layout<T> *chosen) {
  static const Layout<T> layouts[] = {layout<T, Sizes<64, false>>(), layout<T, Sizes<96, false>>(),  layout<T, Sizes<128, false>>(),
                                      layout<T, Sizes<128, true>>(), layout<T, Sizes<256, false>>(), layout<T, Sizes<256, true>>()};
  char report[REPORT];
  size_t limit, least = SIZE_MAX;
  if (!shared_limit(&limit, report)) return fail(RPP_ERROR_DEVICE, "%s", report);
  for (const Layout<T> &one : layouts) {
    if (one.width < c.head_dim || one.width < c.v_dim) continue;
    *chosen = one;
    if (one.shared <= limit) return RPP_OK;
    least = one.shared < least ? one.shared : least;
  }
  return fail(RPP_ERROR_UNSUPPORTED,
              "q.shape[3] = %lld, v.shape[3] = %lld: %zu bytes of shared memory are wanted, the device has %zu",
              static_cast<long long>(c.head_dim), static_cast<long long>(c.v_dim), least, limit);
}

template <class T> rpp_status run(const AttentionCall &c, char *workspace, void *stream) {
  char report[REPORT];
  size_t bytes;
  rpp_tensor k;
  Problem<T> p = {};
  Layout<T> chosen = {};
  if (elements_of(*c.in->q) == 0) return RPP_OK;
  RPP_TRY(choose(c, &chosen));
  static_cast<Attention &>(p) = describe_attention(c, chosen.rows);
  const int64_t blocks = p.tiles * p.kv_heads * c.batch;
  RPP_TRY(fill_attention_tables(c, workspace, stream, &p));
  RPP_TRY(rotated_k(c, workspace + c.q_bytes + c.k_bytes, &k, &bytes));
  if (p.k_rotated)
    k = *c.in->k;
  else
    RPP_TRY(start_rotation(p.pairing, p.k_table, c.in->k, &k, nullptr, stream));
  p.q = rows_of<const T>(c.in->q), p.k = rows_of<const T>(&k), p.v = rows_of<const T>(c.in->v), p.out = rows_of<T>(c.out);
  p.q_even = is_even(*c.in->q), p.k_even = is_even(k), p.v_even = is_even(*c.in->v);
  p.scale_log2 = p.scale * LOG2_E;
  const bool good = launch("attention_mma", chosen.kernel, dim3(static_cast<unsigned>(blocks)),
                           dim3(static_cast<unsigned>(chosen.threads)), chosen.shared, stream, report, p);
  return good ? RPP_OK : fail(RPP_ERROR_DEVICE, "%s", report);
}

rpp_status check(AttentionCall *c, Data data, size_t *need) {
  rpp_tensor k;
  size_t bytes;
  const bool wide = c->in && c->in->q && c->in->q->dtype == RPP_BF16;
  if (c->in && c->in->q && !wide && c->in->q->dtype != RPP_F16)
    return fail(RPP_ERROR_DTYPE, "q.dtype = %s: expected F16 or BF16", rpp_dtype_name(c->in->q->dtype));
  RPP_TRY(check_attention(c, data, wide ? RPP_BF16 : RPP_F16, FEWEST_ROWS));
  if (std::fabs(c->attention->scale) > static_cast<double>(FLT_MAX / LOG2_E))
    return fail(RPP_ERROR_UNSUPPORTED, "scale = %g: must be a normal float32 in base 2 too", c->attention->scale);
  if (c->k_len > INT32_MAX - 256)
    return fail(RPP_ERROR_UNSUPPORTED, "k.shape[1] = %lld: expected less than 2^31 - 256", static_cast<long long>(c->k_len));
  RPP_TRY(rotated_k(*c, nullptr, &k, &bytes));
  *need = c->q_bytes + c->k_bytes + bytes;
  return RPP_OK;
}

} // namespace

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_attention_mma_workspace(const rpp_attention *attention, const rpp_cuda_inputs *inputs,
                                                       const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes) {
  AttentionCall c = {};
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  if (!bytes) return fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  return check(&c, Data::absent, bytes);
}

extern "C" rpp_status rpp_cuda_attention_mma(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                                             const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream) {
  AttentionCall c = {};
  size_t need;
  rpp_tensor scratch;
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  RPP_TRY(check(&c, Data::present, &need));
  RPP_TRY(check_attention_memory(c, workspace, bytes, need, &scratch));
  return c.in->q->dtype == RPP_F16 ? run<rpp_f16>(c, static_cast<char *>(workspace), stream)
                                   : run<rpp_bf16>(c, static_cast<char *>(workspace), stream);
}
