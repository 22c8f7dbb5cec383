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
#include "angles.h"
#include "contracts.h"

#include <cfloat>

namespace RPP_TARGET {

namespace {

constexpr int ROWS = 32, KEYS = RPP_CUDA_ATTENTION_F32_KEYS, PARTS = 4, THREADS = ROWS * PARTS;
constexpr int64_t FAR = int64_t(1) << 58; // further than any length
constexpr unsigned WARP_LANES = 0xffffffff;

struct In {
  const float *data;
  int64_t strides[4];

  __device__ const float *row(int64_t b, int64_t l, int64_t h) const {
    return data + b * strides[0] + l * strides[1] + h * strides[2];
  }
};

struct Cumulative { // (n + 1); null: not packed
  const void *data;
  rpp_cuda_integer type;
  int64_t stride, last;

  __device__ int64_t at(int64_t n) const {
    return type == RPP_CUDA_I32 ? static_cast<const int32_t *>(data)[n * stride] : static_cast<const int64_t *>(data)[n * stride];
  }
};

struct Problem {
  int64_t q_len, k_len, kv_heads, group, tiles; // group: output heads of a KV head; tiles: of a KV head's rows
  int head_dim, v_dim;
  bool paired, q_rotated, k_rotated; // paired: odd output heads are imaginary
  rpp_pairing pairing;
  float scale;
  int64_t end, begin; // query i sees keys i + begin .. i + end - 1
  AngleTable q_table, k_table;
  Cumulative cu_q, cu_k;
  In q, k, v;
  float *out, *lse; // null: not wanted
  int64_t out_strides[4], lse_strides[3];
};

struct Shared {
  int64_t *first, *last;
  float *q, *k, *v, *p;
};

constexpr size_t RANGE_BYTES = 2 * ROWS * sizeof(int64_t);
__host__ __device__ inline size_t floats_of(int d, int dv) {
  return static_cast<size_t>((ROWS + KEYS) * (d + 1) + KEYS * dv + ROWS * (KEYS + 1));
}

__device__ inline int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

// The keys that query i sees, *first .. *last - 1.
__device__ inline void visible(const Problem &p, int64_t i, int64_t *first, int64_t *last) {
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

// The larger one; NaN when either is.
__device__ inline float larger(float a, float b) {
  return a != a || a > b ? a : b;
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
__global__ void __launch_bounds__(THREADS) attention_f32(Problem p) {
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
  if (!p.out) return;
  float *out = p.out + b * p.out_strides[0] + i * p.out_strides[1] + head * p.out_strides[2];
  RPP_UNROLL
  for (int c = 0; c < COLUMNS; c++)
    if (part + c * PARTS < dv) out[(part + c * PARTS) * p.out_strides[3]] = empty ? 0 : acc[c] / l;
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

struct Call {
  const rpp_attention *attention;
  const rpp_cuda_inputs *in;
  const rpp_tensor *out, *lse;
  rpp_head_counts counts;
  int64_t batch, q_len, k_len, head_dim, v_dim;
  size_t q_bytes, k_bytes; // of their tables
};

rpp_status check_description(const rpp_attention *a, rpp_head_counts *counts) {
  if (!a) return fail(RPP_ERROR_NULL, "attention = null: a description is required");
  if (rpp_attention_heads(a, counts) != RPP_OK) return fail(RPP_ERROR_VALUE, "%s", rpp_error_message());
  if (a->mask < RPP_MASK_CAUSAL || a->mask > RPP_MASK_WINDOW)
    return fail(RPP_ERROR_VALUE, "mask = %d: unknown", static_cast<int>(a->mask));
  if (a->mask == RPP_MASK_WINDOW && a->window < 1)
    return fail(RPP_ERROR_VALUE, "window = %lld: must be at least 1", static_cast<long long>(a->window));
  if (!std::isfinite(a->scale)) return fail(RPP_ERROR_VALUE, "scale = %g: must be finite", a->scale);
  const double scale = std::fabs(a->scale);
  if (scale > static_cast<double>(FLT_MAX) || (scale > 0 && scale < static_cast<double>(FLT_MIN)))
    return fail(RPP_ERROR_UNSUPPORTED, "scale = %g: not a normal float32", a->scale);
  return RPP_OK;
}

rpp_status check_table(Call *c, Data data) {
  const rpp_rotary *r = &c->attention->rotary;
  c->q_bytes = c->k_bytes = 0;
  if (c->attention->q_rotated && c->attention->k_rotated) return RPP_OK;
  if (r->pairing != RPP_PAIRING_INTERLEAVED && r->pairing != RPP_PAIRING_HALF)
    return fail(RPP_ERROR_VALUE, "pairing = %d: unknown", static_cast<int>(r->pairing));
  if (r->rotary_dim > c->head_dim)
    return fail(RPP_ERROR_VALUE, "rotary_dim = %lld: must not pass the head width %lld", static_cast<long long>(r->rotary_dim),
                static_cast<long long>(c->head_dim));
  if (!c->attention->q_rotated) {
    RPP_TRY(check_positions("pos_q", c->in->pos_q, data, c->batch, c->q_len));
    RPP_TRY(angle_table_bytes(r, c->in->pos_q, &c->q_bytes));
  }
  if (!c->attention->k_rotated) {
    RPP_TRY(check_positions("pos_k", c->in->pos_k, data, c->batch, c->k_len));
    RPP_TRY(angle_table_bytes(r, c->in->pos_k, &c->k_bytes));
  }
  return RPP_OK;
}

rpp_status check_packing(const Call &c, Data data) {
  const rpp_cuda_integers *q = c.in->cu_q, *k = c.in->cu_k;
  if (!q && !k) return RPP_OK;
  if (!q || !k) return fail(RPP_ERROR_NULL, "%s = null: cu_q and cu_k are given together", q ? "cu_k" : "cu_q");
  RPP_TRY(check_integers("cu_q", q, data, -1));
  RPP_TRY(check_integers("cu_k", k, data, q->shape[0]));
  if (q->shape[0] < 2)
    return fail(RPP_ERROR_SHAPE, "cu_q.shape[0] = %lld: expected at least 2", static_cast<long long>(q->shape[0]));
  return RPP_OK;
}

rpp_status check(Call *c, Data data) {
  RPP_TRY(check_description(c->attention, &c->counts));
  if (!c->in) return fail(RPP_ERROR_NULL, "inputs = null: tensors are required");
  int64_t shape[] = {-1, -1, c->attention->q_rotated ? c->counts.output : c->counts.projected, -1};
  RPP_TRY(check_tensor("q", c->in->q, data, RPP_F32, 4, shape));
  c->batch = c->in->q->shape[0], c->q_len = c->in->q->shape[1], c->head_dim = c->in->q->shape[3];
  if (c->head_dim < 1 || c->head_dim > 256)
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->head_dim));
  shape[0] = c->batch, shape[2] = c->counts.kv, shape[3] = c->head_dim;
  RPP_TRY(check_tensor("k", c->in->k, data, RPP_F32, 4, shape));
  c->k_len = shape[1] = c->in->k->shape[1], shape[3] = -1;
  RPP_TRY(check_tensor("v", c->in->v, data, RPP_F32, 4, shape));
  c->v_dim = c->in->v->shape[3];
  if (c->v_dim < 1 || c->v_dim > 256)
    return fail(RPP_ERROR_UNSUPPORTED, "v.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->v_dim));
  RPP_TRY(check_table(c, data));
  RPP_TRY(check_packing(*c, data));
  if (!c->out && !c->lse) return fail(RPP_ERROR_NULL, "out = null: out, lse or both are required");
  const int64_t out[] = {c->batch, c->q_len, c->counts.output, c->v_dim}, lse[] = {c->batch, c->counts.output, c->q_len};
  if (c->out) RPP_TRY(check_tensor("out", c->out, data, RPP_F32, 4, out));
  if (c->lse) RPP_TRY(check_tensor("lse", c->lse, data, RPP_F32, 3, lse));
  const double rows = static_cast<double>(c->q_len) * static_cast<double>(c->counts.output / c->counts.kv) / ROWS + 1;
  const double blocks = rows * static_cast<double>(c->counts.kv) * static_cast<double>(c->batch);
  if (!(blocks < 0x1p31 - 1))
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[1] = %lld: more than 2^31 - 1 blocks", static_cast<long long>(c->q_len));
  return RPP_OK;
}

rpp_status check_memory(const Call &c, void *workspace, size_t bytes, rpp_tensor *scratch) {
  RPP_TRY(check_workspace(workspace, bytes, c.q_bytes + c.k_bytes, scratch));
  rpp_tensor integers[4] = {};
  const rpp_cuda_integers *given[] = {c.q_bytes ? c.in->pos_q : nullptr, c.k_bytes ? c.in->pos_k : nullptr, c.in->cu_q, c.in->cu_k};
  for (int n = 0; n < 4; n++)
    if (given[n]) integers[n] = bytes_of(given[n]);
  const Named inputs[] = {{"q", c.in->q},
                          {"k", c.in->k},
                          {"v", c.in->v},
                          {"pos_q", given[0] ? &integers[0] : nullptr},
                          {"pos_k", given[1] ? &integers[1] : nullptr},
                          {"cu_q", given[2] ? &integers[2] : nullptr},
                          {"cu_k", given[3] ? &integers[3] : nullptr},
                          {"lse", nullptr}};
  Named others[8];
  for (int n = 0; n < 8; n++) others[n] = inputs[n];
  if (scratch->shape[0] > 0) RPP_TRY(check_output("workspace", scratch, 7, others));
  others[7] = {"workspace", scratch->shape[0] > 0 ? scratch : nullptr};
  if (c.lse) RPP_TRY(check_output("lse", c.lse, 8, others));
  if (c.out) RPP_TRY(check_output("out", c.out, 8, others));
  if (c.out && c.lse && rpp_tensors_overlap(c.out, c.lse))
    return fail(RPP_ERROR_OVERLAP, "out.data = %p: overlaps lse", c.out->data);
  return RPP_OK;
}

In input_of(const rpp_tensor *t) {
  return {data_of<const float>(*t), {t->strides[0], t->strides[1], t->strides[2], t->strides[3]}};
}

Cumulative cumulative_of(const rpp_cuda_integers *t) {
  return t ? Cumulative{t->data, t->type, t->strides[0], t->shape[0] - 1} : Cumulative{nullptr, RPP_CUDA_I64, 0, 0};
}

// x + y - z, never further than FAR.
int64_t near(int64_t x, int64_t y, int64_t z) {
  __extension__ typedef __int128 wide;
  const wide sum = static_cast<wide>(x) + y - z;
  return sum < -FAR ? -FAR : sum > FAR ? FAR : static_cast<int64_t>(sum);
}

void describe(const Call &c, Problem *p) {
  const rpp_attention *a = c.attention;
  p->q_len = c.q_len, p->k_len = c.k_len, p->kv_heads = c.counts.kv, p->group = c.counts.output / c.counts.kv;
  p->tiles = (c.q_len * p->group + ROWS - 1) / ROWS;
  p->head_dim = static_cast<int>(c.head_dim), p->v_dim = static_cast<int>(c.v_dim);
  p->paired = a->mode != RPP_MODE_ROPE, p->q_rotated = a->q_rotated, p->k_rotated = a->k_rotated;
  p->pairing = a->rotary.pairing;
  p->scale = static_cast<float>(a->scale);
  p->end = a->mask == RPP_MASK_FULL ? FAR : near(a->causal_offset, 1, 0);
  p->begin = a->mask == RPP_MASK_WINDOW ? near(a->causal_offset, 1, a->window) : -FAR;
  p->cu_q = cumulative_of(c.in->cu_q), p->cu_k = cumulative_of(c.in->cu_k);
  p->q = input_of(c.in->q), p->k = input_of(c.in->k), p->v = input_of(c.in->v);
  if (c.out) p->out = data_of<float>(*c.out);
  if (c.lse) p->lse = data_of<float>(*c.lse);
  for (int n = 0; c.out && n < 4; n++) p->out_strides[n] = c.out->strides[n];
  for (int n = 0; c.lse && n < 3; n++) p->lse_strides[n] = c.lse->strides[n];
}

rpp_status run(const Call &c, char *workspace, void *stream) {
  const rpp_rotary *rotary = &c.attention->rotary;
  char report[REPORT];
  Problem p = {};
  describe(c, &p);
  const int64_t blocks = p.tiles * p.kv_heads * c.batch;
  if (blocks == 0) return RPP_OK;
  if (!p.q_rotated) RPP_TRY(angle_table_fill(rotary, c.in->pos_q, workspace, stream, &p.q_table));
  if (!p.k_rotated) RPP_TRY(angle_table_fill(rotary, c.in->pos_k, workspace + c.q_bytes, stream, &p.k_table));
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
  Call c = {};
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  if (!bytes) return fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  RPP_TRY(check(&c, Data::absent));
  *bytes = c.q_bytes + c.k_bytes;
  return RPP_OK;
}

extern "C" rpp_status rpp_cuda_attention_f32(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                                             const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream) {
  Call c = {};
  rpp_tensor scratch;
  c.attention = attention, c.in = inputs, c.out = out, c.lse = lse;
  RPP_TRY(check(&c, Data::present));
  RPP_TRY(check_memory(c, workspace, bytes, &scratch));
  return run(c, static_cast<char *>(workspace), stream);
}
