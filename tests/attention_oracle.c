#include "attention_oracle.h"

#include <math.h>
#include <stdlib.h>
#include "mpfr_oracle.h"

/* Offsets and windows go up to INT64_MAX: their sums need more. */
__extension__ typedef __int128 wide;

static long double element(const rpp_tensor *t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
  return (long double)rpp_tensor_get(t, (int64_t[]){i0, i1, i2, i3});
}

static int64_t integer(const rpp_tensor *t, int64_t i0, int64_t i1) {
  const int64_t step = t->ndim == 2 ? i0 * t->strides[0] + i1 * t->strides[1] : i1 * t->strides[0];
  int64_t value;
  __builtin_memcpy(&value, (const char *)t->data + t->byte_offset + step * 8, 8);
  return value;
}

rpp_head_counts oracle_heads(const rpp_attention *attention) {
  const int64_t h = attention->heads, g = attention->kv_heads;
  if (attention->mode == RPP_MODE_ROPE) return (rpp_head_counts){h, g, h};
  return attention->mode == RPP_MODE_EC ? (rpp_head_counts){h, g, 2 * h} : (rpp_head_counts){h / 2, g / 2, h};
}

bool oracle_sees(const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t i, int64_t j) {
  if (inputs->cu_q) {
    int64_t n = 0;
    while (!(integer(inputs->cu_q, 0, n) <= i && i < integer(inputs->cu_q, 0, n + 1))) n++;
    const int64_t first = integer(inputs->cu_k, 0, n);
    if (j < first || j >= integer(inputs->cu_k, 0, n + 1)) return false;
    i -= integer(inputs->cu_q, 0, n), j -= first;
  }
  const wide last = (wide)i + attention->causal_offset;
  if (attention->mask == RPP_MASK_FULL) return true;
  return j <= last && (attention->mask == RPP_MASK_CAUSAL || last - attention->window < j);
}

oracle_angles oracle_angles_of(const rpp_rotary *rotary) {
  oracle_angles angles = {.rotary = rotary, .pairs = rotary->rotary_dim / 2, .magnitude = 1};
  if (rotary->cos) return angles;
  float hf[ORACLE_PAIRS] = {0};
  const bool exact = rotary->angles == RPP_ANGLES_EXACT;
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  if (!rotary->inv_freq) {
    oracle_magnitude(x, rotary);
    angles.magnitude = exact ? mpfr_get_ld(x, MPFR_RNDN) : (long double)oracle_hf_magnitude(rotary);
    if (!exact) oracle_hf_frequencies(hf, rotary);
  }
  for (int64_t n = 0; n < angles.pairs; n++) {
    if (rotary->inv_freq)
      angles.theta[n] = element(rotary->inv_freq, n, 0, 0, 0);
    else if (!exact)
      angles.theta[n] = (long double)hf[n];
    else {
      oracle_theta(x, rotary, n);
      angles.theta[n] = mpfr_get_ld(x, MPFR_RNDN);
    }
  }
  mpfr_clear(x);
  return angles;
}

void oracle_angle(const oracle_angles *angles, int64_t t, int64_t n, long double *cosine, long double *sine) {
  const rpp_rotary *rotary = angles->rotary;
  if (rotary->cos) {
    *cosine = element(rotary->cos, t, n, 0, 0), *sine = element(rotary->sin, t, n, 0, 0);
    return; /* as given */
  }
  if (rotary->angles == RPP_ANGLES_HF_F32) {
    float c, s;
    oracle_hf_cos_sin(&c, &s, (float)angles->theta[n], (float)angles->magnitude, t);
    *cosine = (long double)c, *sine = (long double)s;
  } else {
    *cosine = angles->magnitude * cosl((long double)t * angles->theta[n]);
    *sine = angles->magnitude * sinl((long double)t * angles->theta[n]);
  }
  if (rotary->table_dtype == RPP_F64 || rotary->cos) return; /* given tables are used as given */
  *cosine = (long double)rpp_dtype_round(rotary->table_dtype, (double)*cosine);
  *sine = (long double)rpp_dtype_round(rotary->table_dtype, (double)*sine);
}

static int64_t column(const rpp_rotary *rotary, int64_t n, int second) {
  return rotary->pairing == RPP_PAIRING_INTERLEAVED ? 2 * n + second : n + second * (rotary->rotary_dim / 2);
}

long double oracle_score(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         rpp_part part, int64_t b, int64_t j, int64_t i, int64_t s) {
  const rpp_head_counts counts = oracle_heads(attention);
  const rpp_rotary *rotary = angles->rotary;
  const int64_t g = j / (counts.projected / counts.kv), apart = integer(inputs->pos_q, b, i) - integer(inputs->pos_k, b, s);
  long double sum = 0;
  for (int64_t n = 0; n < angles->pairs; n++) {
    const int64_t first = column(rotary, n, 0), second = column(rotary, n, 1);
    const long double aq = element(inputs->q, b, i, j, first), bq = element(inputs->q, b, i, j, second);
    const long double ak = element(inputs->k, b, s, g, first), bk = element(inputs->k, b, s, g, second);
    const long double dot = aq * ak + bq * bk, cross = aq * bk - bq * ak, difference = (long double)apart * angles->theta[n];
    const long double c = cosl(difference), sine = sinl(difference);
    sum += part == RPP_PART_REAL ? dot * c + cross * sine : dot * sine - cross * c;
  }
  sum *= angles->magnitude * angles->magnitude;
  for (int64_t p = rotary->rotary_dim; p < inputs->q->shape[3]; p++)
    sum += element(inputs->q, b, i, j, p) * element(inputs->k, b, s, g, p);
  return sum;
}

