// angles.cu: the table of cosines and sines that every rotation reads: (positions, W / 2), float32.
//
// A thread for each position and pair. The host gives each frequency as a double-double: in turns (theta / 2 pi) for exact angles, or as
// Hugging Face's float32. The thread multiplies it by the position without error (one product, one fused multiply-add), drops whole
// quarter turns exactly, and takes a Taylor series of what is left: within 1e-15 at any position up to 2^53, so the float32 that is stored is
// the nearest one but near ties. hf-f32 rounds the product t theta to float32 first, as the model says, then does the same.
#include "angles.h"

namespace RPP_TARGET {

namespace {

constexpr unsigned THREADS = 128;
constexpr int64_t MAX_ENTRIES = int64_t(1) << 40;

struct Frequencies {
  double hi[MAX_PAIRS], lo[MAX_PAIRS]; // exact: in turns; hf-f32: radians, lo 0
  double magnitude;
  rpp_dtype table_dtype;
  int hf_f32;
};

struct Positions {
  const void *data;
  rpp_cuda_integer type;
  int64_t rows, tokens, row_stride, stride;
};

// 1 / (2 pi)
constexpr double TURN_HI = 0x1.45f306dc9c883p-3, TURN_LO = -0x1.6b01ec5417056p-57;

// cos and sin of 2 pi x, |x| <= 1/8.
__device__ inline void series(double x, double *cosine, double *sine) {
  const double y = x * 6.283185307179586477, z = y * y;
  double c = 1.0 / 20922789888000, s = 1.0 / 355687428096000; // 1 / 16!, 1 / 17!
  c = fma(c, -z, 1.0 / 87178291200), s = fma(s, -z, 1.0 / 1307674368000);
  c = fma(c, -z, 1.0 / 479001600), s = fma(s, -z, 1.0 / 6227020800);
  c = fma(c, -z, 1.0 / 3628800), s = fma(s, -z, 1.0 / 39916800);
  c = fma(c, -z, 1.0 / 40320), s = fma(s, -z, 1.0 / 362880);
  c = fma(c, -z, 1.0 / 720), s = fma(s, -z, 1.0 / 5040);
  c = fma(c, -z, 1.0 / 24), s = fma(s, -z, 1.0 / 120);
  c = fma(c, -z, 1.0 / 2), s = fma(s, -z, 1.0 / 6);
  *cosine = fma(c, -z, 1.0);
  *sine = fma(s * -z, y, y);
}

// cos and sin of t (hi + lo) turns; NaN where whole turns are no longer exact.
__device__ inline void sincos_turns(double t, double hi, double lo, double *cosine, double *sine) {
  const double turns = t * hi, rest = fma(t, hi, -turns);
  if (!(fabs(turns) < 0x1p51)) {
    *cosine = *sine = NAN;
    return;
  }
  const double quarters = rint(4 * turns), whole = rint(turns);
  double c, s;
  series((turns - quarters / 4) + fma(t, lo, rest), &c, &s);
  const int quadrant = static_cast<int>(quarters - 4 * whole) & 3;
  *cosine = quadrant == 0 ? c : quadrant == 1 ? -s : quadrant == 2 ? -c : s;
  *sine = quadrant == 0 ? s : quadrant == 1 ? c : quadrant == 2 ? -s : -c;
}

// Rounded to float32, but odd where it is not exact: rounding that once more, to fewer bits, is as good as rounding x.
__device__ inline float odd_float(double x) {
  const float f = static_cast<float>(x);
  uint32_t bits = rpp_bits_of_float(f);
  if (static_cast<double>(f) == x || x != x || (bits & 1)) return f;
  bits += fabs(static_cast<double>(f)) < fabs(x) ? 1u : 0xffffffffu;
  return rpp_float_of_bits(bits);
}

__device__ inline float stored(double x, rpp_dtype dtype) {
  if (dtype == RPP_F16) return rpp_float_from_f16(rpp_f16_from_float(odd_float(x)));
  if (dtype == RPP_BF16) return rpp_float_from_bf16(rpp_bf16_from_float(odd_float(x)));
  return static_cast<float>(x);
}

__global__ void angle_table(Frequencies f, Positions p, int64_t pairs, float *cosine, float *sine) {
  const int64_t count = p.rows * p.tokens * pairs, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t n = i % pairs, at = i / pairs, offset = at / p.tokens * p.row_stride + at % p.tokens * p.stride;
    const int64_t t =
        p.type == RPP_CUDA_I32 ? static_cast<const int32_t *>(p.data)[offset] : static_cast<const int64_t *>(p.data)[offset];
    const int64_t limit = f.hf_f32 ? int64_t(1) << 24 : int64_t(1) << 53;
    double c = NAN, s = NAN;
    if (-limit <= t && t <= limit) {
      if (f.hf_f32) {
        const float angle = static_cast<float>(t) * static_cast<float>(f.hi[n]), magnitude = static_cast<float>(f.magnitude);
        sincos_turns(static_cast<double>(angle), TURN_HI, TURN_LO, &c, &s);
        c = static_cast<double>(static_cast<float>(c) * magnitude), s = static_cast<double>(static_cast<float>(s) * magnitude);
      } else {
        sincos_turns(static_cast<double>(t), f.hi[n], f.lo[n], &c, &s);
        c *= f.magnitude, s *= f.magnitude;
      }
    }
    cosine[i] = stored(c, f.table_dtype);
    sine[i] = stored(s, f.table_dtype);
  }
}

int64_t rows_of(const rpp_cuda_integers *pos) {
  return pos->ndim == 1 ? 1 : pos->shape[0];
}
int64_t tokens_of(const rpp_cuda_integers *pos) {
  return pos->shape[pos->ndim - 1];
}

rpp_status frequencies(const rpp_rotary *rotary, Frequencies *f) {
  if (!rotary) return fail(RPP_ERROR_NULL, "rotary = null: a description is required");
  if (rotary->rotary_dim > 2 * MAX_PAIRS)
    return fail(RPP_ERROR_UNSUPPORTED, "rotary_dim = %lld: expected at most 256", static_cast<long long>(rotary->rotary_dim));
  if (rotary->cos || rotary->sin) return fail(RPP_ERROR_UNSUPPORTED, "cos = given: tables are computed here");
  const rpp_status status = rpp_frequencies(rotary, f->hi, f->lo, &f->magnitude);
  if (status != RPP_OK) return fail(status, "%s", rpp_error_message());
  f->table_dtype = rotary->table_dtype;
  f->hf_f32 = rotary->angles == RPP_ANGLES_HF_F32;
  if (f->hf_f32) return RPP_OK;
  for (int64_t n = 0; n < rotary->rotary_dim / 2; n++) { // to turns
    const double hi = f->hi[n] * TURN_HI, rest = std::fma(f->hi[n], TURN_HI, -hi) + (f->hi[n] * TURN_LO + f->lo[n] * TURN_HI);
    f->hi[n] = hi + rest;
    f->lo[n] = rest - (f->hi[n] - hi);
  }
  return RPP_OK;
}

} // namespace

