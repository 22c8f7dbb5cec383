/* simt_stream.c: another order for every case and launch, the same in a replay. */
#include "kernels/simt_stream.h"
#include "support.h"

static float numbers[4] = {1, 2, 3, 4};

static rpp_tensor tensor(int64_t length) {
  rpp_tensor x;
  const int64_t shape[4] = {1, length, 1, 2};
  ck_assert_int_eq(rpp_tensor_contiguous(numbers, RPP_F32, 4, shape, &x), RPP_OK);
  return x;
}

static uint64_t seed_of(int64_t length) {
  const rpp_tensor x = tensor(length);
  return rpp_simt_next_stream(&x)->seed;
}

static void begin(int64_t keys) {
  const rpp_tensor k = tensor(keys);
  rpp_simt_case_begins(&k);
}

START_TEST(launches_and_cases_differ_and_replays_do_not) {
  begin(2);
  const uint64_t first = seed_of(2), second = seed_of(2), third = seed_of(0);
  ck_assert(first != second && second != third && first != third);
  begin(2);
  ck_assert_uint_eq(seed_of(2), first);
  ck_assert_uint_eq(seed_of(2), second);
  begin(2);
  numbers[1] = 5;
  ck_assert_uint_ne(seed_of(2), first);
  begin(2);
  ck_assert_uint_ne(seed_of(1), first);
}
END_TEST

START_TEST(devices_of_all_sizes) {
  rpp_simt_device of[3];
  for (int n = 0; n < 3; n++) begin(n), of[n] = *rpp_simt_current_device();
  for (int n = 1; n < 3; n++) ck_assert(of[n - 1].multiprocessors < of[n].multiprocessors && of[n - 1].shared < of[n].shared);
  begin(0);
  ck_assert_int_eq(rpp_simt_current_device()->multiprocessors, of[0].multiprocessors);
  ck_assert_uint_eq(rpp_simt_current_device()->shared, of[0].shared);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("simt_stream");
  TCase *tests = tcase_create("simt_stream");
  tcase_add_test(tests, launches_and_cases_differ_and_replays_do_not);
  tcase_add_test(tests, devices_of_all_sizes);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
