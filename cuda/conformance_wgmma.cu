// conformance_wgmma.cu: products of a warpgroup, every size, type, place and order of operands, every swizzle: conformance.h. One block of 128
// threads; a and b come by bulk copies, as boxes of 64 rows of k, or of 64 rows and all of b's columns, each as wide as the swizzle.
#include "conformance.h"

#include "conformance_launch.h"
#include "cu_hopper.h"

namespace RPP_TARGET {

namespace {

constexpr int DEPTH = 64, ROWS = 64; // of a

__host__ __device__ constexpr unsigned width_of(Swizzle s) { // bytes of a box's row
  return 16u << s;
}

// Where 16 elements of k begin, of a matrix of boxes with rows along k: `rows` rows of `width` bytes each.
__device__ inline uint64_t along_k(const char *matrix, unsigned rows, unsigned k, Swizzle swizzle) {
  const unsigned width = width_of(swizzle), byte = k * 2;
  return wgmma_descriptor(matrix + byte / width * rows * width + byte % width, rows * width, 8 * width, swizzle);
}
// The same of a matrix of boxes with 64 rows of k each, side by side.
__device__ inline uint64_t across_k(const char *matrix, unsigned k, Swizzle swizzle) {
  const unsigned width = width_of(swizzle), box = DEPTH * width;
  return swizzle == SWIZZLE_NONE ? wgmma_descriptor(matrix + k * width, 8 * width, box, swizzle)
                                 : wgmma_descriptor(matrix + k * width, box, 8 * width, swizzle);
}

template <int N, class T, bool REGISTERS, Major MAJOR, Swizzle SWIZZLE>
__global__ void __launch_bounds__(128)
    product(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map, const T *a, float *d) {
  constexpr unsigned WIDTH = width_of(SWIZZLE), ACROSS = WIDTH / 2; // elements
  constexpr unsigned A_BOXES = DEPTH / ACROSS, B_BOXES = MAJOR == ALONG_K ? A_BOXES : (N + ACROSS - 1) / ACROSS;
  constexpr unsigned A_BOX = ROWS * WIDTH, B_BOX = (MAJOR == ALONG_K ? N : DEPTH) * WIDTH;
  char *as = shared_array<char>(0, A_BOXES * A_BOX), *bs = shared_array<char>(A_BOXES * A_BOX, B_BOXES * B_BOX);
  uint64_t *full = shared_array<uint64_t>(A_BOXES * A_BOX + B_BOXES * B_BOX, 1);
  if (threadIdx.x == 0) {
    mbarrier_init(full, 1);
    mbarrier_fence_init();
    mbarrier_arrive_expect(full, A_BOXES * A_BOX + B_BOXES * B_BOX);
    for (unsigned n = 0; n < A_BOXES; n++) bulk_load(as + n * A_BOX, &a_map, full, {static_cast<int>(n * ACROSS), 0});
    for (unsigned n = 0; n < B_BOXES; n++) bulk_load(bs + n * B_BOX, &b_map, full, {static_cast<int>(n * ACROSS), 0});
  }
  __syncthreads();
  mbarrier_wait(full, 0);

  const unsigned row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, t = threadIdx.x % 4 * 2;
  float sum[N / 2];
  uint32_t fragments[DEPTH / 16][4];
  RPP_UNROLL
  for (unsigned n = 0; n < DEPTH / 16 * 4; n++) {
    const T *pair = a + (row + n % 2 * 8) * DEPTH + n / 4 * 16 + n / 2 % 2 * 8 + t;
    fragments[n / 4][n % 4] = static_cast<uint32_t>(pair[1].bits) << 16 | pair[0].bits;
  }
  wgmma_fence();
  RPP_UNROLL
  for (unsigned k = 0; k < DEPTH; k += 16) {
    const uint64_t b = MAJOR == ALONG_K ? along_k(bs, N, k, SWIZZLE) : across_k(bs, k, SWIZZLE);
    if constexpr (REGISTERS)
      wgmma<N, T, MAJOR>(sum, fragments[k / 16], b, k > 0);
    else
      wgmma<N, T, MAJOR>(sum, along_k(as, ROWS, k, SWIZZLE), b, k > 0);
  }
  wgmma_commit();
  wgmma_wait<0>();
  wgmma_hold(sum);
  RPP_UNROLL
  for (unsigned i = 0; i < N / 2; i++) d[(row + i / 2 % 2 * 8) * N + i / 4 * 8 + t + i % 2] = sum[i];
}

template <int N, class T, bool REGISTERS, Major MAJOR, Swizzle SWIZZLE>
bool multiply(const char *in, char *out, void *stream, char *report) {
  constexpr uint32_t ACROSS = width_of(SWIZZLE) / 2;
  const T *a = reinterpret_cast<const T *>(in), *b = a + ROWS * DEPTH;
  const TensorBox<T> a_box = {a, 2, {DEPTH, ROWS}, {2, DEPTH * 2}, {ACROSS, ROWS}, SWIZZLE};
  const TensorBox<T> b_box = MAJOR == ALONG_K ? TensorBox<T>{b, 2, {DEPTH, N}, {2, DEPTH * 2}, {ACROSS, N}, SWIZZLE}
                                              : TensorBox<T>{b, 2, {N, DEPTH}, {2, N * 2}, {ACROSS, DEPTH}, SWIZZLE};
  TensorMap a_map, b_map;
  if (!encode_tensor_map(a_box, &a_map, report) || !encode_tensor_map(b_box, &b_map, report)) return false;
  return launch("wgmma", product<N, T, REGISTERS, MAJOR, SWIZZLE>, dim3(1), dim3(128), 48 << 10, stream, report, a_map, b_map, a,
                reinterpret_cast<float *>(out));
}

struct Entry {
  int n;
  bool (*multiply)(const char *, char *, void *, char *);
};
#define ENTRY(n, type, registers, major, swizzle) {n, multiply<n, type, registers, major, swizzle>},
const Entry ENTRIES[] = {RPP_CONFORMANCE_WGMMA(ENTRY)};

} // namespace

bool conform_wgmma(int n, const void *in, void *out, void *stream, char *report) {
  const Entry &e = ENTRIES[n];
  const size_t columns = static_cast<size_t>(e.n);
  return with_buffers(in, (ROWS + columns) * DEPTH * 2, out, ROWS * columns * sizeof(float), report,
                      [&](const char *from, char *to) { return e.multiply(from, to, stream, report); });
}

} // namespace RPP_TARGET
