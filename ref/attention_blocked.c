/* attention_blocked.c: the fast CPU kernel. For each KV head of each sequence K is rotated once into float32; then blocks of rows (a
 * query's output heads of that KV head side by side, so that its real and imaginary head share every pass over K and V) go over tiles of
 * keys with an online softmax. What is summed with what follows from the problem alone, never from the number of threads. */
#include "blas.h"
#include "blocked.h"
#include "float_row.h"
#include "query_rows.h"
#include "status.h"
#include "tensor.h"
#include "team.h"

#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

static rpp_status check_storage(const char *name, const rpp_tensor *t) {
  if (t->dtype == RPP_F64) return rpp_fail(RPP_ERROR_DTYPE, "%s.dtype = F64: expected F32, F16 or BF16", name);
  if (t->shape[3] > INT_MAX / RPP_BLOCKED_ROWS)
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "%s.shape[3] = %" PRId64 ": expected at most %d", name, t->shape[3],
                    INT_MAX / RPP_BLOCKED_ROWS);
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
  if (scale > (double)FLT_MAX || (scale > 0 && scale < (double)FLT_MIN))
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "scale = %g: not a normal float32", f->attention->scale);
  return RPP_OK;
}

/* Room for a * b * c items. */
static rpp_status room(void *buffer, size_t size, int64_t a, int64_t b, int64_t c) {
  int64_t count;
  void *made;
  RPP_TRY(rpp_multiply("items", a, b, &count));
  RPP_TRY(rpp_multiply("items", count, c, &count));
  RPP_TRY(rpp_allocate(count, size, &made));
  memcpy(buffer, &made, sizeof made);
  return RPP_OK;
}

static rpp_status make_table(const rpp_blocked *f, const rpp_tensor *pos, int64_t tokens, rpp_float_table *table) {
  table->sequences = pos->ndim == 1 ? 1 : f->problem.batch;
  table->tokens = tokens;
  RPP_TRY(room(&table->cosine, sizeof(float), table->sequences, tokens, f->angles.pairs));
  return room(&table->sine, sizeof(float), table->sequences, tokens, f->angles.pairs);
}

/* How the work is cut: by the problem, and by nothing else. */
static void cut(rpp_blocked *f) {
  const rpp_problem *p = &f->problem;
  const int64_t keys = f->keys.last - f->keys.first;
  const double row_bytes = (double)(p->head_dim + p->v_dim) * sizeof(float), unit_bytes = row_bytes * (double)keys;
  f->group = p->counts.output / p->counts.kv;
  f->units = p->batch * p->counts.kv;
  f->items = p->q_len * f->group;
  f->block_rows = f->items < RPP_BLOCKED_ROWS ? f->items : RPP_BLOCKED_ROWS;
  f->blocks = f->block_rows > 0 ? (f->items + f->block_rows - 1) / f->block_rows : 0;
  const int64_t columns = keys < RPP_BLOCKED_KEYS ? keys : RPP_BLOCKED_KEYS;
  f->score_stride = (columns + RPP_SOFTMAX_LANES - 1) / RPP_SOFTMAX_LANES * RPP_SOFTMAX_LANES;
  f->chunk = unit_bytes > 0 ? (int64_t)fmin((double)f->units, fmax(1, floor(RPP_BLOCKED_CHUNK / unit_bytes))) : f->units;
}

static rpp_status find_keys(rpp_blocked *f) {
  RPP_TRY(room(&f->visible, sizeof *f->visible, f->problem.q_len, 1, 1));
  for (int64_t i = 0; i < f->problem.q_len; i++) f->visible[i] = rpp_visible_keys(f->attention, f->inputs, f->problem.k_len, i);
  f->keys = rpp_keys_of_rows(f->attention, f->inputs, &f->problem, NULL, f->problem.q_len);
  return RPP_OK;
}

