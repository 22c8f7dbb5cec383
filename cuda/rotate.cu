// rotate.cu: rotates a tensor: real = R_phi x and imag = R_phi R(-pi/2) x, either or both of one load (eq. 2, 3).
//
// x, real, imag: (B, L, heads, D), float32, float16 or bfloat16, any strides. A warp takes a row of D columns; a lane takes the pairs lane,
// lane + 32, ..., and then the columns past W, which pass unchanged. A pair is read before it is written and no lane touches another's, so
// an output may be x itself. Arithmetic is float32, rounded once to the storage type; the imaginary pair is the real one, (a, b), turned:
// (b, -a), exact. Cosines and sines: angles.cu.
// Contract: RPP_CUDA_ROTATE_CONTRACT. Launch: 128 threads, no shared memory, at most 65,536 blocks, which stride over the rows.
#include "rotate.h"

namespace RPP_TARGET {

namespace {

constexpr unsigned WARPS = 4, LANES = 32;

template <class T> struct View { // of (B, L, heads, D); null data: not wanted
  T *data;
  int64_t strides[4];

  __device__ T *row(int64_t b, int64_t l, int64_t h) const { return data + b * strides[0] + l * strides[1] + h * strides[2]; }
};

struct RotateShape {
  int64_t batch, length, heads, width;
  rpp_pairing pairing;
};

template <class T> __global__ void rotate(RotateShape s, AngleTable table, View<const T> x, View<T> real, View<T> imag) {
  const int64_t rows = s.batch * s.length * s.heads, step = static_cast<int64_t>(gridDim.x) * WARPS;
  const int64_t lane = threadIdx.x % LANES;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / LANES; row < rows; row += step) {
    const int64_t h = row % s.heads, l = row / s.heads % s.length, b = row / s.heads / s.length;
    const float *cosine = table.cosine + table.row(b, l), *sine = table.sine + table.row(b, l);
    const T *from = x.row(b, l, h);
    T *to_real = real.data ? real.row(b, l, h) : nullptr, *to_imag = imag.data ? imag.row(b, l, h) : nullptr;
    for (int64_t n = lane; n < table.pairs; n += LANES) {
      const int64_t first = s.pairing == RPP_PAIRING_HALF ? n : 2 * n,
                    second = s.pairing == RPP_PAIRING_HALF ? n + table.pairs : 2 * n + 1;
      const float a = rpp_widen(from[first * x.strides[3]]), b2 = rpp_widen(from[second * x.strides[3]]);
      const float turned_a = a * cosine[n] - b2 * sine[n], turned_b = b2 * cosine[n] + a * sine[n];
      if (to_real) {
        rpp_narrow(turned_a, to_real + first * real.strides[3]);
        rpp_narrow(turned_b, to_real + second * real.strides[3]);
      }
      if (to_imag) {
        rpp_narrow(turned_b, to_imag + first * imag.strides[3]);
        rpp_narrow(-turned_a, to_imag + second * imag.strides[3]);
      }
    }
    for (int64_t c = 2 * table.pairs + lane; c < s.width; c += LANES) {
      const T value = from[c * x.strides[3]];
      if (to_real) to_real[c * real.strides[3]] = value;
      if (to_imag) to_imag[c * imag.strides[3]] = value;
    }
  }
}

template <class T> View<T> view_of(const rpp_tensor *t) {
  if (!t) return {};
  return {data_of<T>(*t), {t->strides[0], t->strides[1], t->strides[2], t->strides[3]}};
}

template <class T>
bool start(const RotateShape &s, const AngleTable &table, const rpp_tensor *x, const rpp_tensor *real, const rpp_tensor *imag,
           void *stream, char *report) {
  const int64_t blocks = (s.batch * s.length * s.heads + WARPS - 1) / WARPS;
  return launch("rotate", rotate<T>, dim3(static_cast<unsigned>(blocks < 65536 ? blocks : 65536)), dim3(WARPS * LANES), 0, stream,
                report, s, table, view_of<const T>(x), view_of<T>(real), view_of<T>(imag));
}

// Whether y is x: every element at its own place.
bool in_place(const rpp_tensor *x, const rpp_tensor *y) {
  return data_of<char>(*x) == data_of<char>(*y) && memcmp(x->strides, y->strides, sizeof x->strides) == 0;
}

rpp_status check_result(const char *name, const rpp_tensor *x, const rpp_tensor *y, const rpp_tensor *pos,
                        const rpp_tensor *table) {
  RPP_TRY(check_tensor(name, y, Data::present, x->dtype, 4, x->shape));
  const Named others[] = {{"x", in_place(x, y) ? nullptr : x}, {"pos", pos}, {"workspace", table}};
  return check_output(name, y, 3, others);
}

rpp_status check(const rpp_rotary *rotary, const rpp_tensor *x, const rpp_cuda_integers *pos, const rpp_tensor *real,
                 const rpp_tensor *imag, void *workspace, size_t bytes) {
  const int64_t any[] = {-1, -1, -1, -1};
  size_t need;
  rpp_tensor table;
  if (!x) return fail(RPP_ERROR_NULL, "x = null: a tensor is required");
  if (!real && !imag) return fail(RPP_ERROR_NULL, "real = null: real, imag or both are required");
  if (x->dtype != RPP_F32 && x->dtype != RPP_F16 && x->dtype != RPP_BF16)
    return fail(RPP_ERROR_DTYPE, "x.dtype = %s: expected F32, F16 or BF16", rpp_dtype_name(x->dtype));
  RPP_TRY(check_tensor("x", x, Data::present, x->dtype, 4, any));
  RPP_TRY(check_positions("pos", pos, Data::present, x->shape[0], x->shape[1]));
  RPP_TRY(angle_table_bytes(rotary, pos, &need));
  if (rotary->pairing != RPP_PAIRING_INTERLEAVED && rotary->pairing != RPP_PAIRING_HALF)
    return fail(RPP_ERROR_VALUE, "pairing = %d: unknown", static_cast<int>(rotary->pairing));
  if (rotary->rotary_dim > x->shape[3])
    return fail(RPP_ERROR_VALUE, "rotary_dim = %lld: must not pass the head width %lld", static_cast<long long>(rotary->rotary_dim),
                static_cast<long long>(x->shape[3]));
  RPP_TRY(check_workspace(workspace, bytes, need, &table));
  const rpp_tensor positions = bytes_of(pos);
  if (real) RPP_TRY(check_result("real", x, real, &positions, &table));
  if (imag) RPP_TRY(check_result("imag", x, imag, &positions, &table));
  if (real && imag && rpp_tensors_overlap(real, imag)) return fail(RPP_ERROR_OVERLAP, "imag.data = %p: overlaps real", imag->data);
  if (need > 0 && rpp_tensors_overlap(&table, x)) return fail(RPP_ERROR_OVERLAP, "workspace = %p: overlaps x", workspace);
  if (need > 0 && rpp_tensors_overlap(&table, &positions))
    return fail(RPP_ERROR_OVERLAP, "workspace = %p: overlaps pos", workspace);
  return RPP_OK;
}

} // namespace

