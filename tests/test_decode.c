/* decode.cu, decode_f32.cu, decode_mma.cu, kv_append.cu: what fuzz does not draw: generation step by step with lengths that differ, pages, empty
 * sequences, splits, awkward strides, refusals. */
#include <math.h>

#include "cache_store.h"
#include "contracts.h"

static rpp_contract contract_of(rpp_dtype dtype) {
  const rpp_contract f32 = RPP_CUDA_DECODE_F32_CONTRACT, mma = RPP_CUDA_DECODE_MMA_CONTRACT(dtype);
  return dtype == RPP_F32 ? f32 : mma;
}

static void decode(const rpp_attention *attention, const rpp_cuda_decode_inputs *inputs, const rpp_tensor *out,
                   const rpp_tensor *lse, size_t *bytes) {
  size_t need;
  store_accepted(rpp_cuda_decode_workspace(attention, inputs, out, lse, &need));
  if (bytes) *bytes = need;
  store_accepted(rpp_cuda_decode(attention, inputs, out, lse, need > 0 ? store_room(need) : NULL, need, NULL));
}

static void same_bytes(const rpp_tensor *a, const rpp_tensor *b) {
  size_t bytes = rpp_dtype_size(a->dtype);
  for (int d = 0; d < a->ndim; d++) bytes *= (size_t)a->shape[d];
  ck_assert_int_eq(memcmp(a->data, b->data, bytes), 0);
}

/* Every element of got[...] against expected and bound, F64, of the same shape. */
static void within(const rpp_tensor *got, const rpp_tensor *expected, const rpp_tensor *bound) {
  int64_t at[RPP_MAX_DIMS] = {0}, count = 1;
  for (int d = 0; d < got->ndim; d++) count *= got->shape[d];
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i;
    for (int d = got->ndim - 1; d >= 0; d--) at[d] = rest % got->shape[d], rest /= got->shape[d];
    const double g = rpp_tensor_get(got, at), e = rpp_tensor_get(expected, at), most = rpp_tensor_get(bound, at);
    ck_assert_msg(g == e || fabs(g - e) <= most, "%g, expected %g within %g", g, e, most);
  }
}

/* Sequence b alone against the truth: its first length keys are k and v, raw, at positions 100 b + n. */
static void agrees(const rpp_attention *attention, int64_t b, int64_t length, const rpp_tensor *q, const rpp_tensor *k,
                   const rpp_tensor *v, const rpp_tensor *out, const rpp_tensor *lse) {
  static int64_t positions[MOST_KEYS];
  const int64_t queries = q->shape[1];
  const rpp_contract contract = contract_of(q->dtype);
  rpp_attention raw = *attention;
  rpp_tensor q1, k1, v1, out1, lse1, pos, pos_q, t[4];
  raw.k_rotated = false, raw.causal_offset += length - queries;
  for (int64_t n = 0; n < MOST_KEYS; n++) positions[n] = 100 * b + n;
  support_accepted(rpp_tensor_slice(q, 0, b, 1, 1, &q1));
  support_accepted(rpp_tensor_slice(k, 0, b, 1, 1, &k1));
  support_accepted(rpp_tensor_slice(v, 0, b, 1, 1, &v1));
  support_accepted(rpp_tensor_slice(&k1, 1, 0, length, 1, &k1));
  support_accepted(rpp_tensor_slice(&v1, 1, 0, length, 1, &v1));
  support_accepted(rpp_tensor_slice(out, 0, b, 1, 1, &out1));
  support_accepted(rpp_tensor_slice(lse, 0, b, 1, 1, &lse1));
  support_accepted(rpp_tensor_contiguous(positions, RPP_I64, 1, &length, &pos));
  support_accepted(rpp_tensor_slice(&pos, 0, length - queries, queries, 1, &pos_q));
  for (int n = 0; n < 2; n++) t[n] = TENSOR(RPP_F64, 1, queries, OUTPUT, DV), t[2 + n] = TENSOR(RPP_F64, 1, OUTPUT, queries);
  const rpp_attention_inputs inputs = {.q = &q1, .k = &k1, .v = &v1, .pos_q = &pos_q, .pos_k = &pos};
  support_accepted(rpp_attention_bound(&raw, &inputs, &contract, NULL,
                                       &(rpp_bounded){.out = &t[0], .lse = &t[2], .out_bound = &t[1], .lse_bound = &t[3]}));
  within(&out1, &t[0], &t[1]);
  within(&lse1, &t[2], &t[3]);
}

