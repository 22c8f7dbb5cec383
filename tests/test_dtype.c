/* dtype.c: every 16-bit pattern, and every rounding boundary of the 16-bit formats, against formulas on the fields alone. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "support.h"

/* A 16-bit format: its fields, and the functions under test. */
typedef struct {
  const char *name;
  rpp_dtype dtype;
  int fraction_bits, min_exponent; /* exponent of the lowest fraction bit of a subnormal: -24, -133 */
  uint16_t infinity, quiet;        /* patterns of +infinity and of the quiet bit */
  uint16_t (*encode)(double);
  double (*decode)(uint16_t);
} format;

static const format formats[] = {
    {"F16", RPP_F16, 10, -24, 0x7c00, 0x0200, rpp_f16_from_f64, rpp_f64_from_f16},
    {"BF16", RPP_BF16, 7, -133, 0x7f80, 0x0040, rpp_bf16_from_f64, rpp_f64_from_bf16},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The value of a non-negative pattern from its fields; the pattern of infinity gives the power of two that overflow rounds at. */
static double value_of(const format *f, unsigned magnitude) {
  const unsigned exponent = magnitude >> f->fraction_bits, fraction = magnitude & ((1u << f->fraction_bits) - 1);
  if (exponent == 0) return ldexp(fraction, f->min_exponent);
  return ldexp((1u << f->fraction_bits) + fraction, (int)exponent - 1 + f->min_exponent);
}

/* The magnitude pattern nearest to a finite x, by arithmetic on the grid around x instead of by its bits. */
static unsigned nearest_pattern(const format *f, double x) {
  const double a = fabs(x);
  if (a == 0) return 0;
  const int grid = ilogb(a) - f->fraction_bits > f->min_exponent ? ilogb(a) - f->fraction_bits : f->min_exponent;
  const double units = a >= 0x1p200 ? INFINITY : nearbyint(ldexp(a, -grid));
  const double pattern = ldexp(grid - f->min_exponent, f->fraction_bits) + units;
  return pattern >= f->infinity ? f->infinity : (unsigned)pattern;
}

START_TEST(sizes_and_names) {
  const struct {
    int dtype;
    size_t size;
    const char *name;
  } known[] = {{RPP_F64, 8, "F64"}, {RPP_F32, 4, "F32"}, {RPP_F16, 2, "F16"}, {RPP_BF16, 2, "BF16"},
               {RPP_I64, 8, "I64"}, {5, 0, "?"},         {-1, 0, "?"},        {1 << 30, 0, "?"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    ck_assert_uint_eq(rpp_dtype_size((rpp_dtype)known[i].dtype), known[i].size);
    ck_assert_str_eq(rpp_dtype_name((rpp_dtype)known[i].dtype), known[i].name);
  }
}
END_TEST

START_TEST(every_pattern_decodes_and_round_trips) {
  const format *f = &formats[_i];
  unsigned wrong_values = 0, wrong_patterns = 0, nans = 0;
  for (unsigned bits = 0; bits <= 0xffff; bits++) {
    const unsigned magnitude = bits & 0x7fff, sign = bits >> 15;
    const double x = f->decode((uint16_t)bits);
    unsigned expected = bits;
    if (magnitude > f->infinity) {
      nans++;
      expected |= f->quiet;
      /* The payload stands at the top of float64's fraction, with the quiet bit set. */
      const uint64_t payload = (uint64_t)(expected & (f->infinity ^ 0x7fffu)) << (52 - f->fraction_bits);
      wrong_values += bits_of(x) != ((uint64_t)sign << 63 | 0x7ff0000000000000u | payload);
    } else {
      const double a = magnitude == f->infinity ? INFINITY : value_of(f, magnitude);
      wrong_values += bits_of(x) != bits_of(sign ? -a : a);
    }
    wrong_patterns += f->encode(x) != expected;
  }
  ck_assert_uint_eq(wrong_values, 0);
  ck_assert_uint_eq(wrong_patterns, 0);
  ck_assert_uint_eq(nans, 2u * (0x7fffu - f->infinity));
}
END_TEST

/* Wrong answers of encode for x and -x, when |x| should round to the pattern of that magnitude. */
static unsigned wrong_encodings(const format *f, double x, unsigned magnitude) {
  return (f->encode(x) != magnitude) + (f->encode(-x) != (magnitude | 0x8000));
}

START_TEST(every_rounding_boundary) {
  const format *f = &formats[_i];
  unsigned wrong = 0, detours = 0;
  for (unsigned i = 0; i < f->infinity; i++) { /* the last pair is the largest finite value and overflow */
    const double low = value_of(f, i), high = value_of(f, i + 1), middle = low + (high - low) / 2;
    const unsigned even = i & 1 ? i + 1 : i;
    wrong += wrong_encodings(f, low, i);
    wrong += wrong_encodings(f, nextafter(low, INFINITY), i);
    wrong += wrong_encodings(f, nextafter(middle, -INFINITY), i);
    wrong += wrong_encodings(f, middle, even);
    wrong += wrong_encodings(f, nextafter(middle, INFINITY), i + 1);
    wrong += wrong_encodings(f, nextafter(high, -INFINITY), i + 1);
    /* The control: through float32, both neighbours of the middle fall on it, and one of them goes the wrong way. */
    detours +=
        wrong_encodings(f, (float)nextafter(middle, -INFINITY), i) + wrong_encodings(f, (float)nextafter(middle, INFINITY), i + 1);
  }
  ck_assert_uint_eq(wrong, 0);
  ck_assert_uint_ge(detours, f->infinity);
}
END_TEST

START_TEST(random_values_round_to_nearest) {
  const format *f = &formats[_i];
  uint64_t state = 1;
  unsigned wrong = 0;
  for (int i = 0; i < 2000000; i++) {
    /* Exponents reach from well below the smallest subnormal to well above the largest value. */
    const int exponent = (int)(support_random(&state) % 320) - 160;
    const double x = ldexp(1 + support_uniform(&state, 0, 1), exponent);
    wrong += wrong_encodings(f, x, nearest_pattern(f, x));
  }
  for (unsigned i = 0; i < 20000; i++) { /* an odd number of quarter units: ties in the subnormal range and out of it */
    const double x = ldexp(i, f->min_exponent - 2);
    wrong += wrong_encodings(f, x, nearest_pattern(f, x));
  }
  ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(extremes) {
  const format *f = &formats[_i];
  const double large[] = {INFINITY, DBL_MAX, 0x1p1000, 0x1p128}, small[] = {0.0, DBL_TRUE_MIN, DBL_MIN, 0x1p-200};
  for (size_t i = 0; i < 4; i++) {
    ck_assert_uint_eq(wrong_encodings(f, large[i], f->infinity), 0);
    ck_assert_uint_eq(wrong_encodings(f, small[i], 0), 0);
  }
}
END_TEST

START_TEST(nan_keeps_sign_and_top_payload) {
  const format *f = &formats[_i];
  uint64_t state = 2;
  unsigned wrong = 0;
  for (int i = 0; i < 100000; i++) {
    /* Of every length of payload, so that some vanish when cut: those must not turn into infinity. */
    const uint64_t payload = (support_random(&state) & 0xfffffffffffffu) >> (i % 52);
    if (payload == 0) continue;
    const unsigned top = (unsigned)(payload >> (52 - f->fraction_bits)), expected = f->infinity | f->quiet | top;
    wrong += f->encode(double_of(0x7ff0000000000000u | payload)) != expected;
    wrong += f->encode(double_of(0xfff0000000000000u | payload)) != (0x8000 | expected);
  }
  ck_assert_uint_eq(wrong, 0);
  ck_assert_uint_eq(f->encode(double_of(0x7ff0000000000001u)), (unsigned)(f->infinity | f->quiet));
}
END_TEST

START_TEST(float32_boundaries) {
  uint64_t state = 3;
  unsigned wrong = 0;
  for (int i = 0; i < 1000000; i++) {
    uint32_t low = (uint32_t)support_random(&state) & 0x7fffffff;
    if (i < 100) /* the ends: zero, the normal threshold, the overflow threshold */
      low = (i < 30 ? 0u : i < 60 ? 0x00800000u - 15u : 0x7f800000u - 40u) + (uint32_t)i % 30 + (i >= 90 ? 10u : 0u);
    else if (i & 1)
      low &= 0x00ffffff; /* subnormals, and the lowest normal binade */
    if (low >= 0x7f800000) continue;
    const double a = float_of(low), b = low + 1 == 0x7f800000 ? 0x1p128 : float_of(low + 1), middle = a + (b - a) / 2;
    const double x[] = {a, nextafter(middle, 0), middle, nextafter(middle, INFINITY), b};
    const uint32_t expected[] = {low, low, low + (low & 1), low + 1, low + 1};
    for (int j = 0; j < 5; j++) {
      wrong += bits_of_float(rpp_f32_from_f64(x[j])) != expected[j];
      wrong += bits_of_float(rpp_f32_from_f64(-x[j])) != (expected[j] | 0x80000000);
    }
  }
  ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(float32_agrees_with_the_hardware) {
  uint64_t state = 4;
  unsigned wrong = 0;
  for (int i = 0; i < 4000000; i++) {
    uint64_t bits = support_random(&state);
    if (i % 4) /* most float64 exponents lie outside float32's range, so three quarters of the draws are brought near it */
      bits = (bits & 0x800fffffffffffffu) | (uint64_t)(1023 - 160 + (bits >> 52) % 320) << 52;
    /* volatile: the conversion instruction, not a compiler's folding of it */
    volatile double x = double_of(bits);
    volatile float expected = (float)x;
    wrong += bits_of_float(rpp_f32_from_f64(x)) != bits_of_float(expected);
  }
  ck_assert_uint_eq(wrong, 0);
  ck_assert_uint_eq(bits_of_float(rpp_f32_from_f64(double_of(0xfff0000000000001u))), 0xffc00000);
}
END_TEST

START_TEST(rounding_as_values) {
  uint64_t state = 5;
  unsigned wrong = 0;
  for (int i = 0; i < 100000; i++) {
    const double x = double_of(support_random(&state) & (i & 1 ? UINT64_MAX : 0xc3ffffffffffffffu));
    if (isnan(x)) continue;
    wrong += bits_of(rpp_dtype_round(RPP_F64, x)) != bits_of(x);
    wrong += bits_of(rpp_dtype_round(RPP_F32, x)) != bits_of((double)(float)x);
    for (int j = 0; j < FORMATS; j++)
      wrong += bits_of(rpp_dtype_round(formats[j].dtype, x)) != bits_of(formats[j].decode(formats[j].encode(x)));
    wrong += !isnan(rpp_dtype_round(RPP_I64, x)) + !isnan(rpp_dtype_round((rpp_dtype)77, x));
  }
  ck_assert_uint_eq(wrong, 0);
  for (int dtype = RPP_F64; dtype <= RPP_BF16; dtype++) ck_assert(isnan(rpp_dtype_round((rpp_dtype)dtype, NAN)));
  ck_assert(rpp_dtype_round(RPP_F16, 1.0 / 3) == 0x1.554p-2 && rpp_dtype_round(RPP_BF16, 1.0 / 3) == 0x1.56p-2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dtype");
  TCase *cases = tcase_create("dtype");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, sizes_and_names);
  tcase_add_loop_test(cases, every_pattern_decodes_and_round_trips, 0, FORMATS);
  tcase_add_loop_test(cases, every_rounding_boundary, 0, FORMATS);
  tcase_add_loop_test(cases, random_values_round_to_nearest, 0, FORMATS);
  tcase_add_loop_test(cases, extremes, 0, FORMATS);
  tcase_add_loop_test(cases, nan_keeps_sign_and_top_payload, 0, FORMATS);
  tcase_add_test(cases, float32_boundaries);
  tcase_add_test(cases, float32_agrees_with_the_hardware);
  tcase_add_test(cases, rounding_as_values);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
