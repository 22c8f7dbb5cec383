#include "cases/generate.h"

#include <stdlib.h>
#include <string.h>

#include "cases/guards.h"
#include "cases/layout.h"
#include "cases/tokens.h"
#include "cases/values.h"

/* ---- Which tensors there are --------------------------------------------------------------------------------------------- */

enum { Q, K, V, POS_Q, POS_K, CU_Q, CU_K, ROWS, OUT, LSE, TENSORS };
static const char *const names[TENSORS] = {"q", "k", "v", "pos_q", "pos_k", "cu_q", "cu_k", "rows", "out", "lse"};

static rpp_tensor *tensor_at(rpp_generated *g, int which) {
  rpp_tensor *const all[TENSORS] = {&g->q, &g->k, &g->v, &g->pos_q, &g->pos_k, &g->cu_q, &g->cu_k, &g->rows, &g->out, &g->lse};
  return all[which];
}

/* Shape and dtype; ndim 0 for a tensor that the case lacks. */
static void shape(rpp_generated *g, rpp_dtype out_dtype, rpp_dtype lse_dtype) {
  const rpp_spec *s = &g->spec;
  const bool rotated = s->attention.q_rotated, rotated_k = s->attention.k_rotated, packed = s->packed > 0,
             batched = s->batched_positions;
  rpp_head_counts n = {0};
  rpp_attention_heads(&s->attention, &n);
  g->q = (rpp_tensor){.dtype = s->dtype, .ndim = 4, .shape = {s->batch, s->q_len, rotated ? n.output : n.projected, s->head_dim}};
  g->k = (rpp_tensor){.dtype = s->dtype, .ndim = 4, .shape = {s->batch, s->k_len, n.kv, s->head_dim}};
  g->v = (rpp_tensor){.dtype = s->dtype, .ndim = 4, .shape = {s->batch, s->k_len, n.kv, s->v_dim}};
  g->out = (rpp_tensor){.dtype = out_dtype, .ndim = 4, .shape = {s->batch, s->q_len, n.output, s->v_dim}};
  g->lse = (rpp_tensor){.dtype = lse_dtype, .ndim = 3, .shape = {s->batch, n.output, s->q_len}};
  g->pos_q = (rpp_tensor){.dtype = RPP_I64, .ndim = rotated ? 0 : batched ? 2 : 1, .shape = {s->q_len}};
  g->pos_k = (rpp_tensor){.dtype = RPP_I64, .ndim = rotated_k ? 0 : batched ? 2 : 1, .shape = {s->k_len}};
  if (batched) g->pos_q.shape[0] = g->pos_k.shape[0] = s->batch, g->pos_q.shape[1] = s->q_len, g->pos_k.shape[1] = s->k_len;
  g->cu_q = g->cu_k = (rpp_tensor){.dtype = RPP_I64, .ndim = packed ? 1 : 0, .shape = {s->packed + 1}};
  g->rows = (rpp_tensor){.dtype = RPP_I64, .ndim = s->rows > 0 ? 1 : 0, .shape = {s->rows}};
}

/* Strides and offset; what its block must hold. */
static rpp_layout_memory lay_out(rpp_generated *g, int which) {
  rpp_tensor *t = tensor_at(g, which);
  if (which > V || !rpp_layout_is_fused(&g->spec)) return rpp_layout_apply(g->spec.layout, which, t);
  const int64_t first[] = {0, g->q.shape[2], g->q.shape[2] + g->k.shape[2]};
  return rpp_layout_slice(first[V] + g->v.shape[2], first[which], t);
}

static const rpp_tensor *present(const rpp_tensor *t) {
  return t->ndim > 0 ? t : NULL;
}

void rpp_generated_describe(const rpp_spec *spec, rpp_dtype out_dtype, rpp_dtype lse_dtype, rpp_generated *g) {
  *g = (rpp_generated){.spec = *spec, .attention = spec->attention};
  shape(g, out_dtype, lse_dtype);
  for (int i = 0; i < TENSORS; i++)
    if (tensor_at(g, i)->ndim > 0) lay_out(g, i);
  g->inputs =
      (rpp_attention_inputs){&g->q, &g->k, &g->v, present(&g->pos_q), present(&g->pos_k), present(&g->cu_q), present(&g->cu_k)};
}

