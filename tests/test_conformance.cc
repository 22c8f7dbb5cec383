// conformance*.cu: what each wrapper does in the SIMT runtime, against plain loops, in several orders of threads.
#include "conformance_input.h"
#include "support.h"

#include "simt/stream.h"

#include <cmath>

static char report[512];

template <class T> static T get(const unsigned char *at, size_t i) {
  T value;
  memcpy(&value, at + i * sizeof value, sizeof value);
  return value;
}
template <class T> static void put(Bytes &out, size_t i, T value) {
  memcpy(&out[i * sizeof value], &value, sizeof value);
}

using Expect = void (*)(const unsigned char *in, Bytes &out);

// ---- cu_compat.h --------------------------------------------------------------------------------------------------------

static void cp_async(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < out.size(); i++) out[i] = i % 16 < i / 512 ? in[i % 512] : 0;
}
static void cp_async_groups(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < out.size(); i++) out[i] = in[i / 512 * 512 + (31 - i / 16 % 32) * 16 + i % 16];
}
template <bool TRANSPOSED> static void ldmatrix(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 256; i++) { // lane, matrix, half
    const size_t lane = i / 8, matrix = i / 2 % 4, row = lane / 4, column = lane % 4 * 2 + i % 2;
    put(out, i, get<uint16_t>(in, matrix * 64 + (TRANSPOSED ? column * 8 + row : row * 8 + column)));
  }
}
static float half(const unsigned char *in, size_t i, bool bf16) {
  return bf16 ? rpp_float_from_bf16(get<uint16_t>(in, i)) : rpp_float_from_f16(get<uint16_t>(in, i));
}
template <bool BF16> static void mma(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 128; i++) {
    float sum = get<float>(in + 768, i);
    for (size_t k = 0; k < 16; k++) sum += half(in, i / 8 * 16 + k, BF16) * half(in, 256 + k * 8 + i % 8, BF16); // exact
    put(out, i, sum);
  }
}
static void barriers(const unsigned char *in, Bytes &out) {
  uint32_t mine[128];
  for (size_t i = 0; i < 128; i++) mine[i] = get<uint32_t>(in, 127 - (i / 32 * 32 + 31 - i % 32));
  for (size_t i = 0; i < 128; i++) put(out, i, i < 64 ? mine[i] : mine[i] + mine[i - 64]);
}
static void shuffles(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 32; i++) {
    const uint32_t mine = get<uint32_t>(in, i);
    put(out, i, get<uint32_t>(in, mine % 32));
    put(out, 32 + i, get<uint32_t>(in, i / 8 * 8 + mine % 8));
    put(out, 64 + i, get<uint32_t>(in, i ^ 5));
    put(out, 96 + i, get<uint32_t>(in, i % 16 < 3 ? i : i - 3));
    put(out, 128 + i, get<uint32_t>(in, i % 16 > 12 ? i : i + 3));
    put(out, 160 + i, i < 20 ? get<uint32_t>(in, i ^ 2) : 0);
  }
}
static void shuffles_64(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 32; i++) put(out, i, get<uint64_t>(in, i ^ 17));
}
static void votes(const unsigned char *in, Bytes &out) {
  uint32_t ballot = 0;
  for (size_t i = 0; i < 32; i++) ballot |= get<uint32_t>(in, i) % 3 == 0 ? 1u << i : 0;
  for (size_t i = 0; i < 32; i++) {
    put(out, i, ballot);
    put<uint32_t>(out, 32 + i, i >= 16);
    put<uint32_t>(out, 64 + i, i < 16);
  }
}
static void same(const unsigned char *in, Bytes &out) {
  memcpy(out.data(), in, out.size());
}
static void atomics(const unsigned char *in, Bytes &out) {
  int sum = 0, largest = 0, smallest = 0; // they begin at 0
  for (size_t i = 0; i < 32; i++) {
    const int mine = get<int>(in, i) % 1000;
    sum += mine;
    largest = mine > largest ? mine : largest;
    smallest = mine < smallest ? mine : smallest;
  }
  put(out, 0, sum), put(out, 1, static_cast<float>(sum)), put(out, 2, largest), put(out, 3, smallest);
  put(out, 4, 33 * 16), put(out, 5, sum);
}
static void arithmetic(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 256; i++) {
    const float a = get<float>(in, 2 * i), b = get<float>(in, 2 * i + 1);
    put(out, i, a > b ? a : b);
    put(out, 512 + 4 * i, rpp_f16_from_f64(static_cast<double>(a)));
    put(out, 513 + 4 * i, rpp_f16_from_f64(static_cast<double>(b)));
    put(out, 514 + 4 * i, rpp_bf16_from_f64(static_cast<double>(a)));
    put(out, 515 + 4 * i, rpp_bf16_from_f64(static_cast<double>(b)));
    put<uint32_t>(out, 768 + i, 1);
  }
}
static void float16(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 1024; i++) {
    put(out, i, rpp_f16_from_f64(static_cast<double>(get<float>(in, i))));
    put(out, 1024 + i, rpp_bf16_from_f64(static_cast<double>(get<float>(in, i))));
  }
}
static void float16_widen(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 1024; i++) {
    const uint16_t f16 = get<uint16_t>(in, i), bf16 = get<uint16_t>(in, 1024 + i);
    put(out, i, static_cast<float>(rpp_f64_from_f16(f16))); // a NaN becomes quiet
    put(out, 1024 + i, static_cast<uint32_t>(bf16) << 16);  // exact, NaN too
  }
}