static rpp_status allocate(rpp_blocked *f) {
  const rpp_problem *p = &f->problem;
  const int64_t keys = f->keys.last - f->keys.first;
  RPP_TRY(room(&f->k, sizeof(float), f->chunk, keys, p->head_dim));
  RPP_TRY(room(&f->v, sizeof(float), f->chunk, keys, p->v_dim));
  RPP_TRY(room(&f->unsound, 1, f->chunk, keys, 1));
  f->scratch_floats = rpp_blocked_scratch(f);
  RPP_TRY(room(&f->scratch, sizeof(float), f->threads, f->scratch_floats, 1));
  RPP_TRY(room(&f->softmax, sizeof *f->softmax, f->threads, f->block_rows, 1));
  RPP_TRY(room(&f->angle_scratch, sizeof(double), f->threads, 2 * f->angles.pairs, 1));
  if (!f->attention->q_rotated) RPP_TRY(make_table(f, f->inputs->pos_q, p->q_len, &f->q_table));
  if (!f->attention->k_rotated) RPP_TRY(make_table(f, f->inputs->pos_k, keys, &f->k_table));
  return RPP_OK;
}

static void release(rpp_blocked *f) {
  free(f->visible);
  free(f->k);
  free(f->v);
  free(f->unsound);
  free(f->scratch);
  free(f->softmax);
  free(f->angle_scratch);
  free(f->q_table.cosine);
  free(f->q_table.sine);
  free(f->k_table.cosine);
  free(f->k_table.sine);
  rpp_angle_source_close(&f->angles);
}

/* Shared by the threads of a team. */
static void fill_table(const rpp_blocked *f, const rpp_tensor *pos, int64_t start, const rpp_float_table *table) {
  double *scratch = f->angle_scratch + omp_get_thread_num() * 2 * f->angles.pairs;
#pragma omp for schedule(static)
  for (int64_t row = 0; row < table->sequences * table->tokens; row++) {
    const int64_t at = row * f->angles.pairs, t = rpp_position(pos, row / table->tokens, start + row % table->tokens);
    rpp_float_angle_row(&f->angles, t, scratch, table->cosine + at, table->sine + at);
  }
}

static void run(const rpp_blocked *f) {
  const int64_t keys = f->keys.last - f->keys.first;
#pragma omp parallel num_threads(f->threads)
  {
    float *scratch = f->scratch + omp_get_thread_num() * f->scratch_floats;
    rpp_online_softmax *softmax = f->softmax + omp_get_thread_num() * f->block_rows;
    if (f->q_table.cosine) fill_table(f, f->inputs->pos_q, 0, &f->q_table);
    if (f->k_table.cosine) fill_table(f, f->inputs->pos_k, f->keys.first, &f->k_table);
    for (int64_t first = 0; first < f->units; first += f->chunk) {
      const int64_t units = f->units - first < f->chunk ? f->units - first : f->chunk;
#pragma omp for schedule(static)
      for (int64_t row = 0; row < units * keys; row++) rpp_blocked_load_key(f, first + row / keys, row / keys, row % keys);
        /* Late blocks first: under a causal mask they see most. */
#pragma omp for schedule(dynamic, 1)
      for (int64_t n = units * f->blocks - 1; n >= 0; n--)
        rpp_blocked_attend(f, first + n / f->blocks, n / f->blocks, n % f->blocks, scratch, softmax);
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

rpp_status rpp_attention_blocked(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                                 rpp_tensor *lse) {
  rpp_blocked f = {.attention = attention, .inputs = inputs, .out = out, .lse = lse};
  RPP_TRY(check(&f));
  const bool rotates = !attention->q_rotated || !attention->k_rotated;
  if (rotates) RPP_TRY(rpp_angle_source_open(&attention->rotary, &f.angles));
  f.layout = (rpp_row_layout){attention->rotary.pairing, f.problem.head_dim, attention->rotary.rotary_dim};
  if (!rotates) f.layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.head_dim, 0};
  f.v_layout = (rpp_row_layout){RPP_PAIRING_INTERLEAVED, f.problem.v_dim, 0};
  rpp_status status = find_keys(&f);
  if (status == RPP_OK) {
    cut(&f);
    f.threads = rpp_threads(work(&f));
    status = allocate(&f);
  }
  if (status == RPP_OK) {
    rpp_blas_enter();
    run(&f);
    rpp_blas_leave();
  }
  release(&f);
  return status;
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
