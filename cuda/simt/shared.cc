// shared.cc: a block's shared memory, and asynchronous copies into it. A copy poisons its destination when it is issued, and the data comes
// when its thread waits for it, as late as the hardware may be.
#include "block.h"

#ifdef RPP_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef RPP_SIMT_TSAN
extern "C" void __tsan_write_range(void *, unsigned long);
extern "C" void __tsan_read_range(void *, unsigned long);
#endif

namespace rpp_simt {

namespace {

void arrive(Block &b, const Copy &c) {
  mark_in_flight(b, c.shared, c.size, -1);
#ifdef RPP_SIMT_TSAN
  __tsan_read_range(const_cast<char *>(c.global), c.valid);
  __tsan_write_range(c.shared, c.size);
#endif
  const Unseen unseen; // told above
  memcpy(c.shared, c.global, c.valid);
  memset(c.shared + c.valid, 0, c.size - c.valid);
}

// Copies of the groups below arrive.
void arrive_before(uint64_t group) {
  Thread &t = *current;
  size_t kept = 0;
  for (size_t i = 0; i < t.copies.size(); i++)
    if (t.copies[i].group < group)
      arrive(*t.block, t.copies[i]);
    else
      t.copies[kept++] = t.copies[i];
  t.copies.resize(kept);
}

} // namespace

bool in_shared(const Block &b, const void *at, size_t bytes) {
  const uintptr_t first = reinterpret_cast<uintptr_t>(at), base = reinterpret_cast<uintptr_t>(b.shared);
  return first >= base && first - base <= b.launch->shared && bytes <= b.launch->shared - (first - base);
}

bool in_flight(const Block &b, const void *at, size_t bytes) {
  if (b.in_flight.empty()) return false;
  const size_t first = static_cast<size_t>(static_cast<const char *>(at) - b.shared);
  for (size_t i = first / 4; i < (first + bytes + 3) / 4; i++)
    if (b.in_flight[i]) return true;
  return false;
}

void mark_in_flight(Block &b, char *at, size_t bytes, int by) {
  if (b.in_flight.empty()) b.in_flight.assign((b.launch->shared + 3) / 4, 0);
  const size_t first = static_cast<size_t>(at - b.shared);
  for (size_t i = first / 4; i < (first + bytes) / 4; i++) b.in_flight[i] = static_cast<unsigned char>(b.in_flight[i] + by);
#ifdef RPP_SIMT_ASAN
  if (bytes < 8) return; // AddressSanitizer poisons whole words
  by > 0 ? __asan_poison_memory_region(at, bytes) : __asan_unpoison_memory_region(at, bytes);
#endif
}

void *shared_memory(size_t offset, size_t bytes, Site site) {
  Thread &t = *current;
  const size_t size = t.block->launch->shared;
  if (offset > size || bytes > size - offset)
    t.block->fail(t, site, "too little shared memory: %zu bytes from %zu, but the launch gave %zu", bytes, offset, size);
  return t.block->shared + offset;
}

void cp_async(void *shared, const void *global, size_t size, size_t valid, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  if (size != 4 && size != 8 && size != 16) b.fail(t, site, "cp.async of %zu bytes: must be 4, 8 or 16", size);
  if (valid > size) b.fail(t, site, "cp.async of %zu bytes, %zu of them valid", size, valid);
  if (!in_shared(b, shared, size)) b.fail(t, site, "cp.async: its destination is outside shared memory");
  if (reinterpret_cast<uintptr_t>(shared) % size != 0 || (valid > 0 && reinterpret_cast<uintptr_t>(global) % size != 0))
    b.fail(t, site, "cp.async of %zu bytes: its addresses must be multiples of that", size);
  if (in_flight(b, shared, size)) b.fail(t, site, "cp.async: another copy to the same place is under way");
#ifdef RPP_SIMT_TSAN
  __tsan_write_range(shared, size);
#endif
  const Unseen unseen;
  memset(shared, 0xff, size);
  t.copies.push_back({static_cast<char *>(shared), static_cast<const char *>(global), size, valid, t.groups, site});
  mark_in_flight(b, static_cast<char *>(shared), size, 1);
}

void cp_async_commit() {
  current->groups++;
}

void cp_async_wait(unsigned groups) {
  if (current->groups > groups) arrive_before(current->groups - groups);
}

void cp_async_wait_all() {
  arrive_before(current->groups + 1);
}

} // namespace rpp_simt
