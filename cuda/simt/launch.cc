#include "block.h"

#include <cstdio>
#include <new>

#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

static thread_local rpp_simt_device device = {132, rpp_simt::SHARED_LIMIT};

extern "C" void rpp_simt_set_device(const rpp_simt_device *other) {
  device = *other;
}
extern "C" const rpp_simt_device *rpp_simt_current_device(void) {
  return &device;
}

namespace rpp_simt {

namespace {

bool refuse(char *report, const char *kernel, const char *what, unsigned long long value, const char *expected) {
  snprintf(report, REPORT, "kernel %s: %s = %llu: %s", kernel, what, value, expected);
  return false;
}

bool check(const Launch &l, char *report) {
  if (l.grid.x == 0 || l.grid.y == 0 || l.grid.z == 0) return refuse(report, l.kernel, "grid", 0, "no dimension may be 0");
  if (l.grid.x > 0x7fffffff) return refuse(report, l.kernel, "grid.x", l.grid.x, "must be below 2^31");
  if (l.grid.y > 65535 || l.grid.z > 65535)
    return refuse(report, l.kernel, l.grid.y > 65535 ? "grid.y" : "grid.z", l.grid.y > 65535 ? l.grid.y : l.grid.z,
                  "must be below 65536");
  const unsigned long long threads = 1ull * l.dim.x * l.dim.y * l.dim.z;
  if (threads == 0 || l.dim.x > THREADS_LIMIT || l.dim.y > THREADS_LIMIT || l.dim.z > 64 || threads > THREADS_LIMIT)
    return refuse(report, l.kernel, "threads of a block", threads, "must be 1 to 1024");
  if (threads % WARP != 0) return refuse(report, l.kernel, "threads of a block", threads, "must be whole warps of 32");
  if (l.shared > device.shared) {
    snprintf(report, REPORT, "kernel %s: bytes of shared memory = %zu: must be at most the device's %zu", l.kernel, l.shared,
             device.shared);
    return false;
  }
  return true;
}

// One for each system thread, kept for its fibers.
Block *workplace() {
  static thread_local std::unique_ptr<Block> kept;
  if (!kept) kept.reset(new (std::nothrow) Block());
  return kept.get();
}

// The first block that has a report: none yet is past the last. Blocks before it all run, so that it does not depend on the team.
struct First {
  uint64_t block;
  char *report;
};

void run_blocks(const Launch &l, uint64_t from, uint64_t step, uint64_t blocks, First *first) {
  const Unseen unseen; // fibers have states of their own
  Block *b = workplace();
  if (!b || !b->prepare(&l, blocks)) {
#pragma omp critical(rpp_simt_report)
    refuse(first->report, l.kernel, "threads of a block", 1ull * l.dim.x * l.dim.y * l.dim.z, "no memory for their stacks");
    __atomic_store_n(&first->block, 0, __ATOMIC_RELAXED);
    return;
  }
  uint64_t n = from;
  for (; n < __atomic_load_n(&first->block, __ATOMIC_RELAXED); n += step) {
    b->run(n);
    if (b->failed) break;
  }
#ifdef RPP_SIMT_TSAN
  __tsan_acquire(b);
#endif
  if (b->failed) {
#pragma omp critical(rpp_simt_report)
    if (n < first->block) {
      memcpy(first->report, b->report, REPORT);
      __atomic_store_n(&first->block, n, __ATOMIC_RELAXED);
    }
  }
}

} // namespace

bool launch(const char *kernel, dim3 grid, dim3 dim, size_t shared, const Stream *stream, void (*body)(void *), void *argument,
            char *report) {
  const Launch l = {kernel, grid, dim, shared, stream ? stream->seed : 0, body, argument};
  if (current) return refuse(report, kernel, "launch", 1, "a kernel cannot launch another here");
  if (!check(l, report)) return false;
#ifdef RPP_SIMT_TSAN
  __tsan_release(const_cast<Launch *>(&l));
#endif
  const uint64_t blocks = 1ull * grid.x * grid.y * grid.z;
  int team = stream && stream->threads > 1 ? stream->threads : 1;
  if (blocks < 4 * static_cast<uint64_t>(team)) team = 1; // waking the others takes longer
  First first = {blocks, report};
  if (team == 1) {
    run_blocks(l, 0, 1, blocks, &first);
    return first.block == blocks;
  }
#pragma omp parallel for num_threads(team) schedule(static, 1)
  for (int i = 0; i < team; i++) run_blocks(l, static_cast<uint64_t>(i), static_cast<uint64_t>(team), blocks, &first);
  return first.block == blocks;
}

} // namespace rpp_simt