/* ---- What they hold ------------------------------------------------------------------------------------------------------ */

static int64_t *integers(const rpp_tensor *t) {
  return (int64_t *)(void *)((char *)t->data + t->byte_offset);
}

/* Of a sequence of the batch; null where the case has none. */
static int64_t *positions(const rpp_tensor *pos, int64_t b) {
  return pos->ndim > 0 ? integers(pos) + b * pos->strides[0] * (pos->ndim - 1) : NULL;
}

static void fill_tokens(rpp_generated *g) {
  const rpp_spec *s = &g->spec;
  int64_t *cu_q = NULL, *cu_k = NULL;
  if (g->cu_q.ndim > 0) rpp_token_packing(s, cu_q = integers(&g->cu_q), cu_k = integers(&g->cu_k));
  if (g->rows.ndim > 0) rpp_token_rows(s, integers(&g->rows));
  for (int64_t b = 0; b < (s->batched_positions ? s->batch : 1); b++)
    rpp_token_positions(s, cu_q, cu_k, b, positions(&g->pos_q, b), positions(&g->pos_k, b));
}

/* One row, rounded to the tensor's dtype. */
static void store(const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const double *row) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), step = t->strides[3] * size, width = t->shape[3];
  char *at = (char *)t->data + t->byte_offset + (b * t->strides[0] + l * t->strides[1] + h * t->strides[2]) * size;
  switch (t->dtype) {
  case RPP_F64:
    for (int64_t d = 0; d < width; d++) memcpy(at + d * step, &row[d], sizeof row[d]);
    return;
  case RPP_F32:
    for (int64_t d = 0; d < width; d++) {
      const float value = rpp_f32_from_f64(row[d]);
      memcpy(at + d * step, &value, sizeof value);
    }
    return;
  case RPP_F16:
  case RPP_BF16:
    for (int64_t d = 0; d < width; d++) {
      const uint16_t value = t->dtype == RPP_F16 ? rpp_f16_from_f64(row[d]) : rpp_bf16_from_f64(row[d]);
      memcpy(at + d * step, &value, sizeof value);
    }
    return;
  case RPP_I64:
    return;
  }
}

/* Angles of a run of positions, for families that are drawn as rotated; room for one row too. */
enum { RUN = 1024 };
typedef struct {
  double *row, *cosine, *sine;
  bool turn_q, turn_k; /* raw values of such a family */
} fill_room;

static bool open_room(const rpp_generated *g, const rpp_values *values, fill_room *room) {
  const int64_t longest = g->spec.k_len > g->spec.q_len ? g->spec.k_len : g->spec.q_len, run = longest < RUN ? longest : RUN;
  const int64_t widest = g->spec.head_dim > g->spec.v_dim ? g->spec.head_dim : g->spec.v_dim;
  room->turn_q = rpp_values_are_rotated(values) && !g->spec.attention.q_rotated;
  room->turn_k = rpp_values_are_rotated(values) && !g->spec.attention.k_rotated;
  const int64_t angles = room->turn_q || room->turn_k ? run * g->spec.attention.rotary.rotary_dim / 2 : 0;
  room->row = malloc((size_t)(widest + 2 * angles) * sizeof *room->row);
  room->cosine = room->row != NULL ? room->row + widest : NULL;
  room->sine = room->row != NULL ? room->cosine + angles : NULL;
  return room->row != NULL;
}

static bool find_angles(const rpp_generated *g, const rpp_tensor *pos, int64_t b, int64_t first, int64_t run, const fill_room *room,
                        rpp_message *error) {
  const rpp_rotary *rotary = &g->spec.attention.rotary;
  const int64_t shape[] = {run, rotary->rotary_dim / 2};
  rpp_tensor at, cosine, sine;
  rpp_tensor_contiguous(positions(pos, b) + first, RPP_I64, 1, shape, &at);
  rpp_tensor_contiguous(room->cosine, RPP_F64, 2, shape, &cosine);
  rpp_tensor_contiguous(room->sine, RPP_F64, 2, shape, &sine);
  return rpp_angles(rotary, &at, &cosine, &sine) == RPP_OK || rpp_message_set(error, "%s", rpp_error_message());
}

