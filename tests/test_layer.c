/* layer.c: one attention layer against projections in long double around the oracle's attention, and what it refuses. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "guarded.h"
#include "mpfr_oracle.h"
#include "support.h"

enum { X, WQ, WK, WV, WO, POS, K_CACHE, V_CACHE, OUT, Y, TENSORS };

typedef struct {
  rpp_attention attention;
  rpp_head_counts counts;
  int64_t batch, length, hidden, head_dim, v_dim;
  guarded t[TENSORS];
  rpp_layer_inputs inputs;
  rpp_layer_outputs outputs;
} layer;

typedef struct {
  problem_config problem; /* attention, batch, q_len (of both), head_dim, v_dim, layout, positions */
  int64_t hidden;
  rpp_dtype in, out;
} layer_config;

static layer_config layer_default(rpp_mode mode) {
  layer_config c = {.problem = problem_default(mode), .hidden = 10};
  c.problem.attention.causal_offset = 0;
  return c;
}

static layer *layer_new(const layer_config *c) {
  layer *l = calloc(1, sizeof *l);
  ck_assert_ptr_nonnull(l);
  const problem_config *p = &c->problem;
  const rpp_head_counts n = oracle_heads(&p->attention);
  const int64_t b = p->batch, s = p->q_len, hidden = c->hidden, d = p->head_dim, dv = p->v_dim;
  l->attention = p->attention, l->counts = n, l->batch = b, l->length = s, l->hidden = hidden, l->head_dim = d, l->v_dim = dv;
  const struct {
    int ndim;
    int64_t shape[4];
  } wanted[TENSORS] = {{3, {b, s, hidden}},      {2, {n.projected * d, hidden}}, {2, {n.kv * d, hidden}},
                       {2, {n.kv * dv, hidden}}, {2, {hidden, n.output * dv}},   {p->pos_dims, {p->pos_dims == 1 ? s : b, s}},
                       {4, {b, s, n.kv, d}},     {4, {b, s, n.kv, dv}},          {4, {b, s, n.output, dv}},
                       {3, {b, s, hidden}}};
  uint64_t state = p->seed;
  for (int i = 0; i < TENSORS; i++) {
    const rpp_dtype dtype = i == POS ? RPP_I64 : i < POS ? c->in : c->out;
    l->t[i] = guarded_new((guarded_layout)((p->layout + i) % LAYOUTS), dtype, wanted[i].ndim, wanted[i].shape);
    int64_t at[RPP_MAX_DIMS] = {0};
    if (i < POS && wanted[i].shape[0] * wanted[i].shape[1] > 0) do
        rpp_tensor_set(&l->t[i].tensor, at, support_uniform(&state, -1, 1));
      while (guarded_next(&l->t[i].tensor, at));
  }
  for (int64_t row = 0; row < (p->pos_dims == 1 ? 1 : b); row++)
    for (int64_t i = 0; i < s; i++)
      problem_set_integer(&l->t[POS].tensor, row, i, p->positions == POSITIONS_RESET ? (i + row) % 3 : p->start + i + 5 * row);
  const guarded *t = l->t;
  l->inputs = (rpp_layer_inputs){&t[X].tensor, &t[WQ].tensor, &t[WK].tensor, &t[WV].tensor, &t[WO].tensor, &t[POS].tensor};
  l->outputs = (rpp_layer_outputs){&l->t[K_CACHE].tensor, &l->t[V_CACHE].tensor, &l->t[OUT].tensor, &l->t[Y].tensor};
  return l;
}

static void layer_free(layer *l) {
  for (int i = 0; i < TENSORS; i++) guarded_free(&l->t[i]);
  free(l);
}

/* (B, L, heads, width) = x w^T, rounded to float64 once: what the oracle's attention is given. */
static guarded projected(const layer *l, const rpp_tensor *w, int64_t heads, int64_t width) {
  guarded g = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, (int64_t[]){l->batch, l->length, heads, width});
  int64_t at[RPP_MAX_DIMS] = {0};
  do {
    long double sum = 0;
    for (int64_t c = 0; c < l->hidden; c++)
      sum += (long double)rpp_tensor_get(w, (int64_t[]){at[2] * width + at[3], c}) *
             (long double)rpp_tensor_get(l->inputs.x, (int64_t[]){at[0], at[1], c});
    rpp_tensor_set(&g.tensor, at, (double)sum);
  } while (guarded_next(&g.tensor, at));
  return g;
}

