// decode.cu: attention of a few queries over a cache: checks, how keys are divided among blocks, and the kernel that puts parts together
// (eq. 9 to 11, 14). The kernels that attend: decode_f32.cu, decode_mma.cu.
//
// The count of splits follows from shapes and the device alone (splits_for), so that results do not depend on lengths in device memory, and
// the workspace is known beforehand. Each block divides the keys that its rows do see by it: for a short sequence the last splits are empty.
// A part is (maximum, sum, Dv weighted sums) of a row in float32; of an empty one only the maximum, -inf, is written and read.
//
// Workspace: cosines and sines of pos_q; then, for splits above 1, (rows, splits, Dv) sums and (rows, splits, 2) maxima and sums, where
// rows are B K (Lq O / K), each row's splits side by side. combine: a warp a row, 128 threads, no shared memory, parts in order.
#include "decode.h"

namespace RPP_TARGET {

namespace {

template <class T> __global__ void __launch_bounds__(DECODE_THREADS) combine(const DecodeProblem<T> p, int64_t rows) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * DECODE_WARPS + threadIdx.x / 32, items = p.q_len * p.group;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (row >= rows) return;
  const float *stats = p.part_stats + 2 * row * p.splits, *parts = p.parts + row * p.splits * p.v_dim;
  float top = -INFINITY, sum = 0;
  for (int n = 0; n < p.splits; n++) top = larger(top, stats[2 * n]);
  for (int n = 0; n < p.splits; n++)
    if (stats[2 * n] != -INFINITY) sum += exp2_approx((stats[2 * n] - top) * LOG2_E) * stats[2 * n + 1];
  const Destination<T> to = final_row(p, row / items / p.kv_heads, row / items % p.kv_heads, row % items, top, sum, lane == 0);
  for (int c = lane; c < p.v_dim; c += 32) {
    float x = 0;
    for (int n = 0; n < p.splits; n++)
      if (stats[2 * n] != -INFINITY) x += exp2_approx((stats[2 * n] - top) * LOG2_E) * parts[n * p.v_dim + c];
    to.put(c, x);
  }
}

// ---- Host ---------------------------------------------------------------------------------------------------------------

struct DecodeCall : AttentionCall {
  const rpp_cuda_decode_inputs *given;
  rpp_cuda_inputs tensors; // what the checks of attention look at
  rpp_dtype dtype;
  int64_t rows; // of out, of all heads
  int block_rows, splits;
  size_t parts, stats, need, shared; // bytes; shared: of a block's shared memory
};

int64_t up_to_16(int64_t bytes) {
  return (bytes + 15) / 16 * 16;
}

// The fewest parts with which the last wave of blocks leaves the device nearly as full as the best count does: a block costs as much as its
// keys, and what a wave leaves idle is lost. At least BLOCK_KEYS keys a part.
int splits_for(double blocks, double places, int64_t capacity) {
  const int64_t tiles = (capacity + BLOCK_KEYS - 1) / BLOCK_KEYS;
  const int most = static_cast<int>(tiles < RPP_CUDA_DECODE_SPLITS ? tiles : RPP_CUDA_DECODE_SPLITS);
  const auto full = [=](int splits) {
    const double waves = blocks * splits / places;
    return waves / std::ceil(waves);
  };
  double best = 0;
  for (int n = 1; n <= most; n++) best = full(n) > best ? full(n) : best;
  for (int n = 1; n < most; n++)
    if (full(n) >= 0.95 * best) return n;
  return most > 1 ? most : 1;
}

rpp_status check_sizes(DecodeCall *c) {
  char report[REPORT];
  const int width = static_cast<int>(c->head_dim > c->v_dim ? c->head_dim : c->v_dim);
  const int64_t items = c->q_len * (c->counts.output / c->counts.kv);
  const bool f32 = c->dtype == RPP_F32;
  const DecodeBlocks blocks = f32 ? decode_f32_blocks() : decode_mma_blocks(width, items);
  const double count =
      std::ceil(static_cast<double>(items) / blocks.rows) * static_cast<double>(c->counts.kv) * static_cast<double>(c->batch);
  int processors;
  size_t limit;
  if (!(count * RPP_CUDA_DECODE_SPLITS < 0x1p31 - 1))
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[0] = %lld: more than 2^31 - 1 blocks", static_cast<long long>(c->batch));
  if (!multiprocessors(&processors, report) || !shared_limit(&limit, report)) return fail(RPP_ERROR_DEVICE, "%s", report);
  c->shared =
      f32 ? decode_f32_shared(static_cast<int>(c->head_dim), static_cast<int>(c->v_dim)) : decode_mma_shared(width, items, limit);
  if (c->shared > limit)
    return fail(RPP_ERROR_UNSUPPORTED,
                "q.shape[3] = %lld, v.shape[3] = %lld: %zu bytes of shared memory are wanted, the device has %zu",
                static_cast<long long>(c->head_dim), static_cast<long long>(c->v_dim), c->shared, limit);
  c->block_rows = blocks.rows, c->rows = c->batch * c->counts.kv * items;
  c->splits = count > 0 ? splits_for(count, static_cast<double>(processors) * blocks.resident, c->k_len) : 1;
  const int64_t parts = c->splits > 1 ? c->rows * c->splits : 0, float_bytes = sizeof(float);
  c->parts = static_cast<size_t>(up_to_16(parts * c->v_dim * float_bytes));
  c->stats = static_cast<size_t>(up_to_16(parts * 2 * float_bytes));
  c->need = c->q_bytes + c->parts + c->stats;
  return RPP_OK;
}

rpp_status check_results(const DecodeCall &c, Data data) {
  if (!c.out && !c.lse) return fail(RPP_ERROR_NULL, "out = null: out, lse or both are required");
  const int64_t out[] = {c.batch, c.q_len, c.counts.output, c.v_dim}, lse[] = {c.batch, c.counts.output, c.q_len};
  if (c.out) RPP_TRY(check_tensor("out", c.out, data, c.dtype, 4, out));
  if (c.lse) RPP_TRY(check_tensor("lse", c.lse, data, RPP_F32, 3, lse));
  return RPP_OK;
}

rpp_status check(DecodeCall *c, Data data) {
  RPP_TRY(check_description(c->attention, &c->counts));
  if (!c->attention->k_rotated) return fail(RPP_ERROR_UNSUPPORTED, "k_rotated = false: a cache holds rotated keys");
  if (!c->given) return fail(RPP_ERROR_NULL, "inputs = null: tensors are required");
  const rpp_tensor *q = c->given->q;
  if (!q) return fail(RPP_ERROR_NULL, "q = null: a tensor is required");
  if (q->dtype != RPP_F32 && q->dtype != RPP_F16 && q->dtype != RPP_BF16)
    return fail(RPP_ERROR_DTYPE, "q.dtype = %s: expected F32, F16 or BF16", rpp_dtype_name(q->dtype));
  const int64_t shape[] = {-1, -1, c->attention->q_rotated ? c->counts.output : c->counts.projected, -1};
  c->dtype = q->dtype;
  RPP_TRY(check_tensor("q", q, data, c->dtype, 4, shape));
  c->batch = q->shape[0], c->q_len = q->shape[1], c->head_dim = q->shape[3];
  if (c->q_len > MAX_QUERIES)
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[1] = %lld: expected at most 8", static_cast<long long>(c->q_len));
  if (c->head_dim < 1 || c->head_dim > MAX_WIDTH)
    return fail(RPP_ERROR_UNSUPPORTED, "q.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->head_dim));
  RPP_TRY(check_cache(&c->given->cache, data, c->dtype, c->batch, c->counts.kv, &c->k_len));
  if (c->given->cache.k->shape[3] != c->head_dim)
    return fail(RPP_ERROR_SHAPE, "k.shape[3] = %lld: expected %lld", static_cast<long long>(c->given->cache.k->shape[3]),
                static_cast<long long>(c->head_dim));
  c->v_dim = c->given->cache.v->shape[3];
  if (c->v_dim < 1 || c->v_dim > MAX_WIDTH)
    return fail(RPP_ERROR_UNSUPPORTED, "v.shape[3] = %lld: expected a width of 1 to 256", static_cast<long long>(c->v_dim));
  c->tensors = {q, c->given->cache.k, c->given->cache.v, c->given->pos_q, nullptr, nullptr, nullptr};
  c->in = &c->tensors;
  RPP_TRY(check_tables(c, data));
  if (c->given->lengths) RPP_TRY(check_integers("lengths", c->given->lengths, data, c->batch));
  RPP_TRY(check_results(*c, data));
  return check_sizes(c);
}

rpp_status check_memory(const DecodeCall &c, void *workspace, size_t bytes) {
  rpp_tensor scratch, lengths, pages;
  RPP_TRY(check_attention_memory(c, workspace, bytes, c.need, &scratch));
  if (c.given->lengths) lengths = bytes_of(c.given->lengths);
  if (c.given->cache.page_table) pages = bytes_of(c.given->cache.page_table);
  const Named others[] = {{"lengths", c.given->lengths ? &lengths : nullptr},
                          {"page_table", c.given->cache.page_table ? &pages : nullptr}};
  if (c.need > 0) RPP_TRY(check_output("workspace", &scratch, 2, others));
  if (c.lse) RPP_TRY(check_output("lse", c.lse, 2, others));
  return c.out ? check_output("out", c.out, 2, others) : RPP_OK;
}

// Whether every row of width elements can be copied by 16 bytes.
bool is_even(const rpp_tensor &t) {
  const auto step = static_cast<int64_t>(16 / rpp_dtype_size(t.dtype));
  bool even =
      t.shape[3] % step == 0 && (t.strides[3] == 1 || t.shape[3] == 1) && reinterpret_cast<uintptr_t>(data_of<char>(t)) % 16 == 0;
  for (int d = 0; d < 3; d++) even = even && (t.shape[d] <= 1 || t.strides[d] % step == 0);
  return even;
}

bool start(const DecodeProblem<float> &p, size_t, unsigned blocks, void *stream, char *report) {
  return start_decode_f32(p, blocks, stream, report);
}
template <class T> bool start(const DecodeProblem<T> &p, size_t shared, unsigned blocks, void *stream, char *report) {
  return start_decode_mma(p, shared, blocks, stream, report);
}

template <class T> rpp_status run(const DecodeCall &c, char *workspace, void *stream) {
  char report[REPORT];
  DecodeProblem<T> p = {};
  const rpp_cuda_cache &cache = c.given->cache;
  const rpp_cuda_integers *lengths = c.given->lengths;
  static_cast<Attention &>(p) = describe_attention(c, c.block_rows);
  p.splits = c.splits;
  const int64_t blocks = p.tiles * p.splits * p.kv_heads * c.batch;
  if (blocks == 0) return RPP_OK;
  if (lengths) p.lengths = {lengths->data, lengths->type, lengths->strides[0], 0};
  p.pages = page_table_of(cache);
  p.parts = reinterpret_cast<float *>(workspace + c.q_bytes), p.part_stats = p.parts + c.parts / sizeof(float);
  p.q = rows_of<const T>(c.given->q), p.k = rows_of<const T>(cache.k), p.v = rows_of<const T>(cache.v), p.out = rows_of<T>(c.out);
  p.even = is_even(*cache.k) && is_even(*cache.v);
  RPP_TRY(fill_attention_tables(c, workspace, stream, &p));
  if (!start(p, c.shared, static_cast<unsigned>(blocks), stream, report)) return fail(RPP_ERROR_DEVICE, "%s", report);
  if (p.splits == 1) return RPP_OK;
  const auto combining = static_cast<unsigned>((c.rows + DECODE_WARPS - 1) / DECODE_WARPS);
  if (!launch("combine", combine<T>, dim3(combining), dim3(DECODE_THREADS), 0, stream, report, p, c.rows))
    return fail(RPP_ERROR_DEVICE, "%s", report);
  return RPP_OK;
}

} // namespace

rpp_status check_cache(const rpp_cuda_cache *cache, Data data, rpp_dtype dtype, int64_t batch, int64_t kv_heads,
                       int64_t *capacity) {
  const rpp_cuda_integers *pages = cache->page_table;
  int64_t shape[] = {pages ? -1 : batch, -1, kv_heads, -1};
  RPP_TRY(check_tensor("cache.k", cache->k, data, dtype, 4, shape));
  shape[0] = cache->k->shape[0], shape[1] = *capacity = cache->k->shape[1];
  RPP_TRY(check_tensor("cache.v", cache->v, data, dtype, 4, shape));
  if (pages) {
    if (pages->ndim != 2) return fail(RPP_ERROR_SHAPE, "page_table.ndim = %d: expected 2", pages->ndim);
    RPP_TRY(check_positions("page_table", pages, data, batch, pages->shape[1]));
    if (shape[1] < 1) return fail(RPP_ERROR_SHAPE, "cache.k.shape[1] = 0: a page has at least one token");
    if (__builtin_mul_overflow(shape[1], pages->shape[1], capacity)) *capacity = INT64_MAX;
  }
  if (*capacity > MAX_CAPACITY || shape[1] > MAX_CAPACITY)
    return fail(RPP_ERROR_UNSUPPORTED, "cache.k.shape[1] = %lld: a sequence has room for more than 2^30 tokens",
                static_cast<long long>(shape[1]));
  return RPP_OK;
}

PageTable page_table_of(const rpp_cuda_cache &cache) {
  const rpp_cuda_integers *t = cache.page_table;
  if (!t) return {};
  return {t->data, t->type, {t->strides[0], t->strides[1]}, static_cast<unsigned>(cache.k->shape[1])};
}

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_decode_workspace(const rpp_attention *attention, const rpp_cuda_decode_inputs *inputs,
                                                const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes) {
  DecodeCall c = {};
  c.attention = attention, c.given = inputs, c.out = out, c.lse = lse;
  if (!bytes) return fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  RPP_TRY(check(&c, Data::absent));
  *bytes = c.need;
  return RPP_OK;
}

extern "C" rpp_status rpp_cuda_decode(const rpp_attention *attention, const rpp_cuda_decode_inputs *inputs, const rpp_tensor *out,
                                      const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream) {
  DecodeCall c = {};
  c.attention = attention, c.given = inputs, c.out = out, c.lse = lse;
  RPP_TRY(check(&c, Data::present));
  RPP_TRY(check_memory(c, workspace, bytes));
  return c.dtype == RPP_F32   ? run<float>(c, static_cast<char *>(workspace), stream)
         : c.dtype == RPP_F16 ? run<rpp_f16>(c, static_cast<char *>(workspace), stream)
                              : run<rpp_bf16>(c, static_cast<char *>(workspace), stream);
}
