#include "attention_problem.h"

#include <math.h>
#include <stdlib.h>
#include "attention_oracle.h"
#include "support.h"

problem_config problem_default(rpp_mode mode) {
  return (problem_config){.attention = {.mode = mode,
                                        .heads = 4,
                                        .kv_heads = 2,
                                        .rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = 8, .base = 10000},
                                        .mask = RPP_MASK_CAUSAL,
                                        .causal_offset = 2,
                                        .window = 3,
                                        .scale = 0.35},
                          .batch = 2,
                          .q_len = 5,
                          .k_len = 7,
                          .head_dim = 8,
                          .v_dim = 6,
                          .layout = LAYOUT_CONTIGUOUS,
                          .pos_dims = 1,
                          .seed = 1};
}

void problem_set_integer(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t value) {
  const int64_t step = t->ndim == 2 ? i0 * t->strides[0] + i1 * t->strides[1] : i1 * t->strides[0];
  memcpy((char *)t->data + t->byte_offset + step * 8, &value, sizeof value);
}

static guarded values(guarded_layout layout, rpp_dtype dtype, const int64_t *shape, uint64_t *state) {
  guarded g = guarded_new((guarded_layout)(layout % LAYOUTS), dtype, 4, shape);
  int64_t index[RPP_MAX_DIMS] = {0};
  if (shape[0] * shape[1] * shape[2] * shape[3] > 0) do
      rpp_tensor_set(&g.tensor, index, support_uniform(state, -2, 2));
    while (guarded_next(&g.tensor, index));
  return g;
}

static guarded positions(const problem_config *c, int64_t length, int64_t first, guarded_layout layout, uint64_t *state) {
  guarded g = guarded_new((guarded_layout)(layout % LAYOUTS), RPP_I64, c->pos_dims,
                          (int64_t[]){c->pos_dims == 1 ? length : c->batch, length});
  for (int64_t b = 0; b < (c->pos_dims == 1 ? 1 : c->batch); b++)
    for (int64_t l = 0; l < length; l++) {
      const int64_t rising = c->start + first + l + 13 * b, random = (int64_t)(support_random(state) % 4001) - 2000;
      problem_set_integer(&g.tensor, b, l,
                          c->positions == POSITIONS_RISING  ? rising
                          : c->positions == POSITIONS_RESET ? c->start + (l + b) % 4
                                                            : random);
    }
  return g;
}

/* Cumulative lengths at random, empty sequences among them. */
static guarded cumulative(int sequences, int64_t length, guarded_layout layout, uint64_t *state) {
  guarded g = guarded_new((guarded_layout)(layout % LAYOUTS), RPP_I64, 1, (int64_t[]){sequences + 1});
  int64_t cuts[16] = {0};
  ck_assert_int_lt(sequences, 16);
  for (int n = 1; n < sequences; n++) {
    int64_t cut = (int64_t)(support_random(state) % (uint64_t)(length + 1));
    for (int m = 1; m <= n; m++) /* insertion keeps them sorted */
      if (m == n || cut < cuts[m]) {
        const int64_t other = cuts[m];
        cuts[m] = cut, cut = other;
      }
  }
  cuts[sequences] = length;
  for (int n = 0; n <= sequences; n++) problem_set_integer(&g.tensor, 0, n, cuts[n]);
  return g;
}

problem *problem_new(const problem_config *c) {
  problem *p = calloc(1, sizeof *p);
  ck_assert_ptr_nonnull(p);
  uint64_t state = c->seed;
  const rpp_head_counts counts = oracle_heads(&c->attention);
  const int64_t q_heads = c->attention.q_rotated ? counts.output : counts.projected;
  const guarded_layout layout = c->layout;
  p->attention = c->attention;
  p->q = values(layout, c->q_dtype, (int64_t[]){c->batch, c->q_len, q_heads, c->head_dim}, &state);
  p->k = values(layout + 1, c->k_dtype, (int64_t[]){c->batch, c->k_len, counts.kv, c->head_dim}, &state);
  p->v = values(layout + 2, c->v_dtype, (int64_t[]){c->batch, c->k_len, counts.kv, c->v_dim}, &state);
  p->pos_q = positions(c, c->q_len, c->k_len - c->q_len, layout + 1, &state);
  p->pos_k = positions(c, c->k_len, 0, layout + 3, &state);
  p->inputs = (rpp_attention_inputs){
      .q = &p->q.tensor, .k = &p->k.tensor, .v = &p->v.tensor, .pos_q = &p->pos_q.tensor, .pos_k = &p->pos_k.tensor};
  if (c->packed) {
    p->cu_q = cumulative(c->packed, c->q_len, layout + 1, &state), p->inputs.cu_q = &p->cu_q.tensor;
    p->cu_k = cumulative(c->packed, c->k_len, layout + 2, &state), p->inputs.cu_k = &p->cu_k.tensor;
  }
  const int64_t rows = c->rows ? c->rows : c->q_len;
  p->out =
      guarded_new((guarded_layout)((layout + 3) % LAYOUTS), c->out_dtype, 4, (int64_t[]){c->batch, rows, counts.output, c->v_dim});
  p->lse = guarded_new((guarded_layout)((layout + 4) % LAYOUTS), c->lse_dtype, 3, (int64_t[]){c->batch, counts.output, rows});
  return p;
}

