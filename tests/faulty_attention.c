#include "faulty_attention.h"

#include <math.h>
#include <stdlib.h>

enum { KEY_TILE = 4 }; /* of what drops its tail */

typedef struct {
  faulty fault;
  const rpp_contract *contract;
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_head_counts counts;
  int64_t q_len, k_len, head_dim, v_dim;
  double theta[256], m;
} run;

static int64_t integer(const rpp_tensor *t, int64_t b, int64_t i) {
  return (int64_t)rpp_tensor_get(t, (int64_t[]){t->ndim == 1 ? i : b, i});
}

static rpp_pairing other(rpp_pairing pairing) {
  return pairing == RPP_PAIRING_HALF ? RPP_PAIRING_INTERLEAVED : RPP_PAIRING_HALF;
}

/* ---- Rotation ------------------------------------------------------------------------------------------------------------- */

static void find_frequencies(run *r, const rpp_rotary *rotary) {
  rpp_rotary own = *rotary;
  if (r->fault == FAULTY_BASE) own.base = 10000;
  if (r->fault == FAULTY_NO_SCALING) own.scaling.kind = RPP_SCALING_NONE;
  if (rpp_frequencies(&own, r->theta, NULL, &r->m) != RPP_OK) abort();
  if (r->fault == FAULTY_NO_MAGNITUDE) r->m = 1;
  for (int64_t n = 0; r->fault == FAULTY_HEAD_FREQUENCIES && n < own.rotary_dim / 2; n++)
    r->theta[n] = pow(own.base, -2.0 * (double)n / (double)r->head_dim);
}

static void columns(rpp_pairing pairing, int64_t width, int64_t n, int64_t *first, int64_t *second) {
  *first = pairing == RPP_PAIRING_HALF ? n : 2 * n;
  *second = pairing == RPP_PAIRING_HALF ? n + width / 2 : 2 * n + 1;
}

static void turn(rpp_pairing pairing, int64_t width, double sign, double *row) {
  for (int64_t n = 0; n < width / 2; n++) {
    int64_t i, j;
    columns(pairing, width, n, &i, &j);
    const double a = row[i], b = row[j];
    row[i] = sign * b;
    row[j] = -sign * a;
  }
}

static void mirror(rpp_pairing pairing, int64_t width, double *row) {
  for (int64_t n = 0; n < width / 2; n++) {
    int64_t i, j;
    columns(pairing, width, n, &i, &j);
    row[j] *= -1;
  }
}

static void rotate_row(const run *r, const rpp_rotary *rotary, rpp_pairing pairing, int64_t t, double *row) {
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    int64_t i, j;
    const bool single = r->fault == FAULTY_ANGLES_F32;
    double phi = single ? (double)((float)t * (float)r->theta[n]) : (double)t * r->theta[n];
    if (r->fault == FAULTY_ANGLES_ROUNDED) phi = (double)(float)phi;
    const double cosine = r->m * cos(phi), sine = r->m * sin(phi);
    columns(pairing, rotary->rotary_dim, n, &i, &j);
    const double x = row[i], y = row[j];
    row[i] = x * cosine - y * sine;
    row[j] = y * cosine + x * sine;
  }
  for (int64_t d = 0; d < r->head_dim; d++) row[d] = rpp_dtype_round(r->contract->rotated, row[d]);
}

static void load(const rpp_tensor *x, int64_t b, int64_t l, int64_t h, double *row) {
  for (int64_t d = 0; d < x->shape[3]; d++) row[d] = rpp_tensor_get(x, (int64_t[]){b, l, h, d});
}

static rpp_rotary own_rotary(const run *r) {
  rpp_rotary rotary = r->attention->rotary;
  if (r->fault == FAULTY_WHOLE_HEAD) rotary.rotary_dim = r->head_dim;
  if (r->fault == FAULTY_PAIRING_OTHER) rotary.pairing = other(rotary.pairing);
  return rotary;
}

