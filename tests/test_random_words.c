/* random.c: known answers of Philox4x64-10, runs of words, and the logarithm. */
#include "base/random.h"

#include <math.h>

#include "support.h"

START_TEST(words_are_those_of_random123) {
  /* Random123's kat_vectors: philox4x64 10, counter and key zero. */
  static const uint64_t known[] = {0x16554d9eca36314cu, 0xdb20fe9d672d0fdcu, 0xd7e772cee186176bu, 0x7e68b68aec7ba23bu};
  rpp_random random = rpp_random_make(0, 0);
  for (int i = 0; i < 4; i++) ck_assert_uint_eq(rpp_random_bits(&random), known[i]);
}
END_TEST

START_TEST(runs_of_words_are_words_one_by_one) {
  uint64_t words[40];
  for (int before = 0; before < 6; before++)
    for (int count = 0; count <= 40; count++) {
      rpp_random a = rpp_random_make(7, 9), b = a;
      for (int i = 0; i < before; i++) ck_assert_uint_eq(rpp_random_bits(&a), rpp_random_bits(&b));
      rpp_random_words(&a, count, words);
      for (int i = 0; i < count; i++) ck_assert_uint_eq(words[i], rpp_random_bits(&b));
      ck_assert_uint_eq(rpp_random_bits(&a), rpp_random_bits(&b));
    }
}
END_TEST

START_TEST(logarithms_are_right) {
  uint64_t state = 3;
  double worst = 0;
  for (int i = 0; i < 100000; i++) {
    const double x = ldexp(support_uniform(&state, 0.5, 1), i % 200 - 100), right = log(x);
    support_worse(&worst, fabs(rpp_random_log(x) - right) / fmax(fabs(right), 0x1p-10));
  }
  ck_assert_double_lt(worst, 4e-15);
}
END_TEST

START_TEST(integers_stay_in_range) {
  rpp_random random = rpp_random_make(1, 1);
  int seen[5] = {0};
  for (int i = 0; i < 1000; i++) seen[rpp_random_integer(&random, -2, 2) + 2]++;
  for (int i = 0; i < 5; i++) ck_assert_int_gt(seen[i], 100);
  ck_assert_int_eq(rpp_random_integer(&random, INT64_MAX, INT64_MAX), INT64_MAX);
  rpp_random_integer(&random, INT64_MIN, INT64_MAX);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random_words");
  TCase *tests = tcase_create("random");
  tcase_add_test(tests, words_are_those_of_random123);
  tcase_add_test(tests, runs_of_words_are_words_one_by_one);
  tcase_add_test(tests, logarithms_are_right);
  tcase_add_test(tests, integers_stay_in_range);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
