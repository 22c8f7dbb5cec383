// conformance.cu: the wrappers of cu_compat.h, one small kernel each: conformance.h. A block of as many threads as the kernel says, shared
// memory of 16 KiB.
#include "conformance.h"

#include "conformance_launch.h"

namespace RPP_TARGET {

namespace {

constexpr unsigned ALL = 0xffffffff;

__global__ void cp_async(const char *in, char *out) {
  char *stage = shared_array<char>(0, 512) + threadIdx.x * 16;
  for (unsigned valid = 0; valid <= 16; valid++) {
    cp_async_16(stage, in + threadIdx.x * 16, valid);
    cp_async_wait_all();
    for (unsigned i = 0; i < 16; i++) out[valid * 512 + threadIdx.x * 16 + i] = stage[i];
  }
}

template <int GROUPS> __device__ inline void copied_group(const char *stage, char *out, unsigned group) {
  cp_async_wait<GROUPS>();
  __syncthreads();
  for (unsigned i = 0; i < 16; i++) out[group * 512 + threadIdx.x * 16 + i] = stage[group * 512 + (31 - threadIdx.x) * 16 + i];
}
__global__ void cp_async_groups(const char *in, char *out) {
  char *stage = shared_array<char>(0, 4 * 512);
  for (unsigned group = 0; group < 4; group++) {
    cp_async_16(stage + group * 512 + threadIdx.x * 16, in + group * 512 + threadIdx.x * 16, 16);
    cp_async_commit();
  }
  copied_group<3>(stage, out, 0);
  copied_group<2>(stage, out, 1);
  copied_group<1>(stage, out, 2);
  copied_group<0>(stage, out, 3);
}

template <bool TRANSPOSED> __global__ void ldmatrix(const char *in, char *out) {
  char *matrices = shared_array<char>(0, 512);
  uint32_t fragments[4];
  for (unsigned i = 0; i < 16; i++) matrices[threadIdx.x * 16 + i] = in[threadIdx.x * 16 + i];
  __syncwarp();
  if (TRANSPOSED)
    ldmatrix_x4_trans(fragments, matrices + threadIdx.x * 16);
  else
    ldmatrix_x4(fragments, matrices + threadIdx.x * 16);
  for (unsigned i = 0; i < 4; i++) reinterpret_cast<uint32_t *>(out)[threadIdx.x * 4 + i] = fragments[i];
}

template <bool BF16> __global__ void mma(const char *in, char *out) {
  const uint16_t *a = reinterpret_cast<const uint16_t *>(in), *b = a + 256;
  const float *c = reinterpret_cast<const float *>(in + 768);
  const unsigned group = threadIdx.x / 4, t = threadIdx.x % 4 * 2;
  uint32_t fa[4], fb[2];
  float d[4];
  for (unsigned i = 0; i < 4; i++) {
    const uint16_t *pair = a + (group + i % 2 * 8) * 16 + t + i / 2 * 8;
    fa[i] = static_cast<uint32_t>(pair[1]) << 16 | pair[0];
    d[i] = c[(group + i / 2 * 8) * 8 + t + i % 2];
  }
  for (unsigned i = 0; i < 2; i++) fb[i] = static_cast<uint32_t>(b[(t + 1 + i * 8) * 8 + group]) << 16 | b[(t + i * 8) * 8 + group];
  if (BF16)
    mma_m16n8k16_bf16(d, fa, fb, d);
  else
    mma_m16n8k16_f16(d, fa, fb, d);
  for (unsigned i = 0; i < 4; i++) reinterpret_cast<float *>(out)[(group + i / 2 * 8) * 8 + t + i % 2] = d[i];
}

// Each step turns 128 numbers around: within the block, within warps, and between the halves of the block, from the first to the second.
__global__ void barriers(const char *in, char *out) {
  uint32_t *x = shared_array<uint32_t>(0, 128);
  const unsigned me = threadIdx.x, lane = me % 32;
  x[me] = reinterpret_cast<const uint32_t *>(in)[me];
  __syncthreads();
  uint32_t mine = x[127 - me];
  __syncthreads();
  x[me] = mine;
  __syncwarp();
  mine = x[me - lane + 31 - lane];
  __syncthreads();
  if (me < 64) {
    x[me] = mine;
    named_barrier_arrive(1, 128);
    named_barrier_sync(2, 128);
  } else {
    named_barrier_sync(1, 128);
    mine += x[me - 64];
    named_barrier_arrive(2, 128);
  }
  named_barrier_sync(3 + me / 64, 64);
  reinterpret_cast<uint32_t *>(out)[me] = mine;
}

__global__ void shuffles(const char *in, char *out) {
  const uint32_t mine = reinterpret_cast<const uint32_t *>(in)[threadIdx.x];
  uint32_t *to = reinterpret_cast<uint32_t *>(out) + threadIdx.x;
  to[0] = __shfl_sync(ALL, mine, static_cast<int>(mine % 32));
  to[32] = __shfl_sync(ALL, mine, static_cast<int>(mine % 32), 8);
  to[64] = __shfl_xor_sync(ALL, mine, 5);
  to[96] = __shfl_up_sync(ALL, mine, 3, 16);
  to[128] = __shfl_down_sync(ALL, mine, 3, 16);
  to[160] = threadIdx.x < 20 ? __shfl_xor_sync(0xfffff, mine, 2) : 0;
}
__global__ void shuffles_64(const char *in, char *out) {
  reinterpret_cast<double *>(out)[threadIdx.x] = __shfl_xor_sync(ALL, reinterpret_cast<const double *>(in)[threadIdx.x], 17);
}

__global__ void votes(const char *in, char *out) {
  const uint32_t mine = reinterpret_cast<const uint32_t *>(in)[threadIdx.x];
  uint32_t *to = reinterpret_cast<uint32_t *>(out) + threadIdx.x;
  to[0] = __ballot_sync(ALL, mine % 3 == 0);
  const unsigned half = threadIdx.x < 16 ? 0xffff : 0xffff0000;
  to[32] = static_cast<uint32_t>(__any_sync(half, threadIdx.x == 20) != 0);
  to[64] = static_cast<uint32_t>(__all_sync(half, threadIdx.x < 16) != 0);
}

__global__ void shared_arrays(const char *in, char *out) {
  uint64_t *low = shared_array<uint64_t>(1024, 16);
  uint16_t *high = shared_array<uint16_t>(1024 + 128, 64);
  if (threadIdx.x < 16) low[threadIdx.x] = reinterpret_cast<const uint64_t *>(in)[threadIdx.x];
  for (unsigned i = 0; i < 2; i++) high[threadIdx.x * 2 + i] = reinterpret_cast<const uint16_t *>(in + 128)[threadIdx.x * 2 + i];
  __syncthreads();
  const char *all = shared_array<char>(1024, 256);
  for (unsigned i = 0; i < 8; i++) out[threadIdx.x * 8 + i] = all[threadIdx.x * 8 + i];
}

__global__ void atomics(const char *in, char *out) {
  const int mine = reinterpret_cast<const int *>(in)[threadIdx.x] % 1000;
  int *to = reinterpret_cast<int *>(out);
  atomicAdd(to, mine);
  atomicAdd(reinterpret_cast<float *>(to + 1), static_cast<float>(mine)); // exact
  atomicMax(to + 2, mine);
  atomicMin(to + 3, mine);
  __syncwarp();
  int *last = shared_array<int>(0, 1);
  if (threadIdx.x == 0) *last = 0;
  __syncwarp();
  atomicAdd(to + 4, atomicExch(last, static_cast<int>(threadIdx.x) + 1)); // all but the last come back
  __syncwarp();
  if (threadIdx.x == 0) atomicAdd(to + 4, *last);
  int seen = 0, now = 0;
  do seen = now, now = atomicCAS(to + 5, seen, seen + mine);
  while (now != seen);
}

// Results that may differ within what is promised are judged here: 1 is right.
__global__ void arithmetic(const char *in, char *out) {
  uint32_t *to = reinterpret_cast<uint32_t *>(out);
  for (unsigned i = threadIdx.x; i < 256; i += 32) {
    const float a = reinterpret_cast<const float *>(in)[2 * i], b = reinterpret_cast<const float *>(in)[2 * i + 1];
    const float top = larger(a, b), power = exp2_approx(a);
    to[i] = rpp_bits_of_float(top);
    to[256 + 2 * i] = pack_f16(a, b), to[257 + 2 * i] = pack_bf16(a, b);
    const double exact = exp2(static_cast<double>(a));
    const bool close = fabs(static_cast<double>(power) - exact) <= exact * 0x1p-21;
    const bool nan = larger(NAN, a) != larger(NAN, a) && larger(b, NAN) != larger(b, NAN);
    to[768 + i] = close && nan && exp2_approx(-INFINITY) == 0;
  }
}

__global__ void float16(const char *in, char *out) {
  const float *from = reinterpret_cast<const float *>(in);
  rpp_f16 *f16 = reinterpret_cast<rpp_f16 *>(out);
  rpp_bf16 *bf16 = reinterpret_cast<rpp_bf16 *>(out + 2048);
  for (unsigned i = threadIdx.x; i < 1024; i += 32) {
    rpp_narrow(from[i], f16 + i);
    rpp_narrow(from[i], bf16 + i);
  }
}
__global__ void float16_widen(const char *in, char *out) {
  float *to = reinterpret_cast<float *>(out);
  for (unsigned i = threadIdx.x; i < 1024; i += 32) {
    to[i] = rpp_widen(reinterpret_cast<const rpp_f16 *>(in)[i]);
    to[1024 + i] = rpp_widen(reinterpret_cast<const rpp_bf16 *>(in + 2048)[i]);
  }
}

struct Plain {
  const char *name;
  void (*kernel)(const char *, char *);
  unsigned threads;
};

const Plain PLAIN[] = {
    {"cp_async", cp_async, 32},           {"cp_async_groups", cp_async_groups, 32},
    {"ldmatrix", ldmatrix<false>, 32},    {"ldmatrix_trans", ldmatrix<true>, 32},
    {"mma_f16", mma<false>, 32},          {"mma_bf16", mma<true>, 32},
    {"barriers", barriers, 128},          {"shuffles", shuffles, 32},
    {"shuffles_64", shuffles_64, 32},     {"votes", votes, 32},
    {"shared_array", shared_arrays, 32},  {"atomics", atomics, 32},
    {"arithmetic", arithmetic, 32},       {"float16", float16, 32},
    {"float16_widen", float16_widen, 32},
};

bool launch_named(const char *name, const char *in, char *out, void *stream, char *report) {
  for (const Plain &p : PLAIN)
    if (strcmp(p.name, name) == 0) return launch(name, p.kernel, dim3(1), dim3(p.threads), 16 << 10, stream, report, in, out);
  return launch_hopper(name, in, out, stream, report);
}

} // namespace

bool conform(const char *name, const void *in, void *out, void *stream, char *report) {
  for (const rpp_conformance &c : RPP_CONFORMANCES)
    if (strcmp(c.name, name) == 0)
      return with_buffers(in, c.in, out, c.out, report,
                          [&](const char *from, char *to) { return launch_named(name, from, to, stream, report); });
  snprintf(report, REPORT, "conformance: %s: there is none of this name", name);
  return false;
}

#ifdef __CUDACC__
int device_capability() {
  int major = 0, minor = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess) return 0;
  if (cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess) return 0;
  return 10 * major + minor;
}
#endif

} // namespace RPP_TARGET
