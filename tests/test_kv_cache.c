/* kv_cache.c: what an append writes and what it leaves alone, decoding with the cache, and its size. */
#include <math.h>
#include <stdio.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "guarded.h"
#include "support.h"

enum { B = 2, CAPACITY = 9, K = 2, D = 8, DV = 6, TOKENS = 7 };

typedef struct {
  guarded k, v;
  rpp_kv_cache cache;
} held;

static held held_new(guarded_layout layout, rpp_dtype k_dtype, rpp_dtype v_dtype, int64_t heads) {
  held h = {.k = guarded_new(layout, k_dtype, 4, (int64_t[]){B, CAPACITY, heads, D}),
            .v = guarded_new((guarded_layout)((layout + 1) % LAYOUTS), v_dtype, 4, (int64_t[]){B, CAPACITY, heads, DV})};
  h.cache = (rpp_kv_cache){h.k.tensor, h.v.tensor, 0};
  return h;
}

static void held_free(held *h) {
  guarded_free(&h->k), guarded_free(&h->v);
}

/* Appends count tokens of a problem's keys and values from the first one. */
static rpp_status append(held *h, const problem *p, int64_t first, int64_t count) {
  rpp_tensor k, v, pos;
  support_accepted(rpp_tensor_slice(p->inputs.k, 1, first, count, 1, &k));
  support_accepted(rpp_tensor_slice(p->inputs.v, 1, first, count, 1, &v));
  support_accepted(rpp_tensor_slice(p->inputs.pos_k, p->inputs.pos_k->ndim - 1, first, count, 1, &pos));
  return rpp_kv_cache_append(&h->cache, &p->attention.rotary, &k, &v, &pos);
}

/* Element (b, l, g, c) of k turned to its position, at a distance of shift positions for controls. */
static long double rotated_key(const problem *p, const oracle_angles *angles, const int64_t *at, int64_t shift) {
  const rpp_rotary *rotary = angles->rotary;
  const bool half = rotary->pairing == RPP_PAIRING_HALF;
  const int64_t c = at[3], w = rotary->rotary_dim, n = half ? c % (w / 2) : c / 2, second = half ? c / (w / 2) : c % 2;
  if (c >= w) return (long double)rpp_tensor_get(p->inputs.k, at);
  const int64_t other = half ? n + (1 - second) * w / 2 : 2 * n + 1 - second, partner[] = {at[0], at[1], at[2], other};
  long double cosine, sine;
  oracle_angle(angles, (int64_t)rpp_tensor_get(p->inputs.pos_k, p->inputs.pos_k->ndim == 2 ? at : at + 1) + shift, n, &cosine,
               &sine);
  const long double own = (long double)rpp_tensor_get(p->inputs.k, at), its = (long double)rpp_tensor_get(p->inputs.k, partner);
  return second ? own * cosine + its * sine : own * cosine - its * sine;
}

static double cache_error(const held *h, const problem *p, int64_t shift) {
  const oracle_angles angles = oracle_angles_of(&p->attention.rotary);
  double worst = 0;
  int64_t at[RPP_MAX_DIMS] = {0};
  do {
    if (at[1] >= h->cache.length) continue;
    support_worse(&worst,
                  oracle_disagreement(h->k.tensor.dtype, rpp_tensor_get(&h->k.tensor, at), rotated_key(p, &angles, at, shift), 1));
  } while (guarded_next(&h->k.tensor, at));
  return worst;
}

/* Elements of v that are not the value rounded, and elements past the length that were written. */
static int wrong_values(const held *h, const problem *p) {
  int wrong = 0;
  int64_t at[RPP_MAX_DIMS] = {0};
  do {
    if (at[1] < h->cache.length)
      wrong += rpp_tensor_get(&h->v.tensor, at) != rpp_dtype_round(h->v.tensor.dtype, rpp_tensor_get(p->inputs.v, at));
  } while (guarded_next(&h->v.tensor, at));
  const size_t token_k = rpp_dtype_size(h->k.tensor.dtype) * B * (size_t)h->k.tensor.shape[2] * D;
  const size_t token_v = rpp_dtype_size(h->v.tensor.dtype) * B * (size_t)h->v.tensor.shape[2] * DV;
  wrong += guarded_written_bytes(&h->k) > (size_t)h->cache.length * token_k;
  wrong += guarded_written_bytes(&h->v) > (size_t)h->cache.length * token_v;
  return wrong;
}

