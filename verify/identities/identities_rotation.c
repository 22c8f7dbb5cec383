/* identities_rotation.c: what rotation itself must satisfy. */
#include "cases/sample.h"
#include "identities/identity.h"

#include <math.h>

/* x, a rotary that fits it, positions, and room for three results. */
typedef struct {
  rpp_scratch scratch;
  rpp_rotary rotary;
  rpp_tensor x, pos, a, b, c;
} setup;

static void prepare(setup *s, rpp_random *random) {
  *s = (setup){0};
  const int64_t width = 2 * rpp_random_integer(random, 2, 40), rotary_dim = 2 * rpp_random_integer(random, 2, width / 2);
  const int64_t batch = rpp_random_integer(random, 1, 2), length = rpp_random_integer(random, 1, 5),
                heads = rpp_random_integer(random, 1, 3);
  s->rotary = rpp_sample_rotary(random, rotary_dim);
  s->x = rpp_scratch_normal(&s->scratch, random, batch, length, heads, width);
  s->pos = rpp_scratch_positions(&s->scratch, length, rpp_random_integer(random, 1, 1000000), rpp_random_integer(random, -3, 3));
  s->a = rpp_scratch_zeros(&s->scratch, batch, length, heads, width);
  s->b = rpp_scratch_zeros(&s->scratch, batch, length, heads, width);
  s->c = rpp_scratch_zeros(&s->scratch, batch, length, heads, width);
}

static double finish(setup *s, bool worked, double deviation) {
  rpp_scratch_free(&s->scratch);
  return worked ? deviation : INFINITY;
}

static double turn_commutes(rpp_random *random, bool planted) {
  setup s;
  prepare(&s, random);
  bool worked = rpp_rotate(&s.rotary, RPP_PART_IMAG, &s.x, &s.pos, &s.a) == RPP_OK;
  worked &= rpp_rotate(&s.rotary, RPP_PART_REAL, &s.x, &s.pos, &s.b) == RPP_OK;
  worked &= rpp_quarter_turn(&s.rotary, &s.b, &s.c) == RPP_OK;
  if (planted) { /* +pi/2: two more quarter turns */
    worked &= rpp_quarter_turn(&s.rotary, &s.c, &s.b) == RPP_OK;
    worked &= rpp_quarter_turn(&s.rotary, &s.b, &s.c) == RPP_OK;
  }
  return finish(&s, worked, rpp_scratch_deviation(&s.a, &s.c));
}

static double turn_order_four(rpp_random *random, bool planted) {
  setup s;
  prepare(&s, random);
  bool worked = rpp_quarter_turn(&s.rotary, &s.x, &s.a) == RPP_OK;
  worked &= rpp_quarter_turn(&s.rotary, &s.a, &s.b) == RPP_OK;
  worked &= rpp_quarter_turn(&s.rotary, &s.b, &s.c) == RPP_OK;
  if (!planted) worked &= rpp_quarter_turn(&s.rotary, &s.c, &s.a) == RPP_OK;
  return finish(&s, worked, rpp_scratch_deviation(&s.x, planted ? &s.c : &s.a));
}

static double pairing_permutes(rpp_random *random, bool planted) {
  setup s;
  prepare(&s, random);
  const rpp_part part = (rpp_part)rpp_random_integer(random, 0, 1);
  const rpp_pairing here = s.rotary.pairing, there = here == RPP_PAIRING_HALF ? RPP_PAIRING_INTERLEAVED : RPP_PAIRING_HALF;
  bool worked = rpp_rotate(&s.rotary, part, &s.x, &s.pos, &s.a) == RPP_OK;
  s.rotary.pairing = there;
  worked &= rpp_pairing_convert(s.rotary.rotary_dim, here, planted ? here : there, &s.x, &s.b) == RPP_OK;
  worked &= rpp_rotate(&s.rotary, part, &s.b, &s.pos, &s.c) == RPP_OK;
  worked &= rpp_pairing_convert(s.rotary.rotary_dim, planted ? here : there, here, &s.c, &s.b) == RPP_OK;
  return finish(&s, worked, rpp_scratch_deviation(&s.a, &s.b));
}

/* Frequencies of two rotaries, as cos and sin at the same or at scaled positions. */
static double tables_differ(const rpp_rotary *a, int64_t step_a, const rpp_rotary *b, int64_t step_b, int64_t first,
                            int64_t length) {
  rpp_scratch scratch = {0};
  const int64_t shape[] = {length, a->rotary_dim / 2};
  const rpp_tensor pos_a = rpp_scratch_positions(&scratch, length, first * step_a, step_a);
  const rpp_tensor pos_b = rpp_scratch_positions(&scratch, length, first * step_b, step_b);
  rpp_tensor t[4];
  for (int i = 0; i < 4; i++) t[i] = rpp_scratch_tensor(&scratch, RPP_F64, 2, shape);
  const bool worked = rpp_angles(a, &pos_a, &t[0], &t[1]) == RPP_OK && rpp_angles(b, &pos_b, &t[2], &t[3]) == RPP_OK;
  const double deviation = rpp_larger(rpp_scratch_deviation(&t[0], &t[2]), rpp_scratch_deviation(&t[1], &t[3]));
  rpp_scratch_free(&scratch);
  return worked ? deviation : INFINITY;
}

