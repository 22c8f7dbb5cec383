/* random.c: Philox4x64-10 bit for bit, the same numbers on every machine, and their distributions. */
#include "base/random.h"

#include <Random123/philox.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "support.h"

/* Philox4x64-10 by those who made it (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11). */
static void philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4]) {
  philox4x64_ctr_t x;
  philox4x64_key_t k;
  memcpy(x.v, counter, sizeof x.v);
  memcpy(k.v, key, sizeof k.v);
  x = philox4x64(x, k);
  memcpy(out, x.v, sizeof x.v);
}

START_TEST(philox_known_answers) {
  /* The three lines "philox4x64 10" of Random123's tests/kat_vectors: counter, key, result. */
  static const uint64_t known[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b},
      {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x87b092c3013fe90b, 0x438c3c67be8d0224,
       0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0},
      {0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6c,
       0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}};
  for (int i = 0; i < 3; i++) {
    uint64_t out[4];
    philox(known[i], known[i] + 4, out);
    ck_assert_mem_eq(out, known[i] + 6, sizeof out);
  }
  rpp_random zero = rpp_random_make(0, 0);
  for (int i = 0; i < 4; i++) ck_assert_uint_eq(rpp_random_bits(&zero), known[0][6 + i]);
}
END_TEST

/* The key is (seed, stream), the counter (0, 0, 0, 0), (1, 0, 0, 0), ... */
START_TEST(bits_are_philox_of_the_counter) {
  uint64_t state = 1;
  for (int i = 0; i < 200; i++) {
    const uint64_t key[] = {support_random(&state) >> (i % 64), support_random(&state) >> (i / 2 % 64)};
    rpp_random random = rpp_random_make(key[0], key[1]);
    for (uint64_t block = 0; block < 20; block++) {
      uint64_t expected[4];
      philox((uint64_t[]){block, 0, 0, 0}, key, expected);
      for (int word = 0; word < 4; word++)
        if (rpp_random_bits(&random) != expected[word]) ck_abort_msg("key %d, block %d, word %d", i, (int)block, word);
    }
  }
}
END_TEST

/* A change of the generator, by which every shrunk case and every report would become another, shows here. From
 *   def philox(x, k):
 *     for r in range(10):
 *       p, q, m = 0xD2E7470EE14C6C93 * x[0], 0xCA5A826395121157 * x[2], 2**64 - 1
 *       x = [q >> 64 ^ x[1] ^ k[0], q & m, p >> 64 ^ x[3] ^ k[1], p & m]
 *       k = [k[0] + 0x9E3779B97F4A7C15 & m, k[1] + 0xBB67AE8584CAA73B & m]
 *     return x
 *   print([hex(w) for c in range(2) for w in philox([c, 0, 0, 0], [seed, stream])][:6]) */
START_TEST(golden_bits) {
  static const struct {
    uint64_t seed, stream, bits[6];
  } golden[] = {
      {1,
       0,
       {0xcb7ea744cf19bb4c, 0xa34eacbe1377d650, 0xe8dbce5eb7b8301f, 0x344790248cacfe2f, 0x4db6a27b756282df, 0xd944fa03babe0e2f}},
      {1,
       1,
       {0x66387239d96c2992, 0x6e3eeb840de668fa, 0xb50319d6b017259b, 0x143e22d19a96a8d, 0x133d1b1836b49e25, 0xfbd9ff744933275e}},
      {42,
       7,
       {0x2fd1bc0d2c8697bb, 0x8ee17f67a549bba6, 0x1bdce1f847e7df47, 0xe123b6bbe4e89f03, 0xa64064f34e84b9a3, 0xe287959a866a08fd}},
      {UINT64_MAX,
       UINT64_C(1) << 63,
       {0xfeed97f3830ae6e7, 0x9db0530af0ffecd3, 0x4fe939f2ed70bf81, 0x4131150541ea104c, 0x35eb76d7051d188f, 0x82213878ba27aeb6}}};
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    rpp_random random = rpp_random_make(golden[i].seed, golden[i].stream);
    for (int word = 0; word < 6; word++) ck_assert_uint_eq(rpp_random_bits(&random), golden[i].bits[word]);
  }
}
END_TEST

