/* hypotheses_angles.c: the precision of angles, cosines and sines. */
#include "explain/hypotheses.h"

#include <math.h>

static bool rotates(const rpp_changed *c) {
  return !c->attention.q_rotated && !c->attention.k_rotated;
}

static bool model(rpp_changed *c, double number) {
  if (!rotates(c) || c->attention.rotary.angles == (rpp_angle_model)number) return false;
  c->attention.rotary.angles = (rpp_angle_model)number;
  return true;
}

static bool table(rpp_changed *c, double number) {
  if (!rotates(c)) return false;
  c->attention.rotary.table_dtype = (rpp_dtype)number;
  return true;
}

/* Positions become row numbers of a table of their own, which can then hold any angles: first the queries' rows, then the keys'. */
static bool number_rows(rpp_changed *c, bool of_q, int64_t *positions, int64_t first) {
  rpp_tensor *pos = of_q ? &c->pos_q : &c->pos_k;
  const int64_t batch = c->q.shape[0], length = pos->shape[pos->ndim - 1];
  const rpp_tensor made = rpp_scratch_tensor(&c->scratch, RPP_I64, 2, (int64_t[]){batch, length});
  if (!made.data) return false;
  for (int64_t b = 0; b < batch; b++)
    for (int64_t i = 0; i < length; i++) {
      const int64_t row = first + b * length + i, at[] = {pos->ndim == 1 ? i : b, i};
      positions[row] = (int64_t)rpp_tensor_get(pos, at);
      rpp_scratch_integers(&made)[b * length + i] = row;
    }
  *pos = made;
  return true;
}

/* theta and t theta in float32, the latter stored in a dtype; then float64. */
static bool angles_stored(rpp_changed *c, double number) {
  rpp_rotary *rotary = &c->attention.rotary;
  const int64_t pairs = rotary->rotary_dim / 2, queries = c->q.shape[0] * c->q.shape[1],
                rows = queries + c->k.shape[0] * c->k.shape[1];
  const rpp_tensor theta = rpp_scratch_tensor(&c->scratch, RPP_F64, 1, &pairs),
                   positions = rpp_scratch_tensor(&c->scratch, RPP_I64, 1, &rows);
  double m = 1;
  c->cos = rpp_scratch_tensor(&c->scratch, RPP_F64, 2, (int64_t[]){rows, pairs});
  c->sin = rpp_scratch_tensor(&c->scratch, RPP_F64, 2, (int64_t[]){rows, pairs});
  if (!rotates(c) || !theta.data || !positions.data || !c->cos.data || !c->sin.data ||
      rpp_frequencies(rotary, rpp_scratch_values(&theta), NULL, &m) != RPP_OK ||
      !number_rows(c, true, rpp_scratch_integers(&positions), 0) ||
      !number_rows(c, false, rpp_scratch_integers(&positions), queries))
    return false;
  for (int64_t i = 0; i < rows * pairs; i++) {
    const double t = (double)rpp_scratch_integers(&positions)[i / pairs],
                 product = rpp_dtype_round(RPP_F32, t * rpp_dtype_round(RPP_F32, rpp_scratch_values(&theta)[i % pairs])),
                 angle = rpp_dtype_round((rpp_dtype)number, product);
    rpp_scratch_values(&c->cos)[i] = m * cos(angle);
    rpp_scratch_values(&c->sin)[i] = m * sin(angle);
  }
  rotary->cos = &c->cos;
  rotary->sin = &c->sin;
  return true;
}

/* The same problem under a contract that allows for it: only a wider bound. */
static bool loosely_f32(rpp_changed *c, double number) {
  (void)number;
  if (!rotates(c) || c->contract.angle_error == RPP_ANGLES_F32_PRODUCT || c->attention.rotary.angles != RPP_ANGLES_EXACT)
    return false;
  c->contract.angle_error = RPP_ANGLES_F32_PRODUCT;
  return c->wider = true;
}

/* clang-format off: one hypothesis, one line */
const rpp_hypothesis rpp_hypotheses_angles[] = {
    {"angles=hf-f32: float32 angles", model, NULL, RPP_ANGLES_HF_F32},
    {"angles=exact", model, NULL, RPP_ANGLES_EXACT},
    {"float32 angles", angles_stored, NULL, RPP_F32},
    {"angles in float16", angles_stored, NULL, RPP_F16},
    {"angles in bfloat16", angles_stored, NULL, RPP_BF16},
    {"cos and sin in bfloat16", table, NULL, RPP_BF16},
    {"cos and sin in float16", table, NULL, RPP_F16},
    {0},
};

const rpp_hypothesis rpp_hypotheses_wider[] = {
    {"float32 angles, to within their rounding", loosely_f32, NULL, 0},
    {0},
};
/* clang-format on */
