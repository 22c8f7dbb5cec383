// matrix.cc, float16.h: 16-bit numbers, ldmatrix and mma.m16n8k16 by their definitions.
#include "simt_harness.h"

#include <cmath>
#include <initializer_list>

// Every seventh under ThreadSanitizer, which makes each of Check's assertions slow.
#ifdef RPP_TEST_TSAN
#define RPP_TEST_SPARSE 1
#else
#define RPP_TEST_SPARSE 0
#endif

START_TEST(sixteen_bits_round_as_the_reference_does) {
  uint64_t state = 1;
  for (uint32_t bits = 0; bits < 65536; bits += 1 + 6 * RPP_TEST_SPARSE) {
    const uint16_t b = static_cast<uint16_t>(bits);
    const double f16 = rpp_f64_from_f16(b), bf16 = rpp_f64_from_bf16(b);
    ck_assert(std::isnan(f16) ? std::isnan(rpp_float_from_f16(b)) : static_cast<double>(rpp_float_from_f16(b)) == f16);
    ck_assert(std::isnan(bf16) ? std::isnan(rpp_float_from_bf16(b)) : static_cast<double>(rpp_float_from_bf16(b)) == bf16);
    const uint32_t near = bits << 16 | static_cast<uint32_t>(support_random(&state) & 0xffff), tie = bits << 16 | 0x8000;
    for (uint32_t x : {near, tie, bits << 13, bits << 13 | 0x1000, (bits << 13 | 0x1000) + 1, bits << 13 | 0xfff}) {
      const float value = rpp_float_of_bits(x);
      ck_assert_uint_eq(rpp_f16_from_float(value), rpp_f16_from_f64(static_cast<double>(value)));
      ck_assert_uint_eq(rpp_bf16_from_float(value), rpp_bf16_from_f64(static_cast<double>(value)));
    }
  }
}
END_TEST

static void loads(uint32_t *plain, uint32_t *transposed) { // (32, 4) each
  uint16_t *matrix = shared_array<uint16_t>(0, 4 * 64);
  for (unsigned i = threadIdx.x; i < 256; i += 32) matrix[i] = static_cast<uint16_t>(i);
  __syncwarp();
  ldmatrix_x4(plain + threadIdx.x * 4, matrix + threadIdx.x * 8);
  ldmatrix_x4_trans(transposed + threadIdx.x * 4, matrix + threadIdx.x * 8);
}

START_TEST(ldmatrix_gives_each_lane_its_elements) {
  uint32_t plain[128], transposed[128];
  simt_clean(loads, dim3(1), dim3(32), 512, plain, transposed);
  for (uint32_t lane = 0; lane < 32; lane++)
    for (uint32_t m = 0; m < 4; m++) {
      const uint32_t r = lane / 4, c = lane % 4 * 2;
      ck_assert_uint_eq(plain[lane * 4 + m], (m * 64 + r * 8 + c + 1) << 16 | (m * 64 + r * 8 + c));
      ck_assert_uint_eq(transposed[lane * 4 + m], (m * 64 + (c + 1) * 8 + r) << 16 | (m * 64 + c * 8 + r));
    }
}
END_TEST

// a: (16, 16), b: (16, 8), row-major; c: (16, 8), added to and overwritten.
template <bool BF16> void multiplies(const uint16_t *a, const uint16_t *b, float *c) {
  const unsigned group = threadIdx.x / 4, t = threadIdx.x % 4 * 2;
  uint32_t fa[4], fb[2];
  float fc[4];
  for (unsigned i = 0; i < 4; i++) {
    const uint16_t *at = a + (group + i % 2 * 8) * 16 + t + i / 2 * 8;
    fa[i] = static_cast<uint32_t>(at[1]) << 16 | at[0];
    fc[i] = c[(group + i / 2 * 8) * 8 + t + i % 2];
  }
  for (unsigned i = 0; i < 2; i++) fb[i] = static_cast<uint32_t>(b[(t + 1 + i * 8) * 8 + group]) << 16 | b[(t + i * 8) * 8 + group];
  if (BF16)
    mma_m16n8k16_bf16(fc, fa, fb, fc);
  else
    mma_m16n8k16_f16(fc, fa, fb, fc);
  for (unsigned i = 0; i < 4; i++) c[(group + i / 2 * 8) * 8 + t + i % 2] = fc[i];
}

template <bool BF16> void check_product() {
  uint16_t a[256], b[128];
  float c[128], expected[128];
  uint64_t state = 3;
  for (uint16_t &x : a)
    x = BF16 ? rpp_bf16_from_float(static_cast<float>(support_random(&state) % 17) - 8)
             : rpp_f16_from_float(static_cast<float>(support_random(&state) % 17) - 8);
  for (uint16_t &x : b)
    x = BF16 ? rpp_bf16_from_float(static_cast<float>(support_random(&state) % 9) / 4)
             : rpp_f16_from_float(static_cast<float>(support_random(&state) % 9) / 4);
  for (int i = 0; i < 128; i++) c[i] = expected[i] = static_cast<float>(i);
  for (int i = 0; i < 128; i++)
    for (int k = 0; k < 16; k++)
      expected[i] += BF16 ? rpp_float_from_bf16(a[i / 8 * 16 + k]) * rpp_float_from_bf16(b[k * 8 + i % 8])
                          : rpp_float_from_f16(a[i / 8 * 16 + k]) * rpp_float_from_f16(b[k * 8 + i % 8]);
  const rpp_simt::Stream stream = {5, 0};
  ck_assert(
      launch("kernel_name", multiplies<BF16>, dim3(1), dim3(32), 0, const_cast<rpp_simt::Stream *>(&stream), simt_report, a, b, c));
  for (int i = 0; i < 128; i++) ck_assert(c[i] == expected[i]); // all of them exact
}

START_TEST(mma_multiplies) {
  check_product<false>();
  check_product<true>();
}
END_TEST

static void half_a_warp() {
  float c[4] = {};
  const uint32_t a[4] = {}, b[2] = {};
  if (threadIdx.x < 16) PLANTED, mma_m16n8k16_f16(c, a, b, c);
}
static void outside() {
  uint32_t fragments[4];
  PLANTED, ldmatrix_x4(fragments, shared_array<char>(0, 16) + threadIdx.x * 32);
}
static void unaligned() {
  uint32_t fragments[4];
  PLANTED, ldmatrix_x4(fragments, shared_array<char>(0, 16) + 8);
}

START_TEST(misuse_is_reported) {
  simt_reported("which has exited", half_a_warp, dim3(1), dim3(32), 0);
  simt_reported("outside shared memory", outside, dim3(1), dim3(32), 512);
  simt_reported("not aligned", unaligned, dim3(1), dim3(32), 512);
}
END_TEST

SIMT_SUITE("simt_matrix", sixteen_bits_round_as_the_reference_does, ldmatrix_gives_each_lane_its_elements, mma_multiplies,
           misuse_is_reported)
