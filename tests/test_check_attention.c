/* check_attention.c: what a problem may not be; each refusal a status and a message with the field and its value, before any output
 * is written. */
#include <math.h>
#include <stdio.h>
#include "attention_problem.h"
#include "check_attention.h"
#include "support.h"

/* A sound problem, one change, and the refusal of it; outputs and inputs stay as they were. */
#define REFUSED(config, change, status, field, value)                                                                              \
  do {                                                                                                                             \
    const problem_config config_ = (config);                                                                                       \
    problem *p = problem_new(&config_);                                                                                            \
    rpp_attention *a = &p->attention;                                                                                              \
    rpp_tensor *rows = NULL, *out = &p->out.tensor, *lse = &p->lse.tensor;                                                         \
    const uint64_t outputs_ = problem_outputs_hash(p);                                                                             \
    (void)a;                                                                                                                       \
    change;                                                                                                                        \
    const uint64_t inputs_ = problem_inputs_hash(p);                                                                               \
    support_refused(rpp_attention_forward(a, &p->inputs, rows, out, lse), status, field, value);                                   \
    ck_assert_msg(problem_outputs_hash(p) == outputs_, "%s: an output was written", field);                                        \
    ck_assert_msg(problem_inputs_hash(p) == inputs_, "%s: an input was written", field);                                           \
    problem_free(p);                                                                                                               \
  } while (0)

static const rpp_mode rope = RPP_MODE_ROPE, ec = RPP_MODE_EC, eh = RPP_MODE_EH;

static problem_config packed(void) {
  problem_config c = problem_default(RPP_MODE_EC);
  c.packed = 3;
  return c;
}

static problem_config rotated(bool q, bool k) {
  problem_config c = problem_default(RPP_MODE_EC);
  c.attention.q_rotated = q, c.attention.k_rotated = k;
  return c;
}

START_TEST(the_sound_problems_are_accepted) {
  const problem_config sound[] = {problem_default(rope), problem_default(ec), problem_default(eh), packed(),
                                  rotated(true, false),  rotated(true, true)};
  for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
    problem *p = problem_new(&sound[i]);
    problem_run(p, NULL);
    problem_free(p);
  }
}
END_TEST

START_TEST(head_counts) {
  REFUSED(problem_default(eh), a->heads = 5, RPP_ERROR_VALUE, "kv_heads = 2:", "heads = 5");
  REFUSED(problem_default(eh), (a->heads = 5, a->kv_heads = 5), RPP_ERROR_VALUE, "heads = 5:", "EH");
  REFUSED(problem_default(eh), (a->heads = 6, a->kv_heads = 3), RPP_ERROR_VALUE, "kv_heads = 3:", "EH");
  REFUSED(problem_default(eh), a->kv_heads = 1, RPP_ERROR_VALUE, "kv_heads = 1:", "EH");
  REFUSED(problem_default(rope), a->kv_heads = 3, RPP_ERROR_VALUE, "kv_heads = 3:", "heads = 4");
  REFUSED(problem_default(ec), a->kv_heads = 8, RPP_ERROR_VALUE, "kv_heads = 8:", "heads = 4");
  REFUSED(problem_default(ec), a->heads = 0, RPP_ERROR_VALUE, "heads = 0:", "");
  REFUSED(problem_default(ec), a->kv_heads = -1, RPP_ERROR_VALUE, "kv_heads = -1:", "");
  REFUSED(problem_default(ec), a->heads = INT64_MAX, RPP_ERROR_OVERFLOW, "heads = 9223372036854775807:", "");
  REFUSED(problem_default(ec), a->mode = (rpp_mode)9, RPP_ERROR_VALUE, "mode = 9:", "");
}
END_TEST

