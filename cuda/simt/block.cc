#include "block.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#ifdef RPP_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rpp_simt {

__thread Thread *current;
__thread const Identity *identity;

namespace {

[[maybe_unused]] constexpr size_t FENCE = 64; // bytes past shared memory that must stay as they are; under AddressSanitizer there are none
constexpr unsigned char POISON = 0xff, FENCE_BYTE = 0xa5;
#ifdef RPP_SIMT_TSAN
constexpr unsigned SETS = 2;
#else
constexpr unsigned SETS = 1;
#endif

const char *name_of(Wait wait, const char *operation) {
  return wait == Wait::block      ? "__syncthreads"
         : wait == Wait::named    ? "a named barrier"
         : wait == Wait::mbarrier ? "an mbarrier"
                                  : operation;
}

// Without the way up from the build folder.
const char *short_file(const char *file) {
  while (strncmp(file, "../", 3) == 0) file += 3;
  return file;
}

} // namespace

Text text_of(const dim3 &d) {
  Text t;
  snprintf(t.text, sizeof t.text, "(%u, %u, %u)", d.x, d.y, d.z);
  return t;
}

uint64_t Block::next_random() { // splitmix64
  uint64_t z = (random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool Block::prepare(const Launch *l, uint64_t blocks) {
  launch = l;
  failed = false;
  const size_t count = static_cast<size_t>(l->dim.x) * l->dim.y * l->dim.z;
  while (fibers.size() < SETS * count) {
    fibers.push_back(std::make_unique<Fiber>());
    if (!fibers.back()->ready()) return fibers.pop_back(), false;
  }
  threads.resize(count);
  warps.resize(count / WARP);
  runnable.reserve(count);
#ifdef RPP_SIMT_TSAN
  clocks.resize(blocks);
#endif
  (void)blocks;
  return true;
}

void Block::fail(const Thread &t, Site site, const char *format, ...) {
  const int used = snprintf(report, sizeof report, "kernel %s, block %s, thread %s, %s:%d: ", launch->kernel,
                            text_of(t.identity.block).text, text_of(t.identity.thread).text, short_file(site.file), site.line);
  va_list arguments;
  va_start(arguments, format);
  if (used > 0 && static_cast<size_t>(used) < sizeof report) vsnprintf(report + used, sizeof report - used, format, arguments);
  va_end(arguments);
  failed = true;
  current->fiber->pause();
  abort(); // a failed block is not resumed
}

void Block::yield(Thread &t) {
  t.fiber->pause();
}

void Block::wait(Thread &t, Wait what) {
  t.wait = what;
  t.fiber->pause();
}

void Block::wake(Thread &t) {
  t.wait = Wait::nothing;
  runnable.push_back(t.index);
}

void Block::exit(Thread &t) {
  if (!t.copies.empty()) fail(t, t.copies.front().site, "cp.async: the thread exits without having waited for this copy");
  if (arrived > 0)
    for (const Thread &other : threads)
      if (other.wait == Wait::block)
        fail(other, other.site, "divergent barrier: this thread waits at __syncthreads, thread %s has exited",
             text_of(t.identity.thread).text);
  for (unsigned i = t.index - t.lane; i < t.index - t.lane + WARP; i++)
    if (threads[i].wait == Wait::warp && (threads[i].mask >> t.lane & 1))
      fail(threads[i], threads[i].site, "%s: mask 0x%08x names lane %u, which has exited", threads[i].operation, threads[i].mask,
           t.lane);
  finish_thread(*this, t);
  t.wait = Wait::exit;
  warps[t.index / WARP].exited |= 1u << t.lane;
  exited++;
}

void Block::enter(void *thread) {
  Thread &t = *static_cast<Thread *>(thread);
#ifdef RPP_SIMT_TSAN
  __tsan_acquire(const_cast<Launch *>(t.block->launch));
#endif
  t.block->launch->body(t.block->launch->argument);
  t.block->exit(t);
#ifdef RPP_SIMT_TSAN
  __tsan_release(t.block);
#endif
}

void Block::describe(const Thread &t, char *text, size_t size) const {
  const Text who = text_of(t.identity.thread);
  if (t.wait == Wait::exit)
    snprintf(text, size, "thread %s has exited", who.text);
  else
    snprintf(text, size, "thread %s waits at %s, %s:%d", who.text, name_of(t.wait, t.operation), short_file(t.site.file),
             t.site.line);
}

// Nothing can go on: names a thread that waits, and one that it waits for.
void Block::deadlock() {
  const Thread *waits = nullptr, *missing = nullptr;
  for (const Thread &t : threads)
    if (t.wait != Wait::exit && (!waits || (t.wait == Wait::warp && waits->wait != Wait::warp))) waits = &t;
  for (const Thread &t : threads) {
    const bool named = waits->wait != Wait::warp || (t.index / WARP == waits->index / WARP && (waits->mask >> t.lane & 1));
    if (named && !missing && &t != waits && (t.wait != waits->wait || (t.wait == Wait::named && t.barrier != waits->barrier)))
      missing = &t;
  }
  char other[160] = "no other thread is left to come";
  if (missing) describe(*missing, other, sizeof other);
  snprintf(
      report, sizeof report, "kernel %s, block %s, thread %s, %s:%d: deadlock: this thread waits at %s; %s", launch->kernel,
      text_of(waits->identity.block).text, text_of(waits->identity.thread).text, short_file(waits->site.file), waits->site.line,
      waits->wait == Wait::mbarrier ? describe_mbarrier(*this, waits->issued.barrier).text : name_of(waits->wait, waits->operation),
      other);
  failed = true;
}

void Block::report_end(const Thread &t, Site site, const char *what) {
  snprintf(report, sizeof report, "kernel %s, block %s, thread %s, %s:%d: %s", launch->kernel, text_of(t.identity.block).text,
           text_of(t.identity.thread).text, short_file(site.file), site.line, what);
  failed = true;
}

void Block::finish_shared() {
#ifdef RPP_SIMT_ASAN
  __asan_unpoison_memory_region(shared, launch->shared); // of copies that a report has cut short
#else
  for (size_t i = 0; !failed && i < FENCE; i++)
    if (static_cast<unsigned char>(shared[launch->shared + i]) != FENCE_BYTE) {
      snprintf(report, sizeof report, "kernel %s, block %s: byte %zu of %zu bytes of shared memory was written", launch->kernel,
               text_of(threads[0].identity.block).text, launch->shared + i, launch->shared);
      failed = true;
    }
#endif
  free(allocated);
}

void Block::run(uint64_t number) {
  const dim3 &grid = launch->grid, &dim = launch->dim;
  const dim3 at(static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
                static_cast<unsigned>(number / grid.x / grid.y));
#ifdef RPP_SIMT_ASAN
  const size_t bytes = launch->shared; // exact, so that an access past it is seen
#else
  const size_t bytes = launch->shared + FENCE;
#endif
  void *memory = nullptr;
  if (posix_memalign(&memory, 1024, bytes > 0 ? bytes : 1) != 0) {
    failed = snprintf(report, sizeof report, "kernel %s: no memory for a block's shared memory", launch->kernel) > 0;
    return;
  }
  shared = allocated = static_cast<char *>(memory);
  memset(shared, POISON, launch->shared);
  memset(shared + launch->shared, FENCE_BYTE, bytes - launch->shared);
#ifdef RPP_SIMT_ASAN
  if (launch->shared == 0) __asan_poison_memory_region(shared, 1);
#endif
  arrived = exited = 0;
  for (Named &n : named) n = Named{0, 0};
  for (Warp &w : warps) w = Warp{0, 0, false, nullptr};
  in_flight.clear();
  engines.clear();
  random = launch->seed ^ (number + 1) * 0x9e3779b97f4a7c15u;
  clock = clocks.empty() ? nullptr : &clocks[number];
  runnable.clear();
  const size_t set = number % SETS * threads.size();
  for (unsigned i = 0; i < threads.size(); i++) {
    Thread &t = threads[i];
    t.identity = {dim3(i % dim.x, i / dim.x % dim.y, i / dim.x / dim.y), at, dim, grid};
    t.block = this;
    t.fiber = fibers[set + i].get();
    t.index = i, t.lane = i % WARP;
    t.wait = Wait::nothing;
    t.copies.clear();
    t.groups = 0;
    t.issued = {};
    t.fiber->start(&Block::enter, &t);
    runnable.push_back(i);
  }
  while (!failed && !runnable.empty()) {
    const size_t pick = static_cast<size_t>((next_random() >> 32) * runnable.size() >> 32);
    Thread &t = threads[runnable[pick]];
    current = &t, identity = &t.identity;
    t.fiber->resume();
    if (t.wait != Wait::nothing) runnable[pick] = runnable.back(), runnable.pop_back();
  }
  current = nullptr, identity = nullptr;
  if (!failed && exited < threads.size()) deadlock();
  if (!failed) finish_engines(*this);
  if (failed)
    for (Thread &t : threads) t.fiber->publish(this);
  finish_shared();
}

} // namespace rpp_simt
