/* emulate_rotate.c: angles and rotation, rounded as a contract says. */
#include "kernels/emulate_steps.h"

#include <stdlib.h>

static double rounded(rpp_dtype dtype, double x) {
  return rpp_dtype_round(dtype, x);
}

void rpp_emulated_load(const rpp_tensor *x, int64_t b, int64_t l, int64_t h, double *row) {
  for (int64_t d = 0; d < x->shape[3]; d++) row[d] = rpp_tensor_get(x, (int64_t[]){b, l, h, d});
}

void rpp_emulated_deliver(const rpp_tensor *y, int64_t b, int64_t l, int64_t h, const double *row) {
  for (int64_t d = 0; d < y->shape[3]; d++) rpp_tensor_set(y, (int64_t[]){b, l, h, d}, row[d]);
}

static int64_t position(const rpp_tensor *pos, int64_t b, int64_t l) {
  int64_t value;
  const int64_t offset = pos->ndim == 1 ? l * pos->strides[0] : b * pos->strides[0] + l * pos->strides[1];
  const char *at = (const char *)pos->data + pos->byte_offset + offset * (int64_t)sizeof value;
  for (size_t i = 0; i < sizeof value; i++) ((char *)&value)[i] = at[i];
  return value;
}

static int64_t position_used(const rpp_emulation *e, int64_t t) {
  if (e->fault == RPP_FAULT_TABLE_CLAMPED) return t > 2047 ? 2047 : t;
  if (e->fault == RPP_FAULT_TABLE_WRAPPED) return t % 4096;
  if (e->fault == RPP_FAULT_ANGLES_BF16) return (int64_t)rounded(RPP_BF16, (double)t);
  return t;
}

/* Angles that the kernel computes for itself from t and theta, each product rounded, with the magnitude m. */
static void product_angles(const rpp_emulation *e, const rpp_rotary *rotary, int64_t t, int64_t pairs, const double *theta,
                           double m, double *cosine, double *sine) {
  const bool single = e->contract.angle_error != RPP_ANGLES_F64_PRODUCT;
  for (int64_t n = 0; n < pairs; n++) {
    double angle = single ? (double)((float)t * (float)theta[n]) : (double)t * theta[n];
    if (e->fault == RPP_FAULT_ANGLES_F16) angle = rounded(RPP_F16, angle);
    if (e->fault == RPP_FAULT_ANGLES_FAST) {
      const float turn = 6.2831855f;
      angle = (double)((float)angle - rintf((float)angle / turn) * turn);
    }
    cosine[n] = rounded(rotary->table_dtype, rpp_emulated_scalar(e, rpp_emulated_scalar(e, cos(angle)) * m));
    sine[n] = rounded(rotary->table_dtype, rpp_emulated_scalar(e, rpp_emulated_scalar(e, sin(angle)) * m));
  }
}

static bool own_angles(const rpp_emulation *e, const rpp_rotary *rotary) {
  const bool faulty = e->fault == RPP_FAULT_ANGLES_F16 || e->fault == RPP_FAULT_ANGLES_FAST;
  return !rotary->cos && (e->contract.angle_error != RPP_ANGLES_AS_MODELLED || faulty);
}

/* The model's own table, by the library's public function. */
static bool modelled(const rpp_rotary *rotary, int64_t length, const int64_t *positions, rpp_emulated_angles *angles) {
  const int64_t shape[] = {length, angles->pairs};
  rpp_tensor pos, cosine, sine;
  return rpp_tensor_contiguous((void *)(uintptr_t)positions, RPP_I64, 1, shape, &pos) == RPP_OK &&
         rpp_tensor_contiguous(angles->cosine, RPP_F64, 2, shape, &cosine) == RPP_OK &&
         rpp_tensor_contiguous(angles->sine, RPP_F64, 2, shape, &sine) == RPP_OK &&
         rpp_angles(rotary, &pos, &cosine, &sine) == RPP_OK;
}

