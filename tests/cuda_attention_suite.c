#include "cuda_attention_suite.h"

#include <math.h>

enum {
  B = 2,
  LQ = 9,
  LK = 75,
  Q_HEADS = 4,
  KV_HEADS = 2,
  HEADS = 8,
  D = 24,
  DV = 16,
  WIDEST = 256,
  MOST = 1 << 18,
  ROOM = 1 << 18
};

static const cuda_attention *all;
static _Alignas(16) char q_data[MOST], k_data[MOST], v_data[MOST], out_data[MOST], lse_data[MOST], other[MOST], room[ROOM];
static int64_t wide[LK], wide_cu[2][4];
static int32_t narrow[LK], narrow_cu[2][4];

static rpp_tensor tensor(void *data, rpp_dtype dtype, int64_t l, int64_t heads, int64_t width) {
  rpp_tensor t;
  support_accepted(rpp_tensor_contiguous(data, dtype, 4, (int64_t[]){B, l, heads, width}, &t));
  return t;
}

static void next(int64_t *at, const rpp_tensor *t) {
  for (int d = t->ndim - 1; d >= 0 && ++at[d] == t->shape[d]; d--) at[d] = 0;
}

static int64_t elements(const rpp_tensor *t) {
  int64_t count = 1;
  for (int d = 0; d < t->ndim; d++) count *= t->shape[d];
  return count;
}

static void fill(const rpp_tensor *t, uint64_t seed) {
  int64_t at[4] = {0};
  for (int64_t i = 0; i < elements(t); i++, next(at, t)) rpp_tensor_set(t, at, support_uniform(&seed, -2, 2));
}

static void same(const rpp_tensor *a, const rpp_tensor *b) {
  int64_t at[4] = {0};
  for (int64_t i = 0; i < elements(a); i++, next(at, a)) ck_assert(rpp_tensor_get(a, at) == rpp_tensor_get(b, at));
}

/* d and dv at most WIDEST in 16 bits. */
static void make(const cuda_attention *kernel, int64_t d, int64_t dv, cuda_problem *p) {
  for (int i = 0; i < LK; i++) wide[i] = 100 + i, narrow[i] = 100 + i;
  *p = (cuda_problem){
      .attention = {.mode = RPP_MODE_EC,
                    .heads = Q_HEADS,
                    .kv_heads = KV_HEADS,
                    .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = d - 4, .base = 10000, .table_dtype = RPP_F64},
                    .causal_offset = LK - LQ,
                    .scale = 0.25},
      .q = tensor(q_data, kernel->dtype, LQ, Q_HEADS, d),
      .k = tensor(k_data, kernel->dtype, LK, KV_HEADS, d),
      .v = tensor(v_data, kernel->dtype, LK, KV_HEADS, dv),
      .out = tensor(out_data, kernel->dtype, LQ, HEADS, dv),
      .pos_q = {wide + LK - LQ, RPP_CUDA_I64, 1, {LQ}, {1}},
      .pos_k = {wide, RPP_CUDA_I64, 1, {LK}, {1}},
      .room = room,
      .bytes = sizeof room};
  support_accepted(rpp_tensor_contiguous(lse_data, RPP_F32, 3, (int64_t[]){B, HEADS, LQ}, &p->lse));
  fill(&p->q, 1), fill(&p->k, 2), fill(&p->v, 3);
  p->inputs = (rpp_cuda_inputs){.q = &p->q, .k = &p->k, .v = &p->v, .pos_q = &p->pos_q, .pos_k = &p->pos_k};
}

void cuda_problem_make(const cuda_attention *kernel, cuda_problem *p) {
  make(kernel, D, DV, p);
}