START_TEST(masks_and_scales) {
  REFUSED(problem_default(ec), a->mask = (rpp_mask)3, RPP_ERROR_VALUE, "mask = 3:", "");
  REFUSED(problem_default(ec), a->mask = (rpp_mask)-1, RPP_ERROR_VALUE, "mask = -1:", "");
  REFUSED(problem_default(ec), (a->mask = RPP_MASK_WINDOW, a->window = 0), RPP_ERROR_VALUE, "window = 0:", "");
  REFUSED(problem_default(ec), (a->mask = RPP_MASK_WINDOW, a->window = -4), RPP_ERROR_VALUE, "window = -4:", "");
  REFUSED(problem_default(ec), (a->mask = RPP_MASK_WINDOW, a->window = INT64_MIN), RPP_ERROR_VALUE,
          "window = -9223372036854775808:", "");
  REFUSED(problem_default(ec), a->scale = NAN, RPP_ERROR_VALUE, "scale = ", "nan:");
  REFUSED(problem_default(ec), a->scale = INFINITY, RPP_ERROR_VALUE, "scale = inf:", "");
  REFUSED(problem_default(ec), a->scale = -INFINITY, RPP_ERROR_VALUE, "scale = -inf:", "");
}
END_TEST

START_TEST(rotaries) {
  REFUSED(problem_default(ec), a->rotary.rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim = 7:", "");
  REFUSED(problem_default(ec), a->rotary.rotary_dim = 10, RPP_ERROR_VALUE, "rotary_dim = 10:", "8");
  REFUSED(problem_default(ec), a->rotary.rotary_dim = 0, RPP_ERROR_VALUE, "rotary_dim = 0:", "");
  REFUSED(problem_default(ec), a->rotary.base = NAN, RPP_ERROR_VALUE, "base = ", "nan:");
  REFUSED(rotated(true, false), a->rotary.rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim = 7:", ""); /* one side still turns */
  REFUSED(rotated(false, true), a->rotary.rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim = 7:", "");
}
END_TEST

START_TEST(missing_things) {
  REFUSED(problem_default(ec), a = NULL, RPP_ERROR_NULL, "attention = null:", "");
  REFUSED(problem_default(ec), p->inputs.q = NULL, RPP_ERROR_NULL, "q = null:", "");
  REFUSED(problem_default(ec), p->inputs.k = NULL, RPP_ERROR_NULL, "k = null:", "");
  REFUSED(problem_default(ec), p->inputs.v = NULL, RPP_ERROR_NULL, "v = null:", "");
  REFUSED(problem_default(ec), p->inputs.pos_q = NULL, RPP_ERROR_NULL, "pos_q = null:", "");
  REFUSED(problem_default(ec), p->inputs.pos_k = NULL, RPP_ERROR_NULL, "pos_k = null:", "");
  REFUSED(rotated(true, false), p->inputs.pos_k = NULL, RPP_ERROR_NULL, "pos_k = null:", "");
  REFUSED(rotated(false, true), p->inputs.pos_q = NULL, RPP_ERROR_NULL, "pos_q = null:", "");
  REFUSED(problem_default(ec), p->q.tensor.data = NULL, RPP_ERROR_NULL, "q.data = null:", "");
  REFUSED(problem_default(ec), p->k.tensor.data = NULL, RPP_ERROR_NULL, "k.data = null:", "");
  REFUSED(problem_default(ec), p->v.tensor.data = NULL, RPP_ERROR_NULL, "v.data = null:", "");
  REFUSED(problem_default(ec), p->pos_q.tensor.data = NULL, RPP_ERROR_NULL, "pos_q.data = null:", "");
  REFUSED(problem_default(ec), p->pos_k.tensor.data = NULL, RPP_ERROR_NULL, "pos_k.data = null:", "");
  REFUSED(packed(), p->cu_q.tensor.data = NULL, RPP_ERROR_NULL, "cu_q.data = null:", "");
  REFUSED(packed(), p->inputs.cu_q = NULL, RPP_ERROR_NULL, "cu_q = null:", "together");
  REFUSED(packed(), p->inputs.cu_k = NULL, RPP_ERROR_NULL, "cu_k = null:", "together");
  REFUSED(problem_default(ec), out = lse = NULL, RPP_ERROR_NULL, "out = null", "lse = null");
  REFUSED(problem_default(ec), out->data = NULL, RPP_ERROR_NULL, "out.data = null:", "");
  REFUSED(problem_default(ec), lse->data = NULL, RPP_ERROR_NULL, "lse.data = null:", "");
  const rpp_attention attention = problem_default(ec).attention;
  rpp_tensor t = {.ndim = 1};
  support_refused(rpp_attention_forward(&attention, NULL, NULL, &t, &t), RPP_ERROR_NULL, "inputs = null:", "");
}
END_TEST

START_TEST(shapes) {
  REFUSED(problem_default(ec), p->q.tensor.shape[2] = 8, RPP_ERROR_SHAPE, "q.shape[2] = 8:", "4"); /* as if rotated */
  REFUSED(rotated(true, true), p->q.tensor.shape[2] = 4, RPP_ERROR_SHAPE, "q.shape[2] = 4:", "8"); /* as if not */
  REFUSED(problem_default(ec), p->q.tensor.shape[3] = 0, RPP_ERROR_SHAPE, "q.shape[3] = 0:", "");
  REFUSED(problem_default(ec), p->q.tensor.ndim = 3, RPP_ERROR_SHAPE, "q.ndim = 3:", "4");
  REFUSED(problem_default(ec), p->k.tensor.ndim = 3, RPP_ERROR_SHAPE, "k.ndim = 3:", "4");
  REFUSED(problem_default(ec), p->v.tensor.ndim = 3, RPP_ERROR_SHAPE, "v.ndim = 3:", "4");
  REFUSED(problem_default(ec), p->k.tensor.shape[0] = 1, RPP_ERROR_SHAPE, "k.shape[0] = 1:", "2");
  REFUSED(problem_default(ec), p->k.tensor.shape[2] = 1, RPP_ERROR_SHAPE, "k.shape[2] = 1:", "2");
  REFUSED(problem_default(eh), p->k.tensor.shape[2] = 2, RPP_ERROR_SHAPE, "k.shape[2] = 2:", "1");
  REFUSED(problem_default(ec), p->k.tensor.shape[3] = 6, RPP_ERROR_SHAPE, "k.shape[3] = 6:", "8");
  REFUSED(problem_default(ec), p->v.tensor.shape[0] = 1, RPP_ERROR_SHAPE, "v.shape[0] = 1:", "2");
  REFUSED(problem_default(ec), p->v.tensor.shape[1] = 6, RPP_ERROR_SHAPE, "v.shape[1] = 6:", "7");
  REFUSED(problem_default(ec), p->v.tensor.shape[2] = 4, RPP_ERROR_SHAPE, "v.shape[2] = 4:", "2");
  REFUSED(problem_default(ec), p->q.tensor.shape[1] = -1, RPP_ERROR_SHAPE, "q.shape[1] = -1:", "");
  REFUSED(problem_default(ec), p->q.tensor.dtype = RPP_I64, RPP_ERROR_DTYPE, "q.dtype = I64:", "");
  REFUSED(problem_default(ec), p->k.tensor.dtype = RPP_I64, RPP_ERROR_DTYPE, "k.dtype = I64:", "");
  REFUSED(problem_default(ec), p->v.tensor.dtype = (rpp_dtype)8, RPP_ERROR_DTYPE, "v.dtype = 8:", "");
}
END_TEST

START_TEST(positions) {
  problem_config c = problem_default(ec);
  c.pos_dims = 2;
  REFUSED(problem_default(ec), p->pos_q.tensor.shape[0] = 4, RPP_ERROR_SHAPE, "pos_q.shape[0] = 4:", "5");
  REFUSED(problem_default(ec), p->pos_k.tensor.shape[0] = 5, RPP_ERROR_SHAPE, "pos_k.shape[0] = 5:", "7");
  REFUSED(c, p->pos_q.tensor.shape[0] = 1, RPP_ERROR_SHAPE, "pos_q.shape[0] = 1:", "2");
  REFUSED(c, p->pos_k.tensor.shape[1] = 6, RPP_ERROR_SHAPE, "pos_k.shape[1] = 6:", "7");
  REFUSED(c, p->pos_q.tensor.ndim = 3, RPP_ERROR_SHAPE, "pos_q.ndim = 3:", "");
  REFUSED(c, p->pos_k.tensor.dtype = RPP_F64, RPP_ERROR_DTYPE, "pos_k.dtype = F64:", "I64");
  REFUSED(c, problem_set_integer(&p->pos_k.tensor, 1, 6, INT64_MIN), RPP_ERROR_VALUE, "pos_k[13] = ", "-9223372036854775808:");
  REFUSED(c, problem_set_integer(&p->pos_q.tensor, 1, 0, (INT64_C(1) << 53) + 1), RPP_ERROR_VALUE,
          "pos_q[5] = ", "9007199254740993:");
  c.attention.rotary.angles = RPP_ANGLES_HF_F32;
  REFUSED(c, problem_set_integer(&p->pos_q.tensor, 0, 4, 16777217), RPP_ERROR_VALUE, "pos_q[4] = 16777217:", "");
}
END_TEST

static void set_cu(const rpp_tensor *cu, int64_t a, int64_t b, int64_t c, int64_t d) {
  const int64_t values[] = {a, b, c, d};
  for (int n = 0; n < 4; n++) problem_set_integer(cu, 0, n, values[n]);
}

START_TEST(packings) { /* Lq 5, Lk 7, three sequences */
  REFUSED(packed(), set_cu(&p->cu_q.tensor, 1, 2, 3, 5), RPP_ERROR_VALUE, "cu_q[0] = 1:", "5");
  REFUSED(packed(), set_cu(&p->cu_q.tensor, -1, 2, 3, 5), RPP_ERROR_VALUE, "cu_q[0] = -1:", "5");
  REFUSED(packed(), set_cu(&p->cu_q.tensor, 0, 3, 2, 5), RPP_ERROR_VALUE, "cu_q[2] = 2:", "5");
  REFUSED(packed(), set_cu(&p->cu_q.tensor, 0, 6, 5, 5), RPP_ERROR_VALUE, "cu_q[1] = 6:", "5");
  REFUSED(packed(), set_cu(&p->cu_q.tensor, 0, 1, 2, 4), RPP_ERROR_VALUE, "cu_q[3] = 4:", "5");
  REFUSED(packed(), set_cu(&p->cu_k.tensor, 0, 1, 2, 8), RPP_ERROR_VALUE, "cu_k[3] = 8:", "7");
  REFUSED(packed(), set_cu(&p->cu_k.tensor, 0, INT64_MIN, 2, 7), RPP_ERROR_VALUE, "cu_k[1] = -9223372036854775808:", "7");
  REFUSED(packed(), (set_cu(&p->cu_k.tensor, 0, 7, 7, 7), p->cu_k.tensor.shape[0] = 3), RPP_ERROR_SHAPE, "cu_k.shape[0] = 3:", "4");
  REFUSED(packed(), p->cu_q.tensor.shape[0] = 1, RPP_ERROR_SHAPE, "cu_q.shape[0] = 1:", "2");
  REFUSED(packed(), p->cu_q.tensor.shape[0] = 0, RPP_ERROR_SHAPE, "cu_q.shape[0] = 0:", "2");
  REFUSED(packed(), p->cu_k.tensor.dtype = RPP_F64, RPP_ERROR_DTYPE, "cu_k.dtype = F64:", "I64");
  REFUSED(packed(), (p->cu_k.tensor.ndim = 2, p->cu_k.tensor.shape[1] = 1), RPP_ERROR_SHAPE, "cu_k.ndim = 2:", "1");
}
END_TEST

START_TEST(overflowing_sizes) {
  const int64_t big = INT64_C(1) << 62;
  REFUSED(problem_default(ec), p->q.tensor.shape[1] = big, RPP_ERROR_OVERFLOW, "q.shape = (2, 4611686018427387904, 4, 8):", "");
  REFUSED(problem_default(ec), p->k.tensor.shape[1] = big, RPP_ERROR_OVERFLOW, "k.shape = (2, 4611686018427387904, 2, 8):", "");
  REFUSED(problem_default(ec), p->v.tensor.strides[1] = big, RPP_ERROR_OVERFLOW, "v.shape = (2, 7, 2, 6):", "");
  REFUSED(problem_default(ec), out->strides[0] = INT64_MIN, RPP_ERROR_OVERFLOW, "out.shape = (2, 5, 8, 6):", "");
  REFUSED(problem_default(ec), lse->strides[2] = big, RPP_ERROR_OVERFLOW, "lse.shape = (2, 8, 5):", "");
  REFUSED(packed(), p->cu_q.tensor.strides[0] = big, RPP_ERROR_OVERFLOW, "cu_q.shape = (4):", "");
}
END_TEST

START_TEST(sizes_that_fit_one_by_one_only) {
  /* One number repeated by strides of 0: each tensor's bytes fit 63 bits. Queries times keys do not, nor the float64 copy of k. */
  static double number[1], sums[128];
  const int64_t many = INT64_C(1) << 56;
  rpp_tensor q = {number, RPP_F16, 4, {1, 128, 1, 32}, {0}, 0}, k = {number, RPP_F16, 4, {1, many, 1, 32}, {0}, 0};
  rpp_tensor v = {number, RPP_F16, 4, {1, many, 1, 1}, {0}, 0}, lse = {sums, RPP_F64, 3, {1, 1, 128}, {1, 1, 1}, 0};
  const rpp_attention_inputs inputs = {.q = &q, .k = &k, .v = &v};
  const rpp_attention attention = {
      .heads = 1, .kv_heads = 1, .scale = 1, .q_rotated = true, .k_rotated = true, .mask = RPP_MASK_FULL};
  support_refused(rpp_attention_forward(&attention, &inputs, NULL, NULL, &lse), RPP_ERROR_OVERFLOW,
                  "bytes = 2305843009213693952 x 8:", "");
  v.shape[3] = many + 1, k.shape[1] = v.shape[1] = 1; /* nor may a size be so large that a sum of a few does not fit */
  support_refused(rpp_attention_forward(&attention, &inputs, NULL, NULL, &lse), RPP_ERROR_OVERFLOW,
                  "v.shape[3] = 72057594037927937:", "");
  for (int i = 0; i < 128; i++)
    if (sums[i] != 0) ck_abort_msg("lse was written");
}
END_TEST

START_TEST(outputs) {
  REFUSED(problem_default(ec), out->shape[0] = 1, RPP_ERROR_SHAPE, "out.shape[0] = 1:", "2");
  REFUSED(problem_default(ec), out->shape[1] = 4, RPP_ERROR_SHAPE, "out.shape[1] = 4:", "5");
  REFUSED(problem_default(ec), out->shape[2] = 4, RPP_ERROR_SHAPE, "out.shape[2] = 4:", "8");
  REFUSED(problem_default(ec), out->shape[3] = 5, RPP_ERROR_SHAPE, "out.shape[3] = 5:", "6");
  REFUSED(problem_default(ec), lse->shape[0] = 1, RPP_ERROR_SHAPE, "lse.shape[0] = 1:", "2");
  REFUSED(problem_default(ec), lse->shape[1] = 4, RPP_ERROR_SHAPE, "lse.shape[1] = 4:", "8");
  REFUSED(problem_default(ec), lse->shape[2] = 4, RPP_ERROR_SHAPE, "lse.shape[2] = 4:", "5");
  REFUSED(problem_default(ec), out->ndim = 3, RPP_ERROR_SHAPE, "out.ndim = 3:", "4");
  REFUSED(problem_default(ec), lse->ndim = 4, RPP_ERROR_SHAPE, "lse.ndim = 4:", "3");
  REFUSED(problem_default(ec), out->dtype = RPP_I64, RPP_ERROR_DTYPE, "out.dtype = I64:", "");
  REFUSED(problem_default(ec), lse->dtype = RPP_I64, RPP_ERROR_DTYPE, "lse.dtype = I64:", "");
  REFUSED(problem_default(ec), out->strides[1] = 0, RPP_ERROR_OVERLAP, "out.strides[", "share memory");
  REFUSED(problem_default(ec), lse->strides[1] = 1, RPP_ERROR_OVERLAP, "lse.strides[", "share memory");
}
END_TEST

/* The tensor moves into the memory of an output; what is read of it there is sound. */
static void move(rpp_tensor *t, guarded *output) {
  t->data = output->memory, t->byte_offset = 512;
}

START_TEST(overlaps) {
  /* The poison of out and lse is a small finite number as a float64. */
  REFUSED(problem_default(ec), move(&p->q.tensor, &p->out), RPP_ERROR_OVERLAP, "out.data = ", "overlaps q");
  REFUSED(problem_default(ec), move(&p->k.tensor, &p->out), RPP_ERROR_OVERLAP, "out.data = ", "overlaps k");
  REFUSED(problem_default(ec), move(&p->v.tensor, &p->out), RPP_ERROR_OVERLAP, "out.data = ", "overlaps v");
  REFUSED(problem_default(ec), move(&p->v.tensor, &p->lse), RPP_ERROR_OVERLAP, "lse.data = ", "overlaps v");
  REFUSED(problem_default(ec), move(lse, &p->out), RPP_ERROR_OVERLAP, "lse.data = ", "overlaps out");
  REFUSED(problem_default(ec), (move(&p->k.tensor, &p->lse), out = NULL), RPP_ERROR_OVERLAP, "lse.data = ", "overlaps k");
}
END_TEST

START_TEST(overlaps_with_integers_and_tables) {
  /* One buffer of zeros holds the output and what is read as positions, rows or a table. */
  static const char *const names[] = {"pos_q", "pos_k", "rows", "inv_freq", "cos", "sin", "cu_q", "cu_k"};
  for (int which = 0; which < 8; which++)
    for (int over_lse = 0; over_lse < 2; over_lse++) {
      const problem_config c = which < 6 ? problem_default(RPP_MODE_ROPE) : packed();
      problem *p = problem_new(&c);
      int64_t memory[2 * 5 * 8 * 6] = {0}, elsewhere[40] = {0};
      rpp_tensor *shared = over_lse ? &p->lse.tensor : &p->out.tensor, *rows = NULL;
      rpp_tensor indices = {memory + 3, RPP_I64, 1, {5}, {1}, 0}, table = {memory + 5, RPP_F64, 2, {9, 4}, {4, 1}, 0};
      rpp_tensor clear = {elsewhere, RPP_F64, 2, {9, 4}, {4, 1}, 0}, frequencies = {memory + 6, RPP_F64, 1, {4}, {1}, 0};
      support_accepted(rpp_tensor_contiguous(memory, RPP_F64, shared->ndim, shared->shape, shared));
      if (which == 0) p->inputs.pos_q = &indices;
      if (which == 1) indices.shape[0] = 7, p->inputs.pos_k = &indices;
      if (which == 2) rows = &indices;
      if (which == 3) p->attention.rotary.inv_freq = &frequencies;
      if (which == 4) p->attention.rotary.cos = &table, p->attention.rotary.sin = &clear;
      if (which == 5) p->attention.rotary.cos = &clear, p->attention.rotary.sin = &table;
      if (which >= 6) { /* lengths 0, 0 and all */
        indices.shape[0] = 4;
        memory[6] = which == 6 ? 5 : 7;
        *(which == 6 ? &p->inputs.cu_q : &p->inputs.cu_k) = &indices;
      }
      int64_t before[2 * 5 * 8 * 6];
      memcpy(before, memory, sizeof before);
      support_refused(rpp_attention_forward(&p->attention, &p->inputs, rows, &p->out.tensor, &p->lse.tensor), RPP_ERROR_OVERLAP,
                      over_lse ? "lse.data = " : "out.data = ", names[which]);
      ck_assert_mem_eq(before, memory, sizeof before);
      problem_free(p);
    }
}
END_TEST

START_TEST(rows_of_queries) {
  int64_t wanted[5] = {0, 4, 4, 1, 0};
  rpp_tensor t = {wanted, RPP_I64, 1, {5}, {1}, 0};
  REFUSED(problem_default(ec), (rows = &t, t.dtype = RPP_F64), RPP_ERROR_DTYPE, "rows.dtype = F64:", "I64");
  t.dtype = RPP_I64;
  REFUSED(problem_default(ec), (rows = &t, t.ndim = 2), RPP_ERROR_SHAPE, "rows.ndim = 2:", "1");
  t.ndim = 1;
  REFUSED(problem_default(ec), (rows = &t, t.data = NULL), RPP_ERROR_NULL, "rows.data = null:", "");
  t.data = wanted;
  REFUSED(problem_default(ec), (rows = &t, wanted[3] = 5), RPP_ERROR_VALUE, "rows[3] = 5:", "5 queries");
  REFUSED(problem_default(ec), (rows = &t, wanted[3] = -1), RPP_ERROR_VALUE, "rows[3] = -1:", "5 queries");
  REFUSED(problem_default(ec), (rows = &t, wanted[3] = INT64_MIN), RPP_ERROR_VALUE, "rows[3] = -9223372036854775808:", "");
  wanted[3] = 1;
  REFUSED(problem_default(ec), (rows = &t, t.shape[0] = 4), RPP_ERROR_SHAPE, "out.shape[1] = 5:", "4"); /* R, not Lq */
  REFUSED(problem_default(ec), (rows = &t, out = NULL, t.shape[0] = 4), RPP_ERROR_SHAPE, "lse.shape[2] = 5:", "4");
}
END_TEST

START_TEST(rotated_inputs_read_no_rotary_and_no_positions) {
  const problem_config c = rotated(true, true);
  const rpp_tensor nonsense = {NULL, (rpp_dtype)77, -3, {-1}, {0}, 5};
  problem *p = problem_new(&c);
  p->inputs.pos_q = p->inputs.pos_k = &nonsense;
  p->attention.rotary = (rpp_rotary){.rotary_dim = -5, .base = NAN, .cos = &nonsense, .inv_freq = &nonsense};
  problem_run(p, NULL);
  ck_assert(problem_error(p, &p->attention, NULL, 1) <= 1e-14);
  problem_free(p);
}
END_TEST

START_TEST(sizes_of_a_sound_problem) {
  const problem_config c = packed();
  problem *p = problem_new(&c);
  for (int with_values = 0; with_values < 2; with_values++) {
    rpp_problem sizes;
    support_accepted(rpp_check_inputs(&p->attention, &p->inputs, with_values, &sizes));
    ck_assert(sizes.batch == 2 && sizes.q_len == 5 && sizes.k_len == 7 && sizes.head_dim == 8);
    ck_assert_int_eq(sizes.v_dim, with_values ? 6 : 0);
    ck_assert(sizes.counts.projected == 4 && sizes.counts.kv == 2 && sizes.counts.output == 8);
  }
  problem_free(p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_attention");
  TCase *cases = tcase_create("check_attention");
  tcase_add_test(cases, the_sound_problems_are_accepted);
  tcase_add_test(cases, head_counts);
  tcase_add_test(cases, masks_and_scales);
  tcase_add_test(cases, rotaries);
  tcase_add_test(cases, missing_things);
  tcase_add_test(cases, shapes);
  tcase_add_test(cases, positions);
  tcase_add_test(cases, packings);
  tcase_add_test(cases, overflowing_sizes);
  tcase_add_test(cases, sizes_that_fit_one_by_one_only);
  tcase_add_test(cases, outputs);
  tcase_add_test(cases, overlaps);
  tcase_add_test(cases, overlaps_with_integers_and_tables);
  tcase_add_test(cases, rows_of_queries);
  tcase_add_test(cases, rotated_inputs_read_no_rotary_and_no_positions);
  tcase_add_test(cases, sizes_of_a_sound_problem);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
