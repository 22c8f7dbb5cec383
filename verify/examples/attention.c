/* attention.c: RoPE and RoPE++ attention in float32 as a plug-in of ropepp-verify, as plain as it gets.
 *
 *     cc -O2 -shared -fPIC -I$(pkg-config --variable=includedir ropepp) attention.c -o attention.so -lm
 *     ropepp-verify fuzz --kernel ./attention.so
 *
 * With -DFAULT_TURN_SIGN imaginary heads are turned the wrong way; the verifier then says so. */
#include <math.h>
#include <ropepp_kernel.h>
#include <stdbool.h>

/* Element (a, b, c, d) of a float32 tensor; lse has no d. */
static float *at(const rpp_plugin_tensor *t, int64_t a, int64_t b, int64_t c, int64_t d) {
  return (float *)t->data + a * t->strides[0] + b * t->strides[1] + c * t->strides[2] + d * t->strides[3];
}

/* Positions are (L) or (B, L). */
static int64_t position(const rpp_plugin_tensor *pos, int64_t b, int64_t l) {
  const int64_t *p = pos->data;
  return pos->ndim == 1 ? p[l * pos->strides[0]] : p[b * pos->strides[0] + l * pos->strides[1]];
}

static int64_t bound(const rpp_plugin_tensor *cu, int64_t n) {
  return ((const int64_t *)cu->data)[n * cu->strides[0]];
}

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

/* y = x (width elements, each step apart) as it is at position t; imag: turned by -pi/2 before. y may be x. */
static void rotate_row(const rpp_plugin_rotary *r, bool imag, int64_t t, int64_t width, const float *x, int64_t x_step, float *y,
                       int64_t y_step) {
  for (int64_t n = 0; n < r->rotary_dim / 2; n++) {
    const int64_t first = r->pairing == RPP_PLUGIN_HALF ? n : 2 * n,
                  second = r->pairing == RPP_PLUGIN_HALF ? n + r->rotary_dim / 2 : 2 * n + 1;
    const double angle = (double)t * r->inv_freq[n]; /* in float32 it would be off by 0.06 at position 10^6 */
    const float c = (float)(r->magnitude * cos(angle)), s = (float)(r->magnitude * sin(angle));
    float a = x[first * x_step], b = x[second * x_step];
    if (imag) {
      const float turned = a;
#ifdef FAULT_TURN_SIGN
      a = -b, b = turned;
#else
      a = b, b = -turned;
#endif
    }
    y[first * y_step] = a * c - b * s;
    y[second * y_step] = a * s + b * c;
  }
  for (int64_t d = r->rotary_dim; d < width; d++) y[d * y_step] = x[d * x_step];
}

static const char *rotate(const rpp_plugin_rotation *r) {
  const rpp_plugin_tensor *x = r->x, *y = r->y;
  for (int64_t b = 0; b < x->shape[0]; b++)
    for (int64_t l = 0; l < x->shape[1]; l++)
      for (int64_t h = 0; h < x->shape[2]; h++)
        rotate_row(r->rotary, r->part == RPP_PLUGIN_IMAG, position(r->pos, b, l), x->shape[3], at(x, b, l, h, 0), x->strides[3],
                   at(y, b, l, h, 0), y->strides[3]);
  return NULL;
}

/* ---- Attention ---------------------------------------------------------------------------------------------------------- */

/* Key j from query i, counted in their sequence. The differences are arranged so that nothing overflows. */
static bool sees(const rpp_plugin_problem *p, int64_t i, int64_t j) {
  if (p->mask == RPP_PLUGIN_FULL) return true;
  if (j - i > p->causal_offset) return false;
  return p->mask == RPP_PLUGIN_CAUSAL || (uint64_t)p->causal_offset - (uint64_t)(j - i) < (uint64_t)p->window;
}

