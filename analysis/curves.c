#include "curves.h"

#include <cblas.h>
#include <stdlib.h>

/* Steps to each side of a centre; centres in one matrix product, so that what it makes stays in cache. */
enum { STEPS = 512, SPAN = 2 * STEPS + 1, PANEL = 32 };

rpp_status rpp_curves_angles(const rpp_rotary *rotary, int64_t count, const int64_t *t, double *cosine, double *sine) {
  const int64_t pairs = rotary->rotary_dim / 2, shape[] = {count, pairs};
  rpp_tensor pos, c, s;
  double magnitude;
  rpp_status status = rpp_frequencies(rotary, NULL, NULL, &magnitude);
  if (status == RPP_OK) status = rpp_tensor_contiguous((void *)t, RPP_I64, 1, shape, &pos);
  if (status == RPP_OK) status = rpp_tensor_contiguous(cosine, RPP_F64, 2, shape, &c);
  if (status == RPP_OK) status = rpp_tensor_contiguous(sine, RPP_F64, 2, shape, &s);
  if (status == RPP_OK) status = rpp_angles(rotary, &pos, &c, &s);
  for (int64_t i = 0; status == RPP_OK && magnitude != 1 && i < count * pairs; i++) cosine[i] /= magnitude, sine[i] /= magnitude;
  return status;
}

rpp_status rpp_curves_at(const rpp_rotary *rotary, int64_t count, const int64_t *t, double *re, double *im) {
  const int64_t pairs = rotary->rotary_dim / 2;
  double *cosine = malloc((size_t)pairs * 2 * sizeof *cosine), *sine = cosine + pairs;
  rpp_status status = cosine != NULL ? RPP_OK : RPP_ERROR_MEMORY;
  for (int64_t i = 0; status == RPP_OK && i < count; i++) {
    double a = 0, b = 0;
    status = rpp_curves_angles(rotary, 1, t + i, cosine, sine);
    for (int64_t n = 0; status == RPP_OK && n < pairs; n++) a += cosine[n], b += sine[n];
    re[i] = a / (double)pairs, im[i] = b / (double)pairs;
  }
  free(cosine);
  return status;
}

/* ---- A range -------------------------------------------------------------------------------------------------------------- */

/* cos((T +- r) theta) = cos T cos r -+ sin T sin r, sin((T +- r) theta) = sin T cos r +- cos T sin r: with the sums over pairs as
 * products of matrices, even = [cos T; sin T] cos r' and odd = [cos T; sin T] sin r', r = 0 .. STEPS. */
typedef struct {
  int64_t pairs;
  double *centre;     /* (2 PANEL, pairs): PANEL rows of cosines, then of sines */
  double *step;       /* (2 (STEPS + 1), pairs): of cosines, then of sines */
  double *even, *odd; /* (2 PANEL, STEPS + 1) */
  void *memory;
} workspace;

static bool make_workspace(int64_t pairs, workspace *w) {
  const int64_t centre = 2 * PANEL * pairs, step = 2 * (STEPS + 1) * pairs, product = 2 * PANEL * (STEPS + 1);
  double *at = malloc((size_t)(centre + step + 2 * product) * sizeof *at);
  *w = (workspace){.pairs = pairs, .memory = at};
  if (at == NULL) return false;
  w->centre = at, w->step = at + centre, w->even = w->step + step, w->odd = w->even + product;
  return true;
}

static void multiply(const workspace *w, const double *steps, double *product) {
  const int k = (int)w->pairs;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, 2 * PANEL, STEPS + 1, k, 1.0 / (double)w->pairs, w->centre, k, steps, k, 0,
              product, STEPS + 1);
}

/* The span around a panel's centre of that index, from..to of its places, into re[0], im[0] on. */
static void unfold(const workspace *w, int centre, int from, int to, double *re, double *im) {
  const double *even_re = w->even + centre * (STEPS + 1), *even_im = even_re + PANEL * (STEPS + 1);
  const double *odd_im = w->odd + centre * (STEPS + 1), *odd_re = odd_im + PANEL * (STEPS + 1);
  for (int i = from; i < to && i < STEPS; i++) {
    const int r = STEPS - i;
    re[i - from] = even_re[r] + odd_re[r], im[i - from] = even_im[r] - odd_im[r];
  }
  for (int i = from > STEPS ? from : STEPS; i < to; i++) {
    const int r = i - STEPS;
    re[i - from] = even_re[r] - odd_re[r], im[i - from] = even_im[r] + odd_im[r];
  }
}

static rpp_status fill_panel(const rpp_rotary *rotary, const workspace *w, int64_t first) {
  int64_t t[PANEL];
  for (int k = 0; k < PANEL; k++) {
    t[k] = first + STEPS + (int64_t)k * SPAN;
    if (t[k] > RPP_CURVES_FARTHEST + SPAN) t[k] = 0; /* past the range: not read */
  }
  const rpp_status status = rpp_curves_angles(rotary, PANEL, t, w->centre, w->centre + PANEL * w->pairs);
  if (status != RPP_OK) return status;
  multiply(w, w->step, w->even);
  multiply(w, w->step + (STEPS + 1) * w->pairs, w->odd);
  return RPP_OK;
}

rpp_status rpp_curves_range(const rpp_rotary *rotary, int64_t first, int64_t count, double *re, double *im) {
  workspace w;
  int64_t steps[STEPS + 1];
  if (!make_workspace(rotary->rotary_dim / 2, &w)) return RPP_ERROR_MEMORY;
  for (int r = 0; r <= STEPS; r++) steps[r] = r;
  const int threads = openblas_get_num_threads();
  openblas_set_num_threads(1);
  rpp_status status = rpp_curves_angles(rotary, STEPS + 1, steps, w.step, w.step + (STEPS + 1) * w.pairs);
  for (int64_t at = 0; status == RPP_OK && at < count; at += PANEL * SPAN) {
    status = fill_panel(rotary, &w, first + at);
    for (int k = 0; status == RPP_OK && k < PANEL; k++) {
      const int64_t begin = at + (int64_t)k * SPAN, left = count - begin;
      if (left > 0) unfold(&w, k, 0, left < SPAN ? (int)left : SPAN, re + begin, im + begin);
    }
  }
  openblas_set_num_threads(threads);
  free(w.memory);
  return status;
}