static void compare(double *worst, const rpp_tensor *t, const int64_t *at, long double exact) {
  support_worse(worst, oracle_disagreement(t->dtype, rpp_tensor_get(t, at), exact, 1));
}

/* Key (b, l, g) turned: the score of a unit query that is rotated already with it is one of its elements. */
static long double turned_key(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *in,
                              const int64_t *at) {
  rpp_attention one = *attention;
  one.q_rotated = true, one.mode = RPP_MODE_ROPE, one.heads = one.kv_heads = in->k->shape[2];
  double unit[64] = {0};
  unit[at[3]] = 1;
  const rpp_tensor q = {unit, RPP_F64, 4, {in->k->shape[0], in->k->shape[1], in->k->shape[2], in->k->shape[3]}, {0, 0, 0, 1}, 0};
  const rpp_attention_inputs inputs = {.q = &q, .k = in->k, .pos_k = in->pos_k};
  return oracle_dot(angles, &one, &inputs, at[0], at[2], at[1], at[1]);
}

/* The largest error of each output (k_cache, v_cache, out, y) if the layer were this attention. */
static void errors_of(const layer *l, const rpp_attention *attention, double *worst) {
  const rpp_head_counts n = l->counts;
  const int64_t length = l->length, dv = l->v_dim, columns = n.output * dv;
  guarded q = projected(l, l->inputs.wq, n.projected, l->head_dim), k = projected(l, l->inputs.wk, n.kv, l->head_dim),
          v = projected(l, l->inputs.wv, n.kv, dv);
  const rpp_attention_inputs in = {&q.tensor, &k.tensor, &v.tensor, l->inputs.pos, l->inputs.pos, NULL, NULL};
  long double *out = malloc((size_t)(l->batch * length * columns) * sizeof *out);
  long double *lse = malloc((size_t)(l->batch * length * n.output) * sizeof *lse);
  ck_assert(out && lse);
  const oracle_angles angles = oracle_angles_of(&attention->rotary);
  oracle_attention(attention, &in, out, lse);
  for (int i = 0; i < 4; i++) worst[i] = 0;
  int64_t at[RPP_MAX_DIMS] = {0};
  do compare(&worst[0], &l->t[K_CACHE].tensor, at, turned_key(&angles, attention, &in, at));
  while (guarded_next(&l->t[K_CACHE].tensor, at));
  do compare(&worst[1], &l->t[V_CACHE].tensor, at, (long double)rpp_tensor_get(&v.tensor, at));
  while (guarded_next(&l->t[V_CACHE].tensor, at));
  do compare(&worst[2], &l->t[OUT].tensor, at, out[(at[0] * length + at[1]) * columns + at[2] * dv + at[3]]);
  while (guarded_next(&l->t[OUT].tensor, at));
  do {
    long double sum = 0;
    for (int64_t c = 0; c < columns; c++)
      sum += (long double)rpp_tensor_get(l->inputs.wo, (int64_t[]){at[2], c}) * out[(at[0] * length + at[1]) * columns + c];
    compare(&worst[3], &l->t[Y].tensor, at, sum);
  } while (guarded_next(&l->t[Y].tensor, at));
  free(out), free(lse);
  guarded_free(&q), guarded_free(&k), guarded_free(&v);
}

static size_t stray_bytes(const layer *l) {
  size_t stray = 0;
  for (int i = 0; i < TENSORS; i++) stray += guarded_stray_bytes(&l->t[i]);
  return stray;
}