/* Rows in any order, by all threads: each is a function of its place. */
static bool fill_large(const rpp_values *values, rpp_values_tensor which, const rpp_tensor *t) {
  const int64_t tokens = t->shape[0] * t->shape[1], heads = t->shape[2];
  bool good = true;
#pragma omp parallel reduction(&& : good)
  {
    double *row = malloc((size_t)t->shape[3] * sizeof *row);
    good = row != NULL;
#pragma omp for schedule(static)
    for (int64_t i = 0; i < tokens * heads; i++) {
      const int64_t b = i / heads / t->shape[1], l = i / heads % t->shape[1], h = i % heads;
      if (!good) continue;
      rpp_values_row(values, which, b, l, h, row);
      store(t, b, l, h, row);
    }
    free(row);
  }
  return good;
}

static bool fill_values(const rpp_generated *g, const rpp_values *values, rpp_values_tensor which, const rpp_tensor *t,
                        const rpp_tensor *pos, const fill_room *room, rpp_message *error) {
  enum { LARGE = 1 << 22 }; /* elements */
  const bool turn = which == RPP_VALUES_Q ? room->turn_q : which == RPP_VALUES_K && room->turn_k;
  const int64_t pairs = g->spec.attention.rotary.rotary_dim / 2;
  if (!turn && t->shape[0] * t->shape[1] * t->shape[2] * t->shape[3] >= LARGE)
    return fill_large(values, which, t) || rpp_message_set(error, "generate: out of memory");
  for (int64_t b = 0; b < t->shape[0]; b++)
    for (int64_t l = 0; l < t->shape[1]; l++) {
      const int64_t n = l % RUN, left = t->shape[1] - l;
      if (turn && n == 0 && !find_angles(g, pos, b, l, left < RUN ? left : RUN, room, error)) return false;
      for (int64_t h = 0; h < t->shape[2]; h++) {
        rpp_values_row(values, which, b, l, h, room->row);
        if (turn) rpp_values_turn_back(&g->spec.attention.rotary, room->cosine + n * pairs, room->sine + n * pairs, room->row);
        store(t, b, l, h, room->row);
      }
    }
  return true;
}

static bool fill(rpp_generated *g, rpp_message *error) {
  rpp_values values;
  fill_room room;
  fill_tokens(g);
  rpp_values_open(&g->spec, &values);
  if (!open_room(g, &values, &room)) return rpp_message_set(error, "generate: out of memory");
  const bool ok = fill_values(g, &values, RPP_VALUES_Q, &g->q, &g->pos_q, &room, error) &&
                  fill_values(g, &values, RPP_VALUES_K, &g->k, &g->pos_k, &room, error) &&
                  fill_values(g, &values, RPP_VALUES_V, &g->v, NULL, &room, error);
  free(room.row);
  return ok;
}

/* ---- Memory -------------------------------------------------------------------------------------------------------------- */

/* A block of its own for a tensor. Null, with a message, when there is no room for it. */
static rpp_block *new_block(rpp_generated *g, const char *name, rpp_dtype dtype, const rpp_layout_memory *memory,
                            rpp_message *error) {
  const size_t size = rpp_dtype_size(dtype), step = (size_t)memory->step * size, part = (size_t)memory->part * size;
  rpp_block *block = memory->parts > 1 ? rpp_block_new_sparse(&g->blocks, name, (size_t)memory->parts, step, part)
                                       : rpp_block_new(&g->blocks, name, part);
  if (block != NULL) return block;
  g->unreserved = memory->parts > 1;
  if (g->unreserved)
    rpp_message_set(error, "%s: layout = sparse: %zu GiB of address space cannot be had here", name,
                    (size_t)memory->parts * step >> 30);
  else
    rpp_message_set(error, "%s: %zu bytes: out of memory", name, part);
  return NULL;
}

static bool allocate(rpp_generated *g, rpp_message *error) {
  rpp_block *block = NULL;
  for (int i = 0; i < TENSORS; i++) {
    rpp_tensor *t = tensor_at(g, i);
    if (t->ndim == 0) continue;
    const rpp_layout_memory memory = lay_out(g, i);
    const bool shared = (i == K || i == V) && rpp_layout_is_fused(&g->spec);
    if (!shared) block = new_block(g, names[i], t->dtype, &memory, error);
    if (block == NULL) return false;
    rpp_block_add(block, names[i], t);
    block->output = i >= OUT;
  }
  return true;
}