long double oracle_dot(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t b,
                       int64_t o, int64_t i, int64_t s) {
  const rpp_head_counts counts = oracle_heads(attention);
  const rpp_rotary *rotary = angles->rotary;
  const bool doubled = attention->mode != RPP_MODE_ROPE, imaginary = doubled && o % 2 == 1;
  const int64_t g = o / (counts.output / counts.kv), j = attention->q_rotated ? o : doubled ? o / 2 : o;
  const int64_t pairs = attention->q_rotated && attention->k_rotated ? 0 : angles->pairs;
  long double sum = 0;
  for (int64_t n = 0; n < pairs; n++) {
    const int64_t first = column(rotary, n, 0), second = column(rotary, n, 1);
    long double aq = element(inputs->q, b, i, j, first), bq = element(inputs->q, b, i, j, second), c, sine;
    long double ak = element(inputs->k, b, s, g, first), bk = element(inputs->k, b, s, g, second);
    if (!attention->q_rotated) {
      oracle_angle(angles, integer(inputs->pos_q, b, i), n, &c, &sine);
      const long double a = imaginary ? aq * sine + bq * c : aq * c - bq * sine;
      bq = imaginary ? bq * sine - aq * c : bq * c + aq * sine;
      aq = a;
    }
    if (!attention->k_rotated) {
      oracle_angle(angles, integer(inputs->pos_k, b, s), n, &c, &sine);
      const long double a = ak * c - bk * sine;
      bk = bk * c + ak * sine;
      ak = a;
    }
    sum += aq * ak + bq * bk;
  }
  for (int64_t p = 2 * pairs; p < inputs->q->shape[3]; p++) sum += element(inputs->q, b, i, j, p) * element(inputs->k, b, s, g, p);
  return sum;
}

/* One row: weights are exp(scale A), taken from the largest so that they do not overflow. */
static void attend(const oracle_angles *angles, const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t b,
                   int64_t o, int64_t i, long double *scores, long double *out, long double *lse) {
  const rpp_head_counts counts = oracle_heads(attention);
  const int64_t k_len = inputs->k->shape[1], v_dim = inputs->v->shape[3], g = o / (counts.output / counts.kv);
  long double largest = -INFINITY, sum = 0;
  for (int64_t s = 0; s < k_len; s++) {
    if (!oracle_sees(attention, inputs, i, s)) continue;
    scores[s] = (long double)attention->scale * oracle_dot(angles, attention, inputs, b, o, i, s);
    largest = fmaxl(largest, scores[s]);
  }
  for (int64_t c = 0; c < v_dim; c++) out[c] = 0;
  *lse = -INFINITY;
  bool any = false;
  for (int64_t s = 0; s < k_len; s++) {
    if (!oracle_sees(attention, inputs, i, s)) continue;
    const long double weight = expl(scores[s] - largest);
    any = true, sum += weight;
    for (int64_t c = 0; c < v_dim; c++) out[c] += weight * element(inputs->v, b, s, g, c);
  }
  if (!any) return;
  for (int64_t c = 0; c < v_dim; c++) out[c] /= sum;
  *lse = largest + logl(sum);
}

void oracle_attention(const rpp_attention *attention, const rpp_attention_inputs *inputs, long double *out, long double *lse) {
  const rpp_head_counts counts = oracle_heads(attention);
  const int64_t batch = inputs->q->shape[0], q_len = inputs->q->shape[1], k_len = inputs->k->shape[1], v_dim = inputs->v->shape[3];
  oracle_angles angles = {.pairs = 0};
  if (!attention->q_rotated || !attention->k_rotated) angles = oracle_angles_of(&attention->rotary);
  long double *scores = malloc((size_t)(k_len + 1) * sizeof *scores);
  for (int64_t b = 0; b < batch; b++)
    for (int64_t o = 0; o < counts.output; o++)
      for (int64_t i = 0; i < q_len; i++)
        attend(&angles, attention, inputs, b, o, i, scores, out + ((b * q_len + i) * counts.output + o) * v_dim,
               lse + (b * counts.output + o) * q_len + i);
  free(scores);
}

double oracle_disagreement(rpp_dtype dtype, double got, long double exact, double scale) {
  if (!isfinite(got) || !isfinite(exact)) return (isnan(got) && isnan(exact)) || (long double)got == exact ? 0 : INFINITY;
  if (exact == 0) return got == 0 ? 0 : INFINITY;
  const double half = dtype == RPP_F64 ? 0 : oracle_spacing(dtype, (double)exact) / 2;
  const double error = ((double)fabsl((long double)got - exact) - half) / scale;
  return error > 0 ? error : 0;
}
