// simt.h: what a kernel sees of the runtime: who it is, barriers, warp collectives, shared memory, asynchronous copies, matrices. Every
// CUDA thread is a fiber; these calls are where fibers change places, in random, seeded order. A call that CUDA leaves undefined is a
// report: the launch ends, and its caller gets one line with kernel, block, thread, file and line. Limits: notes/cuda.md.
#ifndef RPP_SIMT_H
#define RPP_SIMT_H
#include "stream.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace rpp_simt {

struct Site {
  const char *file;
  int line;

  static constexpr Site here(const char *file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
};
// As a default argument: where the call stands.
#define RPP_SIMT_HERE ::rpp_simt::Site::here()

// ---- Launches -----------------------------------------------------------------------------------------------------------

using Stream = rpp_simt_stream;

constexpr size_t SHARED_LIMIT = 227 << 10; // bytes a block may ask for, as on sm_90
constexpr unsigned THREADS_LIMIT = 1024;
constexpr size_t REPORT = 512;

// Runs body(argument) once for each thread of each block. False, with a line in report (REPORT characters), when the launch is
// refused or something was found: in the first block that has a report, whatever the number of system threads.
bool launch(const char *kernel, dim3 grid, dim3 block, size_t shared, const Stream *stream, void (*body)(void *), void *argument,
            char *report);

// ---- The thread that asks -----------------------------------------------------------------------------------------------

struct Identity {
  dim3 thread, block, block_dim, grid_dim;
};
extern __thread const Identity *identity;

// ---- Barriers -----------------------------------------------------------------------------------------------------------

void sync_threads(Site site);
void sync_warp(unsigned mask, Site site);
void named_sync(unsigned barrier, unsigned threads, Site site);
void named_arrive(unsigned barrier, unsigned threads, Site site);

// ---- Warp collectives ---------------------------------------------------------------------------------------------------

enum Shuffle { SHUFFLE_INDEX, SHUFFLE_XOR, SHUFFLE_UP, SHUFFLE_DOWN };
// value: size bytes, at most 8, replaced by the source lane's.
void shuffle(Shuffle how, unsigned mask, void *value, size_t size, int lane, int width, Site site);
unsigned ballot(unsigned mask, bool predicate, Site site);

template <class T> T shuffled(Shuffle how, unsigned mask, T value, int lane, int width, Site site) {
  static_assert(sizeof(T) <= 8, "shuffles move at most 8 bytes");
  shuffle(how, mask, &value, sizeof value, lane, width, site);
  return value;
}

// ---- Shared memory ------------------------------------------------------------------------------------------------------

// The block's dynamic shared memory: its exact size, all bytes 0xff (NaN in every floating type) when the block starts.
void *shared_memory(size_t offset, size_t bytes, Site site);

void cp_async(void *shared, const void *global, size_t size, size_t valid, Site site);
void cp_async_commit();
void cp_async_wait(unsigned groups); // all but the latest groups of this thread have arrived
void cp_async_wait_all();

// ---- Matrices -----------------------------------------------------------------------------------------------------------

void ldmatrix(uint32_t *fragments, const void *row, int matrices, bool transposed, Site site);
enum Element { ELEMENT_F16, ELEMENT_BF16 };
void mma_m16n8k16(Element element, float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4], Site site);

} // namespace rpp_simt
#endif