// ---- cu_hopper.h --------------------------------------------------------------------------------------------------------

static void mbarrier(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 128; i++) put(out, i, get<uint32_t>(in, i / 32 * 32 + 31 - i % 32));
}
static void mbarrier_polled(const unsigned char *in, Bytes &out) {
  for (size_t i = 0; i < 32; i++) put(out, i, get<uint32_t>(in, 31 - i) + 7);
}
static void elects(const unsigned char *, Bytes &out) {
  for (size_t i = 0; i < 4; i++) put<uint32_t>(out, i, 1);
}

// Dimensions from the innermost on, in elements of `bytes`; at: of four boxes; swizzle: bytes of a row, 0: none.
struct Boxes {
  size_t bytes, swizzle;
  int shape[4], box[4], at[4][4];
};
constexpr Boxes BOXES_3D = {4, 0, {8, 5, 7, 1}, {4, 4, 3, 1}, {{0, 0, 0}, {4, 2, 5}, {-2, 1, -1}, {6, -3, 3}}};
constexpr Boxes BOXES_4D = {4, 0, {8, 5, 3, 3}, {4, 4, 2, 2}, {{0, 0, 0, 0}, {4, 2, 2, 1}, {-2, 1, -1, 2}, {2, -2, 1, -1}}};
constexpr Boxes boxes_2d(int columns, size_t swizzle) {
  return {2, swizzle, {64, 40, 1, 1}, {columns, 32, 1, 1}, {{0, 0}, {-8, 3}, {16, 20}, {56, -5}}};
}
constexpr Boxes STORED_2D = {2, 128, {64, 40, 1, 1}, {64, 32, 1, 1}, {{0, -20}, {8, 14}}};

// Calls visit(byte in the box, byte in the tensor, or -1) for every byte.
template <class F> static void each_byte(const Boxes &b, int n, F visit) {
  const int count = b.box[0] * b.box[1] * b.box[2] * b.box[3];
  for (int i = 0; i < count; i++) {
    long element = 0, step = 1, rest = i;
    bool inside = true;
    for (int d = 0; d < 4; d++) {
      const long index = b.at[n][d] + rest % b.box[d];
      rest /= b.box[d];
      inside = inside && index >= 0 && index < b.shape[d];
      element += index * step;
      step *= b.shape[d];
    }
    for (size_t k = 0; k < b.bytes; k++) {
      const size_t byte = static_cast<size_t>(i) * b.bytes + k, line = byte / 128 % 8;
      const size_t turned = b.swizzle == 128 ? line : b.swizzle == 64 ? line % 4 : b.swizzle == 32 ? line % 2 : 0;
      visit(byte ^ turned * 16, inside ? element * static_cast<long>(b.bytes) + static_cast<long>(k) : -1);
    }
  }
}
static void load_boxes(const Boxes &b, const unsigned char *in, Bytes &out) {
  for (int n = 0; n < 4; n++) {
    unsigned char *box = out.data() + static_cast<size_t>(n) * (out.size() / 4);
    each_byte(b, n, [&](size_t to, long from) { box[to] = from < 0 ? 0 : in[from]; });
  }
}
static void store_boxes(const Boxes &b, const unsigned char *in, Bytes &out) {
  for (int n = 0; n < 2; n++)
    each_byte(b, n, [&](size_t from, long to) {
      if (to >= 0) out[static_cast<size_t>(to)] = static_cast<unsigned char>(in[from] + n);
    });
}

