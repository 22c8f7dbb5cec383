/* blocked_block.c: one block of query rows against its keys, tile by tile. */
#include "blocked.h"
#include "float_row.h"
#include "tensor.h"

#include <math.h>

enum { AHEAD = 3, LINE = 64, MOST_COLUMNS = 64 }; /* rows to prefetch; bytes of a cache line; lanes of a panel */

_Static_assert(RPP_BLOCKED_KEYS % RPP_BLOCKED_LOAD == 0, "a tile starts with a micro-tile");

static const float *angles_at(const rpp_blocked *f, const rpp_float_table *table, const float *values, int64_t b, int64_t l) {
  return values + ((table->sequences == 1 ? 0 : b) * table->tokens + l) * f->angles.pairs;
}

/* Rows of q and k, as they lie; imag: the imaginary head's row as well. */
static void load_row(const rpp_blocked *f, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, float *row) {
  const rpp_row_layout as_it_lies = {RPP_PAIRING_INTERLEAVED, f->problem.head_dim, 0};
  rpp_float_row_load(&as_it_lies, t, b, l, h, row);
}

static void load_rotated(const rpp_blocked *f, const rpp_float_table *table, const rpp_tensor *t, int64_t b, int64_t l, int64_t at,
                         int64_t h, float *row, float *imag) {
  rpp_float_row_load_rotated(&f->layout, t, b, l, h, angles_at(f, table, table->cosine, b, at),
                             angles_at(f, table, table->sine, b, at), row, imag);
}

/* Of a row that is to be prefetched: 0 where its columns lie apart. */
static int64_t bytes_ahead(const rpp_tensor *t) {
  return t->strides[3] == 1 ? t->shape[3] * (int64_t)rpp_dtype_size(t->dtype) : 0;
}

/* Rows of one head lie a token apart: too far for the processor to see what comes next, and as a rule in a page of their own. What
 * is asked of a page while its address is still looked up waits for that, and all that follows it: so the first line of a row is
 * called some time before the others are. */
static void prefetch_first(const rpp_tensor *t, int64_t bytes, int64_t b, int64_t l, int64_t h) {
  if (bytes > 0) __builtin_prefetch(rpp_tensor_at(t, b, l, h, 0));
}

static void prefetch_others(const rpp_tensor *t, int64_t bytes, int64_t b, int64_t l, int64_t h) {
  const char *row = rpp_tensor_at(t, b, l, h, 0);
#pragma GCC unroll 4
  for (int64_t at = LINE; at < bytes; at += LINE) __builtin_prefetch(row + at);
}

/* Key l of a tile of v: of its first panel, and from panel to panel. The first tile and the last one hold what keys there are. */
typedef struct {
  float *at;
  int64_t step;
} v_place;

static v_place v_at(const rpp_blocked *f, int64_t slot, int64_t l) {
  const int64_t tile = l / RPP_BLOCKED_KEYS * RPP_BLOCKED_KEYS, end = f->start + f->room;
  const int64_t first = tile < f->start ? f->start : tile, stop = tile + RPP_BLOCKED_KEYS < end ? tile + RPP_BLOCKED_KEYS : end;
  float *start = f->v + (slot * f->room + first - f->start) * f->v_room;
  return (v_place){start + (l - first) * f->tiles->rows, (stop - first) * f->tiles->rows};
}

/* A row of v into its place; what is not finite is replaced by 0. Whether its values are small. room: v_room floats, 0 past v_dim. */
static bool load_value(const rpp_blocked *f, int64_t b, int64_t l, int64_t g, v_place to, float *room, unsigned char *unsound) {
  const rpp_tensor *v = f->inputs->v;
  const int64_t dv = f->problem.v_dim, panels = f->v_room / f->tiles->rows;
  const bool as_it_lies = v->dtype == RPP_F32 && rpp_float_row_is_straight(v) && f->v_room == dv;
  *unsound = 0;
  if (as_it_lies && f->tiles->split(panels, rpp_tensor_at(v, b, l, g, 0), to.at, to.step)) return true;
  rpp_float_row_load(&f->v_layout, v, b, l, g, room);
  if (!as_it_lies && f->tiles->split(panels, (const char *)room, to.at, to.step)) return true;
  for (int64_t c = 0; c < dv; c++) {
    if (isfinite(room[c])) continue;
    *unsound = 1;
    room[c] = 0;
  }
  f->tiles->split(panels, (const char *)room, to.at, to.step);
  return false;
}