static void run(const cuda_attention *kernel, const cuda_problem *p, const rpp_tensor *out, const rpp_tensor *lse) {
  size_t need;
  const rpp_status asked = kernel->workspace(&p->attention, &p->inputs, out, lse, &need);
  ck_assert_msg(asked == RPP_OK && need <= p->bytes, "%zu bytes; %s", need, rpp_cuda_error_message());
  const rpp_status status = kernel->forward(&p->attention, &p->inputs, out, lse, p->room, need, NULL);
  ck_assert_msg(status == RPP_OK, "%s", rpp_cuda_error_message());
}

static void within(const rpp_tensor *got, const rpp_tensor *expected, const rpp_tensor *bound) {
  int64_t at[4] = {0};
  for (int64_t i = 0; i < elements(got); i++, next(at, got)) {
    const double error = fabs(rpp_tensor_get(got, at) - rpp_tensor_get(expected, at));
    ck_assert_msg(error <= rpp_tensor_get(bound, at), "element %d is off by %g", (int)i, error);
  }
}

/* out and lse within the bound of the contract. */
static void agrees(const cuda_attention *kernel, const cuda_problem *p, const rpp_tensor *cu_q, const rpp_tensor *cu_k) {
  static double values[4][B * LQ * HEADS * WIDEST];
  rpp_tensor t[4], pos_q, pos_k;
  for (int i = 0; i < 2; i++) {
    t[i] = tensor(values[i], RPP_F64, LQ, HEADS, p->v.shape[3]);
    support_accepted(rpp_tensor_contiguous(values[2 + i], RPP_F64, 3, (int64_t[]){B, HEADS, LQ}, &t[2 + i]));
  }
  support_accepted(rpp_tensor_contiguous(wide + LK - LQ, RPP_I64, 1, (int64_t[]){LQ}, &pos_q));
  support_accepted(rpp_tensor_contiguous(wide, RPP_I64, 1, (int64_t[]){LK}, &pos_k));
  const rpp_attention_inputs in = {&p->q, &p->k, &p->v, &pos_q, &pos_k, cu_q, cu_k};
  const rpp_bounded bounded = {.out = &t[0], .out_bound = &t[1], .lse = &t[2], .lse_bound = &t[3]};
  support_accepted(rpp_attention_bound(&p->attention, &in, &kernel->contract, NULL, &bounded));
  within(&p->out, &t[0], &t[1]);
  within(&p->lse, &t[2], &t[3]);
}

void cuda_attention_agrees(const cuda_attention *kernel, int64_t width) {
  cuda_problem p;
  make(kernel, width, width, &p);
  run(kernel, &p, &p.out, &p.lse);
  agrees(kernel, &p, NULL, NULL);
}

void cuda_attention_refused(const cuda_attention *kernel, int64_t width, const char *text) {
  cuda_problem p;
  make(kernel, width, width, &p);
  cuda_refused(kernel->forward(&p.attention, &p.inputs, &p.out, &p.lse, p.room, p.bytes, NULL), RPP_ERROR_UNSUPPORTED, text);
}

START_TEST(agrees_with_the_truth_packed_and_by_either_integers) {
  cuda_problem p;
  const int64_t q_ends[] = {0, 2, 2, LQ}, k_ends[] = {0, 31, 40, LK};
  rpp_tensor cu[2], first = {0};
  cuda_problem_make(&all[_i], &p);
  run(&all[_i], &p, &p.out, &p.lse);
  agrees(&all[_i], &p, NULL, NULL);
  for (int n = 0; n < 4; n++) {
    wide_cu[0][n] = q_ends[n], wide_cu[1][n] = k_ends[n];
    narrow_cu[0][n] = (int32_t)q_ends[n], narrow_cu[1][n] = (int32_t)k_ends[n];
  }
  for (int i = 0; i < 2; i++) support_accepted(rpp_tensor_contiguous(wide_cu[i], RPP_I64, 1, (int64_t[]){4}, &cu[i]));
  rpp_cuda_integers cu_q = {wide_cu[0], RPP_CUDA_I64, 1, {4}, {1}}, cu_k = {wide_cu[1], RPP_CUDA_I64, 1, {4}, {1}};
  p.inputs.cu_q = &cu_q, p.inputs.cu_k = &cu_k;
  p.attention.causal_offset = 20;
  run(&all[_i], &p, &p.out, &p.lse);
  agrees(&all[_i], &p, &cu[0], &cu[1]);
  cu_q.data = narrow_cu[0], cu_k.data = narrow_cu[1], p.pos_q.data = narrow + LK - LQ, p.pos_k.data = narrow;
  cu_q.type = cu_k.type = p.pos_q.type = p.pos_k.type = RPP_CUDA_I32;
  first = p.out, p.out.data = other;
  run(&all[_i], &p, &p.out, NULL);
  same(&first, &p.out);
}
END_TEST