rpp_status start_rotation(rpp_pairing pairing, const AngleTable &table, const rpp_tensor *x, const rpp_tensor *real,
                          const rpp_tensor *imag, void *stream) {
  char report[REPORT];
  if (elements_of(*x) == 0) return RPP_OK;
  const RotateShape s = {x->shape[0], x->shape[1], x->shape[2], x->shape[3], pairing};
  const bool good = x->dtype == RPP_F32   ? start<float>(s, table, x, real, imag, stream, report)
                    : x->dtype == RPP_F16 ? start<rpp_f16>(s, table, x, real, imag, stream, report)
                                          : start<rpp_bf16>(s, table, x, real, imag, stream, report);
  return good ? RPP_OK : fail(RPP_ERROR_DEVICE, "%s", report);
}

} // namespace RPP_TARGET

using namespace RPP_TARGET;

extern "C" rpp_status rpp_cuda_rotate_workspace(const rpp_rotary *rotary, const rpp_cuda_integers *pos, size_t *bytes) {
  if (!bytes) return fail(RPP_ERROR_NULL, "bytes = null: a place for the result is required");
  if (!pos) return fail(RPP_ERROR_NULL, "pos = null: integers are required");
  RPP_TRY(check_positions("pos", pos, Data::absent, pos->ndim == 2 ? pos->shape[0] : 0, pos->shape[pos->ndim == 2]));
  return angle_table_bytes(rotary, pos, bytes);
}

extern "C" rpp_status rpp_cuda_rotate(const rpp_rotary *rotary, const rpp_tensor *x, const rpp_cuda_integers *pos,
                                      const rpp_tensor *real, const rpp_tensor *imag, void *workspace, size_t bytes,
                                      rpp_cuda_stream stream) {
  AngleTable table;
  RPP_TRY(check(rotary, x, pos, real, imag, workspace, bytes));
  if (elements_of(*x) == 0) return RPP_OK;
  RPP_TRY(angle_table_fill(rotary, pos, workspace, stream, &table));
  return start_rotation(rotary->pairing, table, x, real, imag, stream);
}
