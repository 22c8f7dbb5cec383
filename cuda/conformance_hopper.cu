// conformance_hopper.cu: the wrappers of cu_hopper.h but wgmma, one small kernel each: conformance.h.
#include "conformance_launch.h"
#include "cu_hopper.h"

namespace RPP_TARGET {

namespace {

constexpr unsigned SHARED = 32 << 10;

// A producing warp fills two stages in turn, a consuming one empties them; each stage has a barrier for either direction.
__global__ void mbarriers(const char *in, char *out) {
  uint64_t *full = shared_array<uint64_t>(0, 2), *empty = shared_array<uint64_t>(16, 2);
  uint32_t *stage = shared_array<uint32_t>(128, 64);
  const unsigned lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < 2; s++) mbarrier_init(full + s, 32), mbarrier_init(empty + s, 32);
    mbarrier_fence_init();
  }
  __syncthreads();
  for (unsigned turn = 0; turn < 4; turn++) {
    const unsigned s = turn % 2, parity = turn / 2 % 2, other = turn * 32 + 31 - lane;
    if (threadIdx.x < 32) {
      mbarrier_wait(empty + s, parity ^ 1);
      stage[s * 32 + lane] = reinterpret_cast<const uint32_t *>(in)[turn * 32 + lane];
      mbarrier_arrive(full + s);
    } else {
      mbarrier_wait(full + s, parity);
      reinterpret_cast<uint32_t *>(out)[other] = stage[s * 32 + lane];
      mbarrier_arrive(empty + s);
    }
  }
}

__global__ void mbarrier_polled(const char *in, char *out) {
  uint64_t *barrier = shared_array<uint64_t>(0, 1);
  uint32_t *x = shared_array<uint32_t>(128, 32);
  if (threadIdx.x == 0) mbarrier_init(barrier, 32), mbarrier_fence_init();
  __syncthreads();
  x[threadIdx.x] = reinterpret_cast<const uint32_t *>(in)[threadIdx.x];
  mbarrier_arrive(barrier);
  while (!mbarrier_try_wait(barrier, 0)) {
  }
  const uint32_t mine = x[31 - threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) {
    mbarrier_inval(barrier);
    *barrier = 7;
  }
  __syncthreads();
  reinterpret_cast<uint32_t *>(out)[threadIdx.x] = mine + static_cast<uint32_t>(*barrier);
}

__global__ void elects(const char *, char *out) {
  if (elect_one()) atomicAdd(reinterpret_cast<uint32_t *>(out) + threadIdx.x / 32, 1u);
}

__global__ void __launch_bounds__(256, 1) registers(const char *in, char *out) {
  if (threadIdx.x < 128)
    fewer_registers<40>();
  else
    more_registers<152>();
  if (threadIdx.x < 32) reinterpret_cast<uint32_t *>(out)[threadIdx.x] = reinterpret_cast<const uint32_t *>(in)[threadIdx.x];
}

// ---- Boxes --------------------------------------------------------------------------------------------------------------

constexpr int PLACES = 4;
template <int RANK> struct Places { // of four boxes
  int at[PLACES][RANK];
  unsigned bytes; // of a box
};

// Brings the boxes one after another through one stage, and copies it out as it is.
template <int RANK> __global__ void loads(const __grid_constant__ TensorMap map, Places<RANK> places, char *out) {
  uint64_t *full = shared_array<uint64_t>(0, 1);
  char *stage = shared_array<char>(1024, places.bytes);
  if (threadIdx.x == 0) mbarrier_init(full, 1), mbarrier_fence_init();
  __syncthreads();
  for (unsigned n = 0; n < PLACES; n++) {
    if (threadIdx.x == 0) {
      mbarrier_arrive_expect(full, places.bytes);
      bulk_load(stage, &map, full, places.at[n]);
    }
    mbarrier_wait(full, n % 2);
    for (unsigned i = threadIdx.x; i < places.bytes; i += 32) out[n * places.bytes + i] = stage[i];
    __syncthreads();
  }
}