/* What of k or v is sequence b alone, as store_append lays it. */
static rpp_tensor lagging(const rpp_tensor *t, int64_t lag, int64_t b) {
  rpp_tensor view;
  support_accepted(rpp_tensor_slice(t, 1, b * lag, t->shape[1] - b * lag, 1, &view));
  return view;
}

/* ---- Tests -------------------------------------------------------------------------------------------------------------- */

static const rpp_dtype types[] = {RPP_F32, RPP_F16, RPP_BF16};

/* A prompt, then steps of 1 to 8 tokens; sequence 1 is 7 tokens shorter than sequence 0. */
static void generates(rpp_dtype dtype, int64_t page_size, rpp_mask mask) {
  enum { LAG = 7, PROMPT = 40 };
  const rpp_attention attention = store_attention(mask);
  const rpp_tensor k = TENSOR(dtype, B, MOST_KEYS, KV, D), v = TENSOR(dtype, B, MOST_KEYS, KV, DV);
  store s;
  store_fill(&k, 1), store_fill(&v, 2);
  store_of(dtype, MOST_KEYS, page_size, &s);
  store_append(&s, &k, &v, 0, PROMPT, LAG); /* slots below 0 are left out */
  const size_t mark = store_mark();
  for (int64_t length = PROMPT, step = 1; length + step <= MOST_KEYS; length += step, step = step % 8 + 1) {
    int32_t lengths[B];
    int64_t positions[B * 8];
    store_restart(mark);
    store_append(&s, &k, &v, length, step, LAG);
    const rpp_tensor q = TENSOR(dtype, B, step, PROJECTED, D), out = TENSOR(dtype, B, step, OUTPUT, DV),
                     lse = TENSOR(RPP_F32, B, OUTPUT, step);
    store_fill(&q, (uint64_t)length);
    for (int64_t b = 0; b < B; b++) {
      lengths[b] = (int32_t)(length + step - LAG * b);
      for (int64_t n = 0; n < step; n++) positions[b * step + n] = 100 * b + lengths[b] - step + n;
    }
    const rpp_cuda_integers pos_q = {positions, RPP_CUDA_I64, 2, {B, step}, {step, 1}},
                            counts = {lengths, RPP_CUDA_I32, 1, {B}, {1}};
    const rpp_cuda_decode_inputs inputs = {&q, s.cache, &pos_q, &counts};
    decode(&attention, &inputs, &out, &lse, NULL);
    for (int64_t b = 0; b < B; b++) {
      const rpp_tensor own_k = lagging(&k, LAG, b), own_v = lagging(&v, LAG, b);
      agrees(&attention, b, lengths[b], &q, &own_k, &own_v, &out, &lse);
    }
  }
}

START_TEST(step_by_step) {
  const int64_t page_sizes[] = {0, 5, 64};
  generates(types[_i % 3], page_sizes[_i / 3], _i % 2 == 0 ? RPP_MASK_CAUSAL : RPP_MASK_WINDOW);
}
END_TEST

/* One decode of 2 queries; raw q at positions 0 and 1. */
typedef struct {
  rpp_tensor q, out, lse;
  size_t bytes;
} result;

