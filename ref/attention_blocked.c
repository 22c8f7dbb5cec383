/* attention_blocked.c: the fast CPU kernel. For each KV head of each sequence K is rotated once into float32; then blocks of rows (a
 * query's output heads of that KV head side by side, so that its real and imaginary head share every pass over K and V) go over tiles of
 * keys with an online softmax. What is summed with what follows from the problem alone, never from the number of threads. */
#include "blocked.h"
#include "decode_blocked.h"
#include "query_rows.h"
#include "status.h"
#include "team.h"
#include "tensor.h"
#include "workspace.h"

#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

static rpp_status check_storage(const char *name, const rpp_tensor *t) {
  if (t->dtype == RPP_F64) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = F64: expected F32, F16 or BF16", name);
  return RPP_OK;
}

static rpp_status check(rpp_blocked *f) {
  const rpp_attention_inputs *in = f->inputs;
  RPP_TRY(rpp_check_inputs(f->attention, in, true, &f->problem));
  RPP_TRY(check_storage("q", in->q));
  RPP_TRY(check_storage("k", in->k));
  RPP_TRY(check_storage("v", in->v));
  RPP_TRY(rpp_check_outputs(f->attention, in, &f->problem, NULL, f->problem.q_len, f->out, f->lse));
  const double scale = fabs(f->attention->scale);
  if (scale * M_LOG2E > (double)FLT_MAX || (scale > 0 && scale < (double)FLT_MIN))
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "scale = %g: expected 0 or a normal float32, also times log2 e", f->attention->scale);
  return RPP_OK;
}

static int64_t up_to(int64_t x, int64_t step) {
  return (x + step - 1) / step * step;
}

/* How the work is cut: by the problem, and by nothing else. */
static void cut(rpp_blocked *f) {
  const rpp_problem *p = &f->problem;
  const int64_t keys = f->keys.last - f->keys.first;
  const double row_bytes = (double)(p->head_dim + p->v_dim) * sizeof(float), unit_bytes = row_bytes * (double)keys;
  f->units = p->batch * p->counts.kv;
  f->items = p->q_len * f->group;
  f->panels = up_to(f->items, f->tiles->columns) / f->tiles->columns;
  f->block_panels = f->panels < RPP_BLOCKED_PANELS ? f->panels : RPP_BLOCKED_PANELS;
  f->blocks = f->block_panels > 0 ? (f->panels + f->block_panels - 1) / f->block_panels : 0;
  f->start = f->keys.first / RPP_BLOCKED_LOAD * RPP_BLOCKED_LOAD;
  f->room = up_to(f->keys.last - f->start, RPP_BLOCKED_LOAD);
  f->v_room = up_to(p->v_dim, f->tiles->rows);
  f->chunk = unit_bytes > 0 ? (int64_t)fmin((double)f->units, fmax(1, floor(RPP_BLOCKED_CHUNK / unit_bytes))) : f->units;
}

static rpp_status find_keys(rpp_blocked *f) {
  void *visible;
  RPP_TRY(rpp_allocate(f->problem.q_len, sizeof *f->visible, &visible));
  f->visible = visible;
  for (int64_t i = 0; i < f->problem.q_len; i++) f->visible[i] = rpp_visible_keys(f->attention, f->inputs, f->problem.k_len, i);
  f->keys = rpp_keys_of_rows(f->attention, f->inputs, &f->problem, NULL, f->problem.q_len);
  return RPP_OK;
}

static void plan_table(const rpp_blocked *f, bool rotated, const rpp_tensor *pos, int64_t tokens, rpp_float_table *table) {
  if (rotated) return;
  table->sequences = pos->ndim == 1 ? 1 : f->problem.batch;
  table->tokens = tokens;
}

static rpp_status allocate(rpp_blocked *f) {
  const rpp_problem *p = &f->problem;
  const int64_t pairs = f->angles.pairs;
  plan_table(f, f->attention->q_rotated, f->inputs->pos_q, p->q_len, &f->q_table);
  plan_table(f, f->attention->k_rotated, f->inputs->pos_k, f->keys.last - f->keys.first, &f->k_table);
  int64_t most;
  RPP_TRY(rpp_multiply("floats", p->head_dim > f->v_room ? p->head_dim : f->v_room, 4 * (f->block_panels + 1) * f->tiles->columns,
                       &most));
  f->scratch_floats = rpp_blocked_scratch(f); /* fewer than most, but for a tile's scores */
  const rpp_room rooms[] = {{&f->k, sizeof *f->k, f->chunk, f->room, p->head_dim},
                            {&f->v, sizeof *f->v, f->chunk, f->room, f->v_room},
                            {&f->unsound, sizeof *f->unsound, f->chunk, f->room, 1},
                            {&f->key_norm, sizeof *f->key_norm, f->chunk, f->room / RPP_BLOCKED_LOAD, 1},
                            {&f->scratch, sizeof *f->scratch, f->threads, f->scratch_floats, 1},
                            {&f->angle_scratch, sizeof *f->angle_scratch, f->threads, 4 * pairs, 1},
                            {&f->q_table.cosine, sizeof(float), f->q_table.sequences, f->q_table.tokens, pairs},
                            {&f->q_table.sine, sizeof(float), f->q_table.sequences, f->q_table.tokens, pairs},
                            {&f->k_table.cosine, sizeof(float), f->k_table.sequences, f->k_table.tokens, pairs},
                            {&f->k_table.sine, sizeof(float), f->k_table.sequences, f->k_table.tokens, pairs}};
  return rpp_workspace(sizeof rooms / sizeof *rooms, rooms, &f->memory);
}

