/* hf_f32.c, and the float32 half of sincos.c: Hugging Face's chain, bit for bit against correctly rounded MPFR steps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "mpfr_oracle.h"
#include "support.h"

enum { MAX_PAIRS = 128, BATCH = 4096 };

static const int64_t widths[] = {8, 32, 64, 96, 128, 256};
static const double bases[] = {1e4, 5e5, 1e6, 10000.7, 2};

static rpp_rotary hf_rotary(int64_t width, double base, rpp_scaling scaling) {
  rpp_rotary rotary = oracle_rotary(width, base, scaling);
  rotary.angles = RPP_ANGLES_HF_F32;
  return rotary;
}

/* Entries that are not the expected float32; a zero's sign aside. */
static int differences(const double *got, const float *expected, int64_t count) {
  int different = 0;
  for (int64_t i = 0; i < count; i++) different += !(got[i] == (double)expected[i]);
  return different;
}

START_TEST(frequencies_bit_for_bit) {
  const oracle_scaling *scaling = &oracle_scalings[_i];
  int unrounded = 0;
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
    for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
      const rpp_rotary rotary = hf_rotary(widths[w], bases[b], scaling->scaling);
      double hi[MAX_PAIRS], lo[MAX_PAIRS], magnitude;
      float expected[MAX_PAIRS];
      support_accepted(rpp_frequencies(&rotary, hi, lo, &magnitude));
      oracle_hf_frequencies(expected, &rotary);
      const int different = differences(hi, expected, widths[w] / 2);
      ck_assert_msg(different == 0, "%s, width %d, base %g: %d frequencies differ", scaling->name, (int)widths[w], bases[b],
                    different);
      for (int64_t n = 0; n < widths[w] / 2; n++) ck_assert(lo[n] == 0);
      ck_assert((float)magnitude == oracle_hf_magnitude(&rotary));
      /* The control: the exact frequency, rounded once, is another float32 in many entries. */
      mpfr_t theta;
      mpfr_init2(theta, ORACLE_BITS);
      for (int64_t n = 0; n < widths[w] / 2; n++) {
        oracle_theta(theta, &rotary, n);
        unrounded += hi[n] != oracle_round(RPP_F32, theta);
      }
      mpfr_clear(theta);
    }
  ck_assert_int_gt(unrounded, 100);
}
END_TEST