START_TEST(either_output_alone) {
  cuda_problem p;
  cuda_problem_make(&all[_i], &p);
  run(&all[_i], &p, &p.out, &p.lse);
  const rpp_tensor out = p.out, lse = p.lse;
  p.out.data = p.lse.data = other;
  run(&all[_i], &p, &p.out, NULL);
  same(&out, &p.out);
  run(&all[_i], &p, NULL, &p.lse);
  same(&lse, &p.lse);
}
END_TEST

START_TEST(one_side_rotated) {
  for (int side = 0; side < 3; side++) { /* k, q, both */
    cuda_problem p;
    cuda_problem_make(&all[_i], &p);
    p.attention.q_rotated = side > 0, p.attention.k_rotated = side != 1;
    if (side > 0) p.inputs.pos_q = NULL, p.q = tensor(q_data, all[_i].dtype, LQ, HEADS, D), fill(&p.q, 4);
    if (side != 1) p.inputs.pos_k = NULL;
    run(&all[_i], &p, &p.out, &p.lse);
    agrees(&all[_i], &p, NULL, NULL);
  }
}
END_TEST

/* t at another place: step between columns, gap past a row, the first element one off. */
static void move(rpp_tensor *t, char *to, int64_t step, int64_t gap) {
  const rpp_tensor from = *t;
  int64_t at[4] = {0};
  t->data = to, t->byte_offset = rpp_dtype_size(t->dtype);
  t->strides[3] = step;
  for (int d = 2; d >= 0; d--) t->strides[d] = t->strides[d + 1] * t->shape[d + 1] + gap;
  for (int64_t i = 0; i < elements(t); i++, next(at, t)) rpp_tensor_set(t, at, rpp_tensor_get(&from, at));
}

START_TEST(any_strides_give_the_same_bits) {
  static _Alignas(16) char moved[3][4 * MOST];
  for (int64_t step = 1; step <= 3; step++)
    for (int rotated = 0; rotated < 2; rotated++) {
      cuda_problem p;
      cuda_problem_make(&all[_i], &p);
      p.attention.q_rotated = p.attention.k_rotated = rotated;
      if (rotated) p.q = tensor(q_data, all[_i].dtype, LQ, HEADS, D), fill(&p.q, 4);
      run(&all[_i], &p, &p.out, &p.lse);
      const rpp_tensor out = p.out;
      move(&p.q, moved[0], step, 1), move(&p.k, moved[1], step, 3), move(&p.v, moved[2], step, 5);
      p.out.data = other;
      run(&all[_i], &p, &p.out, &p.lse);
      same(&out, &p.out);
    }
}
END_TEST

#define REFUSED(change, status, text)                                                                                              \
  do {                                                                                                                             \
    cuda_problem_make(kernel, &p);                                                                                                 \
    change;                                                                                                                        \
    cuda_refused(kernel->forward(&p.attention, &p.inputs, &p.out, &p.lse, p.room, p.bytes, NULL), status, text);                   \
  } while (0)

