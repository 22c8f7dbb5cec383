// warp.cc: what the lanes of a warp do together.
#include "block.h"

#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace rpp_simt {

namespace {

void check_lane(Block &b, const Thread &t, const Thread &other, const char *operation, unsigned mask, Site site) {
  if (other.wait == Wait::exit) b.fail(t, site, "%s: mask 0x%08x names lane %u, which has exited", operation, mask, other.lane);
  if (other.wait != Wait::warp) return; // it may still come
  if (strcmp(other.operation, operation) != 0)
    b.fail(t, site, "%s: mask 0x%08x names lane %u, which waits at %s, line %d", operation, mask, other.lane, other.operation,
           other.site.line);
  if (other.mask != mask)
    b.fail(t, site, "%s: mask 0x%08x, but lane %u waits with mask 0x%08x", operation, mask, other.lane, other.mask);
  if (strcmp(operation, "__syncwarp") != 0 && (other.site.line != site.line || strcmp(other.site.file, site.file) != 0))
    b.fail(t, site, "%s: mask 0x%08x names lane %u, which waits at another one, in line %d", operation, mask, other.lane,
           other.site.line);
}

// Pointers that differ may still name the same: then check_lane looks.
bool waits_alike(const Thread &a, const Thread &b) {
  return a.mask == b.mask && a.operation == b.operation && a.site.line == b.site.line && a.site.file == b.site.file;
}

struct Shuffled {
  Shuffle how;
  void *value;
  size_t size;
  int lane, width;
};

// The lane that a lane reads; its own where the shuffle would leave its segment.
unsigned source_of(const Shuffled &s, unsigned lane) {
  const unsigned width = static_cast<unsigned>(s.width), segment = lane & ~(width - 1), by = static_cast<unsigned>(s.lane);
  switch (s.how) {
  case SHUFFLE_INDEX:
    return segment + (by & (width - 1));
  case SHUFFLE_XOR:
    return (lane ^ by) < segment + width ? lane ^ by : lane;
  case SHUFFLE_UP:
    return lane - segment >= by ? lane - by : lane;
  default:
    return lane - segment + by < width ? lane + by : lane;
  }
}

void complete_shuffle(Block &b, Thread *warp, unsigned mask) {
  unsigned source[WARP] = {};
  for (unsigned i = 0; i < WARP; i++)
    if (mask >> i & 1) {
      source[i] = source_of(*static_cast<Shuffled *>(warp[i].argument), i);
      if (!(mask >> source[i] & 1))
        b.fail(warp[i], warp[i].site, "%s: lane %u reads lane %u, which mask 0x%08x does not name", warp[i].operation, i, source[i],
               mask);
    }
  const Unseen unseen;
  unsigned char values[WARP][8];
  for (unsigned i = 0; i < WARP; i++)
    if (mask >> i & 1) {
      const Shuffled &s = *static_cast<Shuffled *>(warp[i].argument);
      memcpy(values[i], s.value, s.size);
    }
  for (unsigned i = 0; i < WARP; i++)
    if (mask >> i & 1) {
      const Shuffled &s = *static_cast<Shuffled *>(warp[i].argument);
      memcpy(s.value, values[source[i]], s.size);
    }
}

struct Vote {
  bool predicate;
  unsigned result;
};

void complete_ballot(Block &, Thread *warp, unsigned mask) {
  unsigned result = 0;
  for (unsigned i = 0; i < WARP; i++)
    if ((mask >> i & 1) && static_cast<Vote *>(warp[i].argument)->predicate) result |= 1u << i;
  for (unsigned i = 0; i < WARP; i++)
    if (mask >> i & 1) static_cast<Vote *>(warp[i].argument)->result = result;
}

void complete_nothing(Block &, Thread *, unsigned) {}

} // namespace

void meet(const char *operation, unsigned mask, void *argument, Site site, void (*complete)(Block &, Thread *, unsigned)) {
  Thread &t = *current;
  Block &b = *t.block;
  Thread *warp = &b.threads[t.index - t.lane];
  if (!(mask >> t.lane & 1)) b.fail(t, site, "%s: mask 0x%08x does not name the calling lane %u", operation, mask, t.lane);
  t.operation = operation, t.mask = mask, t.argument = argument, t.site = site;
  Warp &w = b.warps[t.index / WARP];
  w.alike = w.waiting == 0 || (w.alike && waits_alike(*w.first, t));
  if (!w.alike || (w.exited & mask))
    for (unsigned i = 0; i < WARP; i++)
      if (i != t.lane && (mask >> i & 1)) check_lane(b, t, warp[i], operation, mask, site);
  if (w.waiting == 0) w.first = &t;
  if (((w.waiting | 1u << t.lane) & mask) != mask) {
    w.waiting |= 1u << t.lane;
    return b.wait(t, Wait::warp);
  }
  complete(b, warp, mask);
  w.waiting &= ~mask;
  for (unsigned i = 0; i < WARP; i++)
    if (i != t.lane && (mask >> i & 1)) b.wake(warp[i]);
  b.yield(t);
}

void sync_warp(unsigned mask, Site site) {
#ifdef RPP_SIMT_TSAN
  Thread *clock = &current->block->threads[current->index - current->lane]; // the warp's first thread stands for the warp
  __tsan_release(clock);
#endif
  meet("__syncwarp", mask, nullptr, site, complete_nothing);
#ifdef RPP_SIMT_TSAN
  __tsan_acquire(clock);
#endif
}

void shuffle(Shuffle how, unsigned mask, void *value, size_t size, int lane, int width, Site site) {
  static const char *const names[] = {"__shfl_sync", "__shfl_xor_sync", "__shfl_up_sync", "__shfl_down_sync"};
  if (width < 1 || width > 32 || (width & (width - 1)) != 0)
    current->block->fail(*current, site, "%s: width %d: must be a power of two up to 32", names[how], width);
  unsigned char copy[8];
  memcpy(copy, value, size);
  Shuffled s = {how, copy, size, lane, width};
  meet(names[how], mask, &s, site, complete_shuffle);
  memcpy(value, copy, size);
}

unsigned ballot(unsigned mask, bool predicate, Site site) {
  Vote v = {predicate, 0};
  meet("__ballot_sync", mask, &v, site, complete_ballot);
  return v.result;
}

} // namespace rpp_simt