// Writes in to shared memory, and from there to two places.
template <int RANK> __global__ void stores(const __grid_constant__ TensorMap map, Places<RANK> places, const char *in) {
  char *stage = shared_array<char>(1024, places.bytes);
  for (unsigned n = 0; n < 2; n++) {
    for (unsigned i = threadIdx.x; i < places.bytes; i += 32) stage[i] = static_cast<char>(in[i] + static_cast<char>(n));
    fence_proxy_async();
    __syncthreads();
    if (threadIdx.x == 0) {
      bulk_store(&map, places.at[n], stage);
      bulk_commit();
      bulk_wait_read<0>();
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) bulk_wait<0>();
}

template <int RANK, class T>
bool load_boxes(const char *name, const TensorBox<T> &box, Places<RANK> places, char *out, void *stream, char *report) {
  TensorMap map;
  if (!encode_tensor_map(box, &map, report)) return false;
  return launch(name, loads<RANK>, dim3(1), dim3(32), SHARED, stream, report, map, places, out);
}
template <int RANK, class T>
bool store_boxes(const char *name, const TensorBox<T> &box, Places<RANK> places, const char *in, void *stream, char *report) {
  TensorMap map;
  if (!encode_tensor_map(box, &map, report)) return false;
  return launch(name, stores<RANK>, dim3(1), dim3(32), SHARED, stream, report, map, places, in);
}

// Innermost first, as maps have it. What stores write does not overlap: nothing puts them in order.
TensorBox<rpp_f16> box_2d(const char *data, uint32_t columns, Swizzle swizzle) {
  return {reinterpret_cast<const rpp_f16 *>(data), 2, {64, 40}, {2, 128}, {columns, 32}, swizzle};
}
Places<2> places_2d(uint32_t columns) {
  return {{{0, 0}, {-8, 3}, {16, 20}, {56, -5}}, 64 * columns};
}
const Places<2> STORED_2D = {{{0, -20}, {8, 14}}, 4096};
TensorBox<float> box_3d(const char *data) {
  return {reinterpret_cast<const float *>(data), 3, {8, 5, 7}, {4, 32, 160}, {4, 4, 3}, SWIZZLE_NONE};
}
const Places<3> PLACES_3D = {{{0, 0, 0}, {4, 2, 5}, {-2, 1, -1}, {6, -3, 3}}, 192};
TensorBox<float> box_4d(const char *data) {
  return {reinterpret_cast<const float *>(data), 4, {8, 5, 3, 3}, {4, 32, 160, 480}, {4, 4, 2, 2}, SWIZZLE_NONE};
}
const Places<4> PLACES_4D = {{{0, 0, 0, 0}, {4, 2, 2, 1}, {-2, 1, -1, 2}, {2, -2, 1, -1}}, 256};

struct Plain {
  const char *name;
  void (*kernel)(const char *, char *);
  unsigned threads;
};
const Plain PLAIN[] = {
    {"mbarrier", mbarriers, 64}, {"mbarrier_polled", mbarrier_polled, 32}, {"elect", elects, 128}, {"registers", registers, 256}};

} // namespace

bool launch_hopper(const char *name, const char *in, char *out, void *stream, char *report) {
  const auto is = [name](const char *other) { return strcmp(name, other) == 0; };
  for (const Plain &p : PLAIN)
    if (is(p.name)) return launch(name, p.kernel, dim3(1), dim3(p.threads), SHARED, stream, report, in, out);
  if (is("bulk_2d")) return load_boxes(name, box_2d(in, 64, SWIZZLE_128), places_2d(64), out, stream, report);
  if (is("bulk_2d_32")) return load_boxes(name, box_2d(in, 16, SWIZZLE_32), places_2d(16), out, stream, report);
  if (is("bulk_2d_64")) return load_boxes(name, box_2d(in, 32, SWIZZLE_64), places_2d(32), out, stream, report);
  if (is("bulk_2d_plain")) return load_boxes(name, box_2d(in, 24, SWIZZLE_NONE), places_2d(24), out, stream, report);
  if (is("bulk_3d")) return load_boxes(name, box_3d(in), PLACES_3D, out, stream, report);
  if (is("bulk_4d")) return load_boxes(name, box_4d(in), PLACES_4D, out, stream, report);
  if (is("bulk_store")) return store_boxes(name, box_2d(out, 64, SWIZZLE_128), STORED_2D, in, stream, report);
  if (is("bulk_store_3d")) return store_boxes(name, box_3d(out), PLACES_3D, in, stream, report);
  return store_boxes(name, box_4d(out), PLACES_4D, in, stream, report);
}

} // namespace RPP_TARGET
