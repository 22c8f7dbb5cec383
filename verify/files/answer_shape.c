#include "files/answer_shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void rpp_shape_print(int ndim, const int64_t *shape, char *text) {
  size_t used = (size_t)snprintf(text, RPP_SHAPE_TEXT, "(");
  for (int i = 0; i < ndim; i++)
    used += (size_t)snprintf(text + used, RPP_SHAPE_TEXT - used, "%s%" PRId64, i == 0 ? "" : ", ", shape[i]);
  snprintf(text + used, RPP_SHAPE_TEXT - used, ")");
}

/* ---- Orders of dimensions ------------------------------------------------------------------------------------------------ */

static const char *dim_name(const rpp_answer_want *want, int dim) {
  static const char *const wide[] = {"batch", "length", "heads", "width"}, *const flat[] = {"batch", "heads", "length"};
  return want->ndim == 4 ? wide[dim] : flat[dim];
}

/* Which of the wanted dimensions each of the file's ought to be. */
static void file_order(const rpp_answer_want *want, int *order) {
  for (int i = 0; i < want->ndim; i++) order[i] = i;
  if (want->ndim == 4 && want->axes == RPP_AXES_BHLD) order[1] = 2, order[2] = 1;
}

static void shape_in(const rpp_answer_want *want, const int *order, int64_t *shape) {
  for (int i = 0; i < want->ndim; i++) shape[i] = want->shape[order[i]];
}

static bool same(int ndim, const int64_t *a, const int64_t *b) {
  for (int i = 0; i < ndim; i++)
    if (a[i] != b[i]) return false;
  return true;
}

/* The next order of 0 .. n - 1, as a number grows; false after the last. */
static bool next_order(int n, int *order) {
  int i = n - 2, j = n - 1;
  while (i >= 0 && order[i] > order[i + 1]) i--;
  if (i < 0) return false;
  while (order[j] < order[i]) j--;
  const int kept = order[i];
  order[i] = order[j];
  order[j] = kept;
  for (int a = i + 1, b = n - 1; a < b; a++, b--) {
    const int swapped = order[a];
    order[a] = order[b];
    order[b] = swapped;
  }
  return true;
}

/* An order in which the wanted shape is the tensor's; heads before the length is tried first, being the commonest. */
static bool find_order(const rpp_tensor *t, const rpp_answer_want *want, int *order) {
  int64_t shape[RPP_MAX_DIMS];
  if (t->ndim != want->ndim) return false;
  for (int axes = RPP_AXES_BLHD; axes <= RPP_AXES_BHLD; axes++) {
    const rpp_answer_want tried = {.ndim = want->ndim, .axes = (rpp_axes)axes};
    file_order(&tried, order);
    shape_in(want, order, shape);
    if (same(want->ndim, shape, t->shape)) return true;
  }
  for (int i = 0; i < want->ndim; i++) order[i] = i;
  do {
    shape_in(want, order, shape);
    if (same(want->ndim, shape, t->shape)) return true;
  } while (next_order(want->ndim, order));
  return false;
}

static void print_order(const rpp_answer_want *want, const int *order, char *text) {
  *text = '\0';
  for (int i = 0; i < want->ndim; i++) {
    if (i > 0) strcat(text, ", ");
    strcat(text, dim_name(want, order[i]));
  }
}

/* ---- What it looks like -------------------------------------------------------------------------------------------------- */

typedef struct {
  const rpp_tensor *t;
  const rpp_answer_want *want;
  int order[RPP_MAX_DIMS];     /* of the wanted dimensions in the file */
  int64_t shape[RPP_MAX_DIMS]; /* wanted in that order */
  char got_text[RPP_SHAPE_TEXT], want_text[RPP_SHAPE_TEXT], names[64];
} mistake;

static bool transposed(const mistake *m, rpp_message *error) {
  int order[RPP_MAX_DIMS];
  char names[64];
  if (!find_order(m->t, m->want, order)) return false;
  print_order(m->want, order, names);
  const bool wide = m->want->ndim == 4, heads_first = wide && order[0] == 0 && order[1] == 2 && order[3] == 3,
             plain = wide && order[0] == 0 && order[1] == 1 && order[3] == 3;
  rpp_message_set(error, "%s is %s: looks like %s; ", m->want->name, m->got_text, names);
  if (heads_first)
    rpp_message_set(error, "%suse --axes bhld", error->text);
  else if (plain)
    rpp_message_set(error, "%sleave out --axes bhld", error->text);
  else
    rpp_message_set(error, "%sexpected %s: %s", error->text, m->want_text, m->names);
  return true;
}

