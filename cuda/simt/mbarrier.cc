// mbarrier.cc: barriers in shared memory: a phase ends when all its arrivals and all its bytes have come.
#include "block.h"

#include <cstdio>

#ifdef RPP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_write_range(void *, unsigned long);
extern "C" void __tsan_read_range(void *, unsigned long);
#endif

namespace rpp_simt {

namespace {

constexpr uint64_t WORD = 0x7265697272616263; // what an initialised one holds
constexpr int64_t MOST = (1 << 20) - 1;       // arrivals, and bytes of a phase

void release(uint64_t *barrier) {
#ifdef RPP_SIMT_TSAN
  __tsan_release(barrier);
#endif
  (void)barrier;
}
void acquire(uint64_t *barrier) {
#ifdef RPP_SIMT_TSAN
  __tsan_acquire(barrier);
#endif
  (void)barrier;
}

void check_place(Block &b, const Thread &t, const uint64_t *barrier, Site site) {
  if (!in_shared(b, barrier, 8) || reinterpret_cast<uintptr_t>(barrier) % 8 != 0)
    b.fail(t, site, "mbarrier: must be 8 bytes of shared memory, aligned");
}

Mbarrier *find(Block &b, const uint64_t *barrier) {
  for (Mbarrier &m : b.engines.barriers)
    if (m.at == barrier) return &m;
  return nullptr;
}

Mbarrier &known(Block &b, const Thread &t, uint64_t *barrier, Site site) {
  check_place(b, t, barrier, site);
  Mbarrier *m = find(b, barrier);
  if (!m) b.fail(t, site, "mbarrier: is not initialised");
  if (*barrier != WORD) b.fail(t, site, "mbarrier: something else was written over it");
#ifdef RPP_SIMT_TSAN
  __tsan_read_range(barrier, 8); // what is not ordered after its initialisation is a race
#endif
  return *m;
}

void wake_waiting(Block &b, const Mbarrier &m) {
  for (Thread &other : b.threads)
    if (other.wait == Wait::mbarrier && other.issued.barrier == m.at) b.wake(other);
}

void next_phase(Block &b, Mbarrier &m) {
  m.phase++, m.pending = m.count, m.expected = m.under_way = 0;
  wake_waiting(b, m);
}

bool deliverable(const Mbarrier &m) {
  return m.pending == 0 && m.expected == m.under_way;
}

void check_bytes(Block &b, const Thread &t, const Mbarrier &m, Site site) {
  if (m.expected > MOST) b.fail(t, site, "mbarrier: %lld bytes expected: must be below 2^20", static_cast<long long>(m.expected));
  if (m.pending == 0 && m.expected < m.under_way)
    b.fail(t, site, "mbarrier: transaction count: %lld bytes are under way to it, and it expects %lld",
           static_cast<long long>(m.under_way), static_cast<long long>(m.expected));
}

// After an arrival or a new copy. The data comes when somebody waits for it.
void settle(Block &b, Thread &t, Mbarrier &m, Site site) {
  check_bytes(b, t, m, site);
  if (!deliverable(m)) return;
  if (m.under_way == 0)
    next_phase(b, m);
  else
    wake_waiting(b, m);
}

bool passed(Block &b, Mbarrier &m, unsigned parity) {
  if ((m.phase & 1) == parity && deliverable(m)) {
    acquire(m.at);
    deliver(b, m.at);
    release(m.at);
    next_phase(b, m);
  }
  return (m.phase & 1) != parity;
}

} // namespace

void mbarrier_init(uint64_t *barrier, unsigned count, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  check_place(b, t, barrier, site);
  if (count == 0 || count > MOST) b.fail(t, site, "mbarrier for %u arrivals: must be 1 to 2^20 - 1", count);
  if (find(b, barrier)) b.fail(t, site, "mbarrier: is initialised already");
#ifdef RPP_SIMT_TSAN
  __tsan_write_range(barrier, 8);
#endif
  const Unseen unseen;
  *barrier = WORD;
  b.engines.barriers.push_back({barrier, count, count, 0, 0, 0});
}

void mbarrier_inval(uint64_t *barrier, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  Mbarrier &m = known(b, t, barrier, site);
  for (const Thread &other : b.threads)
    if (other.wait == Wait::mbarrier && other.issued.barrier == barrier)
      b.fail(t, site, "mbarrier: is made invalid while thread %s waits at it", text_of(other.identity.thread).text);
  if (m.under_way > 0) b.fail(t, site, "mbarrier: is made invalid while copies are under way");
#ifdef RPP_SIMT_TSAN
  __tsan_write_range(barrier, 8);
#endif
  const Unseen unseen;
  m = b.engines.barriers.back();
  b.engines.barriers.pop_back();
  memset(barrier, 0xff, 8);
}

void mbarrier_arrive(uint64_t *barrier, unsigned bytes, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  Mbarrier &m = known(b, t, barrier, site);
  if (m.pending == 0) b.fail(t, site, "mbarrier: one arrival more than the %u of its phase", m.count);
  release(barrier);
  m.pending--, m.expected += bytes;
  settle(b, t, m, site);
  b.yield(t);
}

void mbarrier_wait(uint64_t *barrier, unsigned parity, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  b.yield(t); // whoever comes next may be faster
  while (!passed(b, known(b, t, barrier, site), parity & 1)) {
    t.site = site, t.issued.barrier = barrier;
    b.wait(t, Wait::mbarrier);
  }
  acquire(barrier);
}

// It may give up at once, or wait for long: both in turn, so that a loop of it ends in a report where nothing comes.
bool mbarrier_try_wait(uint64_t *barrier, unsigned parity, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  known(b, t, barrier, site);
  if (b.next_random() & 1) {
    b.yield(t);
    return false;
  }
  mbarrier_wait(barrier, parity, site);
  return true;
}

BarrierText describe_mbarrier(const Block &b, const uint64_t *barrier) {
  BarrierText line = {"an mbarrier"};
  for (const Mbarrier &m : b.engines.barriers)
    if (m.at == barrier)
      snprintf(line.text, sizeof line.text, "an mbarrier, phase %llu, which lacks %u of %u arrivals and %lld bytes",
               static_cast<unsigned long long>(m.phase), m.pending, m.count, static_cast<long long>(m.expected - m.under_way));
  return line;
}

void add_bytes(Block &b, Thread &t, uint64_t *barrier, size_t bytes, Site site) {
  Mbarrier &m = known(b, t, barrier, site);
  release(barrier);
  m.under_way += static_cast<int64_t>(bytes);
  settle(b, t, m, site);
}

bool elect(Site site) {
  Thread &t = *current;
  meet("elect.sync", 0xffffffff, nullptr, site, [](Block &, Thread *, unsigned) {});
  return t.lane == (t.block->launch->seed * 0x9e3779b97f4a7c15u >> 59); // any lane, but always the same
}

} // namespace rpp_simt