START_TEST(random_parameters_bit_for_bit) {
  uint64_t state = 31;
  int wrong = 0;
  for (int i = 0; i < 3000; i++) {
    rpp_scaling scaling = {.kind = (rpp_scaling_kind)(i % 7), .factor = exp(support_uniform(&state, 0, 6))};
    scaling.orig = floor(exp(support_uniform(&state, 0, 13)));
    scaling.low = exp(support_uniform(&state, -2, 2));
    scaling.high = scaling.low * (1 + exp(support_uniform(&state, -4, 4)));
    const rpp_rotary rotary =
        hf_rotary(4 + 2 * (int64_t)(support_random(&state) % 127), 1.1 + exp(support_uniform(&state, 0, 18)), scaling);
    double hi[MAX_PAIRS];
    float expected[MAX_PAIRS];
    support_accepted(rpp_frequencies(&rotary, hi, NULL, NULL));
    oracle_hf_frequencies(expected, &rotary);
    const int different = differences(hi, expected, rotary.rotary_dim / 2);
    if (different && wrong++ < 5)
      fprintf(stderr, "kind %d, width %d, base %.17g, factor %.17g, orig %g, low %.17g, high %.17g: %d differ\n", i % 7,
              (int)rotary.rotary_dim, rotary.base, scaling.factor, scaling.orig, scaling.low, scaling.high, different);
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(llama3_band_ends_bit_for_bit) {
  /* Pair 0 has the wavelength RN32(2 pi): put exactly at an end of the band, where > and >= part. */
  const float wavelength = 0x1.921fb6p+2f;
  uint64_t state = 35;
  int wrong = 0, ends = 0;
  for (int i = 0; i < 4000; i++) {
    const double turns = (double)(float)support_uniform(&state, 0.25, 32);
    rpp_scaling scaling = {.kind = RPP_SCALING_LLAMA3, .factor = 3, .orig = (double)wavelength * turns};
    scaling.low = i & 1 ? turns : turns / 3, scaling.high = i & 1 ? 4 * turns : turns;
    ends += (float)(scaling.orig / scaling.low) == wavelength || (float)(scaling.orig / scaling.high) == wavelength;
    const rpp_rotary rotary = hf_rotary(8, 1e4, scaling);
    double hi[4];
    float expected[4];
    support_accepted(rpp_frequencies(&rotary, hi, NULL, NULL));
    oracle_hf_frequencies(expected, &rotary);
    wrong += differences(hi, expected, 4) != 0;
  }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_eq(ends, 4000);
}
END_TEST

/* Angles of these positions into (length, pairs) arrays. */
static void angles_of(const rpp_rotary *rotary, const int64_t *positions, int64_t length, double *cosine, double *sine) {
  const int64_t shape[] = {length, rotary->rotary_dim / 2};
  rpp_tensor pos, c, s;
  support_accepted(rpp_tensor_contiguous((void *)positions, RPP_I64, 1, shape, &pos));
  support_accepted(rpp_tensor_contiguous(cosine, RPP_F64, 2, shape, &c));
  support_accepted(rpp_tensor_contiguous(sine, RPP_F64, 2, shape, &s));
  support_accepted(rpp_angles(rotary, &pos, &c, &s));
}

START_TEST(angles_bit_for_bit) {
  const oracle_scaling *scaling = &oracle_scalings[_i];
  enum { LENGTH = 200 };
  int64_t positions[LENGTH];
  uint64_t state = 32 + (uint64_t)_i;
  for (int l = 0; l < LENGTH; l++)
    positions[l] = l < 40   ? (INT64_C(1) << 24) - 20 + (l < 21 ? l : l - 20 - 20) /* up to 2^24 */
                   : l < 80 ? l - 60                                               /* around 0 */
                            : (int64_t)(support_random(&state) % (1u << 25)) - (1 << 24);
  positions[0] = -(INT64_C(1) << 24);
  static double cosine[LENGTH * 64], sine[LENGTH * 64];
  static float expected_cosine[LENGTH * 64], expected_sine[LENGTH * 64];
  for (int b = 0; b < 2; b++) {
    const rpp_rotary rotary = hf_rotary(128, bases[b], scaling->scaling);
    float inv_freq[64];
    oracle_hf_frequencies(inv_freq, &rotary);
    const float magnitude = oracle_hf_magnitude(&rotary);
    angles_of(&rotary, positions, LENGTH, cosine, sine);
    for (int i = 0; i < LENGTH * 64; i++)
      oracle_hf_cos_sin(&expected_cosine[i], &expected_sine[i], inv_freq[i % 64], magnitude, positions[i / 64]);
    ck_assert_int_eq(differences(cosine, expected_cosine, LENGTH * 64), 0);
    ck_assert_int_eq(differences(sine, expected_sine, LENGTH * 64), 0);
  }
  /* The control: the next position's cosines are not these. */
  ck_assert_int_gt(differences(cosine + 64, expected_cosine, LENGTH * 64 - 64), LENGTH * 8);
}
END_TEST

/* Wrong entries of cos and sin of these float32 angles, which reach the library as inv_freq at position 1. */
static int wrong_angles(float *angles, int64_t count) {
  static double cosine[BATCH], sine[BATCH];
  static float expected_cosine[BATCH], expected_sine[BATCH];
  const int64_t one = 1;
  rpp_tensor inv_freq;
  support_accepted(rpp_tensor_contiguous(angles, RPP_F32, 1, &count, &inv_freq));
  rpp_rotary rotary = hf_rotary(2 * count, 1e4, oracle_scalings[0].scaling);
  rotary.inv_freq = &inv_freq;
  angles_of(&rotary, &one, 1, cosine, sine);
  for (int64_t i = 0; i < count; i++) oracle_hf_cos_sin(&expected_cosine[i], &expected_sine[i], angles[i], 1, 1);
  return differences(cosine, expected_cosine, count) + differences(sine, expected_sine, count);
}

START_TEST(random_angles_bit_for_bit) {
  static float angles[BATCH];
  uint64_t state = 33;
  int wrong = 0;
  for (int batch = 0; batch < 100; batch++) { /* every exponent from 2^-40 to 2^24, with all fractions equally likely */
    for (int i = 0; i < BATCH; i++)
      angles[i] = (float)ldexp((1 + support_uniform(&state, 0, 1)) * (i & 1 ? 1 : -1), (int)(support_random(&state) % 64) - 40);
    wrong += wrong_angles(angles, BATCH);
  }
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(hard_angles_bit_for_bit) {
  /* The angles of 2^-15 .. 2^24 whose cosine or sine comes closest to a tie (all were searched; none comes nearer than 2^-30.5 of an
   * ulp); multiples of pi / 2 rounded to float32, where the result cancels; the smallest angles; powers of two; 0. */
  static float angles[BATCH] = {0x1.20ffccp-7f, 0x1.8f219cp+5f, 0x1.e35bc6p+7f, 0x1.33333p+13f};
  int wrong = 0, count = 4;
  for (int i = 1; i < 1024; i++)
    angles[count++] = (float)(i * 0x1.921fb54442d18p0), angles[count++] = (float)(i * 5003 * 0x1.921fb54442d18p0);
  for (int i = -149; i <= 24; i++) angles[count++] = (float)ldexp(1, i), angles[count++] = (float)-ldexp(3, i - 1);
  angles[count++] = 0;
  angles[count++] = -0.0f;
  wrong += wrong_angles(angles, count);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(tables_pass_through_float32) {
  /* cos and sin are float32 before they are cast: table_dtype rounds the float32, which here and there is not the float64's rounding. */
  const rpp_dtype dtype = (rpp_dtype[]){RPP_F16, RPP_BF16}[_i];
  enum { LENGTH = 4000 };
  static int64_t positions[LENGTH];
  for (int l = 0; l < LENGTH; l++) positions[l] = l;
  static double cosine[LENGTH * 8], sine[LENGTH * 8];
  rpp_rotary rotary = hf_rotary(16, 1e4, (rpp_scaling){.kind = RPP_SCALING_YARN_HF, .factor = 32, .orig = 4096});
  rotary.table_dtype = dtype;
  angles_of(&rotary, positions, LENGTH, cosine, sine);
  float inv_freq[8];
  oracle_hf_frequencies(inv_freq, &rotary);
  const float magnitude = oracle_hf_magnitude(&rotary);
  int wrong = 0;
  mpfr_t x;
  mpfr_init2(x, ORACLE_BITS);
  for (int i = 0; i < LENGTH * 8; i++) {
    float c, s;
    oracle_hf_cos_sin(&c, &s, inv_freq[i % 8], magnitude, positions[i / 8]);
    mpfr_set_d(x, (double)c, MPFR_RNDN);
    wrong += cosine[i] != oracle_round(dtype, x);
    mpfr_set_d(x, (double)s, MPFR_RNDN);
    wrong += sine[i] != oracle_round(dtype, x);
  }
  mpfr_clear(x);
  ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(given_frequencies_enter_as_float32) {
  /* A float64 table is rounded to float32 first: the chain has no other type. */
  const double given[] = {1.0 / 3, 0.1, -0.7, 1e-3};
  const int64_t pairs = 4, positions[] = {0, 1, -77, 1 << 24};
  rpp_tensor inv_freq;
  support_accepted(rpp_tensor_contiguous((void *)given, RPP_F64, 1, &pairs, &inv_freq));
  rpp_rotary rotary = hf_rotary(8, NAN, (rpp_scaling){.kind = RPP_SCALING_YARN, .factor = NAN});
  rotary.inv_freq = &inv_freq;
  double cosine[16], sine[16], hi[4], lo[4];
  float expected_cosine[16], expected_sine[16];
  support_accepted(rpp_frequencies(&rotary, hi, lo, NULL));
  for (int n = 0; n < 4; n++) ck_assert(hi[n] == (double)(float)given[n] && lo[n] == 0);
  angles_of(&rotary, positions, 4, cosine, sine);
  for (int i = 0; i < 16; i++) oracle_hf_cos_sin(&expected_cosine[i], &expected_sine[i], (float)given[i % 4], 1, positions[i / 4]);
  ck_assert_int_eq(differences(cosine, expected_cosine, 16), 0);
  ck_assert_int_eq(differences(sine, expected_sine, 16), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("hf_f32");
  TCase *cases = tcase_create("hf_f32");
  tcase_set_timeout(cases, 100);
  tcase_add_loop_test(cases, frequencies_bit_for_bit, 0, oracle_scaling_count);
  tcase_add_test(cases, random_parameters_bit_for_bit);
  tcase_add_test(cases, llama3_band_ends_bit_for_bit);
  tcase_add_loop_test(cases, angles_bit_for_bit, 0, oracle_scaling_count);
  tcase_add_test(cases, random_angles_bit_for_bit);
  tcase_add_test(cases, hard_angles_bit_for_bit);
  tcase_add_loop_test(cases, tables_pass_through_float32, 0, 2);
  tcase_add_test(cases, given_frequencies_enter_as_float32);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