struct Expected {
  const char *name;
  Expect expect;
};
static const Expected EXPECTED[] = {
    {"cp_async", cp_async},
    {"cp_async_groups", cp_async_groups},
    {"ldmatrix", ldmatrix<false>},
    {"ldmatrix_trans", ldmatrix<true>},
    {"mma_f16", mma<false>},
    {"mma_bf16", mma<true>},
    {"barriers", barriers},
    {"shuffles", shuffles},
    {"shuffles_64", shuffles_64},
    {"votes", votes},
    {"shared_array", same},
    {"atomics", atomics},
    {"arithmetic", arithmetic},
    {"float16", float16},
    {"float16_widen", float16_widen},
    {"mbarrier", mbarrier},
    {"mbarrier_polled", mbarrier_polled},
    {"elect", elects},
    {"registers", same},
    {"bulk_2d", [](const unsigned char *in, Bytes &out) { load_boxes(boxes_2d(64, 128), in, out); }},
    {"bulk_2d_32", [](const unsigned char *in, Bytes &out) { load_boxes(boxes_2d(16, 32), in, out); }},
    {"bulk_2d_64", [](const unsigned char *in, Bytes &out) { load_boxes(boxes_2d(32, 64), in, out); }},
    {"bulk_2d_plain", [](const unsigned char *in, Bytes &out) { load_boxes(boxes_2d(24, 0), in, out); }},
    {"bulk_3d", [](const unsigned char *in, Bytes &out) { load_boxes(BOXES_3D, in, out); }},
    {"bulk_4d", [](const unsigned char *in, Bytes &out) { load_boxes(BOXES_4D, in, out); }},
    {"bulk_store", [](const unsigned char *in, Bytes &out) { store_boxes(STORED_2D, in, out); }},
    {"bulk_store_3d", [](const unsigned char *in, Bytes &out) { store_boxes(BOXES_3D, in, out); }},
    {"bulk_store_4d", [](const unsigned char *in, Bytes &out) { store_boxes(BOXES_4D, in, out); }},
};

static Expect expectation(const char *name) {
  for (const Expected &e : EXPECTED)
    if (strcmp(e.name, name) == 0) return e.expect;
  return nullptr;
}

static void check(const char *name, const Bytes &out, const Bytes &expected) {
  for (size_t i = 0; i < out.size(); i++)
    if (out[i] != expected[i]) ck_abort_msg("%s: byte %zu of %zu is %d, not %d", name, i, out.size(), out[i], expected[i]);
}

START_TEST(every_wrapper_does_what_its_loop_does) {
  for (const rpp_conformance &c : RPP_CONFORMANCES) {
    const Expect expect = expectation(c.name);
    ck_assert_msg(expect, "%s: nothing is expected of it", c.name);
    const Bytes in = conformance_input(c);
    Bytes out(c.out), expected(c.out);
    expect(in.data(), expected);
    for (uint64_t seed = 0; seed < 4; seed++) {
      rpp_simt_stream stream = {seed, 0};
      ck_assert_msg(rpp_simt_target::conform(c.name, in.data(), out.data(), &stream, report), "%s: %s", c.name, report);
      check(c.name, out, expected);
    }
  }
}
END_TEST

START_TEST(every_product_is_the_product) {
  int number = 0;
  for (const rpp_conformance_wgmma &c : CONFORMANCE_WGMMA) {
    const Bytes in = conformance_input(c);
    const size_t n = static_cast<size_t>(c.n);
    Bytes out(64 * n * 4), expected(64 * n * 4);
    const unsigned char *b = in.data() + 64 * 64 * 2;
    for (size_t i = 0; i < 64 * n; i++) {
      float sum = 0;
      for (size_t k = 0; k < 64; k++)
        sum += half(in.data(), i / n * 64 + k, c.bf16) * half(b, c.across ? k * n + i % n : i % n * 64 + k, c.bf16); // exact
      put(expected, i, sum);
    }
    rpp_simt_stream stream = {static_cast<uint64_t>(number), 0};
    ck_assert_msg(rpp_simt_target::conform_wgmma(number++, in.data(), out.data(), &stream, report), "%s: %s", c.name, report);
    check(c.name, out, expected);
  }
}
END_TEST

int main() {
  Suite *suite = suite_create("conformance");
  TCase *tests = tcase_create("conformance");
  tcase_add_test(tests, every_wrapper_does_what_its_loop_does);
  tcase_add_test(tests, every_product_is_the_product);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
