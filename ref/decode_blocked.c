/* decode_blocked.c: few query rows against many keys, at the speed of memory. The keys are cut into splits, a split is one thread's; it goes
 * through the KV heads side by side, a strip of keys at a time, so that memory is read in order and once, for all query heads and for the
 * real and the imaginary ones. Within a split tiles of keys pass through an online softmax; splits are put together in the same way, one after
 * another, so that no weighted value is rescaled or added more often than once for each tile. How keys are cut follows from the problem
 * alone. */
#include "decode_blocked.h"

#include "decode_ahead.h"
#include "float_angles.h"
#include "float_row.h"
#include "status.h"
#include "team.h"
#include "tensor.h"
#include "workspace.h"

#include <math.h>
#include <stdlib.h>

enum {
  /* Keys whose rows of one KV head meet all query rows: a multiple of 12, as they meet 4 rows by threes and fewer by fours. Twice as many as long as
   * all heads' rows stay under so many bytes: what is called into cache must not wait there for long. */
  LEAST_STRIP = 12,
  MOST_STRIP = 48,
  STRIP_BYTES = 24576,
  ITEMS = 64,        /* splits of all sequences, about: enough for many threads, few enough to put together */
  HEADS_ROOM = 65536 /* floats that the KV heads of an item take at a time, in the second cache */
};

typedef struct {
  const rpp_blocked *f;
  int64_t rows;                     /* of a KV head: query by query */
  int64_t q_room, v_room;           /* widths with the pad of decode.h */
  int64_t score_room;               /* a row's scores of a tile, with the pad */
  int64_t heads, blocks;            /* KV heads of an item, at most, and such blocks of a sequence */
  int64_t tiles, splits, per_split; /* of the keys that are seen; tiles of a split, at most */
  int64_t strip;                    /* keys; whole ones make a tile, as a shorter one is not called ahead */
  int64_t k_lines, v_lines;         /* of a strip, as decode_ahead.h has them; 0: none is called ahead */
  rpp_row_layout k_layout;          /* of q and k here: as they lie where K is rotated already */
  int threads;
  void *memory;                /* what follows lies in */
  float *q;                    /* (batch, KV heads, rows, q_room) */
  float *out;                  /* (batch, splits, KV heads, rows, v_room) */
  rpp_decode_softmax *softmax; /* (batch, splits, KV heads, rows) */
  int64_t scratch_floats;
  float *scratch;  /* per thread */
  double *doubles; /* per thread: 4 pairs */
  int64_t *k_offset, *v_offset;
} decoding;

/* One thread's item: a split of some KV heads of a sequence. */
typedef struct {
  const decoding *d;
  int64_t b, split, g, heads; /* KV heads g .. g + heads - 1 */
  int64_t stop;               /* after the split's last key */
  rpp_key_range tile;         /* the keys of it that are in the split */
  int64_t tile_start;
  float *scores, *sums, *rescale; /* (heads, rows, score_room), (heads, rows, v_room), (heads, rows) */
  float *buffer, *cosine, *sine;  /* (strip, q_room or v_room), (tile, pairs) twice */
  double *doubles;
} item;