void rpp_blocked_load_keys(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t part, float *scratch) {
  const int64_t b = unit / f->problem.counts.kv, g = unit % f->problem.counts.kv, rows = f->tiles->rows;
  const int64_t d = f->problem.head_dim, first = part * RPP_BLOCKED_LOAD, place = slot * f->room + first, panels = f->v_room / rows;
  const v_place v = v_at(f, slot, f->start + first);
  float *k = scratch, *room = scratch + RPP_BLOCKED_LOAD * d;
  const int64_t k_bytes = bytes_ahead(f->inputs->k), v_bytes = bytes_ahead(f->inputs->v);
  bool small = true;
  memset(room, 0, (size_t)f->v_room * sizeof *room);
  for (int64_t j = 0; j < RPP_BLOCKED_LOAD; j++) {
    const int64_t l = f->start + first + j;
    if (l < f->keys.first || l >= f->keys.last) { /* no key: 0, which nobody sees, but which is multiplied */
      f->unsound[place + j] = 0;
      memset(k + j * d, 0, (size_t)d * sizeof *k);
      for (int64_t n = 0; n < panels; n++) memset(v.at + n * v.step + j * rows, 0, (size_t)rows * sizeof *v.at);
      continue;
    }
    if (l + AHEAD + 1 < f->keys.last) {
      prefetch_first(f->inputs->k, k_bytes, b, l + AHEAD + 1, g);
      prefetch_first(f->inputs->v, v_bytes, b, l + AHEAD + 1, g);
      prefetch_others(f->inputs->k, k_bytes, b, l + AHEAD, g);
      prefetch_others(f->inputs->v, v_bytes, b, l + AHEAD, g);
    }
    if (f->attention->k_rotated)
      load_row(f, f->inputs->k, b, l, g, k + j * d);
    else
      load_rotated(f, &f->k_table, f->inputs->k, b, l, l - f->keys.first, g, k + j * d, NULL);
    small &= load_value(f, b, l, g, (v_place){v.at + j * rows, v.step}, room, &f->unsound[place + j]);
  }
  float norm = small ? 0 : INFINITY;
  for (int64_t j = 0; j < RPP_BLOCKED_LOAD; j += rows) {
    f->tiles->transpose(rows, d, k + j * d, d, f->k + (place + j) * d, rows);
    norm = fmaxf(norm, f->tiles->largest_norm(d, f->k + (place + j) * d));
  }
  f->key_norm[place / RPP_BLOCKED_LOAD] = norm;
}

/* Where the parts of a thread's scratch start, each on a cache line of its own. */
typedef struct {
  int64_t q, out;              /* (panels, D, columns), (panels, v_room, columns) */
  int64_t scores, rows, v_row; /* (tile, columns), (columns, D or v_room), Dv */
  int64_t zero, sum, norm;     /* (panels, columns) */
  int64_t rescale;             /* (columns) */
  int64_t first, last;         /* int32_t (columns): what each lane sees of the tile at hand */
  int64_t end;
} parts;

static int64_t after(int64_t start, int64_t count) {
  return start + (count + 15) / 16 * 16;
}

static parts lay_out(const rpp_blocked *f) {
  const int64_t columns = f->tiles->columns, lanes = f->block_panels * columns, d = f->problem.head_dim;
  parts at = {.q = 0};
  at.out = after(at.q, d * lanes);
  at.scores = after(at.out, f->v_room * lanes);
  at.rows = after(at.scores, RPP_BLOCKED_KEYS * columns);
  at.v_row = after(at.rows, columns * (d > f->v_room ? d : f->v_room));
  at.zero = after(at.v_row, f->problem.v_dim);
  at.sum = after(at.zero, lanes);
  at.norm = after(at.sum, lanes);
  at.rescale = after(at.norm, lanes);
  at.first = after(at.rescale, columns);
  at.last = after(at.first, columns);
  at.end = after(at.last, columns);
  return at;
}