void problem_free(problem *p) {
  guarded *const all[] = {&p->q, &p->k, &p->v, &p->pos_q, &p->pos_k, &p->cu_q, &p->cu_k, &p->out, &p->lse};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
  free(p);
}

/* FNV-1a. */
static uint64_t hash(uint64_t h, const guarded *g) {
  for (size_t i = 0; g->memory && i < g->size; i++) h = (h ^ g->memory[i]) * 0x100000001b3u;
  return h;
}

uint64_t problem_inputs_hash(const problem *p) {
  const guarded *const inputs[] = {&p->q, &p->k, &p->v, &p->pos_q, &p->pos_k, &p->cu_q, &p->cu_k};
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) h = hash(h, inputs[i]);
  return h;
}

uint64_t problem_outputs_hash(const problem *p) {
  return hash(hash(0xcbf29ce484222325u, &p->out), &p->lse);
}

void problem_gives_means(const problem *p) {
  double largest = 0;
  int64_t index[RPP_MAX_DIMS] = {0};
  do support_worse(&largest, rpp_tensor_get(&p->v.tensor, index));
  while (guarded_next(&p->v.tensor, index));
  do {
    const double x = rpp_tensor_get(&p->out.tensor, index);
    ck_assert_msg(fabs(x) <= 1.001 * largest, "scale %g: %g", p->attention.scale, x);
  } while (guarded_next(&p->out.tensor, index));
  do ck_assert(isfinite(rpp_tensor_get(&p->lse.tensor, index)));
  while (guarded_next(&p->lse.tensor, index));
}

void problem_run(problem *p, const rpp_tensor *rows) {
  const uint64_t before = problem_inputs_hash(p);
  support_accepted(rpp_attention_forward(&p->attention, &p->inputs, rows, &p->out.tensor, &p->lse.tensor));
  ck_assert_uint_eq(guarded_stray_bytes(&p->out), 0);
  ck_assert_uint_eq(guarded_stray_bytes(&p->lse), 0);
  ck_assert_uint_eq(problem_inputs_hash(p), before);
}

double problem_error(const problem *p, const rpp_attention *attention, const rpp_tensor *rows, double scale) {
  const rpp_tensor *out = &p->out.tensor, *lse = &p->lse.tensor;
  const int64_t batch = out->shape[0], count = out->shape[1], heads = out->shape[2], v_dim = out->shape[3],
                q_len = p->q.tensor.shape[1];
  long double *exact_out = malloc((size_t)(batch * q_len * heads * v_dim + 1) * sizeof *exact_out);
  long double *exact_lse = malloc((size_t)(batch * q_len * heads + 1) * sizeof *exact_lse);
  ck_assert(exact_out && exact_lse);
  oracle_attention(attention, &p->inputs, exact_out, exact_lse);
  double worst = 0;
  for (int64_t b = 0; b < batch; b++)
    for (int64_t r = 0; r < count; r++) {
      const int64_t i = rows ? (int64_t)rpp_tensor_get(rows, &r) : r;
      for (int64_t o = 0; o < heads; o++) {
        support_worse(&worst, oracle_disagreement(lse->dtype, rpp_tensor_get(lse, (int64_t[]){b, o, r}),
                                                  exact_lse[(b * heads + o) * q_len + i], scale));
        for (int64_t c = 0; c < v_dim; c++) {
          support_worse(&worst, oracle_disagreement(out->dtype, rpp_tensor_get(out, (int64_t[]){b, r, o, c}),
                                                    exact_out[((b * q_len + i) * heads + o) * v_dim + c], scale));
        }
      }
    }
  free(exact_out);
  free(exact_lse);
  return worst;
}
