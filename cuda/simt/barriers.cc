// barriers.cc: __syncthreads and named barriers.
#include "block.h"

#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rpp_simt {

namespace {

// Around a barrier: what was done before it is known after it. Warp collectives order nothing but __syncwarp.
void release(Block &b) {
#ifdef RPP_SIMT_TSAN
  __tsan_release(b.clock);
#endif
  (void)b;
}
void acquire(Block &b) {
#ifdef RPP_SIMT_TSAN
  __tsan_acquire(b.clock);
#endif
  (void)b;
}

// True when this arrival is the last that the barrier waits for.
bool arrive(Block &b, Thread &t, unsigned barrier, unsigned threads, Site site) {
  if (barrier < 1 || barrier >= NAMED) b.fail(t, site, "named barrier %u: must be 1 to 15 (0 is __syncthreads)", barrier);
  if (threads == 0 || threads % WARP != 0 || threads > b.threads.size())
    b.fail(t, site, "named barrier %u for %u threads: must be whole warps, at most the block's %zu threads", barrier, threads,
           b.threads.size());
  Named &n = b.named[barrier];
  if (n.arrived > 0 && n.threads != threads)
    b.fail(t, site, "named barrier %u for %u threads: others wait there for %u", barrier, threads, n.threads);
  n.threads = threads;
  release(b);
  if (++n.arrived < threads) return false;
  n.arrived = 0;
  for (Thread &other : b.threads)
    if (other.wait == Wait::named && other.barrier == barrier) b.wake(other);
  return true;
}

} // namespace

void sync_threads(Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  if (b.exited > 0)
    for (const Thread &other : b.threads)
      if (other.wait == Wait::exit)
        b.fail(t, site, "divergent barrier: this thread waits at __syncthreads, thread %s has exited",
               text_of(other.identity.thread).text);
  if (b.arrived > 0)
    for (const Thread &other : b.threads)
      if (other.wait == Wait::block) {
        if (other.site.line != site.line || strcmp(other.site.file, site.file) != 0)
          b.fail(t, site, "divergent barrier: this thread waits at __syncthreads, thread %s at another one, in line %d",
                 text_of(other.identity.thread).text, other.site.line);
        break;
      }
  t.site = site;
  release(b);
  if (++b.arrived < b.threads.size())
    b.wait(t, Wait::block);
  else {
    b.arrived = 0;
    for (Thread &other : b.threads)
      if (other.wait == Wait::block) b.wake(other);
    b.yield(t);
  }
  acquire(b);
}

void named_sync(unsigned barrier, unsigned threads, Site site) {
  Thread &t = *current;
  t.site = site, t.barrier = barrier;
  if (arrive(*t.block, t, barrier, threads, site))
    t.block->yield(t);
  else
    t.block->wait(t, Wait::named);
  acquire(*t.block);
}

void named_arrive(unsigned barrier, unsigned threads, Site site) {
  Thread &t = *current;
  arrive(*t.block, t, barrier, threads, site);
  t.block->yield(t);
}

} // namespace rpp_simt
