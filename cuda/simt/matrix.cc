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
  float *d;
  const uint32_t *a, *b;
  const float *c;
};

template <Element ELEMENT> double value_of(uint32_t bits) {
  return static_cast<double>(ELEMENT == ELEMENT_F16 ? rpp_float_from_f16(static_cast<uint16_t>(bits))
                                                    : rpp_float_of_bits(bits << 16));
}

// Two columns, as every machine has them.
typedef double Two __attribute__((vector_size(16)));

// The exact sum of 16 products and c, to float64, rounded once: what hardware cuts off is not modelled.
void multiply(const double (*a)[16], const Two (*b)[4], float (*d)[8]) {
  for (unsigned r = 0; r < 16; r++)
    for (unsigned c = 0; c < 4; c += 2) {
      Two one = {static_cast<double>(d[r][2 * c]), static_cast<double>(d[r][2 * c + 1])};
      Two two = {static_cast<double>(d[r][2 * c + 2]), static_cast<double>(d[r][2 * c + 3])};
      for (unsigned k = 0; k < 16; k++) one += a[r][k] * b[k][c], two += a[r][k] * b[k][c + 1];
      d[r][2 * c] = static_cast<float>(one[0]), d[r][2 * c + 1] = static_cast<float>(one[1]);
      d[r][2 * c + 2] = static_cast<float>(two[0]), d[r][2 * c + 3] = static_cast<float>(two[1]);
    }
}

template <Element ELEMENT> void complete_mma(Block &, Thread *warp, unsigned) {
  const Unseen unseen;
  static_assert(WARP == 32, "fragments are of 32 lanes");
  double a[16][16];
  Two b[16][4];
  float d[16][8];
  for (unsigned lane = 0; lane < WARP; lane++) {
    const Multiplied &m = *static_cast<Multiplied *>(warp[lane].argument);
    const unsigned group = lane / 4, t = lane % 4 * 2;
    for (unsigned i = 0; i < 4; i++) {
      double *to = &a[group + i % 2 * 8][t + i / 2 * 8];
      to[0] = value_of<ELEMENT>(m.a[i] & 0xffff), to[1] = value_of<ELEMENT>(m.a[i] >> 16);
      d[group + i / 2 * 8][t + i % 2] = m.c[i];
    }
    for (unsigned i = 0; i < 2; i++) {
      b[t + i * 8][group / 2][group % 2] = value_of<ELEMENT>(m.b[i] & 0xffff);
      b[t + 1 + i * 8][group / 2][group % 2] = value_of<ELEMENT>(m.b[i] >> 16);
    }
  }
  multiply(a, b, d);
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
  Multiplied m = {result, a, b, c};
  if (element == ELEMENT_F16)
    meet("mma.f16", 0xffffffff, &m, site, complete_mma<ELEMENT_F16>);
  else
    meet("mma.bf16", 0xffffffff, &m, site, complete_mma<ELEMENT_BF16>);
  memcpy(d, result, sizeof result);
}

} // namespace rpp_simt
