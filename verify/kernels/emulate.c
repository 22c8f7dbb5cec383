/* emulate.c: the emulated kernel, head by head and row by row. */
#include "kernels/emulate_steps.h"
#include "visible.h"

#include <stdlib.h>
#include <string.h>

/* Multiplications past which emulating is a matter of minutes. */
static const double MOST_WORK = 0x1p33;

typedef struct {
  const rpp_emulation *e;
  const rpp_attention *attention;
  const rpp_attention_inputs *inputs;
  rpp_head_counts counts;
  int64_t q_len, k_len, head_dim, v_dim;
  rpp_emulated_angles of_q, of_k;
  double *k, *turned, *v; /* one KV head: (Lk, D), the same turned by -pi/2, (Lk, Dv) */
  double *q, *out, *scratch;
} emulating;

static const char *unlike(const rpp_tensor *t, rpp_dtype dtype) {
  return t->dtype == dtype ? NULL : "q, k or v is not of the contract's input type";
}

/* Tables that come with the problem are used as they are, whatever the model. */
static const char *check_angles(const rpp_contract *contract, const rpp_attention *attention) {
  const rpp_rotary *rotary = &attention->rotary;
  if ((attention->q_rotated && attention->k_rotated) || rotary->cos) return NULL;
  return rotary->angles == contract->angles ? NULL : "the contract has another angle model";
}

const char *rpp_emulate_supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention_inputs *inputs = problem->inputs;
  rpp_head_counts counts;
  if (rpp_attention_heads(problem->attention, &counts) != RPP_OK) return rpp_error_message();
  const char *reason = unlike(inputs->q, kernel->contract.input);
  if (!reason) reason = unlike(inputs->k, kernel->contract.input);
  if (!reason) reason = unlike(inputs->v, kernel->contract.input);
  if (!reason) reason = check_angles(&kernel->contract, problem->attention);
  if (reason) return reason;
  const int64_t *q = inputs->q->shape, *v = inputs->v->shape;
  const double rows = (double)q[0] * (double)q[1] * (double)counts.output;
  return rows * (double)v[1] * (double)(q[3] + v[3]) > MOST_WORK ? "too large for an emulation" : NULL;
}

static int64_t kv_head(const emulating *f, int64_t o) {
  const int64_t kv = f->counts.kv, group = f->counts.output / kv;
  int64_t g = o / group;
  if (f->e->fault == RPP_FAULT_KV_NOT_DOUBLED) g = o / (f->counts.projected / kv);
  if (f->e->fault == RPP_FAULT_KV_BY_COUNT) g = o / kv;
  if (f->e->fault == RPP_FAULT_KV_TILED) g = o % kv;
  return g < kv ? g : kv - 1;
}

static void load_kv_head(const emulating *f, int64_t b, int64_t g) {
  const rpp_rotary *rotary = &f->attention->rotary;
  for (int64_t j = 0; j < f->k_len; j++) {
    double *k = f->k + j * f->head_dim, *v = f->v + j * f->v_dim;
    rpp_emulated_load(f->inputs->k, b, j, g, k);
    if (f->attention->k_rotated)
      rpp_emulated_keep_row(f->e, f->head_dim, k);
    else
      rpp_emulated_rotate_row(f->e, rotary, &f->of_k, j, f->head_dim, true, k);
    for (int64_t d = 0; d < f->head_dim; d++) f->turned[j * f->head_dim + d] = k[d];
    if (f->e->fault == RPP_FAULT_TURN_ON_K) rpp_emulated_turn(f->e, rotary, f->head_dim, f->turned + j * f->head_dim);
    rpp_emulated_load(f->inputs->v, b, j, g, v);
    for (int64_t c = 0; c < f->v_dim; c++) {
      v[c] = rpp_dtype_round(f->e->contract.value, v[c]);
      if (f->e->fault == RPP_FAULT_KEY_INT16 && j > 32767) v[c] = NAN;
    }
  }
}

static bool imaginary(const emulating *f, int64_t o) {
  return f->attention->mode != RPP_MODE_ROPE && o % 2 == 1;
}

static void load_query(const emulating *f, int64_t b, int64_t i, int64_t o) {
  const bool kept = f->e->fault == RPP_FAULT_TURN_ON_K || f->e->fault == RPP_FAULT_TURN_MISSING;
  if (f->attention->q_rotated) {
    rpp_emulated_load(f->inputs->q, b, i, o, f->q);
    rpp_emulated_keep_row(f->e, f->head_dim, f->q);
    return;
  }
  rpp_emulated_load(f->inputs->q, b, i, f->attention->mode == RPP_MODE_ROPE ? o : o / 2, f->q);
  if (imaginary(f, o) && !kept) rpp_emulated_turn(f->e, &f->attention->rotary, f->head_dim, f->q);
  rpp_emulated_rotate_row(f->e, &f->attention->rotary, &f->of_q, i, f->head_dim, false, f->q);
}