static int64_t at_least(int64_t x, int64_t least) {
  return x > least ? x : least;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

static int64_t padded(int64_t width) {
  return (width + RPP_DECODE_PAD - 1) / RPP_DECODE_PAD * RPP_DECODE_PAD;
}

_Static_assert(RPP_BLOCKED_KEYS % MOST_STRIP == 0 && MOST_STRIP % LEAST_STRIP == 0, "whole strips");

/* ---- Queries ------------------------------------------------------------------------------------------------------------ */

static float *query_row(const decoding *d, int64_t b, int64_t i, int64_t o) {
  const rpp_blocked *f = d->f;
  const int64_t g = o / f->group, r = i * f->group + o % f->group;
  return d->q + ((b * f->problem.counts.kv + g) * d->rows + r) * d->q_room;
}

/* From the order of float_row.h to that of k_layout. */
static void store_query(const decoding *d, const float *row, float *q) {
  const rpp_row_layout *from = &d->f->layout;
  const int64_t pairs = from->rotary_dim / 2;
  const bool scatter = from->pairing == RPP_PAIRING_INTERLEAVED && d->k_layout.rotary_dim == 0;
  for (int64_t p = 0; p < from->width; p++) {
    const int64_t column = p >= from->rotary_dim ? p : p < pairs ? 2 * p : 2 * (p - pairs) + 1;
    q[scatter ? column : p] = row[p];
  }
  memset(q + from->width, 0, (size_t)(d->q_room - from->width) * sizeof *q);
}

/* Query i of sequence b, all heads. A real head and its imaginary one come from one load and one rotation: R(-pi/2) of the rotated row is
 * the imaginary row, bit for bit what rotating the turned row would give. scratch: 2 D and 2 pairs. */
static void load_query(const decoding *d, int64_t b, int64_t i, float *scratch, double *doubles) {
  const rpp_blocked *f = d->f;
  const rpp_attention *a = f->attention;
  const bool pairs = a->mode != RPP_MODE_ROPE && !a->q_rotated;
  float *row = scratch, *turned = row + f->problem.head_dim, *cosine = turned + f->problem.head_dim,
        *sine = cosine + f->angles.pairs;
  if (!a->q_rotated) rpp_float_angle_rows(&f->angles, f->inputs->pos_q, b, i, 1, doubles, cosine, sine);
  for (int64_t o = 0; o < f->problem.counts.output; o += pairs ? 2 : 1) {
    rpp_float_row_load(&f->layout, f->inputs->q, b, i, pairs ? o / 2 : o, row);
    if (!a->q_rotated) rpp_float_row_rotate(&f->layout, cosine, sine, row);
    store_query(d, row, query_row(d, b, i, o));
    if (!pairs) continue;
    rpp_float_row_quarter_turn(&f->layout, row, turned);
    store_query(d, turned, query_row(d, b, i, o + 1));
  }
}

/* ---- Strips ------------------------------------------------------------------------------------------------------------- */

/* The keys of first .. last - 1 that query i sees. */
static rpp_key_range seen(const decoding *d, int64_t i, rpp_key_range keys) {
  const rpp_key_range range = d->f->visible[i];
  const int64_t first = clamp(range.first, keys.first, keys.last);
  return (rpp_key_range){first, clamp(range.last, first, keys.last)};
}

static bool any_sees(const decoding *d, rpp_key_range keys) {
  for (int64_t i = 0; i < d->f->problem.q_len; i++) {
    const rpp_key_range range = seen(d, i, keys);
    if (range.first < range.last) return true;
  }
  return false;
}

static bool all_see(const decoding *d, rpp_key_range keys) {
  for (int64_t i = 0; i < d->f->problem.q_len; i++) {
    const rpp_key_range range = seen(d, i, keys);
    if (range.first > keys.first || range.last < keys.last) return false;
  }
  return true;
}

/* The strip that comes after this one, where it is a whole one. */
typedef struct {
  const char *at; /* null: nothing is called ahead */
  const int64_t *offset;
  int64_t lines;
} next_strip;

static next_strip strip_after(const item *w, bool of_v, rpp_key_range strip) {
  const decoding *d = w->d;
  const rpp_attention_inputs *in = d->f->inputs;
  const bool last = strip.last == w->tile.last, next_of_v = last != of_v;
  const int64_t first = !last ? strip.last : of_v ? w->tile.last : w->tile.first;
  const int64_t stop = last && of_v ? w->stop : w->tile.last;
  if (first + d->strip > stop || w->heads < d->heads) return (next_strip){0};
  return (next_strip){rpp_tensor_at(next_of_v ? in->v : in->k, w->b, first, w->g, 0), next_of_v ? d->v_offset : d->k_offset,
                      next_of_v ? d->v_lines : d->k_lines};
}

/* What is called into cache while this strip's head number h (of the item's) is worked on: its share of the next strip. */
static void look_ahead(const item *w, const next_strip *next, int64_t h, rpp_strip *strip) {
  const int64_t first = next->lines * h / w->heads;
  if (next->at == NULL) return;
  strip->ahead = next->at;
  strip->ahead_offset = next->offset + first;
  strip->ahead_count = next->lines * (h + 1) / w->heads - first;
}

/* Rows of K or V of head number h, ready for decode.h: where they lie, or in the buffer when they must be rotated or gathered. */
static rpp_strip open_strip(const item *w, bool of_v, rpp_key_range keys, int64_t h) {
  const rpp_blocked *f = w->d->f;
  const rpp_tensor *t = of_v ? f->inputs->v : f->inputs->k;
  const bool rotates = !of_v && !f->attention->k_rotated;
  rpp_strip strip = {.dtype = t->dtype, .count = keys.last - keys.first, .width = t->shape[3]};
  if (t->strides[3] == 1 && !rotates) {
    strip.rows = rpp_tensor_at(t, w->b, keys.first, w->g + h, 0);
    strip.step = t->strides[1] * (int64_t)rpp_dtype_size(t->dtype);
    return strip;
  }
  const int64_t room = of_v ? w->d->v_room : w->d->q_room;
  for (int64_t j = 0; j < strip.count; j++) {
    float *row = w->buffer + j * room;
    const int64_t at = (keys.first + j - w->tile.first) * f->angles.pairs;
    rpp_float_row_load(of_v ? &f->v_layout : &w->d->k_layout, t, w->b, keys.first + j, w->g + h, row);
    if (rotates) rpp_float_row_rotate(&f->layout, w->cosine + at, w->sine + at, row);
  }
  strip.dtype = RPP_F32, strip.rows = (const char *)w->buffer, strip.step = room * (int64_t)sizeof(float);
  return strip;
}

/* ---- Tiles -------------------------------------------------------------------------------------------------------------- */

static void score_strip(const item *w, rpp_key_range keys) {
  const decoding *d = w->d;
  const next_strip next = strip_after(w, false, keys);
  for (int64_t h = 0; h < w->heads; h++) {
    rpp_strip strip = open_strip(w, false, keys, h);
    look_ahead(w, &next, h, &strip);
    const float *q = d->q + (w->b * d->f->problem.counts.kv + w->g + h) * d->rows * d->q_room;
    d->f->decode->score(&strip, d->rows, q, d->q_room, w->scores + h * d->rows * d->score_room + (keys.first - w->tile_start),
                        d->score_room);
  }
}

/* All rows at once where all see the whole strip; else query by query, as what a query does not see may be NaN, and 0 x NaN is. */
static void add_strip(const item *w, rpp_key_range keys) {
  const decoding *d = w->d;
  const rpp_decode *code = d->f->decode;
  const next_strip next = strip_after(w, true, keys);
  const bool all = all_see(d, keys);
  for (int64_t h = 0; h < w->heads; h++) {
    rpp_strip strip = open_strip(w, true, keys, h);
    look_ahead(w, &next, h, &strip);
    const float *weights = w->scores + h * d->rows * d->score_room + (keys.first - w->tile_start);
    float *sums = w->sums + h * d->rows * d->v_room;
    if (all) code->add_values(&strip, d->rows, weights, d->score_room, sums, d->v_room);
    for (int64_t i = 0; !all && i < d->f->problem.q_len; i++) {
      const rpp_key_range range = seen(d, i, keys);
      const int64_t skipped = range.first - keys.first, r = i * d->f->group;
      rpp_strip part = strip;
      part.rows += skipped * strip.step, part.count = range.last - range.first;
      code->add_values(&part, d->f->group, weights + r * d->score_room + skipped, d->score_room, sums + r * d->v_room, d->v_room);
    }
  }
}

static void merge(int64_t count, float by, float *restrict x, float other, const float *restrict y) {
#pragma omp simd
  for (int64_t c = 0; c < count; c++) x[c] = x[c] * by + y[c] * other;
}

static int64_t row_of(const item *w, int64_t h) {
  const decoding *d = w->d;
  return (((w->b * d->splits + w->split) * d->f->problem.counts.kv) + w->g + h) * d->rows;
}

static void attend_tile(const item *w) {
  const decoding *d = w->d;
  const rpp_blocked *f = d->f;
  if (!f->attention->k_rotated)
    rpp_float_angle_rows(&f->angles, f->inputs->pos_k, w->b, w->tile.first, w->tile.last - w->tile.first, w->doubles, w->cosine,
                         w->sine);
  for (int64_t j = w->tile.first; j < w->tile.last; j += d->strip) {
    const rpp_key_range strip = {j, j + d->strip < w->tile.last ? j + d->strip : w->tile.last};
    if (any_sees(d, strip)) score_strip(w, strip);
  }
  for (int64_t r = 0; r < w->heads * d->rows; r++) {
    const rpp_key_range range = seen(d, r % d->rows / f->group, w->tile);
    w->rescale[r] = f->decode->softmax(d->softmax + row_of(w, 0) + r, (float)(f->attention->scale * M_LOG2E),
                                       range.first - w->tile_start, range.last - w->tile_start, w->scores + r * d->score_room);
  }
  memset(w->sums, 0, (size_t)(w->heads * d->rows * d->v_room) * sizeof *w->sums);
  for (int64_t j = w->tile.first; j < w->tile.last; j += d->strip) {
    const rpp_key_range strip = {j, j + d->strip < w->tile.last ? j + d->strip : w->tile.last};
    if (any_sees(d, strip)) add_strip(w, strip);
  }
  float *out = d->out + row_of(w, 0) * d->v_room;
  for (int64_t r = 0; r < w->heads * d->rows; r++) merge(d->v_room, w->rescale[r], out + r * d->v_room, 1, w->sums + r * d->v_room);
}

static item open_item(const decoding *d, int64_t number, float *scratch, double *doubles) {
  const int64_t block = number / d->splits % d->blocks, kv = d->f->problem.counts.kv;
  item w = {.d = d, .b = number / d->splits / d->blocks, .split = number % d->splits, .g = block * d->heads, .doubles = doubles};
  w.heads = w.g + d->heads < kv ? d->heads : kv - w.g;
  w.scores = scratch;
  w.sums = w.scores + d->heads * d->rows * d->score_room;
  w.rescale = w.sums + d->heads * d->rows * d->v_room;
  w.buffer = w.rescale + padded(d->heads * d->rows);
  w.cosine = w.buffer + d->strip * at_least(d->q_room, d->v_room);
  w.sine = w.cosine + RPP_BLOCKED_KEYS * d->f->angles.pairs;
  return w;
}

static void attend_split(const decoding *d, int64_t number, float *scratch, double *doubles) {
  item w = open_item(d, number, scratch, doubles);
  const rpp_key_range keys = d->f->keys;
  const int64_t first = keys.first / RPP_BLOCKED_KEYS + w.split * d->per_split;
  for (int64_t r = 0; r < w.heads * d->rows; r++) d->softmax[row_of(&w, 0) + r] = (rpp_decode_softmax){-INFINITY, 0};
  memset(d->out + row_of(&w, 0) * d->v_room, 0, (size_t)(w.heads * d->rows * d->v_room) * sizeof *d->out);
  w.stop = clamp((first + d->per_split) * RPP_BLOCKED_KEYS, keys.first, keys.last);
  for (int64_t t = first; t * RPP_BLOCKED_KEYS < w.stop; t++) {
    w.tile_start = t * RPP_BLOCKED_KEYS;
    w.tile = (rpp_key_range){at_least(w.tile_start, keys.first), clamp(w.tile_start + RPP_BLOCKED_KEYS, 0, w.stop)};
    attend_tile(&w);
  }
}

/* ---- All splits of a row ------------------------------------------------------------------------------------------------ */

static double log_sum(const rpp_decode_softmax *row) {
  return isinf(row->largest) ? NAN : row->largest * M_LN2 + log((double)row->sum);
}

static void finish_row(const decoding *d, int64_t b, int64_t i, int64_t o) {
  const rpp_blocked *f = d->f;
  const int64_t row = o / f->group * d->rows + i * f->group + o % f->group, next = f->problem.counts.kv * d->rows;
  const int64_t first = b * d->splits * next + row;
  rpp_decode_softmax all = d->softmax[first];
  float *out = d->out + first * d->v_room;
  for (int64_t s = 1; s < d->splits; s++) {
    const rpp_decode_softmax part = d->softmax[first + s * next];
    const float largest = fmaxf(all.largest, part.largest), zero = largest == -INFINITY ? 0 : largest;
    const float ours = all.largest == largest ? 1 : exp2f(all.largest - zero);
    const float theirs = part.largest == largest ? 1 : exp2f(part.largest - zero);
    merge(d->v_room, ours, out, theirs, d->out + (first + s * next) * d->v_room);
    all = (rpp_decode_softmax){largest, all.sum * ours + part.sum * theirs};
  }
  const bool sees = f->visible[i].first < f->visible[i].last;
  for (int64_t c = 0; c < f->problem.v_dim; c++) out[c] = sees ? out[c] / all.sum : 0;
  if (f->out) rpp_float_row_store(&f->v_layout, f->out, b, i, o, out);
  if (f->lse) rpp_store(f->lse->dtype, rpp_tensor_at(f->lse, b, o, i, 0), sees ? log_sum(&all) : -INFINITY);
}

/* ---- The whole ---------------------------------------------------------------------------------------------------------- */

static void cut(decoding *d) {
  const rpp_blocked *f = d->f;
  const rpp_problem *p = &f->problem;
  const int64_t first = f->keys.first / RPP_BLOCKED_KEYS, keys = RPP_BLOCKED_KEYS;
  d->rows = p->q_len * f->group;
  d->q_room = padded(p->head_dim), d->v_room = padded(p->v_dim), d->score_room = RPP_BLOCKED_KEYS + 2 * RPP_DECODE_PAD;
  d->heads = clamp(HEADS_ROOM / (d->rows * (d->score_room + d->v_room + d->q_room)), 1, p->counts.kv);
  d->blocks = (p->counts.kv + d->heads - 1) / d->heads;
  d->tiles = (f->keys.last + keys - 1) / keys - first;
  const int64_t wanted = clamp(ITEMS / at_least(p->batch * d->blocks, 1), 1, at_least(d->tiles, 1));
  d->per_split = at_least((d->tiles + wanted - 1) / wanted, 1);
  d->splits = at_least((d->tiles + d->per_split - 1) / d->per_split, 1);
  const int64_t token_bytes = d->heads * at_least(p->head_dim * (int64_t)rpp_dtype_size(f->inputs->k->dtype),
                                                  p->v_dim * (int64_t)rpp_dtype_size(f->inputs->v->dtype));
  for (d->strip = LEAST_STRIP; 2 * d->strip <= MOST_STRIP && token_bytes <= STRIP_BYTES / (2 * d->strip); d->strip *= 2) continue;
  d->k_lines = rpp_ahead_count(f->inputs->k, d->strip, d->heads);
  d->v_lines = rpp_ahead_count(f->inputs->v, d->strip, d->heads);
  d->k_layout = f->attention->k_rotated ? (rpp_row_layout){RPP_PAIRING_INTERLEAVED, p->head_dim, 0} : f->layout;
}

/* For team.h: an element of K or V that comes from memory costs as much as some of the truth's multiplications. */
static double work(const decoding *d) {
  const rpp_problem *p = &d->f->problem;
  return (double)p->batch * (double)p->counts.kv * (double)d->tiles * RPP_BLOCKED_KEYS * (double)(p->head_dim + p->v_dim) *
         (4 + (double)d->rows) / 100;
}

static rpp_status allocate(decoding *d) {
  const rpp_blocked *f = d->f;
  const int64_t rows = f->problem.counts.kv * d->rows, pairs = f->angles.pairs;
  const int64_t load = 2 * (f->problem.head_dim + pairs);
  const int64_t attend = d->heads * d->rows * (d->score_room + d->v_room) + padded(d->heads * d->rows) +
                         d->strip * at_least(d->q_room, d->v_room) + 2 * RPP_BLOCKED_KEYS * pairs;
  d->scratch_floats = padded(at_least(load, attend));
  const rpp_room rooms[] = {{&d->q, sizeof *d->q, f->problem.batch, rows, d->q_room},
                            {&d->out, sizeof *d->out, f->problem.batch * d->splits, rows, d->v_room},
                            {&d->softmax, sizeof *d->softmax, f->problem.batch, d->splits, rows},
                            {&d->k_offset, sizeof *d->k_offset, d->k_lines, 1, 1},
                            {&d->v_offset, sizeof *d->v_offset, d->v_lines, 1, 1},
                            {&d->scratch, sizeof *d->scratch, d->threads, d->scratch_floats, 1},
                            {&d->doubles, sizeof *d->doubles, d->threads, 4 * pairs, 1}};
  RPP_TRY(rpp_workspace(sizeof rooms / sizeof *rooms, rooms, &d->memory));
  rpp_ahead_offsets(f->inputs->k, d->strip, d->heads, d->k_offset);
  rpp_ahead_offsets(f->inputs->v, d->strip, d->heads, d->v_offset);
  return RPP_OK;
}

static void run(const decoding *d) {
  const rpp_problem *p = &d->f->problem;
#pragma omp parallel num_threads(d->threads)
  {
    float *scratch = d->scratch + omp_get_thread_num() * d->scratch_floats;
    double *doubles = d->doubles + omp_get_thread_num() * 4 * d->f->angles.pairs;
#pragma omp for schedule(static)
    for (int64_t n = 0; n < p->batch * p->q_len; n++) load_query(d, n / p->q_len, n % p->q_len, scratch, doubles);
#pragma omp for schedule(dynamic, 1)
    for (int64_t n = 0; n < p->batch * d->blocks * d->splits; n++) attend_split(d, n, scratch, doubles);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < p->batch * p->q_len * p->counts.output; n++)
      finish_row(d, n / p->counts.output / p->q_len, n / p->counts.output % p->q_len, n % p->counts.output);
  }
}

rpp_status rpp_decode_blocked(const rpp_blocked *f) {
  decoding d = {.f = f};
  cut(&d);
  d.threads = rpp_threads(work(&d));
  const rpp_status status = allocate(&d);
  if (status == RPP_OK) run(&d);
  free(d.memory);
  return status;
}