static void release(rpp_blocked *f) {
  free(f->visible);
  free(f->memory);
  rpp_angle_source_close(&f->angles);
}

static void run(const rpp_blocked *f) {
  const int64_t parts = f->room / RPP_BLOCKED_LOAD;
#pragma omp parallel num_threads(f->threads)
  {
    float *scratch = f->scratch + omp_get_thread_num() * f->scratch_floats;
    if (f->q_table.tokens > 0) rpp_float_table_fill(&f->angles, f->inputs->pos_q, 0, f->angle_scratch, &f->q_table);
    if (f->k_table.tokens > 0) rpp_float_table_fill(&f->angles, f->inputs->pos_k, f->keys.first, f->angle_scratch, &f->k_table);
    for (int64_t first = 0; first < f->units; first += f->chunk) {
      const int64_t units = f->units - first < f->chunk ? f->units - first : f->chunk;
      /* The heads of a token one after another: they lie side by side. */
#pragma omp for schedule(static)
      for (int64_t n = 0; n < units * parts; n++) rpp_blocked_load_keys(f, first + n % units, n % units, n / units, scratch);
        /* Late blocks first: under a causal mask they see most. */
#pragma omp for schedule(dynamic, 1)
      for (int64_t n = units * f->blocks - 1; n >= 0; n--)
        rpp_blocked_attend(f, first + n / f->blocks, n / f->blocks, n % f->blocks, scratch);
    }
  }
}

/* For team.h, which counts the truth's multiplications: by matrix products they are two hundred times as fast, and a team of threads,
 * which on a busy machine may wait milliseconds for its last member, is worth it from about a millisecond of work. */
static double work(const rpp_blocked *f) {
  double seen = 0;
  for (int64_t i = 0; i < f->problem.q_len; i++) seen += (double)(f->visible[i].last - f->visible[i].first);
  return (double)f->units * (seen * (double)f->group + (double)(f->keys.last - f->keys.first)) *
         (double)(f->problem.head_dim + f->problem.v_dim) / 200;
}

static rpp_status prefill(rpp_blocked *f) {
  cut(f);
  f->threads = rpp_threads(work(f));
  RPP_TRY(allocate(f));
  run(f);
  return RPP_OK;
}

rpp_status rpp_attention_blocked_by(const rpp_vector_set *set, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                                    rpp_tensor *out, rpp_tensor *lse) {
  rpp_blocked f = {.attention = attention, .inputs = inputs, .out = out, .lse = lse, .tiles = set->tiles, .decode = set->decode};
  RPP_TRY(check(&f));
  const bool rotates = !attention->q_rotated || !attention->k_rotated;
  if (rotates) RPP_TRY(rpp_angle_source_open(&attention->rotary, &f.angles));
  f.layout = (rpp_row_layout){attention->rotary.pairing, f.problem.head_dim, attention->rotary.rotary_dim};
  if (!rotates) f.layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.head_dim, 0};
  f.v_layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.v_dim, 0};
  f.group = f.problem.counts.output / f.problem.counts.kv;
  const bool few = f.problem.q_len > 0 && f.problem.q_len <= RPP_DECODE_ROWS / f.group;
  rpp_status status = find_keys(&f);
  if (status == RPP_OK) status = few ? rpp_decode_blocked(&f) : prefill(&f);
  release(&f);
  return status;
}

rpp_status rpp_attention_blocked(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                                 rpp_tensor *lse) {
  return rpp_attention_blocked_by(rpp_vector_sets()[0], attention, inputs, out, lse);
}

rpp_contract rpp_attention_blocked_contract(rpp_dtype storage) {
  return (rpp_contract){.input = storage,
                        .rotated = RPP_F32,
                        .value = RPP_F32,
                        .probability = RPP_F32,
                        .output = storage,
                        .lse = RPP_F32,
                        .sums = RPP_SUMS_F32,
                        .sum_depth = RPP_BLOCKED_KEYS, /* a matrix product adds a tile's keys in whatever order it likes */
                        .key_tile = RPP_BLOCKED_KEYS,
                        .max_splits = 1,
                        .angles = RPP_ANGLES_EXACT,
                        .angle_error = RPP_ANGLES_AS_MODELLED,
                        .deterministic = true};
}
