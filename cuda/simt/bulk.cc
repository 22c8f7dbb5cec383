// bulk.cc: copies of boxes between tensors in global memory and shared memory, by the engine beside the threads. What of a box lies outside
// the tensor is zero in shared memory and is not written to global memory.
#include "block.h"

#ifdef RPP_SIMT_TSAN
extern "C" void __tsan_write_range(void *, unsigned long);
extern "C" void __tsan_read_range(void *, unsigned long);
#endif

namespace rpp_simt {

namespace {

constexpr size_t CHUNK = 16; // bytes that stay together in a swizzle

size_t box_bytes(const TensorMap &map) {
  size_t bytes = map.element;
  for (int d = 0; d < map.rank; d++) bytes *= map.box[d];
  return bytes;
}

// Calls visit(byte in shared memory, global address, first, last) for every chunk of a box: its bytes first .. last - 1 lie in the tensor.
template <class F> void each_chunk(const TensorMap &map, const int *at, size_t shared, F visit) {
  const size_t row = static_cast<size_t>(map.box[0]) * map.element, rows = box_bytes(map) / row;
  for (size_t r = 0; r < rows; r++) {
    int64_t offset = 0;
    bool inside = true;
    size_t rest = r;
    for (int d = 1; d < map.rank; rest /= map.box[d], d++) {
      const int64_t index = at[d] + static_cast<int64_t>(rest % map.box[d]);
      inside &= index >= 0 && static_cast<uint64_t>(index) < map.shape[d];
      offset += index * static_cast<int64_t>(map.strides[d]);
    }
    const int64_t width = static_cast<int64_t>(map.shape[0] * map.element), start = static_cast<int64_t>(at[0]) * map.element;
    for (size_t c = 0; c < row; c += CHUNK) {
      const int64_t x = start + static_cast<int64_t>(c);
      const int64_t first = x < 0 ? -x : 0, last = width - x < 16 ? width - x : 16;
      const bool some = inside && first < last;
      visit(swizzled(shared + r * row + c, map.swizzle), some ? map.data + (offset + x) : nullptr,
            some ? static_cast<size_t>(first) : 0, some ? static_cast<size_t>(last) : 0);
    }
  }
}

size_t check(Block &b, const Thread &t, const TensorMap &map, const void *shared, int rank, const char *name, Site site) {
  if (map.encoded != ENCODED) b.fail(t, site, "%s: is given no tensor map", name);
  if (map.rank != rank) b.fail(t, site, "%s: %d coordinates, but the map is of rank %d", name, rank, map.rank);
  if (!in_shared(b, shared, box_bytes(map)))
    b.fail(t, site, "%s: its box of %zu bytes is not inside shared memory", name, box_bytes(map));
  const size_t byte = static_cast<size_t>(static_cast<const char *>(shared) - b.shared);
  if (byte % 128 != 0) b.fail(t, site, "%s: byte %zu of shared memory: must be a multiple of 128", name, byte);
  return byte;
}

void load_chunk(Block &b, size_t byte, const char *global, size_t first, size_t last) {
  char *to = b.shared + byte;
  mark_in_flight(b, to, CHUNK, -1);
#ifdef RPP_SIMT_TSAN
  __tsan_write_range(to, CHUNK);
  if (last > first) __tsan_read_range(const_cast<char *>(global + first), last - first);
#endif
  memset(to, 0, CHUNK);
  if (last > first) memcpy(to + first, global + first, last - first);
  engine_writes(b, byte);
}

void read_box(Block &b, BulkStore &s) {
  const Unseen unseen;
  s.read = true;
  each_chunk(s.map, s.at, s.shared, [&](size_t byte, const char *, size_t, size_t) {
#ifdef RPP_SIMT_TSAN
    __tsan_read_range(b.shared + byte, CHUNK);
#endif
    engine_will_read(b, byte, -1);
    s.data.insert(s.data.end(), b.shared + byte, b.shared + byte + CHUNK);
  });
}

void write_box(const BulkStore &s) {
  const char *from = s.data.data();
  each_chunk(s.map, s.at, s.shared, [&](size_t, char *global, size_t first, size_t last) {
    if (last > first) {
#ifdef RPP_SIMT_TSAN
      __tsan_write_range(global + first, last - first);
#endif
      const Unseen unseen;
      memcpy(global + first, from + first, last - first);
    }
    from += CHUNK;
  });
}

} // namespace

void bulk_load(void *shared, const TensorMap *map, uint64_t *barrier, const int *at, int rank, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  const size_t byte = check(b, t, *map, shared, rank, "bulk copy", site);
  bool busy = false, read = false;
  each_chunk(*map, at, byte, [&](size_t chunk, const char *, size_t, size_t) {
    busy |= in_flight(b, b.shared + chunk, CHUNK);
    read |= !b.engines.reading.empty() && b.engines.reading[chunk / CHUNK] > 0;
  });
  if (busy) b.fail(t, site, "bulk copy: another copy to the same place is under way");
  if (read) b.fail(t, site, "bulk copy: writes what a product or a store is still to read");
  {
    const Unseen unseen;
    BulkLoad load = {*map, {}, byte, barrier, site};
    memcpy(load.at, at, static_cast<size_t>(rank) * sizeof *at);
    b.engines.loads.push_back(load);
    each_chunk(*map, at, byte, [&](size_t chunk, const char *, size_t, size_t) {
#ifdef RPP_SIMT_TSAN
      __tsan_write_range(b.shared + chunk, CHUNK);
#endif
      memset(b.shared + chunk, 0xff, CHUNK);
      mark_in_flight(b, b.shared + chunk, CHUNK, 1);
    });
  }
  add_bytes(b, t, barrier, box_bytes(*map), site);
}

void deliver(Block &b, const uint64_t *barrier) {
  const Unseen unseen;
  std::vector<BulkLoad> &loads = b.engines.loads;
  size_t kept = 0;
  for (size_t i = 0; i < loads.size(); i++) {
    const BulkLoad load = loads[i];
    if (load.barrier == barrier)
      each_chunk(load.map, load.at, load.shared,
                 [&](size_t byte, const char *global, size_t first, size_t last) { load_chunk(b, byte, global, first, last); });
    else
      loads[kept++] = load;
  }
  loads.resize(kept);
}

void bulk_store(const TensorMap *map, const int *at, int rank, const void *shared, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  const size_t byte = check(b, t, *map, shared, rank, "bulk store", site);
  bool busy = false, ordered = true;
  {
    const Unseen unseen;
    each_chunk(*map, at, byte, [&](size_t chunk, const char *, size_t, size_t) {
      busy |= in_flight(b, b.shared + chunk, CHUNK);
      ordered &= engine_reads(b, chunk);
    });
  }
  if (busy) b.fail(t, site, "bulk store: reads what a copy is still to bring");
  if (!ordered) b.fail(t, site, "bulk store: reads what a thread has written without fence.proxy.async since");
  const Unseen unseen;
  BulkStore store = {*map, {}, byte, t.issued.store_groups, false, {}, site};
  memcpy(store.at, at, static_cast<size_t>(rank) * sizeof *at);
  t.issued.stores.push_back(store);
  each_chunk(*map, at, byte, [&](size_t chunk, const char *, size_t, size_t) { engine_will_read(b, chunk, 1); });
}

void bulk_commit() {
  current->issued.store_groups++;
}

void bulk_wait(unsigned groups, bool read_only) {
  Thread &t = *current;
  Block &b = *t.block;
  std::vector<BulkStore> &stores = t.issued.stores;
  size_t kept = 0;
  for (size_t i = 0; i < stores.size(); i++) {
    BulkStore &s = stores[i];
    const bool done = s.group + groups < t.issued.store_groups;
    if (done && !s.read) read_box(b, s);
    if (done && !read_only)
      write_box(s);
    else {
      const Unseen unseen;
      if (kept != i) stores[kept] = s;
      kept++;
    }
  }
  const Unseen unseen;
  stores.resize(kept);
  b.yield(t);
}

void fence_async() {
  current->block->engines.fences++;
}

// ---- The asynchronous proxy's view ----------------------------------------------------------------------------------------

void Engines::clear() {
  barriers.clear(), loads.clear(), view.clear(), seen.clear(), reading.clear();
  fences = 0;
}

namespace {

Engines &with_view(Block &b) {
  Engines &e = b.engines;
  if (e.view.empty()) {
    const size_t chunks = (b.launch->shared + CHUNK - 1) / CHUNK;
    e.view.assign(chunks * CHUNK, '\xff');
    e.seen.assign(chunks, 0);
  }
  return e;
}

} // namespace

void engine_writes(Block &b, size_t byte) {
  Engines &e = with_view(b);
  memcpy(e.view.data() + byte, b.shared + byte, CHUNK);
  e.seen[byte / CHUNK] = e.fences;
}

bool engine_reads(Block &b, size_t byte) {
  Engines &e = with_view(b);
  const bool ordered = e.seen[byte / CHUNK] != e.fences || memcmp(e.view.data() + byte, b.shared + byte, CHUNK) == 0;
  engine_writes(b, byte); // it has seen it now
  return ordered;
}

void engine_will_read(Block &b, size_t byte, int by) {
  Engines &e = b.engines;
  if (e.reading.empty()) e.reading.assign((b.launch->shared + CHUNK - 1) / CHUNK, 0);
  e.reading[byte / CHUNK] += static_cast<unsigned>(by);
}

void finish_thread(Block &b, Thread &t) {
  for (BulkStore &s : t.issued.stores)
    if (!s.read) b.fail(t, s.site, "bulk store: the thread exits without having waited until its box was read");
  for (const Product &p : t.issued.products) b.fail(t, p.site, "wgmma: the thread exits without having waited for this product");
  for (const BulkStore &s : t.issued.stores) write_box(s);
}

void finish_engines(Block &b) {
  const auto report = [&b](const Thread &t, Site site, const char *what) { b.report_end(t, site, what); };
  if (!b.engines.loads.empty()) report(b.threads[0], b.engines.loads[0].site, "bulk copy: no thread has waited for its barrier");
  for (size_t w = 0; !b.failed && w + 4 * WARP <= b.threads.size(); w += 4 * WARP)
    for (size_t other = 1; other < 4; other++)
      if (b.threads[w].issued.history != b.threads[w + other * WARP].issued.history) {
        const Thread &t = b.threads[w + other * WARP];
        return report(t, t.issued.last, "wgmma: the four warps of this thread's warpgroup have issued different products");
      }
}

} // namespace rpp_simt