int64_t rpp_blocked_scratch(const rpp_blocked *f) {
  const int64_t attend = lay_out(f).end, load = after(0, RPP_BLOCKED_LOAD * f->problem.head_dim + f->v_room);
  return attend > load ? attend : load;
}

/* A panel of rows (query, output head of the group), query by query: a lane each. Lanes past count see nothing. */
typedef struct {
  const rpp_blocked *f;
  int64_t b, g, slot, first, count;         /* rows first .. first + count - 1 of the unit */
  rpp_key_range visible[MOST_COLUMNS], all; /* to each lane, to any */
  const float *k;                           /* from key f->start on */
  const unsigned char *unsound;
  const float *key_norm;
  float *q, *norm, *out, *scores, *rows, *v_row;
  int32_t *see_first, *see_last;
  rpp_tile_softmax softmax;
} panel;

/* Rows of a head lie a token apart: those of a panel's queries in t, or nothing where t is null. */
typedef struct {
  const panel *of;
  const rpp_tensor *t;
  int64_t ratio, bytes; /* output heads of a head of t; of a row */
} ahead;

static ahead rows_ahead(const panel *of, const rpp_tensor *t) {
  return t ? (ahead){of, t, of->f->problem.counts.output / t->shape[2], bytes_ahead(t)} : (ahead){.of = of, .ratio = 1};
}

static void prefetch_row(const ahead *rows, int64_t r, void (*lines)(const rpp_tensor *, int64_t, int64_t, int64_t, int64_t)) {
  const panel *w = rows->of;
  const int64_t group = w->f->group, row = w->first + r;
  if (r >= 0 && r < w->count && r % rows->ratio == 0)
    lines(rows->t, rows->bytes, w->b, row / group, (w->g * group + row % group) / rows->ratio);
}

/* Rotated queries. A real head and its imaginary one come from one load and one rotation: R(-pi/2) of the rotated row is the imaginary
 * row, bit for bit what rotating the turned row would give. */
static void load_queries(const panel *w) {
  const rpp_blocked *f = w->f;
  const rpp_attention *a = f->attention;
  const int64_t d = f->problem.head_dim, columns = f->tiles->columns;
  const bool pairs = a->mode != RPP_MODE_ROPE && !a->q_rotated;
  const ahead next = rows_ahead(w, f->inputs->q);
  for (int64_t r = 0; r < w->count; r += pairs ? 2 : 1) {
    for (int64_t n = r; n < r + (pairs ? 2 : 1); n++) {
      prefetch_row(&next, n + AHEAD + 1, prefetch_first);
      prefetch_row(&next, n + AHEAD, prefetch_others);
    }
    const int64_t i = (w->first + r) / f->group, o = w->g * f->group + (w->first + r) % f->group;
    float *q = w->rows + r * d;
    if (a->q_rotated)
      load_row(f, f->inputs->q, w->b, i, o, q);
    else
      load_rotated(f, &f->q_table, f->inputs->q, w->b, i, i, pairs ? o / 2 : o, q, pairs ? q + d : NULL);
  }
  memset(w->rows + w->count * d, 0, (size_t)((columns - w->count) * d) * sizeof *w->rows);
  f->tiles->transpose(columns, d, w->rows, d, w->q, columns);
  f->tiles->norms(d, w->q, w->norm);
}