static void load_query(const run *r, int64_t b, int64_t i, int64_t o, double *row) {
  const rpp_rotary rotary = own_rotary(r);
  const bool doubles = r->attention->mode != RPP_MODE_ROPE;
  const rpp_pairing pairing = r->fault == FAULTY_PAIRING_Q ? other(rotary.pairing) : rotary.pairing;
  if (r->attention->q_rotated) {
    load(r->inputs->q, b, i, o, row);
    if (doubles && o % 2 == 1 && r->fault == FAULTY_TURN_AGAIN) turn(rotary.pairing, rotary.rotary_dim, 1, row);
    return;
  }
  load(r->inputs->q, b, i, doubles ? o / 2 : o, row);
  if (doubles && o % 2 == 1 && r->fault != FAULTY_TURN_ON_K && r->fault != FAULTY_TURN_MISSING)
    turn(r->fault == FAULTY_TURN_OTHER_PAIRING ? other(pairing) : pairing, rotary.rotary_dim, r->fault == FAULTY_TURN_SIGN ? -1 : 1,
         row);
  if (doubles && o % 2 == 1 && r->fault == FAULTY_MIRRORED_RAW) mirror(pairing, rotary.rotary_dim, row);
  const int64_t t = r->fault == FAULTY_POSITION_INDEX ? i : integer(r->inputs->pos_q, b, i);
  rotate_row(r, &rotary, pairing, t + (r->fault == FAULTY_QUERY_LATE), row);
  if (doubles && o % 2 == 1 && r->fault == FAULTY_MIRRORED) mirror(pairing, rotary.rotary_dim, row);
}

static void load_key(const run *r, int64_t b, int64_t j, int64_t g, bool turned, double *row) {
  const rpp_rotary rotary = own_rotary(r);
  const rpp_pairing pairing = r->fault == FAULTY_PAIRING_K ? other(rotary.pairing) : rotary.pairing;
  load(r->inputs->k, b, j, g, row);
  if (r->attention->k_rotated) return;
  if (turned) turn(pairing, rotary.rotary_dim, 1, row);
  const int64_t t = r->fault == FAULTY_POSITION_RUN ? integer(r->inputs->pos_k, b, 0) + j : integer(r->inputs->pos_k, b, j);
  rotate_row(r, &rotary, pairing, r->fault == FAULTY_POSITION_INDEX ? j : t, row);
}

/* ---- Which keys ------------------------------------------------------------------------------------------------------------ */

static bool sees(const run *r, int64_t i, int64_t j) {
  const rpp_attention *a = r->attention;
  if (r->fault == FAULTY_LEAK && i == 1 && j == 3) return true;
  if (r->fault == FAULTY_MISS && i == 2 && j == 0) return false;
  if (r->fault == FAULTY_TAIL_DROPPED && j >= r->k_len / KEY_TILE * KEY_TILE) return false;
  if (r->inputs->cu_q && r->fault != FAULTY_NOT_PACKED) {
    int64_t n = 0, last = r->inputs->cu_q->shape[0] - 1;
    for (int64_t s = 0; s < last; s++)
      if (integer(r->inputs->cu_q, 0, s) <= i) n = s;
    if (j < integer(r->inputs->cu_k, 0, n) || j >= integer(r->inputs->cu_k, 0, n + 1)) return false;
    i -= integer(r->inputs->cu_q, 0, n);
    j -= integer(r->inputs->cu_k, 0, n);
  }
  if (a->mask == RPP_MASK_FULL || r->fault == FAULTY_NO_MASK) return true;
  const int64_t end = i + (r->fault == FAULTY_CORNER ? 0 : a->causal_offset),
                start = end - a->window - (r->fault == FAULTY_WINDOW_WIDE);
  return j <= end - (r->fault == FAULTY_STRICT) && (a->mask == RPP_MASK_CAUSAL || j > start);
}