static bool computed(const rpp_emulation *e, const rpp_rotary *rotary, int64_t length, const int64_t *positions,
                     rpp_emulated_angles *angles) {
  double *theta = calloc((size_t)angles->pairs, sizeof *theta), m = 1;
  const bool known = theta && rpp_frequencies(rotary, theta, NULL, &m) == RPP_OK;
  for (int64_t l = 0; known && l < length; l++)
    product_angles(e, rotary, positions[l], angles->pairs, theta, rpp_emulated_scalar(e, m), angles->cosine + l * angles->pairs,
                   angles->sine + l * angles->pairs);
  free(theta);
  return known;
}

static void drop_magnitude(const rpp_emulation *e, const rpp_rotary *rotary, bool of_k, int64_t count,
                           rpp_emulated_angles *angles) {
  const bool dropped = e->fault == RPP_FAULT_MAGNITUDE_LOST || (e->fault == RPP_FAULT_MAGNITUDE_Q && of_k);
  double m = 1;
  if (!dropped || rotary->cos || rpp_frequencies(rotary, NULL, NULL, &m) != RPP_OK) return;
  for (int64_t i = 0; i < count; i++) angles->cosine[i] /= m, angles->sine[i] /= m;
}

bool rpp_emulated_angles_open(const rpp_emulation *e, const rpp_rotary *rotary, const rpp_tensor *pos, int64_t b, bool of_k,
                              rpp_emulated_angles *angles) {
  const int64_t length = pos->shape[pos->ndim - 1], pairs = rotary->rotary_dim / 2, count = length * pairs;
  int64_t *positions = calloc((size_t)length + 1, sizeof *positions);
  *angles = (rpp_emulated_angles){.pairs = pairs};
  angles->cosine = calloc((size_t)count + 1, sizeof(double));
  angles->sine = calloc((size_t)count + 1, sizeof(double));
  bool ready = positions && angles->cosine && angles->sine;
  if (ready) {
    for (int64_t l = 0; l < length; l++) positions[l] = position_used(e, position(pos, b, l));
    ready = own_angles(e, rotary) ? computed(e, rotary, length, positions, angles) : modelled(rotary, length, positions, angles);
    drop_magnitude(e, rotary, of_k, count, angles);
    for (int64_t i = 0; i < count; i++) {
      angles->cosine[i] = rpp_emulated_scalar(e, angles->cosine[i]);
      angles->sine[i] = rpp_emulated_scalar(e, angles->sine[i]);
    }
  }
  free(positions);
  if (!ready) rpp_emulated_angles_close(angles);
  return ready;
}

void rpp_emulated_angles_close(rpp_emulated_angles *angles) {
  free(angles->cosine);
  free(angles->sine);
  *angles = (rpp_emulated_angles){0};
}

rpp_emulated_pair rpp_emulated_columns(const rpp_emulation *e, const rpp_rotary *rotary, int64_t width, bool of_k, int64_t n) {
  const bool other = of_k && e->fault == RPP_FAULT_K_PAIRING, half = (rotary->pairing == RPP_PAIRING_HALF) != other;
  if (!half) return (rpp_emulated_pair){2 * n, 2 * n + 1};
  return (rpp_emulated_pair){n, n + (e->fault == RPP_FAULT_HALF_OF_HEAD ? width : rotary->rotary_dim) / 2};
}

void rpp_emulated_turn(const rpp_emulation *e, const rpp_rotary *rotary, int64_t width, double *row) {
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) {
    rpp_emulated_pair c = rpp_emulated_columns(e, rotary, width, false, n);
    if (e->fault == RPP_FAULT_TURN_AFTER_PAIR) c = (rpp_emulated_pair){2 * n, 2 * n + 1};
    const double a = row[c.first], b = row[c.second];
    row[c.first] = e->fault == RPP_FAULT_TURN_SIGN ? -b : e->fault == RPP_FAULT_TURN_TWICE ? -a : b;
    row[c.second] = e->fault == RPP_FAULT_TURN_SIGN ? a : e->fault == RPP_FAULT_TURN_TWICE ? -b : -a;
  }
}

