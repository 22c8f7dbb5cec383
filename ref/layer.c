#include "blas.h"
#include "check_attention.h"
#include "check_tensor.h"
#include "status.h"
#include "tensor.h"
#include "team.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

typedef struct {
  rpp_head_counts counts;
  int64_t batch, length, tokens, hidden, head_dim, v_dim;
} sizes;

/* Rows of a projection shared evenly among heads: the width of one. */
static rpp_status head_width(const char *name, const rpp_tensor *w, int64_t heads, int64_t *width) {
  *width = w->shape[0] / heads;
  if (*width < 1 || w->shape[0] % heads != 0)
    return rpp_fail(RPP_ERROR_SHAPE, "%s.shape[0] = %" PRId64 ": must be a positive multiple of its %" PRId64 " heads", name,
                    w->shape[0], heads);
  return RPP_OK;
}

static rpp_status check_inputs(const rpp_attention *attention, const rpp_layer_inputs *in, sizes *n) {
  if (!in) return rpp_fail(RPP_ERROR_NULL, "inputs = null: tensors are required");
  RPP_TRY(rpp_attention_heads(attention, &n->counts));
  if (attention->q_rotated || attention->k_rotated)
    return rpp_fail(RPP_ERROR_VALUE, "%s = true: a layer rotates by itself", attention->q_rotated ? "q_rotated" : "k_rotated");
  RPP_TRY(rpp_check_floating("x", in->x, 3, (int64_t[]){-1, -1, -1}));
  n->batch = in->x->shape[0], n->length = in->x->shape[1], n->hidden = in->x->shape[2];
  RPP_TRY(rpp_multiply("tokens", n->batch, n->length, &n->tokens));
  RPP_TRY(rpp_check_floating("wq", in->wq, 2, (int64_t[]){-1, n->hidden}));
  RPP_TRY(head_width("wq", in->wq, n->counts.projected, &n->head_dim));
  int64_t k_rows, o_columns;
  RPP_TRY(rpp_multiply("K D", n->counts.kv, n->head_dim, &k_rows));
  RPP_TRY(rpp_check_floating("wk", in->wk, 2, (int64_t[]){k_rows, n->hidden}));
  RPP_TRY(rpp_check_floating("wv", in->wv, 2, (int64_t[]){-1, n->hidden}));
  RPP_TRY(head_width("wv", in->wv, n->counts.kv, &n->v_dim));
  RPP_TRY(rpp_multiply("O Dv", n->counts.output, n->v_dim, &o_columns));
  RPP_TRY(rpp_check_floating("wo", in->wo, 2, (int64_t[]){n->hidden, o_columns}));
  rpp_head_counts counts;
  RPP_TRY(rpp_check_attention(attention, n->head_dim, &counts));
  return rpp_check_positions("pos", in->pos, n->batch, n->length, &attention->rotary);
}

static rpp_status check_outputs(const rpp_attention *attention, const rpp_layer_inputs *in, const rpp_layer_outputs *out,
                                const sizes *n) {
  if (!out || (!out->k_cache && !out->v_cache && !out->out && !out->y))
    return rpp_fail(RPP_ERROR_NULL, "outputs = null: at least one output is required");
  const struct {
    rpp_named_tensor named;
    int ndim;
    int64_t shape[4];
  } wanted[] = {{{"k_cache", out->k_cache}, 4, {n->batch, n->length, n->counts.kv, n->head_dim}},
                {{"v_cache", out->v_cache}, 4, {n->batch, n->length, n->counts.kv, n->v_dim}},
                {{"out", out->out}, 4, {n->batch, n->length, n->counts.output, n->v_dim}},
                {{"y", out->y}, 3, {n->batch, n->length, n->hidden, 0}}};
  rpp_named_tensor others[13] = {{"x", in->x},
                                 {"wq", in->wq},
                                 {"wk", in->wk},
                                 {"wv", in->wv},
                                 {"wo", in->wo},
                                 {"pos", in->pos},
                                 {"inv_freq", attention->rotary.inv_freq},
                                 {"cos", attention->rotary.cos},
                                 {"sin", attention->rotary.sin}};
  for (int i = 0; i < 4; i++) {
    if (!wanted[i].named.tensor) continue;
    RPP_TRY(rpp_check_floating(wanted[i].named.name, wanted[i].named.tensor, wanted[i].ndim, wanted[i].shape));
    RPP_TRY(rpp_check_output(wanted[i].named.name, wanted[i].named.tensor, 9 + i, others));
    others[9 + i] = wanted[i].named;
  }
  return RPP_OK;
}

/* A contiguous float64 tensor of its own memory. */
static rpp_status make(int ndim, const int64_t *shape, rpp_tensor *t) {
  void *data;
  RPP_TRY(rpp_tensor_contiguous(NULL, RPP_F64, ndim, shape, t));
  RPP_TRY(rpp_allocate(t->shape[0] * t->strides[0], sizeof(double), &data));
  t->data = data;
  return RPP_OK;
}

enum { BLOCK = 128 }; /* of tokens and of rows: products are cut so whatever the number of threads, and small ones are not */