static int64_t kv_head(const run *r, int64_t o, bool of_v) {
  const int64_t kv = r->counts.kv, plain = o / (r->counts.projected / kv);
  if (r->fault == FAULTY_KV_NOT_DOUBLED) return plain < kv ? plain : kv - 1;
  if (r->fault == FAULTY_KV_TILED || (of_v && r->fault == FAULTY_V_TILED)) return o % kv;
  if (r->fault == FAULTY_KV_SHIFT) {
    const int64_t g = o >> (int)log2((double)(r->counts.output / kv));
    return g < kv ? g : kv - 1;
  }
  return o / (r->counts.output / kv);
}

/* ---- One row --------------------------------------------------------------------------------------------------------------- */

typedef struct {
  double m, l, *out; /* sum e^(x - m), and of that times v */
} row_result;

static row_result attend(const run *r, int64_t b, int64_t i, int64_t o, double *out) {
  double q[256], k[256], v[256], *scores = malloc((size_t)(r->k_len + 1) * sizeof *scores), scale = r->attention->scale;
  row_result result = {-INFINITY, 0, out};
  const bool imaginary = r->attention->mode != RPP_MODE_ROPE && o % 2 == 1;
  if (!scores) abort();
  if (r->fault == FAULTY_NO_SCALE) scale = 1;
  if (r->fault == FAULTY_IMAGINARY_SCALE && imaginary) scale /= sqrt(2);
  if (r->fault == FAULTY_IMAGINARY_12 && imaginary && r->head_dim == 12) scale *= scale;
  load_query(r, b, i, o, q);
  for (int64_t j = 0; j < r->k_len; j++) {
    scores[j] = -INFINITY;
    if (!sees(r, i, j)) continue;
    load_key(r, b, j, kv_head(r, o, false), imaginary && r->fault == FAULTY_TURN_ON_K, k);
    double dot = 0;
    for (int64_t d = 0; d < r->head_dim; d++) dot += q[d] * k[d];
    scores[j] = scale * dot;
    result.m = fmax(result.m, scores[j]);
  }
  for (int64_t d = 0; d < r->v_dim; d++) out[d] = 0;
  for (int64_t j = 0; j < r->k_len; j++) {
    if (scores[j] == -INFINITY) continue;
    const double p = exp(scores[j] - result.m);
    load(r->inputs->v, b, j, kv_head(r, o, true), v);
    result.l += p;
    for (int64_t d = 0; d < r->v_dim; d++) out[d] += p * v[d];
  }
  free(scores);
  return result;
}

/* Real and imaginary rows in one softmax, whose weighted values each takes whole (both) or its own share of. */
static void join(row_result *mine, const row_result *others, int64_t dv, bool both) {
  const double m = fmax(mine->m, others->m);
  if (m == -INFINITY) return;
  const double a = exp(mine->m - m), b = exp(others->m - m);
  for (int64_t d = 0; d < dv; d++) mine->out[d] = a * mine->out[d] + (both ? b * others->out[d] : 0);
  mine->l = a * mine->l + b * others->l;
  mine->m = m;
}

static void deliver(const run *r, int64_t b, int64_t i, int64_t o, row_result *row, rpp_tensor *out, rpp_tensor *lse) {
  const int64_t heads = r->counts.output, p = r->counts.projected;
  double value = row->l > 0 ? row->m + log(row->l) : -INFINITY;
  if (r->fault == FAULTY_LSE_BASE_2) value /= log(2);
  if (r->fault == FAULTY_LSE_LN_2) value += log(2);
  if (r->fault == FAULTY_LSE_ZERO || (r->fault == FAULTY_LSE_ZERO_64 && o >= 64)) value = 0;
  if (r->fault == FAULTY_NOISE && (i + o) % 3 == 0)
    for (int64_t d = 0; d < r->v_dim; d++) row->out[d] *= 1 + 0.1 * (double)((3 * i + d) % 4);
  int64_t to_o = o, to_i = i, lse_o, lse_i;
  if (r->fault == FAULTY_SWAPPED) to_o = o ^ 1;
  if (r->fault == FAULTY_STACKED) to_o = o % 2 == 0 ? o / 2 : p + o / 2;
  lse_o = to_o, lse_i = to_i;
  if (r->fault == FAULTY_UNWRITTEN && o % 2 == 1 && o > 1) return;
  if (r->fault == FAULTY_OUT_LAYOUT) to_i = (o * r->q_len + i) / heads, to_o = (o * r->q_len + i) % heads;
  if (r->fault == FAULTY_LSE_LAYOUT) lse_o = (i * heads + o) / r->q_len, lse_i = (i * heads + o) % r->q_len;
  for (int64_t d = 0; d < r->v_dim; d++) {
    const double x = row->l > 0 ? row->out[d] / row->l : 0;
    rpp_tensor_set(out, (int64_t[]){b, to_i, to_o, d}, r->fault == FAULTY_OUT_F16 ? rpp_dtype_round(RPP_F16, x) : x);
  }
  rpp_tensor_set(lse, (int64_t[]){b, lse_o, lse_i}, value);
}

