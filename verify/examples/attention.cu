/* attention.cu: attention.c on a CUDA device, as plain: one thread for each row that is turned, one for each row that attends.
 *
 *     nvcc -O2 -shared -Xcompiler -fPIC -I$(pkg-config --variable=includedir ropepp) attention.cu -o attention.so
 *     ropepp-verify fuzz --kernel ./attention.so
 *
 * Tensors' data and the workspace are in device memory; all else is the host's. With -DFAULT_KV_TILED output head o reads KV head o mod K,
 * as if KV heads were tiled and not repeated. */
#include <math.h>
#include <ropepp_kernel.h>

enum { PAIRS = 128, THREADS = 128 };

/* What a kernel is handed by value. */
struct Angles {
  double inv_freq[PAIRS], magnitude;
  int64_t pairs;
  bool half;
};

struct Visible {
  int32_t mask;
  int64_t offset, window;
};

/* Element (a, b, c, d) of a float32 tensor; lse has no d. */
__device__ static float *at(const rpp_plugin_tensor &t, int64_t a, int64_t b, int64_t c, int64_t d) {
  return static_cast<float *>(t.data) + a * t.strides[0] + b * t.strides[1] + c * t.strides[2] + d * t.strides[3];
}

__device__ static int64_t integer(const rpp_plugin_tensor &t, int64_t a, int64_t b) {
  return static_cast<const int64_t *>(t.data)[a * t.strides[0] + b * t.strides[1]];
}

/* y = x rotated, a row a thread. doubled: heads 2j and 2j + 1 of y are the real and the imaginary part of head j of x; else all are of the
 * part that imag says. y may be x. */
__global__ void turn(Angles angles, rpp_plugin_tensor x, rpp_plugin_tensor pos, rpp_plugin_tensor y, bool doubled, bool imag) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x;
  if (row >= y.shape[0] * y.shape[1] * y.shape[2]) return;
  const int64_t h = row % y.shape[2], l = row / y.shape[2] % y.shape[1], b = row / y.shape[2] / y.shape[1];
  const int64_t t = pos.ndim == 1 ? integer(pos, l, 0) : integer(pos, b, l), from = doubled ? h / 2 : h;
  for (int64_t n = 0; n < angles.pairs; n++) {
    const int64_t first = angles.half ? n : 2 * n, second = angles.half ? n + angles.pairs : 2 * n + 1;
    const double angle = static_cast<double>(t) * angles.inv_freq[n];
    const float c = static_cast<float>(angles.magnitude * cos(angle)), s = static_cast<float>(angles.magnitude * sin(angle));
    const float u = *at(x, b, l, from, first), v = *at(x, b, l, from, second);
    const bool turned = doubled ? h % 2 == 1 : imag;
    const float p = turned ? v : u, q = turned ? -u : v;
    *at(y, b, l, h, first) = p * c - q * s;
    *at(y, b, l, h, second) = p * s + q * c;
  }
  for (int64_t d = 2 * angles.pairs; d < x.shape[3]; d++) *at(y, b, l, h, d) = *at(x, b, l, from, d);
}

/* Key j from query i, counted in their sequence; nothing overflows. */
__device__ static bool sees(const Visible &visible, int64_t i, int64_t j) {
  if (visible.mask == RPP_PLUGIN_FULL) return true;
  if (j - i > visible.offset) return false;
  return visible.mask == RPP_PLUGIN_CAUSAL ||
         static_cast<uint64_t>(visible.offset) - static_cast<uint64_t>(j - i) < static_cast<uint64_t>(visible.window);
}

/* Online softmax over rotated q and k, a key at a time, a row of out a thread; out itself holds the sum so far. */
__global__ void attend(Visible visible, float scale, rpp_plugin_tensor q, rpp_plugin_tensor k, rpp_plugin_tensor v,
                       rpp_plugin_tensor cu_q, rpp_plugin_tensor cu_k, rpp_plugin_tensor out, rpp_plugin_tensor lse) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x;
  if (row >= out.shape[0] * out.shape[1] * out.shape[2]) return;
  const int64_t o = row % out.shape[2], i = row / out.shape[2] % out.shape[1], b = row / out.shape[2] / out.shape[1];
#ifdef FAULT_KV_TILED
  const int64_t g = o % k.shape[2];
#else
  const int64_t g = o / (out.shape[2] / k.shape[2]);