/* The shape without its dimensions of size 1. */
static int squeezed(int ndim, const int64_t *shape, int64_t *rest) {
  int count = 0;
  for (int i = 0; i < ndim; i++)
    if (shape[i] != 1) rest[count++] = shape[i];
  return count;
}

static bool ones_missing(const mistake *m, rpp_message *error) {
  int64_t got[RPP_MAX_DIMS], wanted[RPP_MAX_DIMS];
  const int count = squeezed(m->t->ndim, m->t->shape, got);
  if (m->t->ndim == m->want->ndim || count != squeezed(m->want->ndim, m->shape, wanted) || !same(count, got, wanted)) return false;
  rpp_message_set(error, "%s is %s: a dimension of size 1 is %s; expected %s: %s", m->want->name, m->got_text,
                  m->t->ndim < m->want->ndim ? "missing" : "too many", m->want_text, m->names);
  return true;
}

/* (batch, length, heads x width), as a projection takes it. */
static bool heads_joined(const mistake *m, rpp_message *error) {
  const int64_t *w = m->want->shape;
  int64_t joined = 0;
  if (m->want->ndim != 4 || m->t->ndim != 3 || __builtin_mul_overflow(w[2], w[3], &joined)) return false;
  if (m->t->shape[0] != w[0] || m->t->shape[1] != w[1] || m->t->shape[2] != joined) return false;
  rpp_message_set(error, "%s is %s: looks like batch, length, heads times width; reshape it to %s", m->want->name, m->got_text,
                  m->want_text);
  return true;
}

/* What a wrong size may be instead. */
static const char *size_hint(const mistake *m, int dim, int64_t size) {
  const bool heads = dim == (m->want->ndim == 4 ? 2 : 1), length = dim == (m->want->ndim == 4 ? 1 : 2);
  if (heads && size == m->want->projected) return " (each projected head makes a real and an imaginary one)";
  if (length && size == m->want->keys) return " (as many as keys)";
  return "";
}

/* The dimensions whose sizes are wrong, each named. */
static bool sizes_differ(const mistake *m, rpp_message *error) {
  if (m->t->ndim != m->want->ndim) return false;
  rpp_message_set(error, "%s is %s:", m->want->name, m->got_text);
  for (int i = 0, count = 0; i < m->t->ndim; i++) {
    if (m->t->shape[i] == m->shape[i]) continue;
    rpp_message_set(error, "%s%s %s is %" PRId64 ", expected %" PRId64 "%s", error->text, count++ == 0 ? "" : ",",
                    dim_name(m->want, m->order[i]), m->t->shape[i], m->shape[i], size_hint(m, m->order[i], m->t->shape[i]));
  }
  return true;
}

static bool refuse(const rpp_tensor *t, const rpp_answer_want *want, rpp_message *error) {
  mistake m = {.t = t, .want = want};
  file_order(want, m.order);
  shape_in(want, m.order, m.shape);
  rpp_shape_print(t->ndim, t->shape, m.got_text);
  rpp_shape_print(want->ndim, m.shape, m.want_text);
  print_order(want, m.order, m.names);
  if (!transposed(&m, error) && !ones_missing(&m, error) && !heads_joined(&m, error) && !sizes_differ(&m, error))
    rpp_message_set(error, "%s is %s: expected %s: %s", want->name, m.got_text, m.want_text, m.names);
  return false;
}

bool rpp_answer_shape(const rpp_tensor *t, const rpp_answer_want *want, rpp_tensor *view, rpp_message *error) {
  int order[RPP_MAX_DIMS];
  int64_t shape[RPP_MAX_DIMS];
  file_order(want, order);
  shape_in(want, order, shape);
  if (t->ndim != want->ndim || !same(want->ndim, t->shape, shape)) return refuse(t, want, error);
  *view = *t;
  for (int i = 0; i < want->ndim; i++) {
    view->shape[order[i]] = t->shape[i];
    view->strides[order[i]] = t->strides[i];
  }
  return true;
}