static result run(const rpp_attention *attention, rpp_dtype dtype, const rpp_cuda_cache *cache, const rpp_cuda_integers *lengths) {
  static const int32_t positions[] = {0, 1};
  const rpp_cuda_integers pos_q = {positions, RPP_CUDA_I32, 1, {2}, {1}};
  result r = {.q = TENSOR(dtype, B, 2, PROJECTED, D), .out = TENSOR(dtype, B, 2, OUTPUT, DV), .lse = TENSOR(RPP_F32, B, OUTPUT, 2)};
  store_fill(&r.q, 5);
  const rpp_cuda_decode_inputs inputs = {&r.q, *cache, &pos_q, lengths};
  decode(attention, &inputs, &r.out, &r.lse, &r.bytes);
  return r;
}

/* Pages of any size, a cache of just the keys, awkward strides, int32 and int64 lengths: the same bits. */
START_TEST(the_same_bits) {
  const rpp_dtype dtype = types[_i];
  const int32_t narrow[] = {130, 97};
  const int64_t wide[] = {130, 0, 97}, page_sizes[] = {0, 1, 7, 16, 133};
  const rpp_cuda_integers lengths = {narrow, RPP_CUDA_I32, 1, {B}, {1}}, longs = {wide, RPP_CUDA_I64, 1, {B}, {2}};
  const rpp_attention attention = store_attention(RPP_MASK_CAUSAL);
  const rpp_tensor k = TENSOR(dtype, B, MOST_KEYS, KV, D), v = TENSOR(dtype, B, MOST_KEYS, KV, DV);
  result expected;
  store_fill(&k, 1), store_fill(&v, 2);
  for (size_t n = 0; n < sizeof page_sizes / sizeof *page_sizes; n++) {
    store s;
    store_of(dtype, 133, page_sizes[n], &s);
    store_append(&s, &k, &v, 0, 133, 0);
    const result r = run(&attention, dtype, &s.cache, n % 2 == 0 ? &lengths : &longs);
    if (n == 0) expected = r;
    same_bytes(&r.out, &expected.out);
    same_bytes(&r.lse, &expected.lse);
  }
  store s; /* an element between any two */
  store_of(dtype, 133, 0, &s);
  const rpp_tensor wide_k = TENSOR(dtype, B, 133, KV, 2 * D), wide_v = TENSOR(dtype, B, 133, KV, 2 * DV + 1);
  support_accepted(rpp_tensor_slice(&wide_k, 3, 1, D, 2, &s.k));
  support_accepted(rpp_tensor_slice(&wide_v, 3, 0, DV, 2, &s.v));
  store_append(&s, &k, &v, 0, 133, 0);
  const result r = run(&attention, dtype, &s.cache, &lengths);
  same_bytes(&r.out, &expected.out);
  same_bytes(&r.lse, &expected.lse);
}
END_TEST

/* Room for far more keys than there are makes many splits, most of them empty. */
START_TEST(empty_splits_change_nothing) {
  const rpp_dtype dtype = types[_i];
  const int64_t lengths[] = {64, 3};
  const rpp_cuda_integers counts = {lengths, RPP_CUDA_I64, 1, {B}, {1}};
  const rpp_attention attention = store_attention(RPP_MASK_FULL);
  result r[2];
  const rpp_tensor k = TENSOR(dtype, B, MOST_KEYS, KV, D), v = TENSOR(dtype, B, MOST_KEYS, KV, DV);
  store_fill(&k, 1), store_fill(&v, 2);
  for (int n = 0; n < 2; n++) {
    store s;
    store_of(dtype, n == 0 ? 64 : 2048, 0, &s);
    store_append(&s, &k, &v, 0, 64, 0);
    r[n] = run(&attention, dtype, &s.cache, &counts);
  }
  ck_assert_uint_gt(r[1].bytes, r[0].bytes + 30 * B * OUTPUT * 2 * DV * sizeof(float)); /* more than 30 splits; 1 needs no parts */
  same_bytes(&r[1].out, &r[0].out);
  same_bytes(&r[1].lse, &r[0].lse);
}
END_TEST