START_TEST(refusals) {
  const cuda_attention *kernel = &all[_i];
  const rpp_cuda_integers cu = {wide_cu[0], RPP_CUDA_I64, 1, {4}, {1}};
  cuda_problem p;
  size_t bytes;
  REFUSED(p.inputs.q = NULL, RPP_ERROR_NULL, "q = null");
  REFUSED(p.inputs.pos_q = NULL, RPP_ERROR_NULL, "pos_q = null");
  REFUSED(p.inputs.cu_q = &cu, RPP_ERROR_NULL, "cu_k = null");
  REFUSED(p.q.dtype = RPP_F64, RPP_ERROR_DTYPE, "q.dtype = F64");
  REFUSED(p.v.dtype = RPP_F64, RPP_ERROR_DTYPE, "v.dtype = F64");
  REFUSED(p.out.dtype = RPP_F64, RPP_ERROR_DTYPE, "out.dtype = F64");
  REFUSED(p.lse.dtype = RPP_F64, RPP_ERROR_DTYPE, "lse.dtype = F64");
  REFUSED(p.k.shape[2] = 1, RPP_ERROR_SHAPE, "k.shape[2] = 1");
  REFUSED(p.k.shape[3] = D - 1, RPP_ERROR_SHAPE, "k.shape[3] = 23");
  REFUSED(p.out.shape[3] = D, RPP_ERROR_SHAPE, "out.shape[3] = 24");
  REFUSED((p.v.shape[3] = 257, p.v.strides[3] = 0), RPP_ERROR_UNSUPPORTED, "v.shape[3] = 257");
  REFUSED(p.attention.rotary.rotary_dim = D + 2, RPP_ERROR_VALUE, "rotary_dim = 26");
  REFUSED(p.attention.scale = INFINITY, RPP_ERROR_VALUE, "scale = inf");
  REFUSED(p.attention.mask = (rpp_mask)9, RPP_ERROR_VALUE, "mask = 9");
  REFUSED(p.room = NULL, RPP_ERROR_NULL, "workspace = null");
  REFUSED(p.bytes = 64, RPP_ERROR_MEMORY, "bytes = 64");
  REFUSED(p.room = room + 8, RPP_ERROR_UNSUPPORTED, "aligned");
  REFUSED(p.room = k_data, RPP_ERROR_OVERLAP, "overlaps k");
  REFUSED(p.out.data = v_data, RPP_ERROR_OVERLAP, "overlaps v");
  REFUSED(p.out.strides[1] = 0, RPP_ERROR_OVERLAP, "out.strides[1]");
  cuda_problem_make(kernel, &p);
  cuda_refused(kernel->forward(NULL, &p.inputs, &p.out, &p.lse, room, sizeof room, NULL), RPP_ERROR_NULL, "attention = null");
  cuda_refused(kernel->forward(&p.attention, NULL, &p.out, &p.lse, room, sizeof room, NULL), RPP_ERROR_NULL, "inputs = null");
  cuda_refused(kernel->forward(&p.attention, &p.inputs, NULL, NULL, room, sizeof room, NULL), RPP_ERROR_NULL, "out = null");
  cuda_refused(kernel->workspace(&p.attention, &p.inputs, &p.out, &p.lse, NULL), RPP_ERROR_NULL, "bytes = null");
  p.q.data = p.k.data = p.v.data = p.out.data = p.lse.data = NULL; /* a question about shapes */
  ck_assert_int_eq(kernel->workspace(&p.attention, &p.inputs, &p.out, &p.lse, &bytes), RPP_OK);
}
END_TEST

void cuda_attention_tests(TCase *tests, const cuda_attention *kernels, int count) {
  all = kernels;
  tcase_add_loop_test(tests, agrees_with_the_truth_packed_and_by_either_integers, 0, count);
  tcase_add_loop_test(tests, either_output_alone, 0, count);
  tcase_add_loop_test(tests, one_side_rotated, 0, count);
  tcase_add_loop_test(tests, any_strides_give_the_same_bits, 0, count);
  tcase_add_loop_test(tests, refusals, 0, count);
}