START_TEST(random_layers) {
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  static const int64_t counts[][2] = {{4, 2}, {2, 2}, {8, 4}, {6, 2}};
  double largest = 0;
  for (int variant = 0; variant < 48; variant++) {
    layer_config c = layer_default((rpp_mode)(variant % 3));
    problem_config *p = &c.problem;
    p->attention.heads = counts[variant / 3 % 4][0], p->attention.kv_heads = counts[variant / 3 % 4][1];
    p->attention.mask = (rpp_mask)(variant / 2 % 3), p->attention.causal_offset = variant % 5 - 2;
    p->attention.rotary.pairing = (rpp_pairing)(variant % 2), p->attention.rotary.rotary_dim = variant % 4 ? 8 : 6;
    p->attention.rotary.scaling = oracle_scalings[variant % oracle_scaling_count].scaling;
    p->layout = (guarded_layout)(variant % LAYOUTS), p->pos_dims = 1 + variant % 2, p->positions = (positions_kind)(variant % 2);
    p->batch = 1 + variant / 4 % 2, p->v_dim = 5 + variant % 4, p->start = variant % 3 ? 0 : 5000, p->seed = (uint64_t)variant;
    c.in = dtypes[variant % 4], c.out = dtypes[variant / 4 % 4];
    layer *l = layer_new(&c);
    double worst[4];
    support_accepted(rpp_layer_forward(&l->attention, &l->inputs, &l->outputs));
    ck_assert_uint_eq(stray_bytes(l), 0);
    errors_of(l, &l->attention, worst);
    for (int i = 0; i < 4; i++) {
      ck_assert_msg(worst[i] <= 1e-13, "variant %d, output %d: error %g", variant, i, worst[i]);
      largest = fmax(largest, worst[i]);
    }
    rpp_attention other = l->attention; /* controls */
    other.rotary.pairing = !other.rotary.pairing;
    errors_of(l, &other, worst);
    ck_assert(worst[0] > 1e-3 && worst[1] <= 1e-13 && (variant % 5 == 0 || worst[2] > 1e-5));
    other = l->attention, other.causal_offset += 2;
    errors_of(l, &other, worst);
    ck_assert(worst[0] <= 1e-13 && (other.mask == RPP_MASK_FULL || worst[3] > 1e-5));
    layer_free(l);
  }
  fprintf(stderr, "layer: largest error %.3g\n", largest);
}
END_TEST

START_TEST(empty_layers) {
  for (int which = 0; which < 2; which++) {
    layer_config c = layer_default(RPP_MODE_EC);
    *(which ? &c.problem.q_len : &c.problem.batch) = 0;
    layer *l = layer_new(&c);
    for (int i = 0; i < TENSORS; i++)
      if (i == X || i >= K_CACHE || (i == POS && which)) l->t[i].tensor.data = NULL;
    support_accepted(rpp_layer_forward(&l->attention, &l->inputs, &l->outputs));
    layer_free(l);
  }
}
END_TEST

START_TEST(outputs_are_optional) {
  const layer_config c = layer_default(RPP_MODE_EC);
  layer *all = layer_new(&c);
  support_accepted(rpp_layer_forward(&all->attention, &all->inputs, &all->outputs));
  for (int wanted = 1; wanted < 16; wanted++) {
    layer *l = layer_new(&c);
    rpp_tensor **const outputs[] = {&l->outputs.k_cache, &l->outputs.v_cache, &l->outputs.out, &l->outputs.y};
    for (int i = 0; i < 4; i++)
      if (!(wanted >> i & 1)) *outputs[i] = NULL;
    support_accepted(rpp_layer_forward(&l->attention, &l->inputs, &l->outputs));
    for (int i = 0; i < 4; i++) {
      const guarded *got = &l->t[K_CACHE + i], *want = &all->t[K_CACHE + i];
      ck_assert((wanted >> i & 1) ? memcmp(got->memory, want->memory, want->size) == 0
                                  : guarded_written_bytes(got) + guarded_stray_bytes(got) == 0);
    }
    layer_free(l);
  }
  layer_free(all);
}
END_TEST

START_TEST(threads_do_not_change_the_bits) {
  layer_config c = layer_default(RPP_MODE_EH);
  c.hidden = 128, c.problem.q_len = 160; /* far past threads.h's limit in every projection: both threads do work */
  c.problem.head_dim = 32, c.problem.attention.rotary.rotary_dim = 32;
  layer *runs[3];
  for (int i = 0; i < 3; i++) {
    omp_set_num_threads(i + 1);
    runs[i] = layer_new(&c);
    support_accepted(rpp_layer_forward(&runs[i]->attention, &runs[i]->inputs, &runs[i]->outputs));
  }
  for (int i = K_CACHE; i < TENSORS; i++) {
    ck_assert_mem_eq(runs[0]->t[i].memory, runs[1]->t[i].memory, runs[0]->t[i].size);
    ck_assert_mem_eq(runs[0]->t[i].memory, runs[2]->t[i].memory, runs[0]->t[i].size);
  }
  ck_assert_uint_gt(guarded_written_bytes(&runs[0]->t[Y]), 0);
  for (int i = 0; i < 3; i++) layer_free(runs[i]);
}
END_TEST

