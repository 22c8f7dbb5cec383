// conformance.h: small kernels, one for every wrapper of PTX and every name of CUDA that kernels use. The same source runs in the SIMT runtime
// and on a device, from the same input: tests hold the first against plain loops, and where there is a device both against each other.
#ifndef RPP_CONFORMANCE_H
#define RPP_CONFORMANCE_H
#include <cstddef>

struct rpp_conformance {
  const char *name;
  size_t in, out; // bytes
  bool sm_90a;    // needs compute capability 9.0
};

constexpr rpp_conformance RPP_CONFORMANCES[] = {
    {"cp_async", 512, 17 * 512, false},           // for valid 0 to 16: 32 x 16 bytes
    {"cp_async_groups", 4 * 512, 4 * 512, false}, // each group after the wait that is for it
    {"ldmatrix", 512, 512, false},                // four 8 x 8 matrices to (lane, matrix) pairs
    {"ldmatrix_trans", 512, 512, false},
    {"mma_f16", 512 + 256 + 512, 512, false}, // a (16, 16), b (16, 8), c (16, 8) to d
    {"mma_bf16", 512 + 256 + 512, 512, false},
    {"barriers", 512, 512, false}, // (128): reversed, by __syncthreads, __syncwarp and named barriers
    {"shuffles", 128, 6 * 128, false},
    {"shuffles_64", 256, 256, false},
    {"votes", 128, 3 * 128, false},    // ballot, any, all
    {"shared_array", 256, 256, false}, // through one array in, through another out
    {"atomics", 128, 6 * 4, false},    // sum, float sum, maximum, minimum, exchanges, compare-and-swap
    {"arithmetic", 2048, 256 * 4 + 256 * 8 + 256 * 4,
     false},                                         // 512 floats by two: the larger; float16 and bfloat16 pairs; 2^x within 2^-21
    {"float16", 4096, 2048 * 2, false},              // 1024 floats to float16, bfloat16
    {"float16_widen", 4096, 8192, false},            // 1024 of each to floats
    {"mbarrier", 4 * 128, 4 * 128, true},            // a producing and a consuming warp, two stages, four turns
    {"mbarrier_polled", 128, 128, true},             // by try_wait; then the barrier's 8 bytes used for something else
    {"elect", 0, 4 * 4, true},                       // lanes elected in each of four warps
    {"registers", 128, 128, true},                   // setmaxnreg changes nothing else
    {"bulk_2d", 64 * 40 * 2, 4 * 64 * 32 * 2, true}, // four boxes of (32, 64) of (40, 64) float16, past its edges; swizzle 128
    {"bulk_2d_32", 64 * 40 * 2, 4 * 16 * 32 * 2, true},          // of (32, 16): swizzle 32
    {"bulk_2d_64", 64 * 40 * 2, 4 * 32 * 32 * 2, true},          // of (32, 32): swizzle 64
    {"bulk_2d_plain", 64 * 40 * 2, 4 * 24 * 32 * 2, true},       // of (32, 24)
    {"bulk_3d", 8 * 5 * 7 * 4, 4 * 4 * 3 * 4 * 4, true},         // four boxes of (3, 4, 4) of (7, 5, 8) float32
    {"bulk_4d", 8 * 5 * 3 * 3 * 4, 4 * 2 * 2 * 4 * 4 * 4, true}, // four of (2, 2, 4, 4) of (3, 3, 5, 8) float32
    {"bulk_store", 4096, 64 * 40 * 2, true}, // a box of (32, 64) to (40, 64), twice, past the edges; swizzle 128
    {"bulk_store_3d", 256, 8 * 5 * 7 * 4, true},
    {"bulk_store_4d", 256, 8 * 5 * 3 * 3 * 4, true},
};

// a (64, 64) and b (64, n), or (n, 64) where b is ALONG_K, to d (64, n) float32; every N, type and place of a, every swizzle.
struct rpp_conformance_wgmma {
  const char *name;
  int n;
  bool bf16, registers, across; // a in registers; b has a row for each k
};

// CASE(n, type, registers, major, swizzle)
#define RPP_CONFORMANCE_WGMMA(CASE)                                                                                                \
  CASE(64, rpp_f16, false, ALONG_K, SWIZZLE_NONE)                                                                                  \
  CASE(96, rpp_f16, false, ALONG_K, SWIZZLE_32)                                                                                    \
  CASE(128, rpp_f16, false, ALONG_K, SWIZZLE_64)                                                                                   \
  CASE(256, rpp_f16, false, ALONG_K, SWIZZLE_128) CASE(64, rpp_bf16, false, ACROSS_K, SWIZZLE_NONE)                                \
      CASE(96, rpp_bf16, false, ACROSS_K, SWIZZLE_128) CASE(128, rpp_bf16, false, ACROSS_K, SWIZZLE_64)                            \
          CASE(256, rpp_bf16, false, ACROSS_K, SWIZZLE_32) CASE(64, rpp_f16, true, ALONG_K, SWIZZLE_128)                           \
              CASE(96, rpp_f16, true, ACROSS_K, SWIZZLE_64) CASE(128, rpp_f16, true, ACROSS_K, SWIZZLE_128)                        \
                  CASE(256, rpp_f16, true, ACROSS_K, SWIZZLE_128) CASE(64, rpp_bf16, true, ACROSS_K, SWIZZLE_32)                   \
                      CASE(96, rpp_bf16, true, ALONG_K, SWIZZLE_NONE) CASE(128, rpp_bf16, true, ALONG_K, SWIZZLE_32)               \
                          CASE(256, rpp_bf16, true, ALONG_K, SWIZZLE_64)

// Runs one by its name, or the n-th product, from in to out (host memory, all of it given), on a stream. False, with a line in report (512
// characters), when it could not be run. Bytes of out that it does not write are 0.
namespace rpp_simt_target {
bool conform(const char *name, const void *in, void *out, void *stream, char *report);
bool conform_wgmma(int n, const void *in, void *out, void *stream, char *report);
} // namespace rpp_simt_target
namespace rpp_cuda_target {
bool conform(const char *name, const void *in, void *out, void *stream, char *report);
bool conform_wgmma(int n, const void *in, void *out, void *stream, char *report);
int device_capability(); // 90 for 9.0; 0: there is no device
} // namespace rpp_cuda_target

#endif
