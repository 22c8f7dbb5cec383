// async.h: what the engines beside a block's threads have under way: bulk copies and products. Internal to the runtime.
#ifndef RPP_SIMT_ASYNC_H
#define RPP_SIMT_ASYNC_H
#include "hopper.h"

#include <vector>

namespace rpp_simt {

struct Block;
struct Thread;

struct Mbarrier {
  uint64_t *at;
  unsigned count, pending;     // arrivals of a phase; those still to come
  int64_t expected, under_way; // bytes of this phase; of copies that were issued
  uint64_t phase;
};

struct BulkLoad {
  TensorMap map;
  int at[MAX_RANK];
  size_t shared; // the box's byte in shared memory
  uint64_t *barrier;
  Site site;
};

struct BulkStore {
  TensorMap map;
  int at[MAX_RANK];
  size_t shared;
  uint64_t group;
  bool read;              // its box has been read
  std::vector<char> data; // by then
  Site site;
};

struct Product {
  ProductOf of;
  uint32_t a[4];
  std::vector<float> c; // what is added to: known when no earlier product is under way to the same accumulators
  uint64_t group;
  Site site;
};

// Of a block.
struct Engines {
  std::vector<Mbarrier> barriers;
  std::vector<BulkLoad> loads;
  // Shared memory as the asynchronous proxy last saw it, and for every 16 bytes how many fences there had been then.
  std::vector<char> view;
  std::vector<unsigned> seen;
  std::vector<unsigned> reading; // for every 16 bytes: stores and products that are still to read them
  unsigned fences;

  void clear();
};

// Of a thread.
struct Issued {
  std::vector<BulkStore> stores;
  uint64_t store_groups;
  std::vector<Product> products;
  uint64_t product_groups, history; // history: of all products, to compare warps by
  Site last;                        // of the last product
  bool fenced;                      // wgmma.fence since its accumulators were last its own
  uint64_t *barrier;                // that it waits at
};

// Byte of shared memory, swizzled: bits from 7 on are added to those from 4 on.
inline size_t swizzled(size_t byte, unsigned bits) {
  return byte ^ (byte >> 3 & ((size_t(1) << bits) - 1) << 4);
}

// 16 bytes of shared memory, a multiple of 16 from its start, written or read by an engine. False: what was read is a thread's, and no
// fence.proxy.async lies between.
void engine_writes(Block &b, size_t byte);
bool engine_reads(Block &b, size_t byte);
void engine_will_read(Block &b, size_t byte, int by); // by 1: a read is under way, -1: no longer

// The loads of a barrier: bytes more are under way; and all of them come.
void add_bytes(Block &b, Thread &t, uint64_t *barrier, size_t bytes, Site site);
void deliver(Block &b, const uint64_t *barrier);

// A line on an mbarrier that a thread waits at.
struct BarrierText {
  char text[128];
};
BarrierText describe_mbarrier(const Block &b, const uint64_t *barrier);

// When a thread exits, and when all have: what was not waited for is a report.
void finish_thread(Block &b, Thread &t);
void finish_engines(Block &b);

} // namespace rpp_simt
#endif