/* y[token, r] = sum_c w[r, c] x[token, c]; x (tokens, columns) and y (tokens, rows) contiguous float64, w any layout. */
static rpp_status project(const double *x, int64_t tokens, const rpp_tensor *w, double *y) {
  const int64_t rows = w->shape[0], columns = w->shape[1];
  const int64_t token_blocks = (tokens + BLOCK - 1) / BLOCK, row_blocks = (rows + BLOCK - 1) / BLOCK;
  int64_t elements;
  void *buffer;
  if (columns > INT_MAX || rows > INT_MAX)
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "weights.shape = (%" PRId64 ", %" PRId64 "): expected at most %d each", rows, columns,
                    INT_MAX);
  RPP_TRY(rpp_multiply("elements", rows, columns, &elements));
  RPP_TRY(rpp_allocate(elements, sizeof(double), &buffer));
  double *weights = buffer;
  rpp_blas_enter();
#pragma omp parallel num_threads(rpp_threads((double)elements *(double)tokens))
  {
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) weights[r * columns + c] = rpp_load(w->dtype, rpp_tensor_at(w, r, c, 0, 0));
#pragma omp for schedule(static) collapse(2)
    for (int64_t i = 0; i < token_blocks; i++)
      for (int64_t j = 0; j < row_blocks; j++) {
        const int64_t token = i * BLOCK, row = j * BLOCK;
        rpp_blas_product((int)(tokens - token < BLOCK ? tokens - token : BLOCK), (int)(rows - row < BLOCK ? rows - row : BLOCK),
                         (int)columns, x + token * columns, weights + row * columns, y + token * rows + row, (int)rows);
      }
  }
  rpp_blas_leave();
  free(buffer);
  return RPP_OK;
}

/* from is contiguous float64; to has the same shape, any layout, or is null. */
static void deliver(const rpp_tensor *from, const rpp_tensor *to) {
  if (!to || rpp_tensor_is_empty(to)) return;
  const bool flat = from->ndim == 3;
  for (int64_t b = 0; b < from->shape[0]; b++)
    for (int64_t l = 0; l < from->shape[1]; l++)
      for (int64_t h = 0; h < from->shape[2]; h++)
        for (int64_t c = 0; c < (flat ? 1 : from->shape[3]); c++)
          rpp_store(to->dtype, rpp_tensor_at(to, b, l, h, c), rpp_load(RPP_F64, rpp_tensor_at(from, b, l, h, c)));
}

typedef struct {
  rpp_tensor x, q, k, v, k_rotated, out, y;
} temporaries;

static rpp_status allocate(const sizes *n, temporaries *t) {
  const int64_t b = n->batch, l = n->length;
  RPP_TRY(make(3, (int64_t[]){b, l, n->hidden}, &t->x));
  RPP_TRY(make(4, (int64_t[]){b, l, n->counts.projected, n->head_dim}, &t->q));
  RPP_TRY(make(4, (int64_t[]){b, l, n->counts.kv, n->head_dim}, &t->k));
  RPP_TRY(make(4, (int64_t[]){b, l, n->counts.kv, n->v_dim}, &t->v));
  RPP_TRY(make(4, (int64_t[]){b, l, n->counts.kv, n->head_dim}, &t->k_rotated));
  RPP_TRY(make(4, (int64_t[]){b, l, n->counts.output, n->v_dim}, &t->out));
  return make(3, (int64_t[]){b, l, n->hidden}, &t->y);
}

static rpp_status run(const rpp_attention *attention, const rpp_layer_inputs *in, const sizes *n, temporaries *t) {
  double *x = t->x.data;
  for (int64_t b = 0; b < n->batch; b++)
    for (int64_t l = 0; l < n->length; l++)
      for (int64_t c = 0; c < n->hidden; c++)
        x[(b * n->length + l) * n->hidden + c] = rpp_load(in->x->dtype, rpp_tensor_at(in->x, b, l, c, 0));
  RPP_TRY(project(x, n->tokens, in->wq, t->q.data));
  RPP_TRY(project(x, n->tokens, in->wk, t->k.data));
  RPP_TRY(project(x, n->tokens, in->wv, t->v.data));
  RPP_TRY(rpp_rotate(&attention->rotary, RPP_PART_REAL, &t->k, in->pos, &t->k_rotated));
  rpp_attention cached = *attention;
  cached.k_rotated = true;
  const rpp_attention_inputs inputs = {.q = &t->q, .k = &t->k_rotated, .v = &t->v, .pos_q = in->pos};
  RPP_TRY(rpp_attention_forward(&cached, &inputs, NULL, &t->out, NULL));
  return project(t->out.data, n->tokens, in->wo, t->y.data);
}

rpp_status rpp_layer_forward(const rpp_attention *attention, const rpp_layer_inputs *inputs, const rpp_layer_outputs *outputs) {
  sizes n;
  RPP_TRY(check_inputs(attention, inputs, &n));
  RPP_TRY(check_outputs(attention, inputs, outputs, &n));
  if (n.tokens == 0) return RPP_OK;
  temporaries t = {0};
  rpp_status status = allocate(&n, &t);
  if (status == RPP_OK) status = run(attention, inputs, &n, &t);
  if (status == RPP_OK) {
    deliver(&t.k_rotated, outputs->k_cache);
    deliver(&t.v, outputs->v_cache);
    deliver(&t.out, outputs->out);
    deliver(&t.y, outputs->y);
  }
  rpp_tensor *const made[] = {&t.x, &t.q, &t.k, &t.v, &t.k_rotated, &t.out, &t.y};
  for (int i = 0; i < 7; i++) free(made[i]->data);
  return status;
}