bool rpp_generate(const rpp_spec *spec, rpp_dtype out_dtype, rpp_dtype lse_dtype, rpp_generated *g, rpp_message *error) {
  rpp_generated_describe(spec, out_dtype, lse_dtype, g);
  if (!allocate(g, error) || !fill(g, error)) {
    const bool unreserved = g->unreserved;
    rpp_generated_free(g);
    g->unreserved = unreserved;
    return false;
  }
  for (rpp_block *block = g->blocks; block != NULL; block = block->next)
    if (!block->output) rpp_block_seal(block);
  return true;
}

void rpp_generated_free(rpp_generated *g) {
  rpp_blocks_free(g->blocks);
  *g = (rpp_generated){0};
}

void *rpp_generated_workspace(rpp_generated *g, size_t bytes) {
  const rpp_block *block = rpp_block_new(&g->blocks, "workspace", bytes);
  return block != NULL ? rpp_block_data(block) : NULL;
}

static void copy_elements(const rpp_tensor *from, const rpp_tensor *to) {
  int64_t index[RPP_MAX_DIMS] = {0};
  for (int d = 0; d < to->ndim; d++)
    if (to->shape[d] == 0) return;
  for (int d = 0; d >= 0;) {
    rpp_tensor_set(to, index, rpp_tensor_get(from, index));
    for (d = to->ndim - 1; d >= 0 && ++index[d] == to->shape[d]; d--) index[d] = 0;
  }
}

bool rpp_generated_room(rpp_generated *g, const char *name, const rpp_tensor *like, rpp_dtype dtype, bool copy, rpp_tensor *t,
                        rpp_message *error) {
  *t = (rpp_tensor){.dtype = dtype, .ndim = like->ndim};
  memcpy(t->shape, like->shape, sizeof t->shape);
  const rpp_layout_memory memory = rpp_layout_apply(g->spec.layout, TENSORS, t);
  rpp_block *block = new_block(g, name, dtype, &memory, error);
  if (block == NULL) return false;
  rpp_block_add(block, name, t);
  if (copy) block->source = *like;
  if (copy) copy_elements(like, t);
  return true;
}

/* ---- Guards -------------------------------------------------------------------------------------------------------------- */

void rpp_generated_reset(rpp_generated *g) {
  for (rpp_block *block = g->blocks; block != NULL; block = block->next) {
    if (!block->output) continue;
    rpp_block_poison(block);
    if (block->source.ndim > 0) copy_elements(&block->source, &block->tensor[0]);
  }
}

/* The same case, generated again, says which element of an input changed. */
static bool say_what_changed(const rpp_generated *g, const rpp_block *changed, rpp_message *error) {
  rpp_generated again;
  rpp_message ignored;
  const bool made = rpp_generate(&g->spec, g->out.dtype, g->lse.dtype, &again, &ignored);
  const rpp_block *as_new = made ? again.blocks : NULL;
  while (as_new != NULL && strcmp(as_new->name[0], changed->name[0]) != 0) as_new = as_new->next;
  const bool intact = rpp_block_intact(changed, as_new, error);
  if (made) rpp_generated_free(&again);
  return intact;
}

bool rpp_generated_intact(const rpp_generated *g, rpp_message *error) {
  for (const rpp_block *block = g->blocks; block != NULL; block = block->next)
    if (!rpp_block_intact(block, NULL, error)) return block->output ? false : say_what_changed(g, block, error);
  return true;
}

bool rpp_generated_unwritten(const rpp_tensor *t, const int64_t *index) {
  int64_t offset = 0;
  for (int d = 0; d < t->ndim; d++) offset += index[d] * t->strides[d];
  const size_t size = rpp_dtype_size(t->dtype);
  return rpp_is_poison((const char *)t->data + t->byte_offset + offset * (int64_t)size, size);
}

bool rpp_generated_untouched(const rpp_tensor *t) {
  int64_t elements = 0;
  if (rpp_tensor_extent(t, &elements, NULL) != RPP_OK || elements == 0) return false;
  for (int64_t i = 0; i < elements; i++) {
    int64_t index[RPP_MAX_DIMS], rest = i;
    for (int d = t->ndim - 1; d >= 0; d--) {
      index[d] = rest % t->shape[d];
      rest /= t->shape[d];
    }
    if (!rpp_generated_unwritten(t, index)) return false;
  }
  return true;
}