START_TEST(appends) {
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  static const int64_t chunks[][5] = {{7}, {1, 1, 1, 1, 3}, {3, 0, 4}, {0, 6, 1}};
  for (int variant = 0; variant < 80; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.attention.rotary.pairing = (rpp_pairing)(variant / 2 % 2), c.attention.rotary.rotary_dim = variant % 4 ? 6 : 8;
    c.attention.rotary.scaling = (rpp_scaling){variant % 7 ? RPP_SCALING_NONE : RPP_SCALING_YARN, 32, 4096, 0, 0};
    c.k_dtype = dtypes[variant / 4 % 4], c.v_dtype = dtypes[variant / 3 % 4];
    c.pos_dims = 1 + variant % 2, c.positions = (positions_kind)(variant % 3), c.seed = (uint64_t)variant;
    problem *p = problem_new(&c);
    held h = held_new((guarded_layout)(variant % LAYOUTS), dtypes[variant % 4], dtypes[variant / 2 % 4], p->k.tensor.shape[2]);
    int64_t done = 0;
    for (int i = 0; i < 5; i++) {
      const int64_t count = chunks[variant % 4][i];
      support_accepted(append(&h, p, done, count));
      done += count;
      ck_assert_int_eq(h.cache.length, done);
      ck_assert_int_eq(wrong_values(&h, p), 0);
    }
    ck_assert_int_eq(done, TOKENS);
    const double error = cache_error(&h, p, 0);
    ck_assert_msg(error <= 4e-15, "variant %d: error %g", variant, error);
    ck_assert(cache_error(&h, p, 1) > 1e-2);
    ck_assert_uint_eq(guarded_stray_bytes(&h.k) + guarded_stray_bytes(&h.v), 0);
    held_free(&h), problem_free(p);
  }
}
END_TEST