/* So large a batch that the device is full without splits, the same sequence everywhere, against two sequences, whose keys are split. */
START_TEST(one_split_or_many) {
  enum { MANY = 396, KEYS = 70 }; /* 396: with two KV heads, whole waves of the 132 multiprocessors that the runtime tells of */
  const rpp_dtype dtype = types[_i];
  rpp_attention attention = store_attention(RPP_MASK_FULL);
  attention.q_rotated = true; /* no table: the workspace is that of splits */
  const rpp_tensor k = TENSOR(dtype, B, MOST_KEYS, KV, D), v = TENSOR(dtype, B, MOST_KEYS, KV, DV);
  store s;
  store_fill(&k, 1), store_fill(&v, 2);
  store_of(dtype, KEYS, 0, &s);
  store_append(&s, &k, &v, 0, KEYS, 0);
  const rpp_contract contract = contract_of(dtype);
  for (int n = 0; n < 2; n++) {
    const int64_t batch = n == 0 ? MANY : 1;
    rpp_tensor q = TENSOR(dtype, 1, 1, OUTPUT, D), first_k, first_v, t[4], out = TENSOR(dtype, batch, 1, OUTPUT, DV),
               lse = TENSOR(RPP_F32, batch, OUTPUT, 1), last_out, last_lse;
    size_t bytes;
    store_fill(&q, 3);
    support_accepted(rpp_tensor_slice(&s.k, 0, 0, 1, 1, &first_k));
    support_accepted(rpp_tensor_slice(&s.v, 0, 0, 1, 1, &first_v));
    for (int i = 0; i < 2; i++) t[i] = TENSOR(RPP_F64, 1, 1, OUTPUT, DV), t[2 + i] = TENSOR(RPP_F64, 1, OUTPUT, 1);
    const rpp_attention_inputs truth = {.q = &q, .k = &first_k, .v = &first_v};
    support_accepted(rpp_attention_bound(&attention, &truth, &contract, NULL,
                                         &(rpp_bounded){.out = &t[0], .lse = &t[2], .out_bound = &t[1], .lse_bound = &t[3]}));
    q.shape[0] = first_k.shape[0] = first_v.shape[0] = batch;
    q.strides[0] = first_k.strides[0] = first_v.strides[0] = 0;
    const rpp_cuda_decode_inputs inputs = {&q, {&first_k, &first_v, NULL}, NULL, NULL};
    decode(&attention, &inputs, &out, &lse, &bytes);
    ck_assert_int_eq(bytes == 0, batch == MANY);
    support_accepted(rpp_tensor_slice(&out, 0, batch - 1, 1, 1, &last_out));
    support_accepted(rpp_tensor_slice(&lse, 0, batch - 1, 1, 1, &last_lse));
    within(&last_out, &t[0], &t[1]);
    within(&last_lse, &t[2], &t[3]);
  }
}
END_TEST