/* ---- The kernel ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  rpp_kernel kernel;
  faulty fault;
} faulty_data;

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  rpp_head_counts counts;
  if (rpp_attention_heads(problem->attention, &counts) != RPP_OK) return "unsound heads";
  const faulty fault = ((const faulty_data *)kernel->data)->fault;
  return problem->attention->q_rotated && fault != FAULTY_NONE && fault != FAULTY_TURN_AGAIN ? "takes raw inputs" : NULL;
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  run r = {
      .fault = ((const faulty_data *)kernel->data)->fault, .contract = &kernel->contract, .attention = attention, .inputs = inputs};
  (void)workspace;
  (void)reason;
  if (rpp_attention_heads(attention, &r.counts) != RPP_OK) return 1;
  r.q_len = inputs->q->shape[1], r.head_dim = inputs->q->shape[3];
  r.k_len = inputs->k->shape[1], r.v_dim = inputs->v->shape[3];
  const rpp_rotary rotary = own_rotary(&r);
  find_frequencies(&r, &rotary);
  const bool joint = (r.fault == FAULTY_JOINT_SOFTMAX || r.fault == FAULTY_JOINT_SHARES) && attention->mode != RPP_MODE_ROPE;
  for (int64_t b = 0; b < inputs->q->shape[0]; b++)
    for (int64_t i = 0; i < r.q_len; i++)
      for (int64_t o = 0; o < r.counts.output; o++) {
        double mine[256], others[256];
        row_result row = attend(&r, b, i, o, mine);
        if (joint) {
          const row_result second = attend(&r, b, i, o ^ 1, others);
          join(&row, &second, r.v_dim, r.fault == FAULTY_JOINT_SOFTMAX);
        }
        deliver(&r, b, i, o, &row, out, lse);
      }
  return 0;
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  (void)reason;
  run r = {.fault = FAULTY_NONE, .contract = &kernel->contract, .head_dim = x->shape[3]};
  double row[256];
  find_frequencies(&r, rotary);
  for (int64_t b = 0; b < x->shape[0]; b++)
    for (int64_t l = 0; l < x->shape[1]; l++)
      for (int64_t h = 0; h < x->shape[2]; h++) {
        load(x, b, l, h, row);
        if (part == RPP_PART_IMAG) turn(rotary->pairing, rotary->rotary_dim, -1, row);
        rotate_row(&r, rotary, rotary->pairing, integer(pos, b, l), row);
        for (int64_t d = 0; d < x->shape[3]; d++) rpp_tensor_set(y, (int64_t[]){b, l, h, d}, row[d]);
      }
  return 0;
}

const rpp_kernel *faulty_kernel(faulty fault, rpp_dtype storage) {
  static faulty_data all[FAULTY_COUNT][5];
  faulty_data *made = &all[fault][storage];
  *made = (faulty_data){.kernel = {.version = RPP_KERNEL_VERSION,
                                   .name = "faulty",
                                   .description = "attention by its definition",
                                   .contract = rpp_attention_blocked_contract(storage),
                                   .data = made,
                                   .supports = supports,
                                   .rotate = fault == FAULTY_ROTATION_SIGN ? rotate : NULL,
                                   .forward = forward},
                        .fault = fault};
  return &made->kernel;
}