START_TEST(decoding_is_prefill) {
  /* Token by token, and in chunks of 3, 1 and 3: every query sees the cache as it is then. The same bits as all at once. */
  static const int64_t chunks[2][7] = {{1, 1, 1, 1, 1, 1, 1}, {3, 1, 3}};
  for (int variant = 0; variant < 12; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    c.q_len = c.k_len = TOKENS, c.attention.causal_offset = 0,
    c.attention.mask = variant % 4 == 3 ? RPP_MASK_WINDOW : RPP_MASK_CAUSAL;
    c.attention.rotary.pairing = (rpp_pairing)(variant / 3 % 2);
    problem *whole = problem_new(&c);
    problem_run(whole, NULL);
    held h = held_new(LAYOUT_PADDED, RPP_F64, RPP_F64, whole->k.tensor.shape[2]);
    rpp_attention cached = c.attention;
    cached.k_rotated = true;
    int64_t done = 0;
    int wrong = 0;
    for (int i = 0; done < TOKENS; i++) {
      const int64_t count = chunks[variant / 6][i];
      support_accepted(append(&h, whole, done, count));
      c.rows = count;
      problem *p = problem_new(&c);
      rpp_tensor q, pos, k, v;
      support_accepted(rpp_tensor_slice(&whole->q.tensor, 1, done, count, 1, &q));
      support_accepted(rpp_tensor_slice(&whole->pos_q.tensor, 0, done, count, 1, &pos));
      support_accepted(rpp_kv_cache_view(&h.cache, &k, &v));
      ck_assert(k.shape[1] == done + count && v.shape[1] == done + count && k.data == h.cache.k.data);
      cached.causal_offset = done; /* query 0 of the chunk is token `done` */
      const rpp_attention_inputs inputs = {.q = &q, .k = &k, .v = &v, .pos_q = &pos};
      support_accepted(rpp_attention_forward(&cached, &inputs, NULL, &p->out.tensor, &p->lse.tensor));
      int64_t at[RPP_MAX_DIMS] = {0};
      do
        wrong += rpp_tensor_get(&p->out.tensor, at) !=
                 rpp_tensor_get(&whole->out.tensor, (int64_t[]){at[0], at[1] + done, at[2], at[3]});
      while (guarded_next(&p->out.tensor, at));
      done += count;
      problem_free(p);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert(problem_error(whole, &whole->attention, NULL, 1) <= 2e-14);
    held_free(&h), problem_free(whole);
  }
}
END_TEST

/* A cache with two tokens in it, one change, and the refusal of one more; nothing but what the change did is different after it. */
#define REFUSED(change, status, field, value)                                                                                      \
  do {                                                                                                                             \
    const problem_config config_ = problem_default(RPP_MODE_EC);                                                                   \
    problem *p = problem_new(&config_);                                                                                            \
    held h = held_new(LAYOUT_CONTIGUOUS, RPP_F64, RPP_F64, K);                                                                     \
    rpp_kv_cache *cache = &h.cache;                                                                                                \
    rpp_rotary *rotary = &p->attention.rotary;                                                                                     \
    rpp_tensor *k = &p->k.tensor, *v = &p->v.tensor, *pos = &p->pos_k.tensor;                                                      \
    support_accepted(append(&h, p, 0, 2));                                                                                         \
    change;                                                                                                                        \
    const rpp_kv_cache before_ = h.cache;                                                                                          \
    unsigned char k_bytes_[8192], v_bytes_[8192];                                                                                  \
    ck_assert(h.k.size <= 8192 && h.v.size <= 8192);                                                                               \
    memcpy(k_bytes_, h.k.memory, h.k.size), memcpy(v_bytes_, h.v.memory, h.v.size);                                                \
    support_refused(rpp_kv_cache_append(cache, rotary, k, v, pos), status, field, value);                                          \
    ck_assert_mem_eq(k_bytes_, h.k.memory, h.k.size);                                                                              \
    ck_assert_mem_eq(v_bytes_, h.v.memory, h.v.size);                                                                              \
    ck_assert_int_eq(before_.length, h.cache.length);                                                                              \
    held_free(&h), problem_free(p);                                                                                                \
  } while (0)

START_TEST(refused_appends) {
  REFUSED(h.cache.length = 3, RPP_ERROR_VALUE, "k.shape[1] = 7:", "6"); /* 9 of capacity */
  REFUSED(h.cache.length = CAPACITY, RPP_ERROR_VALUE, "k.shape[1] = 7:", "0");
  REFUSED(h.cache.length = CAPACITY + 1, RPP_ERROR_VALUE, "cache.length = 10:", "9");
  REFUSED(h.cache.length = -1, RPP_ERROR_VALUE, "cache.length = -1:", "9");
  REFUSED(h.cache.length = INT64_MIN, RPP_ERROR_VALUE, "cache.length = -9223372036854775808:", "");
  REFUSED(cache = NULL, RPP_ERROR_NULL, "cache = null:", "");
  REFUSED(rotary = NULL, RPP_ERROR_NULL, "rotary = null:", "");
  REFUSED(k = NULL, RPP_ERROR_NULL, "k = null:", "");
  REFUSED(v = NULL, RPP_ERROR_NULL, "v = null:", "");
  REFUSED(pos = NULL, RPP_ERROR_NULL, "pos = null:", "");
  REFUSED(k->data = NULL, RPP_ERROR_NULL, "k.data = null:", "");
  REFUSED(h.cache.v.data = NULL, RPP_ERROR_NULL, "cache.v.data = null:", "");
  REFUSED(rotary->rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim = 7:", "");
  REFUSED(problem_set_integer(pos, 0, 6, INT64_MAX), RPP_ERROR_VALUE, "pos[6] = ", "9223372036854775807:");
  REFUSED(pos->shape[0] = 6, RPP_ERROR_SHAPE, "pos.shape[0] = 6:", "7");
  REFUSED(pos->dtype = RPP_F64, RPP_ERROR_DTYPE, "pos.dtype = F64:", "I64");
  REFUSED(v->shape[1] = 6, RPP_ERROR_SHAPE, "v.shape[1] = 6:", "7");
  REFUSED(k->shape[0] = 1, RPP_ERROR_SHAPE, "k.shape[0] = 1:", "2");
  REFUSED(k->shape[2] = 1, RPP_ERROR_SHAPE, "k.shape[2] = 1:", "2");
  REFUSED(k->shape[3] = 6, RPP_ERROR_SHAPE, "k.shape[3] = 6:", "8");
  REFUSED(v->shape[3] = 5, RPP_ERROR_SHAPE, "v.shape[3] = 5:", "6");
  REFUSED(h.cache.v.shape[0] = 1, RPP_ERROR_SHAPE, "cache.v.shape[0] = 1:", "2");
  REFUSED(h.cache.v.shape[1] = 8, RPP_ERROR_SHAPE, "cache.v.shape[1] = 8:", "9");
  REFUSED(h.cache.v.shape[2] = 1, RPP_ERROR_SHAPE, "cache.v.shape[2] = 1:", "2");
  REFUSED(h.cache.k.ndim = 3, RPP_ERROR_SHAPE, "cache.k.ndim = 3:", "4");
  REFUSED(h.cache.k.dtype = RPP_I64, RPP_ERROR_DTYPE, "cache.k.dtype = I64:", "");
  REFUSED(h.cache.k.strides[1] = INT64_MAX, RPP_ERROR_OVERFLOW, "cache.k.shape = (2, 9, 2, 8):", "");
  REFUSED(h.cache.k.strides[1] = 0, RPP_ERROR_OVERLAP, "cache.k.strides[", "");
  REFUSED(h.cache.v.data = h.k.memory, RPP_ERROR_OVERLAP, "cache.v.data = ", "overlaps cache.k");
  REFUSED((k->data = h.k.memory, k->byte_offset = 64), RPP_ERROR_OVERLAP, "cache.k.data = ", "overlaps k");
  REFUSED((v->data = h.v.memory, v->byte_offset = 64), RPP_ERROR_OVERLAP, "cache.v.data = ", "overlaps v");
}
END_TEST

START_TEST(values_over_a_table_that_is_read) {
  /* An output over an input, and the filled part of the cache apart from it: refused like any other. */
  for (int which = 0; which < 3; which++) {
    problem_config c = problem_default(RPP_MODE_EC);
    problem *p = problem_new(&c);
    held h = held_new(LAYOUT_CONTIGUOUS, RPP_F64, RPP_F64, K);
    memset(h.v.memory, 0, h.v.size);
    rpp_tensor inside = {h.v.memory + 64, RPP_F64, which ? 2 : 1, {which ? 20 : 4, 4}, {which ? 4 : 1, 1}, 0};
    rpp_tensor clear = {(double[80]){0}, RPP_F64, 2, {20, 4}, {4, 1}, 0};
    if (which == 0) p->attention.rotary.inv_freq = &inside;
    if (which > 0) p->attention.rotary.cos = which == 1 ? &inside : &clear, p->attention.rotary.sin = which == 1 ? &clear : &inside;
    support_refused(append(&h, p, 0, 2), RPP_ERROR_OVERLAP, "cache.v.data = ", ((const char *[]){"inv_freq", "cos", "sin"})[which]);
    ck_assert(h.cache.length == 0 && guarded_written_bytes(&h.k) == 0);
    held_free(&h), problem_free(p);
  }
}
END_TEST

START_TEST(a_full_cache_takes_nothing) {
  const problem_config c = problem_default(RPP_MODE_EC);
  problem *p = problem_new(&c);
  held h = held_new(LAYOUT_CONTIGUOUS, RPP_F32, RPP_F32, K);
  support_accepted(append(&h, p, 0, 7));
  support_accepted(append(&h, p, 0, 2));
  ck_assert_int_eq(h.cache.length, CAPACITY);
  support_accepted(append(&h, p, 0, 0));
  support_refused(append(&h, p, 0, 1), RPP_ERROR_VALUE, "k.shape[1] = 1:", "0 more");
  ck_assert_int_eq(h.cache.length, CAPACITY);
  held_free(&h), problem_free(p);
}
END_TEST

START_TEST(views) {
  held h = held_new(LAYOUT_REVERSED, RPP_F32, RPP_F16, K);
  rpp_tensor k = {.ndim = -7}, v = {.ndim = -7};
  support_accepted(rpp_kv_cache_view(&h.cache, &k, &v));
  ck_assert(k.shape[1] == 0 && v.shape[1] == 0 && k.ndim == 4 && v.dtype == RPP_F16);
  h.cache.length = 4;
  support_accepted(rpp_kv_cache_view(&h.cache, &k, &v));
  ck_assert(k.shape[0] == B && k.shape[1] == 4 && k.shape[2] == K && k.shape[3] == D && k.data == h.cache.k.data);
  ck_assert(v.shape[1] == 4 && v.shape[3] == DV && v.strides[1] == h.cache.v.strides[1] && v.byte_offset == h.cache.v.byte_offset);
  k.ndim = v.ndim = -7;
  h.cache.length = 10;
  support_refused(rpp_kv_cache_view(&h.cache, &k, &v), RPP_ERROR_VALUE, "cache.length = 10:", "9");
  support_refused(rpp_kv_cache_view(NULL, &k, &v), RPP_ERROR_NULL, "cache = null:", "");
  ck_assert(k.ndim == -7 && v.ndim == -7);
  held_free(&h);
}
END_TEST

START_TEST(views_of_null) {
  held h = held_new(LAYOUT_CONTIGUOUS, RPP_F32, RPP_F16, K);
  rpp_tensor k = {.ndim = -7};
  support_refused(rpp_kv_cache_view(&h.cache, NULL, &k), RPP_ERROR_NULL, "k = null:", "");
  support_refused(rpp_kv_cache_view(&h.cache, &k, NULL), RPP_ERROR_NULL, "v = null:", "");
  ck_assert_int_eq(k.ndim, -7); /* on failure no output has been written */
  held_free(&h);
}
END_TEST

START_TEST(bytes) {
  /* FACTS.md: 16-bit bytes a token, all layers: 376M 16384, 16384, 8192; 776M 36864, 36864, 18432. */
  static const int64_t models[2][5] = {{8, 4, 8, 16384, 8192}, {12, 6, 12, 36864, 18432}};
  for (int m = 0; m < 2; m++)
    for (int mode = 0; mode < 3; mode++) {
      const rpp_attention attention = {.mode = (rpp_mode)mode, .heads = models[m][0], .kv_heads = models[m][1]};
      int64_t size = -7;
      support_accepted(rpp_kv_cache_bytes(&attention, 1, 1, 128, 128, mode ? RPP_BF16 : RPP_F16, &size));
      ck_assert_int_eq(size * models[m][2], models[m][mode == RPP_MODE_EH ? 4 : 3]);
    }
  const rpp_attention attention = {.mode = RPP_MODE_EH, .heads = 8, .kv_heads = 4};
  int64_t size = -7;
  support_accepted(rpp_kv_cache_bytes(&attention, 3, 5, 7, 11, RPP_F64, &size));
  ck_assert_int_eq(size, 3 * 5 * 2 * (7 + 11) * 8);
  support_accepted(rpp_kv_cache_bytes(&attention, 0, 5, 7, 11, RPP_F64, &size));
  ck_assert_int_eq(size, 0);
  size = -7;
  const int64_t big = INT64_C(1) << 58;
  support_refused(rpp_kv_cache_bytes(&attention, big, 1, 7, 9, RPP_F16, &size), RPP_ERROR_OVERFLOW, "bytes",
                  "64 x 288230376151711744");
  support_refused(rpp_kv_cache_bytes(&attention, 1, big, 7, 9, RPP_F16, &size), RPP_ERROR_OVERFLOW, "bytes",
                  "64 x 288230376151711744");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, INT64_MAX, 1, RPP_F16, &size), RPP_ERROR_OVERFLOW, "head_dim",
                  "9223372036854775807");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 2 * big, 7 * big, RPP_F32, &size), RPP_ERROR_OVERFLOW, "bytes", " x 4");
  support_refused(rpp_kv_cache_bytes(&attention, -1, 1, 7, 9, RPP_F16, &size), RPP_ERROR_VALUE, "batch = -1:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, -2, 7, 9, RPP_F16, &size), RPP_ERROR_VALUE, "tokens = -2:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 0, 9, RPP_F16, &size), RPP_ERROR_VALUE, "head_dim = 0:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 7, -9, RPP_F16, &size), RPP_ERROR_VALUE, "v_dim = -9:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 7, 9, RPP_I64, &size), RPP_ERROR_DTYPE, "dtype = 4:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 7, 9, (rpp_dtype)9, &size), RPP_ERROR_DTYPE, "dtype = 9:", "");
  support_refused(rpp_kv_cache_bytes(&attention, 1, 1, 7, 9, RPP_F16, NULL), RPP_ERROR_NULL, "bytes = null:", "");
  support_refused(rpp_kv_cache_bytes(NULL, 1, 1, 7, 9, RPP_F16, &size), RPP_ERROR_NULL, "attention = null:", "");
  const rpp_attention crowd = {.mode = RPP_MODE_ROPE, .heads = 4 * big, .kv_heads = 4 * big};
  support_refused(rpp_kv_cache_bytes(&crowd, 0, 1, 7, 9, RPP_F16, &size), RPP_ERROR_OVERFLOW, "bytes", "32 x 1152921504606846976");
  const rpp_attention odd = {.mode = RPP_MODE_EH, .heads = 9, .kv_heads = 3};
  support_refused(rpp_kv_cache_bytes(&odd, 1, 1, 7, 9, RPP_F16, &size), RPP_ERROR_VALUE, "heads = 9:", "EH");
  ck_assert_int_eq(size, -7);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kv_cache");
  TCase *cases = tcase_create("kv_cache");
  tcase_add_test(cases, appends);
  tcase_add_test(cases, decoding_is_prefill);
  tcase_add_test(cases, refused_appends);
  tcase_add_test(cases, values_over_a_table_that_is_read);
  tcase_add_test(cases, a_full_cache_takes_nothing);
  tcase_add_test(cases, views);
  tcase_add_test(cases, views_of_null);
  tcase_add_test(cases, bytes);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