/* Some of q and k, and their shapes, as one number. */
static uint64_t fingerprint(const rpp_attention_inputs *inputs) {
  const rpp_tensor *tensors[] = {inputs->q, inputs->k};
  uint64_t sum = 0;
  for (int n = 0; n < 2; n++) {
    const rpp_tensor *t = tensors[n];
    const int64_t rows = t->shape[0] * t->shape[1] * t->shape[2];
    for (int d = 0; d < 4; d++) sum = (sum ^ (uint64_t)t->shape[d]) * 0x9e3779b97f4a7c15u;
    for (int64_t d = 0; rows > 0 && d < t->shape[3]; d++) {
      const double x = rpp_tensor_get(t, (int64_t[]){0, 0, 0, d});
      uint64_t bits;
      memcpy(&bits, &x, sizeof bits);
      sum = (sum ^ bits) * 0x9e3779b97f4a7c15u;
    }
  }
  return sum;
}

bool rpp_emulated_again(const rpp_attention_inputs *inputs) {
  static uint64_t last;
  static bool again;
  const uint64_t now = fingerprint(inputs);
  again = now == last && !again;
  last = now;
  return again;
}

static void attend(const emulating *f, int64_t b, int64_t i, int64_t o, bool late, rpp_tensor *out, rpp_tensor *lse) {
  const rpp_key_range keys = rpp_visible_keys(f->attention, f->inputs, f->k_len, i);
  const bool turned = f->e->fault == RPP_FAULT_TURN_ON_K && imaginary(f, o) && !f->attention->q_rotated;
  rpp_emulated_row row = {.q = f->q,
                          .k = turned ? f->turned : f->k,
                          .v = f->v,
                          .head_dim = f->head_dim,
                          .v_dim = f->v_dim,
                          .keys = f->k_len,
                          .first = keys.first,
                          .last = keys.last - (late && keys.last - keys.first > 1 ? 1 : 0),
                          .scale = f->attention->scale,
                          .scratch = f->scratch};
  double value;
  if (f->e->fault == RPP_FAULT_IMAG_SCALED && imaginary(f, o)) row.scale *= 0.7071067811865476;
  load_query(f, b, i, o);
  rpp_emulated_attend(f->e, &row, f->out, &value);
  if (f->e->fault == RPP_FAULT_LAST_QUERY_LOST && f->q_len % 2 == 1 && i == f->q_len - 1) return;
  if (out) rpp_emulated_deliver(out, b, i, o, f->out);
  if (lse) rpp_tensor_set(lse, (int64_t[]){b, o, i}, value);
}

static bool open_angles(emulating *f, int64_t b) {
  const rpp_rotary *rotary = &f->attention->rotary;
  if (!f->attention->q_rotated && !rpp_emulated_angles_open(f->e, rotary, f->inputs->pos_q, b, false, &f->of_q)) return false;
  return f->attention->k_rotated || rpp_emulated_angles_open(f->e, rotary, f->inputs->pos_k, b, true, &f->of_k);
}

static void run_sequence(const emulating *f, int64_t b, bool late, rpp_tensor *out, rpp_tensor *lse) {
  for (int64_t g = 0; g < f->counts.kv; g++) {
    load_kv_head(f, b, g);
    for (int64_t o = 0; o < f->counts.output; o++)
      if (kv_head(f, o) == g)
        for (int64_t i = 0; i < f->q_len; i++) attend(f, b, i, o, late, out, lse);
  }
}

static double *room(int64_t count) {
  return calloc((size_t)count + 1, sizeof(double));
}

int rpp_emulate(const rpp_emulation *e, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                rpp_tensor *lse, const char **reason) {
  emulating f = {.e = e, .attention = attention, .inputs = inputs};
  if (rpp_attention_heads(attention, &f.counts) != RPP_OK) {
    *reason = rpp_error_message();
    return 1;
  }
  f.q_len = inputs->q->shape[1], f.head_dim = inputs->q->shape[3];
  f.k_len = inputs->v->shape[1], f.v_dim = inputs->v->shape[3];
  f.k = room(f.k_len * f.head_dim);
  f.turned = room(f.k_len * f.head_dim);
  f.v = room(f.k_len * f.v_dim);
  f.q = room(f.head_dim);
  f.out = room(f.v_dim);
  f.scratch = room(rpp_emulated_scratch(e, f.v_dim));
  bool done = f.k && f.turned && f.v && f.q && f.out && f.scratch;
  const bool late = f.e->fault == RPP_FAULT_RACE && rpp_emulated_again(f.inputs);
  for (int64_t b = 0; done && b < inputs->q->shape[0]; b++) {
    done = open_angles(&f, b);
    if (done) run_sequence(&f, b, late, out, lse);
    rpp_emulated_angles_close(&f.of_q);
    rpp_emulated_angles_close(&f.of_k);
  }
  double *const rooms[] = {f.k, f.turned, f.v, f.q, f.out, f.scratch};
  for (int i = 0; i < 6; i++) free(rooms[i]);
  if (!done) *reason = "memory is out, or the rotary is not sound";
  return done ? 0 : 1;
}

int rpp_emulate_forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                        rpp_tensor *out, rpp_tensor *lse, void *workspace, const char **reason) {
  (void)workspace;
  return rpp_emulate(kernel->data, attention, inputs, out, lse, reason);
}