/* Query i of output head o. keys: the KV head's, rotated, width floats each; q and weight: room for a query and for Lk weights. */
static void attend(const rpp_plugin_problem *p, int64_t b, int64_t o, int64_t i, const float *keys, float *q, float *weight) {
  const int64_t width = p->k->shape[3], group = p->out->shape[2] / p->k->shape[2];
  const bool doubled = p->mode != RPP_PLUGIN_ROPE && !p->q_rotated;
  const float *from = at(p->q, b, i, doubled ? o / 2 : o, 0);
  for (int64_t d = 0; d < width; d++) q[d] = from[d * p->q->strides[3]];
  if (!p->q_rotated) rotate_row(&p->rotary, doubled && o % 2 == 1, position(p->pos_q, b, i), width, q, 1, q, 1);

  int64_t q_start = 0, start = 0, end = p->k->shape[1]; /* the sequence of this query */
  if (p->cu_q != NULL) {
    int64_t n = 0;
    while (bound(p->cu_q, n + 1) <= i) n++;
    q_start = bound(p->cu_q, n), start = bound(p->cu_k, n), end = bound(p->cu_k, n + 1);
  }
  float largest = -INFINITY, sum = 0;
  for (int64_t j = start; j < end; j++) {
    float dot = 0;
    weight[j] = -INFINITY;
    if (!sees(p, i - q_start, j - start)) continue;
    for (int64_t d = 0; d < width; d++) dot += q[d] * keys[j * width + d];
    weight[j] = (float)p->scale * dot;
    if (weight[j] > largest) largest = weight[j];
  }
  for (int64_t j = start; j < end; j++) {
    weight[j] = largest > -INFINITY ? expf(weight[j] - largest) : 0;
    sum += weight[j];
  }
  for (int64_t c = 0; c < p->v->shape[3]; c++) {
    float total = 0;
    for (int64_t j = start; j < end; j++)
      if (weight[j] > 0) total += weight[j] * *at(p->v, b, j, o / group, c);
    *at(p->out, b, i, o, c) = sum > 0 ? total / sum : 0; /* a row that sees no key */
  }
  *at(p->lse, b, o, i, 0) = sum > 0 ? largest + logf(sum) : -INFINITY;
}

static const char *forward(const rpp_plugin_problem *p, void *workspace) {
  const int64_t width = p->k->shape[3], length = p->k->shape[1], group = p->out->shape[2] / p->k->shape[2];
  float *keys = workspace, *q = keys + length * width, *weight = q + width;
  for (int64_t b = 0; b < p->k->shape[0]; b++)
    for (int64_t g = 0; g < p->k->shape[2]; g++) {
      for (int64_t j = 0; j < length; j++) {
        const float *from = at(p->k, b, j, g, 0);
        for (int64_t d = 0; d < width; d++) keys[j * width + d] = from[d * p->k->strides[3]];
        if (!p->k_rotated) rotate_row(&p->rotary, false, position(p->pos_k, b, j), width, keys + j * width, 1, keys + j * width, 1);
      }
      for (int64_t o = g * group; o < (g + 1) * group; o++)
        for (int64_t i = 0; i < p->q->shape[1]; i++) attend(p, b, o, i, keys, q, weight);
    }
  return NULL;
}

static size_t workspace(const rpp_plugin_problem *p) {
  const size_t width = (size_t)p->k->shape[3], length = (size_t)p->k->shape[1];
  return (length * width + width + length) * sizeof(float);
}

static const char *supports(const rpp_plugin_problem *p) {
  const bool odd = p->heads % 2 != 0 || p->kv_heads % 2 != 0;
  return p->mode == RPP_PLUGIN_EH && odd ? "EH halves the heads: their counts must be even" : NULL;
}

const rpp_plugin_kernel *ropepp_kernel(void) {
  static const rpp_plugin_kernel kernel = {.abi = RPP_PLUGIN_ABI,
                                           .size = sizeof kernel,
                                           .name = "example",
                                           .description = "RoPE, EC and EH in float32, one row at a time",
                                           .contract = "f32,deterministic=1",
                                           .memory = RPP_PLUGIN_HOST,
                                           .supports = supports,
                                           .workspace = workspace,
                                           .rotate = rotate,
                                           .forward = forward};
  return &kernel;
}