rpp_status angle_table_bytes(const rpp_rotary *rotary, const rpp_cuda_integers *pos, size_t *bytes) {
  Frequencies f;
  RPP_TRY(frequencies(rotary, &f));
  const int64_t pairs = rotary->rotary_dim / 2;
  int64_t entries;
  if (__builtin_mul_overflow(rows_of(pos), tokens_of(pos), &entries) || entries > MAX_ENTRIES / pairs)
    return fail(RPP_ERROR_UNSUPPORTED, "positions = %lld: too many for a table of their angles",
                static_cast<long long>(tokens_of(pos)));
  const size_t half = (static_cast<size_t>(entries * pairs) * sizeof(float) + 15) / 16 * 16;
  *bytes = 2 * half;
  return RPP_OK;
}

rpp_status angle_table_fill(const rpp_rotary *rotary, const rpp_cuda_integers *pos, void *memory, void *stream, AngleTable *table) {
  Frequencies f;
  size_t bytes;
  char report[REPORT];
  RPP_TRY(frequencies(rotary, &f));
  RPP_TRY(angle_table_bytes(rotary, pos, &bytes));
  const int64_t rows = rows_of(pos), tokens = tokens_of(pos), pairs = rotary->rotary_dim / 2, count = rows * tokens * pairs;
  float *cosine = static_cast<float *>(memory), *sine = cosine + bytes / 2 / sizeof(float);
  *table = {cosine, sine, tokens, pos->ndim == 1 ? 0 : tokens, pairs};
  if (count == 0) return RPP_OK;
  const Positions p = {pos->data, pos->type, rows, tokens, pos->ndim == 1 ? 0 : pos->strides[0], pos->strides[pos->ndim - 1]};
  const int64_t blocks = (count + THREADS - 1) / THREADS;
  if (!launch("angle_table", angle_table, dim3(static_cast<unsigned>(blocks < 65536 ? blocks : 65536)), dim3(THREADS), 0, stream,
              report, f, p, pairs, cosine, sine))
    return fail(RPP_ERROR_DEVICE, "%s", report);
  return RPP_OK;
}

} // namespace RPP_TARGET
