// hopper.h: what a kernel for sm_90a sees of the runtime besides simt.h: mbarriers, bulk copies of tensor boxes, wgmma. Bulk copies poison
// where they write when they are issued, and bring the data when somebody waits for them; a product reads its operands, and its accumulators
// stop being NaN, when its warp waits for it: as late as the hardware may be.
#ifndef RPP_SIMT_HOPPER_H
#define RPP_SIMT_HOPPER_H
#include "simt.h"

namespace rpp_simt {

// ---- mbarriers: 8 bytes of shared memory each ----------------------------------------------------------------------------

void mbarrier_init(uint64_t *barrier, unsigned count, Site site);
void mbarrier_inval(uint64_t *barrier, Site site);
void mbarrier_arrive(uint64_t *barrier, unsigned bytes, Site site); // and expects so many bytes more in this phase
bool mbarrier_try_wait(uint64_t *barrier, unsigned parity, Site site);
void mbarrier_wait(uint64_t *barrier, unsigned parity, Site site);

// ---- Bulk copies of boxes ------------------------------------------------------------------------------------------------

constexpr int MAX_RANK = 4;
constexpr uint16_t ENCODED = 0x4d50;

struct TensorMap {
  char *data;
  uint64_t shape[MAX_RANK], strides[MAX_RANK]; // elements, bytes; innermost first
  uint16_t box[MAX_RANK];
  uint16_t rank, element, swizzle, encoded; // bytes of an element; bits of the swizzle; ENCODED
};

void bulk_load(void *shared, const TensorMap *map, uint64_t *barrier, const int *at, int rank, Site site);
void bulk_store(const TensorMap *map, const int *at, int rank, const void *shared, Site site);
void bulk_commit();
void bulk_wait(unsigned groups, bool read_only); // all but the latest groups; read_only: shared memory may be written again
void fence_async();

// ---- Products of a warpgroup ---------------------------------------------------------------------------------------------

// d (64, n) of a thread, n / 2 values, = or += a (64, 16) b (16, n). a_registers: a's fragments; null: a is at its descriptor.
struct ProductOf {
  Element element;
  int n;
  float *d;
  const uint32_t *a_registers;
  uint64_t a, b;
  bool b_transposed, accumulate;
};
uint64_t descriptor(const void *shared, unsigned leading, unsigned stride, unsigned swizzle_bits, Site site);
void wgmma(const ProductOf &product, Site site);
void wgmma_fence();
void wgmma_commit();
void wgmma_wait(unsigned groups, Site site);

bool elect(Site site);

} // namespace rpp_simt
#endif