#define REFUSED(mode, change, status, field, value)                                                                                \
  do {                                                                                                                             \
    const layer_config config_ = layer_default(mode);                                                                              \
    layer *l = layer_new(&config_);                                                                                                \
    rpp_attention *a = &l->attention;                                                                                              \
    rpp_tensor *t[TENSORS];                                                                                                        \
    for (int i_ = 0; i_ < TENSORS; i_++) t[i_] = &l->t[i_].tensor;                                                                 \
    const rpp_layer_inputs *in = &l->inputs;                                                                                       \
    const rpp_layer_outputs *out = &l->outputs;                                                                                    \
    (void)a, (void)t;                                                                                                              \
    change;                                                                                                                        \
    support_refused(rpp_layer_forward(a, in, out), status, field, value);                                                          \
    size_t written_ = 0;                                                                                                           \
    for (int i_ = K_CACHE; i_ < TENSORS; i_++)                                                                                     \
      for (size_t j_ = 0; j_ < l->t[i_].size; j_++) written_ += l->t[i_].memory[j_] != 0xa5; /* guarded.c's poison */              \
    ck_assert_uint_eq(written_, 0);                                                                                                \
    layer_free(l);                                                                                                                 \
  } while (0)

static const rpp_mode rope = RPP_MODE_ROPE, ec = RPP_MODE_EC, eh = RPP_MODE_EH;