/* a c + sign b s, as float32 (or float64) code does it before it stores, or with each product stored on its own. */
static double combine(const rpp_emulation *e, double a, double c, double b, double s, double sign) {
  const rpp_dtype stored = e->contract.rotated;
  double left = rpp_emulated_scalar(e, a * c), right = rpp_emulated_scalar(e, b * s);
  if (e->contract.rotate_each) left = rounded(stored, left), right = rounded(stored, right);
  return rounded(stored, rpp_emulated_scalar(e, left + sign * right));
}

void rpp_emulated_rotate_row(const rpp_emulation *e, const rpp_rotary *rotary, const rpp_emulated_angles *angles, int64_t l,
                             int64_t width, bool of_k, double *row) {
  const double *cosine = angles->cosine + l * angles->pairs, *sine = angles->sine + l * angles->pairs;
  for (int64_t n = 0; n < angles->pairs; n++) {
    const rpp_emulated_pair c = rpp_emulated_columns(e, rotary, width, of_k, n);
    const double a = row[c.first], b = row[c.second];
    row[c.first] = combine(e, a, cosine[n], b, sine[n], -1);
    row[c.second] = combine(e, b, cosine[n], a, sine[n], 1);
  }
  /* What passes unchanged is stored too; storing again what is stored changes nothing. */
  rpp_emulated_keep_row(e, width, row);
}

void rpp_emulated_keep_row(const rpp_emulation *e, int64_t width, double *row) {
  for (int64_t d = 0; d < width; d++) row[d] = rounded(e->contract.rotated, row[d]);
}

/* In place, the second column of a pair meets the first one's new value. */
static void rotate_overwritten(const rpp_emulation *e, const rpp_rotary *rotary, const rpp_emulated_angles *angles, int64_t l,
                               int64_t width, double *row) {
  for (int64_t n = 0; n < angles->pairs; n++) {
    const rpp_emulated_pair c = rpp_emulated_columns(e, rotary, width, false, n);
    const double cosine = angles->cosine[l * angles->pairs + n], sine = angles->sine[l * angles->pairs + n];
    row[c.first] = combine(e, row[c.first], cosine, row[c.second], sine, -1);
    row[c.second] = combine(e, row[c.second], cosine, row[c.first], sine, 1);
  }
}

static bool rotate_sequence(const rpp_emulation *e, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x,
                            const rpp_tensor *pos, rpp_tensor *y, int64_t b, double *row) {
  rpp_emulated_angles angles;
  const int64_t width = x->shape[3];
  const bool in_place = x->data == y->data && x->byte_offset == y->byte_offset;
  if (!rpp_emulated_angles_open(e, rotary, pos, b, false, &angles)) return false;
  for (int64_t l = 0; l < x->shape[1]; l++)
    for (int64_t h = 0; h < x->shape[2]; h++) {
      rpp_emulated_load(x, b, l, h, row);
      if (part == RPP_PART_IMAG && e->fault != RPP_FAULT_TURN_MISSING) rpp_emulated_turn(e, rotary, width, row);
      if (e->fault == RPP_FAULT_OVERWRITTEN_PAIR && in_place)
        rotate_overwritten(e, rotary, &angles, l, width, row);
      else
        rpp_emulated_rotate_row(e, rotary, &angles, l, width, false, row);
      for (int64_t d = 0; d < width; d++)
        if (d < rotary->rotary_dim || e->fault != RPP_FAULT_PARTIAL_NOT_COPIED) rpp_tensor_set(y, (int64_t[]){b, l, h, d}, row[d]);
    }
  rpp_emulated_angles_close(&angles);
  return true;
}

int rpp_emulate_rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x,
                       const rpp_tensor *pos, rpp_tensor *y, const char **reason) {
  double *row = calloc((size_t)x->shape[3] + 1, sizeof *row);
  bool done = row != NULL;
  for (int64_t b = 0; done && b < x->shape[0]; b++) done = rotate_sequence(kernel->data, rotary, part, x, pos, y, b, row);
  free(row);
  if (!done) *reason = "memory is out, or the rotary is not sound";
  return done ? 0 : 1;
}
