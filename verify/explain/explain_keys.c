/* explain_keys.c: one-hot V: out[c] then is the weight of the key whose column c is. */
#include "explain/explain_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Runs of the kernel, at most: each tells as many keys as V has columns. And weights of all rows together. */
enum { MOST_RUNS = 64, MOST_WEIGHTS = 1 << 20 };

/* The weights of a row that is a mean of V, whichever keys it takes, sum up to 1 but for rounding. */
#define ONE_WITHIN 0.05

/* (rows of all heads and sequences, keys): the kernel's weights, the right ones and their bound. */
typedef struct {
  rpp_scratch scratch;
  double *got, *want, *bound;
  int64_t rows, keys, heads, length; /* rows = batch x heads x length, in this order */
} weights;

static double *table(weights *w) {
  const rpp_tensor t = rpp_scratch_tensor(&w->scratch, RPP_F64, 2, (int64_t[]){w->rows, w->keys});
  return t.data;
}

static bool prepare(const rpp_trial *t, weights *w) {
  w->keys = t->spec.k_len, w->heads = t->truth.out.shape[2], w->length = t->truth.out.shape[1];
  w->rows = t->truth.out.shape[0] * w->heads * w->length;
  const int64_t runs = (w->keys + t->spec.v_dim - 1) / t->spec.v_dim;
  if (runs > MOST_RUNS || w->rows == 0 || w->keys > MOST_WEIGHTS / w->rows) return false;
  w->got = table(w), w->want = table(w), w->bound = table(w);
  return w->got && w->want && w->bound;
}

/* One group of keys, first and on. */
static bool probe(rpp_trial *t, int64_t first, weights *w) {
  rpp_message error;
  rpp_scratch scratch = {0};
  const rpp_tensor *const kept = t->data.inputs.v;
  const int64_t dv = kept->shape[3], heads = kept->shape[2];
  rpp_tensor v = rpp_scratch_tensor(&scratch, kept->dtype, 4, kept->shape);
  rpp_judged_truth truth;
  for (int64_t c = 0; v.data && c < dv && first + c < w->keys; c++)
    for (int64_t i = 0; i < kept->shape[0] * heads; i++) rpp_tensor_set(&v, (int64_t[]){i / heads, first + c, i % heads, c}, 1);
  t->data.inputs.v = &v;
  const bool ran = v.data && rpp_trial_run(t) &&
                   rpp_judged_truth_make(&scratch, &t->data.attention, &t->data.inputs, &t->contract, t->rows, &truth, &error);
  t->data.inputs.v = kept;
  for (int64_t row = 0; ran && row < w->rows; row++)
    for (int64_t c = 0; c < dv && first + c < w->keys; c++) {
      const int64_t b = row / w->length / w->heads, o = row / w->length % w->heads, r = row % w->length,
                    query = t->rows ? (int64_t)rpp_tensor_get(t->rows, &r) : r, at = row * w->keys + first + c;
      w->want[at] = rpp_tensor_get(&truth.out, (int64_t[]){b, r, o, c});
      w->bound[at] = rpp_tensor_get(&truth.out_bound, (int64_t[]){b, r, o, c});
      w->got[at] = rpp_tensor_get(&t->data.out, (int64_t[]){b, query, o, c});
    }
  rpp_scratch_free(&scratch);
  return ran;
}

/* ---- What the weights tell ------------------------------------------------------------------------------------------------- */

typedef enum { LEAKED, MISSING, BLIND, KINDS } kind;

typedef struct {
  int64_t row, key, count;
} finding;

static void note(finding *f, int64_t row, int64_t key) {
  if (f->count++ == 0) f->row = row, f->key = key;
}

static void look_at_row(const weights *w, int64_t row, finding found[KINDS]) {
  const double *got = w->got + row * w->keys, *want = w->want + row * w->keys, *bound = w->bound + row * w->keys;
  double sum = 0, size = 0, wanted = 0;
  for (int64_t j = 0; j < w->keys; j++) sum += got[j], size += fabs(got[j]), wanted += want[j];
  if (size == 0 && wanted > 0) note(&found[BLIND], row, 0);
  if (!(fabs(sum - 1) <= ONE_WITHIN)) return;
  for (int64_t j = 0; j < w->keys; j++) {
    if (want[j] == 0 && fabs(got[j]) > bound[j]) note(&found[LEAKED], row, j);
    if (want[j] > bound[j] && got[j] == 0) note(&found[MISSING], row, j);
  }
}

static bool tell(const rpp_trial *t, const weights *w, kind of, const finding *f, rpp_message *explanation) {
  const int64_t r = f->row % w->length, query = t->rows ? (int64_t)rpp_tensor_get(t->rows, &r) : r;
  char sequence[40] = "", more[60] = "", key[60] = "gives 0, as if it saw no key";
  if (t->spec.batch > 1) snprintf(sequence, sizeof sequence, " of sequence %" PRId64, f->row / w->length / w->heads);
  if (f->count > 1) snprintf(more, sizeof more, " (and %" PRId64 " more such)", f->count - 1);
  if (of == LEAKED) snprintf(key, sizeof key, "sees key %" PRId64 ", which the mask hides", f->key);
  if (of == MISSING) snprintf(key, sizeof key, "misses key %" PRId64 ", which it should see", f->key);
  rpp_message_set(explanation, "query %" PRId64 " of output head %" PRId64 "%s %s%s", query, f->row / w->length % w->heads,
                  sequence, key, more);
  return true;
}

bool rpp_explain_keys(rpp_trial *t, rpp_message *explanation) {
  weights w = {.rows = 0};
  finding found[KINDS] = {{0}};
  bool probed = prepare(t, &w), told = false;
  for (int64_t first = 0; probed && first < w.keys; first += t->spec.v_dim) probed = probe(t, first, &w);
  for (int64_t row = 0; probed && row < w.rows; row++) look_at_row(&w, row, found);
  for (int of = 0; of < KINDS && !told; of++)
    if (found[of].count > 0) told = tell(t, &w, (kind)of, &found[of], explanation);
  rpp_scratch_free(&w.scratch);
  return told;
}