/* Uniform, integer and normal numbers in turn, their bits folded into one by FNV-1a: no libm, no compiler may change them. Confirmed by the
 * same algorithm in Python. */
START_TEST(golden_numbers) {
  rpp_random random = rpp_random_make(1, 0);
  ck_assert_double_eq(rpp_random_uniform(&random), 0x1.96fd4e899e337p-1);
  ck_assert_int_eq(rpp_random_integer(&random, -10, 10), -10 + (int64_t)(0xa34eacbe1377d650 % 21));
  ck_assert_double_eq(rpp_random_normal(&random), -0x1.da34f32667adap-2);
  ck_assert_double_eq(rpp_random_normal(&random), 0x1.a4e8c64154a59p-1);
  uint64_t hash = 0xcbf29ce484222325;
  for (int i = 0; i < 100000; i++) {
    const double x = i % 3 == 0 ? rpp_random_uniform(&random) : rpp_random_normal(&random);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    hash = (hash ^ bits) * 0x100000001b3;
  }
  ck_assert_uint_eq(hash, 0x8c55efb2ee43bc1f);
}
END_TEST

START_TEST(copies_give_the_same_stream) {
  for (int used = 0; used < 10; used++) {
    rpp_random random = rpp_random_make(3, 4);
    for (int i = 0; i < used; i++) rpp_random_bits(&random);
    if (used % 2) rpp_random_normal(&random); /* leaves a spare one */
    rpp_random copy = random;
    for (int i = 0; i < 50; i++) {
      ck_assert_double_eq(rpp_random_normal(&random), rpp_random_normal(&copy));
      ck_assert_uint_eq(rpp_random_bits(&random), rpp_random_bits(&copy));
    }
  }
}
END_TEST