#endif
  int64_t q_start = 0, start = 0, end = k.shape[1];
  for (int64_t n = 0; cu_q.ndim == 1 && n + 1 < cu_q.shape[0]; n++)
    if (integer(cu_q, n, 0) <= i && i < integer(cu_q, n + 1, 0))
      q_start = integer(cu_q, n, 0), start = integer(cu_k, n, 0), end = integer(cu_k, n + 1, 0);
  float largest = -INFINITY, sum = 0;
  for (int64_t c = 0; c < out.shape[3]; c++) *at(out, b, i, o, c) = 0;
  for (int64_t j = start; j < end; j++) {
    if (!sees(visible, i - q_start, j - start)) continue;
    float dot = 0;
    for (int64_t d = 0; d < k.shape[3]; d++) dot += *at(q, b, i, o, d) * *at(k, b, j, g, d);
    const float score = scale * dot, next = score > largest ? score : largest;
    const float keep = expf(largest - next), weight = expf(score - next);
    for (int64_t c = 0; c < out.shape[3]; c++) *at(out, b, i, o, c) = *at(out, b, i, o, c) * keep + weight * *at(v, b, j, g, c);
    sum = sum * keep + weight;
    largest = next;
  }
  for (int64_t c = 0; sum > 0 && c < out.shape[3]; c++) *at(out, b, i, o, c) /= sum;
  *at(lse, b, o, i, 0) = sum > 0 ? largest + logf(sum) : -INFINITY;
}

/* ---- On the host -------------------------------------------------------------------------------------------------------- */

static unsigned blocks(const rpp_plugin_tensor &t) {
  return static_cast<unsigned>((t.shape[0] * t.shape[1] * t.shape[2] + THREADS - 1) / THREADS);
}

static const char *last_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

static Angles angles_of(const rpp_plugin_rotary &r) {
  Angles angles = {};
  angles.magnitude = r.magnitude, angles.pairs = r.rotary_dim / 2, angles.half = r.pairing == RPP_PLUGIN_HALF;
  for (int64_t n = 0; n < angles.pairs; n++) angles.inv_freq[n] = r.inv_freq[n];
  return angles;
}

static const char *rotate(const rpp_plugin_rotation *r) {
  if (blocks(*r->y) > 0)
    turn<<<blocks(*r->y), THREADS>>>(angles_of(*r->rotary), *r->x, *r->pos, *r->y, false, r->part == RPP_PLUGIN_IMAG);
  return last_error();
}

/* A row-major tensor over room. */
static rpp_plugin_tensor tensor(float *room, int64_t batch, int64_t length, int64_t heads, int64_t width) {
  return {room, RPP_PLUGIN_F32, 4, {batch, length, heads, width}, {length * heads * width, heads * width, width, 1}};
}

static const char *forward(const rpp_plugin_problem *p, void *workspace) {
  rpp_plugin_tensor q = *p->q, k = *p->k, none = {};
  float *room = static_cast<float *>(workspace);
  if (blocks(*p->out) == 0) return nullptr;
  if (!p->q_rotated) {
    q = tensor(room, q.shape[0], q.shape[1], p->out->shape[2], q.shape[3]);
    turn<<<blocks(q), THREADS>>>(angles_of(p->rotary), *p->q, *p->pos_q, q, p->mode != RPP_PLUGIN_ROPE, false);
    room += q.shape[0] * q.strides[0];
  }
  if (!p->k_rotated && blocks(k) > 0) {
    k = tensor(room, k.shape[0], k.shape[1], k.shape[2], k.shape[3]);
    turn<<<blocks(k), THREADS>>>(angles_of(p->rotary), *p->k, *p->pos_k, k, false, false);
  }
  const Visible visible = {p->mask, p->causal_offset, p->window};
  attend<<<blocks(*p->out), THREADS>>>(visible, static_cast<float>(p->scale), q, k, *p->v, p->cu_q ? *p->cu_q : none,
                                       p->cu_k ? *p->cu_k : none, *p->out, *p->lse);
  return last_error();
}

static size_t workspace(const rpp_plugin_problem *p) {
  const int64_t *k = p->k->shape, *out = p->out->shape;
  return static_cast<size_t>((out[0] * out[1] * out[2] + k[0] * k[1] * k[2]) * k[3]) * sizeof(float);
}

static const char *supports(const rpp_plugin_problem *p) {
  if (p->rotary.rotary_dim > 2 * PAIRS) return "frequencies are handed over by value: the rotary width is at most 256";
  if (p->mode == RPP_PLUGIN_EH && (p->heads % 2 != 0 || p->kv_heads % 2 != 0))
    return "EH halves the heads: their counts must be even";
  return nullptr;
}

const rpp_plugin_kernel *ropepp_kernel(void) {
  static const rpp_plugin_kernel kernel = {RPP_PLUGIN_ABI,
                                           sizeof(rpp_plugin_kernel),
                                           "example-cuda",
                                           "RoPE, EC and EH in float32 on a CUDA device, a row a thread",
                                           "f32,tile=1,deterministic=1",
                                           RPP_PLUGIN_DEVICE,
                                           supports,
                                           workspace,
                                           rotate,
                                           forward};
  return &kernel;
}
