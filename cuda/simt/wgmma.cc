// wgmma.cc: products of a warpgroup, m64nNk16. A warp has 16 of the 64 rows, and what it reads and adds up happens when it waits.
#include "../float16.h"
#include "block.h"

#ifdef RPP_SIMT_TSAN
extern "C" void __tsan_read_range(void *, unsigned long);
#endif

namespace rpp_simt {

namespace {

constexpr size_t CHUNK = 16; // bytes of 8 elements
constexpr int DEPTH = 16, ROWS = 16;

// A matrix of n x 16 elements (its rows are a's rows or b's columns) as a descriptor says: the offsets of the PTX manual, in bytes.
struct Operand {
  size_t start, leading, stride;
  unsigned bits; // of the swizzle
  bool along_n;  // elements of one k lie side by side
};

Operand operand_of(uint64_t descriptor, bool along_n) {
  const auto field = [&](int bit) { return static_cast<size_t>(descriptor >> bit & 0x3fff) << 4; };
  const unsigned code = static_cast<unsigned>(descriptor >> 62);
  return {field(0), field(16), field(32), code == 0 ? 0 : 4 - code, along_n};
}

// Byte of element (n, k) in shared memory. A swizzle of B bits has rows of 2^B chunks.
size_t byte_of(const Operand &o, size_t n, size_t k) {
  const size_t row = CHUNK << o.bits;
  size_t byte = o.start;
  if (!o.along_n)
    byte += n % 8 * row + n / 8 * o.stride + (o.bits == 0 ? k / 8 * o.leading + k % 8 * 2 : k * 2);
  else if (o.bits == 0)
    byte += n / 8 * o.stride + k % 8 * row + k / 8 * o.leading + n % 8 * 2;
  else
    byte += n / (row / 2) * o.leading + n % (row / 2) * 2 + k % 8 * row + k / 8 * o.stride;
  return swizzled(byte, o.bits);
}

template <class F> void each_chunk(const Operand &o, size_t first, size_t last, F visit) {
  for (size_t n = first; n < last; n += o.along_n ? 8 : 1)
    for (size_t k = 0; k < DEPTH; k += o.along_n ? 1 : 8) visit(byte_of(o, n, k));
}

// Rows of a that a warp reads.
size_t first_row(const Thread &t) {
  return t.index / WARP % 4 * ROWS;
}

void check_operand(Block &b, const Thread &t, const Operand &o, size_t first, size_t last, const char *name, Site site) {
  const size_t row = CHUNK << o.bits;
  if (o.bits > 0 && o.start % (8 * row) >= row)
    b.fail(t, site, "wgmma: %s begins at byte %zu: must be in the first %zu of every %zu for this swizzle", name, o.start, row,
           8 * row);
  bool outside = false, busy = false, ordered = true;
  {
    const Unseen unseen;
    each_chunk(o, first, last, [&](size_t byte) {
      if (outside || (outside = !in_shared(b, b.shared + byte, CHUNK))) return;
      busy |= in_flight(b, b.shared + byte, CHUNK);
      ordered &= engine_reads(b, byte);
    });
  }
  if (outside) b.fail(t, site, "wgmma: %s reaches outside shared memory", name);
  if (busy) b.fail(t, site, "wgmma: %s has what a copy is still to bring", name);
  if (!ordered) b.fail(t, site, "wgmma: %s has what a thread has written without fence.proxy.async since", name);
}

uint64_t mixed(uint64_t history, uint64_t word) {
  return (history ^ word) * 0x9e3779b97f4a7c15u + 1;
}

bool same(const ProductOf &x, const ProductOf &y) {
  return x.element == y.element && x.n == y.n && (x.a_registers || y.a_registers || x.a == y.a) && x.b == y.b &&
         x.b_transposed == y.b_transposed && x.accumulate == y.accumulate;
}

void will_read(Block &b, const Thread &warp, const ProductOf &p, int by) {
  const size_t first = first_row(warp);
  if (!p.a_registers) each_chunk(operand_of(p.a, false), first, first + ROWS, [&](size_t byte) { engine_will_read(b, byte, by); });
  each_chunk(operand_of(p.b, p.b_transposed), 0, static_cast<size_t>(p.n), [&](size_t byte) { engine_will_read(b, byte, by); });
}

void complete_issue(Block &b, Thread *warp, unsigned) {
  const ProductOf &p = *static_cast<ProductOf *>(warp[0].argument);
  const Site site = warp[0].site;
  for (unsigned lane = 1; lane < WARP; lane++)
    if (!same(p, *static_cast<ProductOf *>(warp[lane].argument)))
      b.fail(warp[lane], site, "wgmma: lane %u brings other operands than lane 0", lane);
  const size_t first = first_row(warp[0]);
  if (!p.a_registers) check_operand(b, warp[0], operand_of(p.a, false), first, first + ROWS, "a", site);
  check_operand(b, warp[0], operand_of(p.b, p.b_transposed), 0, static_cast<size_t>(p.n), "b", site);
  const Unseen unseen;
  will_read(b, warp[0], p, 1);
  warp[0].issued.last = site;
  uint64_t &history = warp[0].issued.history;
  history = mixed(mixed(mixed(history, p.a_registers ? 0 : p.a), p.b), static_cast<uint64_t>(p.n) * 2 + p.accumulate);
}

float value_of(Element element, uint32_t pair, unsigned half) {
  const uint16_t bits = static_cast<uint16_t>(half ? pair >> 16 : pair & 0xffff);
  return element == ELEMENT_F16 ? rpp_float_from_f16(bits) : rpp_float_from_bf16(bits);
}

float load(Block &b, Element element, size_t byte) {
  uint16_t bits;
  memcpy(&bits, b.shared + byte, 2);
  return element == ELEMENT_F16 ? rpp_float_from_f16(bits) : rpp_float_from_bf16(bits);
}

void see_reads(Block &b, const Operand &o, size_t first, size_t last) {
#ifdef RPP_SIMT_TSAN
  each_chunk(o, first, last, [&](size_t byte) { __tsan_read_range(b.shared + byte, CHUNK); });
#endif
  (void)b, (void)o, (void)first, (void)last;
}

// What the warp's 16 rows of a and b hold now: a (16, 16), b (16, n).
void read_operands(Block &b, Thread *warp, size_t index, std::vector<float> &a, std::vector<float> &bs) {
  const ProductOf &p = warp[0].issued.products[index].of;
  const size_t n = static_cast<size_t>(p.n), first = first_row(warp[0]);
  const Operand oa = operand_of(p.a, false), ob = operand_of(p.b, p.b_transposed);
  a.resize(ROWS * DEPTH), bs.resize(DEPTH * n);
  if (p.a_registers)
    for (unsigned lane = 0; lane < WARP; lane++)
      for (unsigned i = 0; i < 8; i++) {
        const uint32_t pair = warp[lane].issued.products[index].a[i / 2];
        a[(lane / 4 + i / 2 % 2 * 8) * DEPTH + lane % 4 * 2 + i / 4 * 8 + i % 2] = value_of(p.element, pair, i % 2);
      }
  else {
    see_reads(b, oa, first, first + ROWS);
    for (size_t r = 0; r < ROWS; r++)
      for (size_t k = 0; k < DEPTH; k++) a[r * DEPTH + k] = load(b, p.element, byte_of(oa, first + r, k));
  }
  see_reads(b, ob, 0, n);
  for (size_t k = 0; k < DEPTH; k++)
    for (size_t c = 0; c < n; c++) bs[k * n + c] = load(b, p.element, byte_of(ob, c, k));
}

// The lane's part of c + a b, the exact sum rounded once; to the accumulators, or to a later product that adds to them.
void finish_lane(Thread &t, size_t index, const std::vector<float> &a, const std::vector<float> &b) {
  Product &p = t.issued.products[index];
  const size_t n = static_cast<size_t>(p.of.n);
  for (size_t i = 0; i < n / 2; i++) {
    const size_t row = t.lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + t.lane % 4 * 2 + i % 2;
    double sum = p.of.accumulate ? static_cast<double>(p.c[i]) : 0;
    for (size_t k = 0; k < DEPTH; k++) sum += static_cast<double>(a[row * DEPTH + k]) * static_cast<double>(b[k * n + column]);
    p.c[i] = static_cast<float>(sum);
  }
  for (size_t later = index + 1; later < t.issued.products.size(); later++)
    if (t.issued.products[later].of.d == p.of.d) return void(t.issued.products[later].c = p.c);
  memcpy(p.of.d, p.c.data(), n / 2 * sizeof(float));
}

struct Waiting {
  unsigned groups;
};

void complete_wait(Block &b, Thread *warp, unsigned) {
  const Unseen unseen;
  const unsigned groups = static_cast<Waiting *>(warp[0].argument)->groups;
  const Issued &first = warp[0].issued;
  size_t done = 0;
  std::vector<float> a, bs;
  while (done < first.products.size() && first.products[done].group + groups < first.product_groups) {
    read_operands(b, warp, done, a, bs);
    for (unsigned lane = 0; lane < WARP; lane++) finish_lane(warp[lane], done, a, bs);
    will_read(b, warp[0], first.products[done].of, -1);
    done++;
  }
  for (unsigned lane = 0; lane < WARP; lane++) {
    Issued &issued = warp[lane].issued;
    issued.products.erase(issued.products.begin(), issued.products.begin() + static_cast<std::ptrdiff_t>(done));
    if (done > 0 && issued.products.empty()) issued.fenced = false;
  }
}

} // namespace

uint64_t descriptor(const void *shared, unsigned leading, unsigned stride, unsigned swizzle_bits, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  if (!in_shared(b, shared, CHUNK)) b.fail(t, site, "wgmma: a descriptor of something outside shared memory");
  const size_t start = static_cast<size_t>(static_cast<const char *>(shared) - b.shared);
  if (start % 16 != 0 || leading % 16 != 0 || stride % 16 != 0 || (leading | stride) >> 18)
    b.fail(t, site, "wgmma: a descriptor of byte %zu, offsets %u and %u: must be multiples of 16 below 2^18", start, leading,
           stride);
  const uint64_t code = swizzle_bits == 0 ? 0 : 4 - swizzle_bits;
  return code << 62 | static_cast<uint64_t>(stride >> 4) << 32 | static_cast<uint64_t>(leading >> 4) << 16 | start >> 4;
}

void wgmma(const ProductOf &product, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  if (t.index / (4 * WARP) * 4 * WARP + 4 * WARP > b.threads.size())
    b.fail(t, site, "wgmma: the warp is in no whole warpgroup: the block has %zu threads", b.threads.size());
  if (!t.issued.fenced) b.fail(t, site, "wgmma: no wgmma.fence since its registers were last the thread's own");
  ProductOf p = product;
  meet("wgmma.mma_async", 0xffffffff, &p, site, complete_issue);
  const Unseen unseen;
  bool first = true; // of those under way to these accumulators
  for (const Product &earlier : t.issued.products) first &= earlier.of.d != p.d;
  Product issued = {p, {}, {}, t.issued.product_groups, site};
  if (p.a_registers) memcpy(issued.a, p.a_registers, sizeof issued.a);
  issued.c.assign(p.d, p.d + p.n / 2);
  if (first)
    for (int i = 0; i < p.n / 2; i++) p.d[i] = __builtin_nanf("");
  t.issued.products.push_back(std::move(issued));
}

void wgmma_fence() {
  current->issued.fenced = true;
}

void wgmma_commit() {
  current->issued.product_groups++;
}

void wgmma_wait(unsigned groups, Site site) {
  Waiting w = {groups};
  meet("wgmma.wait_group", 0xffffffff, &w, site, complete_wait);
}

} // namespace rpp_simt