/* Devices on which a block may have 227, 163, 99 and 64 KiB of shared memory; the runtime refuses a launch that asks for more. */
START_TEST(every_device_has_a_layout) {
  enum { KEYS = 150 };
  const rpp_simt_device devices[] = {{132, 227 << 10}, {108, 163 << 10}, {84, 99 << 10}, {46, 64 << 10}};
  const int64_t widths[] = {16, 200, 256};
  const rpp_dtype dtype = types[_i];
  rpp_attention attention = store_attention(RPP_MASK_CAUSAL), whole;
  attention.q_rotated = true, whole = attention, whole.causal_offset += KEYS - 2;
  const rpp_contract contract = contract_of(dtype);
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
    const rpp_tensor q = TENSOR(dtype, 1, 2, OUTPUT, widths[w]), k = TENSOR(dtype, 1, KEYS, KV, widths[w]),
                     v = TENSOR(dtype, 1, KEYS, KV, widths[w]), out = TENSOR(dtype, 1, 2, OUTPUT, widths[w]),
                     lse = TENSOR(RPP_F32, 1, OUTPUT, 2);
    rpp_tensor t[4];
    for (int i = 0; i < 2; i++) t[i] = TENSOR(RPP_F64, 1, 2, OUTPUT, widths[w]), t[2 + i] = TENSOR(RPP_F64, 1, OUTPUT, 2);
    store_fill(&q, 1), store_fill(&k, 2), store_fill(&v, 3);
    support_accepted(rpp_attention_bound(&whole, &(rpp_attention_inputs){.q = &q, .k = &k, .v = &v}, &contract, NULL,
                                         &(rpp_bounded){.out = &t[0], .lse = &t[2], .out_bound = &t[1], .lse_bound = &t[3]}));
    for (size_t n = 0; n < sizeof devices / sizeof *devices; n++) {
      const rpp_cuda_decode_inputs inputs = {&q, {&k, &v, NULL}, NULL, NULL};
      size_t bytes;
      rpp_simt_set_device(&devices[n]);
      if (devices[n].shared < 99 << 10 && dtype != RPP_F32) {
        store_refused(rpp_cuda_decode_workspace(&attention, &inputs, &out, &lse, &bytes), RPP_ERROR_UNSUPPORTED, "76544 bytes");
        continue;
      }
      decode(&attention, &inputs, &out, &lse, NULL);
      within(&out, &t[0], &t[1]);
      within(&lse, &t[2], &t[3]);
    }
  }
}
END_TEST

START_TEST(empty_sequences) {
  const rpp_dtype dtype = types[_i];
  const int32_t lengths[] = {0, 1};
  const rpp_cuda_integers counts = {lengths, RPP_CUDA_I32, 1, {B}, {1}};
  const rpp_attention attention = store_attention(RPP_MASK_CAUSAL);
  const rpp_tensor k = TENSOR(dtype, B, 1, KV, D), v = TENSOR(dtype, B, 1, KV, DV);
  store s;
  store_fill(&k, 1), store_fill(&v, 2);
  store_of(dtype, 300, _i == 1 ? 4 : 0, &s);
  store_append(&s, &k, &v, 0, 1, 0);
  const result r = run(&attention, dtype, &s.cache, &counts);
  for (int64_t n = 0; n < B * 2 * OUTPUT; n++) { /* of two queries of one token, the first is before it */
    const int64_t b = n / 2 / OUTPUT, i = n / OUTPUT % 2, o = n % OUTPUT;
    const bool empty = b == 0 || i == 0;
    const double lse = rpp_tensor_get(&r.lse, (int64_t[]){b, o, i});
    ck_assert_msg(empty ? lse == -INFINITY : isfinite(lse), "%g", lse);
    for (int64_t c = 0; c < DV; c++)
      ck_assert(rpp_tensor_get(&r.out, (int64_t[]){b, i, o, c}) ==
                (empty ? 0 : rpp_tensor_get(&v, (int64_t[]){b, 0, o / (OUTPUT / KV), c})));
  }
}
END_TEST