static int compare_words(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

START_TEST(streams_and_seeds_differ) {
  enum { SIDE = 64, WORDS = 8 };
  static uint64_t words[SIDE * SIDE * WORDS];
  size_t count = 0;
  for (uint64_t seed = 0; seed < SIDE; seed++)
    for (uint64_t stream = 0; stream < SIDE; stream++) {
      rpp_random random = rpp_random_make(seed, stream);
      for (int i = 0; i < WORDS; i++) words[count++] = rpp_random_bits(&random);
    }
  qsort(words, count, sizeof *words, compare_words);
  for (size_t i = 1; i < count; i++) /* 32,768 words of 64 bits: two equal ones have chance 3e-11 */
    if (words[i - 1] == words[i]) ck_abort_msg("a word occurs twice");
}
END_TEST

/* Pearson's statistic of count draws into bins equally likely ones, in standard deviations from its mean. */
static double chi_square(const int64_t *bin, int bins, double count) {
  const double expected = count / bins;
  double sum = 0;
  for (int i = 0; i < bins; i++) sum += ((double)bin[i] - expected) * ((double)bin[i] - expected) / expected;
  return (sum - (bins - 1)) / sqrt(2.0 * (bins - 1));
}

START_TEST(uniform_fills_its_range_evenly) {
  enum { COUNT = 1 << 19, BINS = 256 };
  int64_t bin[BINS] = {0}, low_bit = 0, skewed[BINS] = {0};
  rpp_random random = rpp_random_make(5, 0);
  double low = 1, high = 0;
  for (int i = 0; i < COUNT; i++) {
    const double u = rpp_random_uniform(&random), scaled = u * 0x1p53;
    if (!(u >= 0 && u < 1 && scaled == floor(scaled))) ck_abort_msg("%a", u); /* ck_assert is slow */
    bin[(int)(u * BINS)]++;
    skewed[(int)(pow(u, 1.02) * BINS)]++;
    low_bit += (int64_t)scaled & 1;
    low = fmin(low, u), high = fmax(high, u);
  }
  ck_assert_double_lt(fabs(chi_square(bin, BINS, COUNT)), 4);
  ck_assert_double_gt(chi_square(skewed, BINS, COUNT), 4); /* the control */
  ck_assert_double_lt(fabs((double)low_bit - COUNT / 2.0), 4 * sqrt(COUNT / 4.0));
  ck_assert(low < 20.0 / COUNT && high > 1 - 20.0 / COUNT);
  random = (rpp_random){.block = {UINT64_MAX, 0, 2047, 2048}}; /* the ends */
  ck_assert_double_eq(rpp_random_uniform(&random), 1 - 0x1p-53);
  ck_assert_double_eq(rpp_random_uniform(&random), 0);
  ck_assert_double_eq(rpp_random_uniform(&random), 0);
  ck_assert_double_eq(rpp_random_uniform(&random), 0x1p-53);
}
END_TEST

START_TEST(integers_fill_their_range_evenly) {
  static const int64_t range[][2] = {
      {0, 1}, {-3, 3}, {5, 15}, {-1000000, -999990}, {INT64_MIN, INT64_MIN + 6}, {INT64_MAX - 12, INT64_MAX}};
  enum { COUNT = 100000 };
  for (size_t r = 0; r < sizeof range / sizeof *range; r++) {
    const int64_t low = range[r][0], high = range[r][1];
    int64_t bin[16] = {0};
    rpp_random random = rpp_random_make(6, r);
    for (int i = 0; i < COUNT; i++) {
      const int64_t x = rpp_random_integer(&random, low, high);
      if (x < low || x > high) ck_abort_msg("%jd", (intmax_t)x);
      bin[x - low]++;
    }
    ck_assert_double_lt(fabs(chi_square(bin, (int)(high - low + 1), COUNT)), 4);
  }
}
END_TEST

START_TEST(integers_of_the_widest_ranges) {
  static const int64_t range[][2] = {
      {INT64_MIN, INT64_MAX}, {INT64_MIN, INT64_MAX - 1}, {INT64_MIN + 1, INT64_MAX}, {-1, INT64_MAX}, {INT64_MIN, 0}};
  for (size_t r = 0; r < sizeof range / sizeof *range; r++) {
    const int64_t low = range[r][0], high = range[r][1];
    rpp_random random = rpp_random_make(7, r), bits = random;
    int64_t smallest = INT64_MAX, largest = INT64_MIN;
    for (int i = 0; i < 1000; i++) {
      const int64_t x = rpp_random_integer(&random, low, high);
      ck_assert(x >= low && x <= high);
      if (r == 0) ck_assert_uint_eq((uint64_t)x - (uint64_t)INT64_MIN, rpp_random_bits(&bits)); /* every value once */
      smallest = x < smallest ? x : smallest, largest = x > largest ? x : largest;
    }
    ck_assert_double_lt((double)smallest - (double)low, 0x1p57);
    ck_assert_double_lt((double)high - (double)largest, 0x1p57);
  }
  rpp_random random = rpp_random_make(8, 0);
  for (int64_t x = -2; x <= 2; x++) ck_assert_int_eq(rpp_random_integer(&random, x, x), x);
  ck_assert_int_eq(rpp_random_integer(&random, INT64_MIN, INT64_MIN), INT64_MIN);
  ck_assert_int_eq(rpp_random_integer(&random, INT64_MAX, INT64_MAX), INT64_MAX);
}
END_TEST

/* How far a sample lies from N(0, 1): its first moments in standard errors, and Kolmogorov's sqrt(n) sup |F_n - F|, which passes 2.23
 * with chance 1e-4. */
typedef struct {
  double mean, variance, skew, kurtosis, kolmogorov;
} distance;

static int compare_numbers(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static distance normal_distance(double *x, int count) {
  const double n = count;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  distance d = {0};
  for (int i = 0; i < count; i++)
    m1 += x[i] / n, m2 += x[i] * x[i] / n, m3 += x[i] * x[i] * x[i] / n, m4 += x[i] * x[i] * x[i] * x[i] / n;
  d.mean = m1 * sqrt(n), d.variance = (m2 - 1) * sqrt(n / 2);
  d.skew = m3 * sqrt(n / 15), d.kurtosis = (m4 - 3) * sqrt(n / 96); /* Var x^3 = 15, Var x^4 = 96 */
  qsort(x, (size_t)count, sizeof *x, compare_numbers);
  for (int i = 0; i < count; i++) {
    const double f = 0.5 * erfc(-x[i] / sqrt(2));
    d.kolmogorov = fmax(d.kolmogorov, sqrt(n) * fmax(f - i / n, (i + 1) / n - f));
  }
  return d;
}

static bool looks_normal(distance d) {
  return fabs(d.mean) < 4 && fabs(d.variance) < 4 && fabs(d.skew) < 4 && fabs(d.kurtosis) < 4 && d.kolmogorov < 2.23;
}

enum { NORMALS = 200000 };
static double numbers[NORMALS];

START_TEST(normal_numbers_are_normal) {
  rpp_random random = rpp_random_make(9, (uint64_t)_i);
  double product = 0;
  for (int i = 0; i < NORMALS; i++) {
    const double first = rpp_random_normal(&random), second = rpp_random_normal(&random);
    numbers[i] = _i == 1 ? first : _i == 2 ? second : i % 2 ? first : second; /* also each of the pair's by itself */
    product += first * second;
  }
  ck_assert_double_lt(fabs(product), 4 * sqrt(NORMALS)); /* not correlated */
  const distance d = normal_distance(numbers, NORMALS);
  ck_assert_msg(looks_normal(d), "mean %g, variance %g, skew %g, kurtosis %g, kolmogorov %g", d.mean, d.variance, d.skew,
                d.kurtosis, d.kolmogorov);
}
END_TEST

/* The control: what is nearly normal is told apart. */
START_TEST(others_are_not) {
  rpp_random random = rpp_random_make(10, 0);
  for (int i = 0; i < NORMALS; i++) {
    const double x = rpp_random_normal(&random);
    double sum = 0;
    for (int k = 0; k < 12; k++) sum += rpp_random_uniform(&random) - 0.5;
    numbers[i] = (double[]){x + 0.02, x * 1.02, x + 0.01 * (x * x - 1), sum, i % 2 ? x : fabs(x)}[_i];
  }
  ck_assert(!looks_normal(normal_distance(numbers, NORMALS)));
}
END_TEST

/* The pair u, v of the polar method, drawn again, with glibc's long double logarithm: natural_log, and all after it, to a few units
 * of the last place over every magnitude of s that occurs. */
START_TEST(normal_numbers_are_accurate) {
  rpp_random random = rpp_random_make(11, 0), again = random;
  double worst = 0;
  int magnitudes = 0;
  for (int i = 0; i < 500000; i++) {
    double u, v, s;
    do {
      u = 2 * rpp_random_uniform(&again) - 1, v = 2 * rpp_random_uniform(&again) - 1, s = u * u + v * v;
    } while (!(s > 0 && s < 1));
    magnitudes |= 1 << -ilogb(s);
    const long double factor = sqrtl(-2 * logl((long double)s) / (long double)s);
    const double first = rpp_random_normal(&random), second = rpp_random_normal(&random);
    support_worse(&worst, (double)((long double)first / ((long double)u * factor) - 1));
    support_worse(&worst, (double)((long double)second / ((long double)v * factor) - 1));
  }
  ck_assert_int_eq(magnitudes & 0x1fffe, 0x1fffe); /* s in [1/2, 1), [1/4, 1/2), ... to 2^-16 */
  ck_assert_double_lt(worst, 4 * 0x1p-52);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random");
  TCase *tests = tcase_create("random");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, philox_known_answers);
  tcase_add_test(tests, bits_are_philox_of_the_counter);
  tcase_add_test(tests, golden_bits);
  tcase_add_test(tests, golden_numbers);
  tcase_add_test(tests, copies_give_the_same_stream);
  tcase_add_test(tests, streams_and_seeds_differ);
  tcase_add_test(tests, uniform_fills_its_range_evenly);
  tcase_add_test(tests, integers_fill_their_range_evenly);
  tcase_add_test(tests, integers_of_the_widest_ranges);
  tcase_add_loop_test(tests, normal_numbers_are_normal, 0, 3);
  tcase_add_loop_test(tests, others_are_not, 0, 5);
  tcase_add_test(tests, normal_numbers_are_accurate);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
