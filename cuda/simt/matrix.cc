// matrix.cc: ldmatrix and mma.m16n8k16, fragments laid out as the PTX manual draws them: lane = 4 group + t.
#include "../float16.h"
#include "block.h"

#ifdef RPP_SIMT_TSAN
extern "C" void __tsan_read_range(void *, unsigned long);
#endif

namespace rpp_simt {

namespace {

struct Loaded {
  const void *row;
  uint32_t *fragments;
  int matrices;
  bool transposed;
};

void complete_ldmatrix(Block &, Thread *warp, unsigned) {
  const Unseen unseen;
  const Loaded &first = *static_cast<Loaded *>(warp[0].argument);
  for (unsigned m = 0; m < static_cast<unsigned>(first.matrices); m++) {
    uint16_t matrix[8][8];
    for (unsigned r = 0; r < 8; r++) memcpy(matrix[r], static_cast<Loaded *>(warp[8 * m + r].argument)->row, 16);
    for (unsigned lane = 0; lane < WARP; lane++) {
      const unsigned r = lane / 4, c = lane % 4 * 2;
      const uint16_t low = first.transposed ? matrix[c][r] : matrix[r][c];
      const uint16_t high = first.transposed ? matrix[c + 1][r] : matrix[r][c + 1];
      static_cast<Loaded *>(warp[lane].argument)->fragments[m] = static_cast<uint32_t>(high) << 16 | low;
    }
  }
}

struct Multiplied {
  Element element;
  float *d;
  const uint32_t *a, *b;
  const float *c;
};

float value_of(Element element, uint32_t pair, unsigned half) {
  const uint16_t bits = static_cast<uint16_t>(half ? pair >> 16 : pair & 0xffff);
  return element == ELEMENT_F16 ? rpp_float_from_f16(bits) : rpp_float_from_bf16(bits);
}

// The exact sum of 16 products and c, to float64, rounded once: what hardware cuts off is not modelled.
void complete_mma(Block &, Thread *warp, unsigned) {
  const Unseen unseen;
  static_assert(WARP == 32, "fragments are of 32 lanes");
  float a[16][16], b[16][8], d[16][8];
  for (unsigned lane = 0; lane < WARP; lane++) {
    const Multiplied &m = *static_cast<Multiplied *>(warp[lane].argument);
    const unsigned group = lane / 4, t = lane % 4 * 2;
    for (unsigned i = 0; i < 4; i++)
      for (unsigned h = 0; h < 2; h++) a[group + i % 2 * 8][t + h + i / 2 * 8] = value_of(m.element, m.a[i], h);
    for (unsigned i = 0; i < 2; i++)
      for (unsigned h = 0; h < 2; h++) b[t + h + i * 8][group] = value_of(m.element, m.b[i], h);
    for (unsigned i = 0; i < 4; i++) d[group + i / 2 * 8][t + i % 2] = m.c[i];
  }
  for (unsigned r = 0; r < 16; r++)
    for (unsigned c = 0; c < 8; c++) {
      double sum = static_cast<double>(d[r][c]);
      for (unsigned k = 0; k < 16; k++) sum += static_cast<double>(a[r][k]) * static_cast<double>(b[k][c]);
      d[r][c] = static_cast<float>(sum);
    }
  for (unsigned lane = 0; lane < WARP; lane++) {
    const Multiplied &m = *static_cast<Multiplied *>(warp[lane].argument);
    for (unsigned i = 0; i < 4; i++) m.d[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
  }
}

} // namespace

void ldmatrix(uint32_t *fragments, const void *row, int matrices, bool transposed, Site site) {
  Thread &t = *current;
  Block &b = *t.block;
  const bool read = t.lane < 8 * static_cast<unsigned>(matrices); // the others' addresses are ignored
  if (read && !in_shared(b, row, 16)) b.fail(t, site, "ldmatrix: a row lies outside shared memory");
  if (read && reinterpret_cast<uintptr_t>(row) % 16 != 0) b.fail(t, site, "ldmatrix: a row is not aligned to 16 bytes");
  if (read && in_flight(b, row, 16)) b.fail(t, site, "ldmatrix: reads what a cp.async is still to bring");
#ifdef RPP_SIMT_TSAN
  if (read) __tsan_read_range(const_cast<void *>(row), 16);
#endif
  uint32_t loaded[4];
  Loaded l = {row, loaded, matrices, transposed};
  meet(transposed ? "ldmatrix.trans" : "ldmatrix", 0xffffffff, &l, site, complete_ldmatrix);
  for (int m = 0; m < matrices; m++) fragments[m] = loaded[m];
}

void mma_m16n8k16(Element element, float d[4], const uint32_t a[4], const uint32_t b[2], const float c[4], Site site) {
  float result[4];
  Multiplied m = {element, result, a, b, c};
  meet(element == ELEMENT_F16 ? "mma.f16" : "mma.bf16", 0xffffffff, &m, site, complete_mma);
  memcpy(d, result, sizeof result);
}

} // namespace rpp_simt