/* What make_finite took out, where it is seen: masked keys of other rows must not meet it, as 0 x NaN is NaN. */
static void add_unsound(const panel *w, int64_t start, int64_t stop) {
  const rpp_blocked *f = w->f;
  const int64_t columns = f->tiles->columns;
  for (int64_t j = start; j < stop; j++) {
    if (!w->unsound[j - f->start]) continue;
    rpp_float_row_load(&f->v_layout, f->inputs->v, w->b, j, w->g, w->v_row);
    for (int64_t r = 0; r < w->count; r++) {
      const rpp_key_range range = w->visible[r];
      if (j < range.first || j >= range.last) continue;
      const float weight = w->scores[(j - start) * columns + r];
      for (int64_t c = 0; c < f->problem.v_dim; c++)
        if (!isfinite(w->v_row[c])) w->out[c * columns + r] += weight * w->v_row[c];
    }
  }
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

/* rpp_tiles.multiply, and meanwhile, one at a time since no processor waits for many lines, rows that are needed next. */
static void multiply(const panel *w, const ahead *next, int64_t count, int64_t depth, const float *a, int64_t a_step,
                     const float *b, const float *rescale, float *c) {
  const int64_t columns = w->f->tiles->columns, parts = next->t ? columns + 1 : 1;
  for (int64_t n = 0; n < parts; n++) {
    const int64_t first = count * n / parts, last = count * (n + 1) / parts;
    w->f->tiles->multiply(last - first, depth, a + first * a_step, a_step, b, rescale, c + first * w->f->tiles->rows * columns);
    if (!next->t) continue;
    prefetch_row(next, n, prefetch_first);
    prefetch_row(next, n - 1, prefetch_others);
  }
}

/* Keys start .. stop - 1, start a multiple of the micro-tile's rows, whose last one may reach past stop: nothing sees that. */
static void attend_keys(const panel *w, int64_t start, int64_t stop, bool opens, const ahead *q, const ahead *out) {
  const rpp_blocked *f = w->f;
  const rpp_tiles *tiles = f->tiles;
  const int64_t d = f->problem.head_dim, rows = tiles->rows, place = start - f->start, count = (stop - start + rows - 1) / rows;
  for (int64_t r = 0; r < tiles->columns; r++) {
    const rpp_key_range range = w->visible[r];
    w->see_first[r] = (int32_t)(clamp(range.first, start, stop) - start);
    w->see_last[r] = (int32_t)(clamp(range.last, range.first, stop) - start);
  }
  multiply(w, q, count, d, w->k + place * d, rows * d, w->q, NULL, w->scores);
  rpp_tile_softmax softmax = w->softmax;
  for (int64_t n = place / RPP_BLOCKED_LOAD; n * RPP_BLOCKED_LOAD < stop - f->start; n++)
    softmax.key_norm = fmaxf(softmax.key_norm, w->key_norm[n]);
  tiles->softmax(count * rows, (float)(f->attention->scale * M_LOG2E), &softmax, w->scores);
  const v_place v = v_at(f, w->slot, start);
  multiply(w, out, f->v_room / rows, stop - start, v.at, v.step, w->scores, opens ? NULL : w->softmax.rescale, w->out);
  if (memchr(w->unsound + place, 1, (size_t)(stop - start))) add_unsound(w, start, stop);
}

static void attend_tile(const panel *w, int64_t tile, ahead q, ahead out) {
  const rpp_key_range all = w->all;
  const int64_t low = tile * RPP_BLOCKED_KEYS, high = low + RPP_BLOCKED_KEYS;
  const int64_t first = all.first < low ? low : all.first, last = all.last < high ? all.last : high;
  if (first < last) attend_keys(w, first / w->f->tiles->rows * w->f->tiles->rows, last, first == all.first, &q, &out);
}

/* Log-sum-exp: -inf without a key, NaN where all scores were -inf, as the definition gives; the same bits whichever zero its weights have. */
static double lse_of(const panel *w, int64_t lane) {
  const rpp_key_range range = w->visible[lane];
  if (range.first >= range.last) return -INFINITY;
  int exponent;
  const double zero = (double)w->softmax.zero[lane], sum = frexp((double)w->softmax.sum[lane], &exponent);
  return isinf(zero) ? NAN : (zero + exponent) * M_LN2 + log(sum);
}

static void store(const panel *w) {
  const rpp_blocked *f = w->f;
  const int64_t columns = f->tiles->columns;
  for (int64_t r = 0; r < columns; r++) {
    const rpp_key_range range = w->visible[r];
    w->softmax.rescale[r] = range.first < range.last ? w->softmax.sum[r] : 1;
  }
  f->tiles->divide(f->v_room, w->softmax.rescale, w->out, w->rows);
  for (int64_t r = 0; r < w->count; r++) {
    const int64_t i = (w->first + r) / f->group, o = w->g * f->group + (w->first + r) % f->group;
    if (f->out) rpp_float_row_store(&f->v_layout, f->out, w->b, i, o, w->rows + r * f->v_room);
    if (f->lse) rpp_store(f->lse->dtype, rpp_tensor_at(f->lse, w->b, o, i, 0), lse_of(w, r));
  }
}

/* Both together; first > last: nothing. */
static rpp_key_range either(rpp_key_range a, rpp_key_range b) {
  return (rpp_key_range){a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last};
}

static void find_visible(panel *w) {
  w->all = (rpp_key_range){INT64_MAX, 0};
  for (int64_t r = 0; r < w->count; r++) {
    const rpp_key_range range = w->visible[r] = w->f->visible[(w->first + r) / w->f->group];
    if (range.first < range.last) w->all = either(w->all, range);
  }
}

/* Panel number `index` of a unit, the n-th of its block. */
static panel open_panel(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t index, int64_t n, float *scratch) {
  const int64_t columns = f->tiles->columns, first = index * columns, place = slot * f->room;
  const parts at = lay_out(f);
  panel w = {.f = f,
             .b = unit / f->problem.counts.kv,
             .g = unit % f->problem.counts.kv,
             .slot = slot,
             .first = first,
             .count = f->items - first < columns ? f->items - first : columns,
             .k = f->k + place * f->problem.head_dim,
             .unsound = f->unsound + place,
             .key_norm = f->key_norm + place / RPP_BLOCKED_LOAD,
             .q = scratch + at.q + n * f->problem.head_dim * columns,
             .norm = scratch + at.norm + n * columns,
             .out = scratch + at.out + n * f->v_room * columns,
             .scores = scratch + at.scores,
             .rows = scratch + at.rows,
             .v_row = scratch + at.v_row,
             .see_first = (int32_t *)(scratch + at.first),
             .see_last = (int32_t *)(scratch + at.last)};
  w.softmax = (rpp_tile_softmax){
      w.see_first, w.see_last, scratch + at.zero + n * columns, scratch + at.sum + n * columns, scratch + at.rescale, w.norm, 0};
  find_visible(&w);
  return w;
}

static void start(const panel *w) {
  const int64_t columns = w->f->tiles->columns;
  load_queries(w);
  if (w->all.first >= w->all.last) memset(w->out, 0, (size_t)(w->f->v_room * columns) * sizeof *w->out);
  for (int64_t r = 0; r < columns; r++) w->softmax.zero[r] = -INFINITY, w->softmax.sum[r] = 0;
}

void rpp_blocked_attend(const rpp_blocked *f, int64_t unit, int64_t slot, int64_t index, float *scratch) {
  const int64_t first = index * f->block_panels;
  const int64_t count = f->panels - first < f->block_panels ? f->panels - first : f->block_panels;
  panel panels[RPP_BLOCKED_PANELS];
  rpp_key_range all = {INT64_MAX, 0};
  for (int64_t n = 0; n < count; n++) {
    panels[n] = open_panel(f, unit, slot, first + n, n, scratch);
    all = either(all, panels[n].all);
  }
  const bool none = all.first >= all.last;
  const int64_t first_tile = none ? 0 : all.first / RPP_BLOCKED_KEYS, last_tile = none ? 0 : (all.last - 1) / RPP_BLOCKED_KEYS;
  for (int64_t t = first_tile; t <= last_tile; t++)
    for (int64_t n = 0; n < count; n++) {
      if (t == first_tile) start(&panels[n]);
      const bool opens = t == first_tile && n + 1 < count;
      attend_tile(&panels[n], t, rows_ahead(&panels[opens ? n + 1 : n], opens ? f->inputs->q : NULL),
                  rows_ahead(&panels[n], t == last_tile ? f->out : NULL));
    }
  for (int64_t n = 0; n < count; n++) store(&panels[n]);
}