START_TEST(refused_descriptions) {
  REFUSED(ec, a = NULL, RPP_ERROR_NULL, "attention = null:", "");
  REFUSED(ec, in = NULL, RPP_ERROR_NULL, "inputs = null:", "");
  REFUSED(ec, out = NULL, RPP_ERROR_NULL, "outputs = null:", "");
  REFUSED(ec, memset(&l->outputs, 0, sizeof l->outputs), RPP_ERROR_NULL, "outputs", "null");
  REFUSED(eh, a->heads = 3, RPP_ERROR_VALUE, "kv_heads = 2:", "heads = 3");
  REFUSED(eh, (a->heads = 6, a->kv_heads = 3), RPP_ERROR_VALUE, "kv_heads = 3:", "EH");
  REFUSED(ec, a->q_rotated = true, RPP_ERROR_VALUE, "q_rotated = true:", "");
  REFUSED(ec, a->k_rotated = true, RPP_ERROR_VALUE, "k_rotated = true:", "");
  REFUSED(ec, (a->mask = RPP_MASK_WINDOW, a->window = 0), RPP_ERROR_VALUE, "window = 0:", "");
  REFUSED(ec, a->scale = NAN, RPP_ERROR_VALUE, "scale = ", "nan:");
  REFUSED(ec, a->rotary.rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim = 7:", "");
  REFUSED(ec, a->rotary.rotary_dim = 10, RPP_ERROR_VALUE, "rotary_dim = 10:", "8");
}
END_TEST

START_TEST(refused_tensors) {
  static const char *const names[] = {"x", "wq", "wk", "wv", "wo", "pos", "k_cache", "v_cache", "out", "y"};
  char message[32];
  for (int i = 0; i < TENSORS; i++) {
    snprintf(message, 32, "%s.data = null:", names[i]);
    REFUSED(ec, t[i]->data = NULL, RPP_ERROR_NULL, message, "");
    snprintf(message, 32, "%s.dtype = %s:", names[i], i == POS ? "F64" : "I64");
    REFUSED(ec, t[i]->dtype = i == POS ? RPP_F64 : RPP_I64, RPP_ERROR_DTYPE, message, "");
    if (i == POS) continue;
    snprintf(message, 32, "%s.ndim = %d:", names[i], i == X || i == Y ? 2 : i < POS ? 1 : 3);
    REFUSED(ec, t[i]->ndim--, RPP_ERROR_SHAPE, message, "");
    snprintf(message, 32, "%s.shape = (", names[i]);
    REFUSED(ec, t[i]->strides[0] = INT64_MAX, RPP_ERROR_OVERFLOW, message, "");
  }
  REFUSED(ec, l->inputs.x = NULL, RPP_ERROR_NULL, "x = null:", "");
  REFUSED(ec, l->inputs.wo = NULL, RPP_ERROR_NULL, "wo = null:", "");
  REFUSED(ec, l->inputs.pos = NULL, RPP_ERROR_NULL, "pos = null:", "");
  REFUSED(ec, t[WQ]->shape[0] = 31, RPP_ERROR_SHAPE, "wq.shape[0] = 31:", "4 heads");
  REFUSED(ec, t[WQ]->shape[0] = 0, RPP_ERROR_SHAPE, "wq.shape[0] = 0:", "4 heads");
  REFUSED(ec, t[WV]->shape[0] = 11, RPP_ERROR_SHAPE, "wv.shape[0] = 11:", "2 heads");
  REFUSED(ec, t[WQ]->shape[1] = 9, RPP_ERROR_SHAPE, "wq.shape[1] = 9:", "10");
  REFUSED(ec, t[WK]->shape[0] = 8, RPP_ERROR_SHAPE, "wk.shape[0] = 8:", "16");
  REFUSED(ec, t[WK]->shape[1] = 9, RPP_ERROR_SHAPE, "wk.shape[1] = 9:", "10");
  REFUSED(ec, t[WV]->shape[1] = 9, RPP_ERROR_SHAPE, "wv.shape[1] = 9:", "10");
  REFUSED(ec, t[WO]->shape[0] = 9, RPP_ERROR_SHAPE, "wo.shape[0] = 9:", "10");
  REFUSED(ec, t[WO]->shape[1] = 24, RPP_ERROR_SHAPE, "wo.shape[1] = 24:", "48"); /* EC doubles it */
  REFUSED(rope, t[WO]->shape[1] = 23, RPP_ERROR_SHAPE, "wo.shape[1] = 23:", "24");
  REFUSED(ec, t[POS]->shape[0] = 4, RPP_ERROR_SHAPE, "pos.shape[0] = 4:", "5");
  REFUSED(ec, problem_set_integer(t[POS], 0, 4, INT64_MIN), RPP_ERROR_VALUE, "pos[4] = ", "-9223372036854775808:");
  REFUSED(ec, t[K_CACHE]->shape[1] = 4, RPP_ERROR_SHAPE, "k_cache.shape[1] = 4:", "5");
  REFUSED(ec, t[K_CACHE]->shape[3] = 6, RPP_ERROR_SHAPE, "k_cache.shape[3] = 6:", "8");
  REFUSED(ec, t[V_CACHE]->shape[3] = 5, RPP_ERROR_SHAPE, "v_cache.shape[3] = 5:", "6");
  REFUSED(ec, t[OUT]->shape[2] = 4, RPP_ERROR_SHAPE, "out.shape[2] = 4:", "8");
  REFUSED(ec, t[Y]->shape[2] = 9, RPP_ERROR_SHAPE, "y.shape[2] = 9:", "10");
}
END_TEST

/* Two tensors from the middle of one buffer, which is larger than any of them. */
static double arena[4096];

static void move(rpp_tensor *t) {
  t->data = arena, t->byte_offset = sizeof arena / 2;
}

START_TEST(refused_overlaps) {
  static const char *const names[] = {"x",       "wq",  "wk", "wv",       "wo",  "pos", "k_cache",
                                      "v_cache", "out", "y",  "inv_freq", "cos", "sin"};
  rpp_tensor given = {NULL, RPP_F64, 2, {20, 4}, {4, 1}, 0}, clear = {(double[80]){0}, RPP_F64, 2, {20, 4}, {4, 1}, 0};
  for (int o = K_CACHE; o < TENSORS; o++) {
    char message[2][32];
    snprintf(message[0], 32, "%s.data = ", names[o]);
    for (int i = 0; i < 13; i++) {
      if (i >= o && i < TENSORS) continue;
      snprintf(message[1], 32, "overlaps %s", names[i]);
      given.ndim = i == TENSORS ? 1 : 2, given.shape[0] = i == TENSORS ? 4 : 20, given.strides[0] = i == TENSORS ? 1 : 4;
      rpp_rotary tables = {.inv_freq = i == TENSORS ? &given : NULL};
      if (i > TENSORS) tables.cos = i == 11 ? &given : &clear, tables.sin = i == 11 ? &clear : &given;
      REFUSED(ec,
              (move(t[o]), move(i < TENSORS ? t[i] : &given), a->rotary.inv_freq = tables.inv_freq, a->rotary.cos = tables.cos,
               a->rotary.sin = tables.sin),
              RPP_ERROR_OVERLAP, message[0], message[1]);
    }
    snprintf(message[0], 32, "%s.strides[", names[o]);
    REFUSED(ec, t[o]->strides[1] = 0, RPP_ERROR_OVERLAP, message[0], "share memory");
  }
  size_t changed = 0;
  for (size_t i = 0; i < sizeof arena / sizeof *arena; i++) changed += arena[i] != 0;
  ck_assert_uint_eq(changed, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layer");
  TCase *cases = tcase_create("layer");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, random_layers);
  tcase_add_test(cases, empty_layers);
  tcase_add_test(cases, outputs_are_optional);
  tcase_add_test(cases, threads_do_not_change_the_bits);
  tcase_add_test(cases, refused_descriptions);
  tcase_add_test(cases, refused_tensors);
  tcase_add_test(cases, refused_overlaps);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