static double factor_one(rpp_random *random, bool planted) {
  /* From 32 columns on every scaling has a frequency it changes. */
  rpp_rotary scaled = rpp_sample_rotary(random, 2 * rpp_random_integer(random, 16, 64)), plain;
  if (scaled.scaling.kind == RPP_SCALING_NONE) scaled.scaling.kind = RPP_SCALING_LINEAR;
  scaled.scaling.factor = planted ? 1.01 : 1;
  plain = scaled;
  plain.scaling = (rpp_scaling){.kind = RPP_SCALING_NONE};
  return tables_differ(&scaled, 1, &plain, 1, rpp_random_integer(random, 900000, 1000000), 5);
}

static double linear_stretches(rpp_random *random, bool planted) {
  rpp_rotary plain = rpp_sample_rotary(random, 2 * rpp_random_integer(random, 2, 64)), scaled;
  plain.scaling = (rpp_scaling){.kind = RPP_SCALING_NONE};
  scaled = plain;
  const int64_t factor = rpp_random_integer(random, 2, 16);
  scaled.scaling = (rpp_scaling){.kind = RPP_SCALING_LINEAR, .factor = (double)factor};
  return tables_differ(&scaled, planted ? factor + 1 : factor, &plain, 1, rpp_random_integer(random, 1000, 60000), 5);
}

/* Equation 4 for pair n, in float64 with libm's logarithm and power. */
static double scaled_theta(const rpp_rotary *rotary, double factor, double n) {
  const rpp_scaling *scaling = &rotary->scaling;
  const double width = (double)rotary->rotary_dim, base = rotary->base, tau = 6.283185307179586;
  const double theta = pow(base, -2 * n / width), turns = scaling->orig * theta / tau;
  double g = 1; /* of the blend: how much is left unscaled */
  switch (scaling->kind) {
  case RPP_SCALING_NONE:
    break;
  case RPP_SCALING_LINEAR:
    g = 0;
    break;
  case RPP_SCALING_NTK:
    return pow(base * factor, -2 * n / width);
  case RPP_SCALING_NTK_AWARE:
    return pow(base * pow(factor, width / (width - 2)), -2 * n / width);
  case RPP_SCALING_YARN:
    g = (turns - 1) / 31;
    break;
  case RPP_SCALING_YARN_HF: {
    const double low = fmax(floor(width * log(scaling->orig / (32 * tau)) / (2 * log(base))), 0);
    const double high = fmin(ceil(width * log(scaling->orig / tau) / (2 * log(base))), width - 1);
    g = 1 - (n - low) / (high == low ? 0.001 : high - low);
    break;
  }
  case RPP_SCALING_LLAMA3:
    g = (turns - scaling->low) / (scaling->high - scaling->low);
    break;
  }
  g = fmin(fmax(g, 0), 1);
  return (1 - g) * theta / factor + g * theta;
}

static double scaled_frequencies(rpp_random *random, bool planted) {
  double theta[64], magnitude;
  rpp_rotary rotary = rpp_sample_rotary(random, 2 * rpp_random_integer(random, 16, 64));
  rpp_scaling *scaling = &rotary.scaling;
  scaling->factor = 1 + 31 * rpp_random_uniform(random), scaling->orig = (double)rpp_random_integer(random, 256, 8192);
  scaling->low = 1 + rpp_random_uniform(random), scaling->high = scaling->low + 1 + 8 * rpp_random_uniform(random);
  if (scaling->kind == RPP_SCALING_NONE) scaling->kind = RPP_SCALING_NTK_AWARE; /* unit-curves holds the unscaled ones */
  if (rpp_frequencies(&rotary, theta, NULL, &magnitude) != RPP_OK) return INFINITY;
  const bool yarn = scaling->kind == RPP_SCALING_YARN || scaling->kind == RPP_SCALING_YARN_HF;
  double deviation = fabs(magnitude - (yarn ? 0.1 * log(scaling->factor) + 1 : 1));
  for (int64_t n = 0; n < rotary.rotary_dim / 2; n++)
    deviation =
        rpp_larger(deviation, fabs(theta[n] / scaled_theta(&rotary, scaling->factor * (planted ? 1.01 : 1), (double)n) - 1));
  return deviation;
}

/* Hugging Face's float32 angles against exact ones: eq. 5 rounds the angle itself, so the bound, in radians, is wide. */
static double hf_f32_is_near(rpp_random *random, bool planted) {
  const rpp_rotary exact = rpp_sample_rotary(random, 2 * rpp_random_integer(random, 2, 64));
  rpp_rotary hf = exact;
  hf.angles = RPP_ANGLES_HF_F32;
  const int64_t first = rpp_random_integer(random, 1, 4000);
  return tables_differ(&hf, 1 + planted, &exact, 1, first, 5);
}

const rpp_identity rpp_identities_rotation[] = {
    {"turn-commutes", "3", "R(-pi/2) before rotation = R(-pi/2) after it; plant: +pi/2", 0, 200, turn_commutes},
    {"turn-order-four", "3", "four quarter turns change nothing; plant: three", 0, 200, turn_order_four},
    {"pairing-permutes", "6", "the other pairing on permuted columns gives permuted results; plant: not permuted", 0, 200,
     pairing_permutes},
    {"factor-one", "4", "scaling by factor 1 = none, at positions to 10^6; plant: factor 1.01", 1e-15, 200, factor_one},
    {"linear-stretches", "4a", "linear scaling by s at position s t = none at t; plant: s + 1 at the positions", 1e-15, 200,
     linear_stretches},
    {"scaled-frequencies", "4", "each scaling's frequencies and magnitude = its formula by libm; plant: factor 1 % larger", 1e-12,
     200, scaled_frequencies},
    {"hf-f32-is-near", "5", "float32 angles to position 4004 = exact ones, nearly; plant: other positions", 1e-3, 100,
     hf_f32_is_near},
    {0}};