START_TEST(decode_refuses) {
  const int64_t counts[] = {1, 1};
  rpp_attention attention = store_attention(RPP_MASK_CAUSAL), wrong = attention;
  store s, paged;
  store_of(RPP_BF16, 8, 0, &s), store_of(RPP_BF16, 8, 4, &paged);
  const rpp_tensor q = TENSOR(RPP_BF16, B, 2, PROJECTED, D), out = TENSOR(RPP_BF16, B, 2, OUTPUT, DV),
                   lse = TENSOR(RPP_F32, B, OUTPUT, 2), long_q = TENSOR(RPP_BF16, B, 9, PROJECTED, D),
                   wide_q = TENSOR(RPP_BF16, B, 2, PROJECTED, 300);
  rpp_tensor bad;
  const rpp_cuda_integers pos = {counts, RPP_CUDA_I64, 1, {2}, {1}};
  rpp_cuda_integers lengths = pos, table = paged.table;
  rpp_cuda_decode_inputs in = {&q, s.cache, &pos, &lengths}, other = in;
  size_t bytes;
  store_accepted(rpp_cuda_decode_workspace(&attention, &in, &out, &lse, &bytes));
  void *space = store_room(bytes);
#define DECODE(attention, in, out, lse) rpp_cuda_decode(attention, in, out, lse, space, bytes, NULL)
  store_refused(DECODE(NULL, &in, &out, &lse), RPP_ERROR_NULL, "attention = null");
  store_refused(DECODE(&attention, NULL, &out, &lse), RPP_ERROR_NULL, "inputs = null");
  store_refused(DECODE(&attention, &in, NULL, NULL), RPP_ERROR_NULL, "out = null");
  store_refused(rpp_cuda_decode_workspace(&attention, &in, &out, &lse, NULL), RPP_ERROR_NULL, "bytes = null");
  store_refused(rpp_cuda_decode(&attention, &in, &out, &lse, NULL, 0, NULL), RPP_ERROR_NULL, "workspace = null");
  store_refused(rpp_cuda_decode(&attention, &in, &out, &lse, space, 16, NULL), RPP_ERROR_MEMORY, "bytes = 16");
  wrong.k_rotated = false;
  store_refused(DECODE(&wrong, &in, &out, &lse), RPP_ERROR_UNSUPPORTED, "k_rotated");
  wrong = attention, wrong.scale = NAN;
  store_refused(DECODE(&wrong, &in, &out, &lse), RPP_ERROR_VALUE, "scale");
  wrong = attention, wrong.rotary.rotary_dim = 18;
  store_refused(DECODE(&wrong, &in, &out, &lse), RPP_ERROR_VALUE, "rotary_dim = 18");
  other.q = NULL;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_NULL, "q = null");
  other.q = &long_q;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_UNSUPPORTED, "q.shape[1] = 9");
  other.q = &wide_q;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_UNSUPPORTED, "q.shape[3] = 300");
  bad = q, bad.dtype = RPP_F16, other.q = &bad;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_DTYPE, "cache.k.dtype = BF16");
  bad = q, bad.dtype = RPP_F64;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_DTYPE, "q.dtype = F64");
  other = in, other.cache.v = NULL;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_NULL, "cache.v = null");
  bad = s.v, bad.shape[1] = 7, other.cache.v = &bad;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_SHAPE, "cache.v.shape[1] = 7");
  other = in, bad = s.k, bad.shape[1] = (1 << 30) + 1, bad.strides[1] = 0, other.cache.k = &bad;
  rpp_tensor long_v = s.v;
  long_v.shape[1] = (1 << 30) + 1, long_v.strides[1] = 0, other.cache.v = &long_v;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_UNSUPPORTED, "2^30");
  other = in, lengths.shape[0] = 3;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_SHAPE, "lengths.shape[0] = 3");
  lengths.shape[0] = 2, other.cache = paged.cache, other.cache.page_table = &table, table.ndim = 1;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_SHAPE, "page_table.ndim = 1");
  table.ndim = 2, table.shape[0] = 3;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_SHAPE, "page_table.shape[0] = 3");
  table = paged.table, table.data = out.data;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_OVERLAP, "overlaps page_table");
  other = in, lengths.data = lse.data;
  store_refused(DECODE(&attention, &other, &out, &lse), RPP_ERROR_OVERLAP, "overlaps lengths");
  lengths.data = counts, bad = out, bad.data = s.v.data;
  store_refused(DECODE(&attention, &in, &bad, &lse), RPP_ERROR_OVERLAP, "out.data");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("decode");
  TCase *tests = tcase_create("decode");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, step_by_step, 0, 9);
  tcase_add_loop_test(tests, the_same_bits, 0, 3);
  tcase_add_loop_test(tests, empty_splits_change_nothing, 0, 3);
  tcase_add_loop_test(tests, one_split_or_many, 0, 3);
  tcase_add_loop_test(tests, every_device_has_a_layout, 0, 3);
  tcase_add_loop_test(tests, empty_sequences, 0, 3);
  tcase_add_test(tests, decode_refuses);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
