/* device.c, over a fake CUDA runtime: memory, what is said where there is none, and that a broken device ends the process. */
#include "kernels/device.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "gpu/fake_cudart.h"
#include "support.h"

START_TEST(presence_and_its_reason) {
  rpp_message why;
  ck_assert(rpp_device_present(&why));
  fake.devices = 0;
  ck_assert(!rpp_device_present(&why));
  ck_assert_str_eq(why.text, "no device: fake: no device");
}
END_TEST

START_TEST(memory_is_aligned_and_apart) {
  enum { PIECES = 20, SIZE = 1000 };
  static unsigned char bytes[SIZE];
  unsigned char *at[PIECES];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < PIECES; i++) {
      at[i] = rpp_device_alloc(SIZE, round == 1);
      ck_assert_ptr_nonnull(at[i]);
      ck_assert_uint_eq((uintptr_t)at[i] % 256, 0);
      rpp_device_fill(at[i], (unsigned char)i, SIZE);
    }
    for (int i = 0; i < PIECES; i++) {
      rpp_device_read(bytes, at[i], SIZE);
      for (int n = 0; n < SIZE; n++) ck_assert_uint_eq(bytes[n], i);
    }
    bytes[7] = 99;
    rpp_device_write(at[3], bytes, SIZE);
    rpp_device_read(bytes + 8, at[3] + 7, 1);
    ck_assert_uint_eq(bytes[8], 99);
    rpp_device_free_all();
    ck_assert_int_eq(fake.allocations, 1); /* the pool stays */
  }
}
END_TEST

START_TEST(what_the_pool_lacks_is_the_driver_s) {
  void *const large = rpp_device_alloc((size_t)65 << 20, false);
  ck_assert_ptr_nonnull(large);
  ck_assert_int_eq(fake.allocations, 2);
  ck_assert_ptr_nonnull(rpp_device_alloc((size_t)40 << 20, false));
  ck_assert_ptr_nonnull(rpp_device_alloc((size_t)40 << 20, false));
  ck_assert_int_eq(fake.allocations, 3);
  fake.room = 1 << 20;
  ck_assert_ptr_null(rpp_device_alloc((size_t)40 << 20, false));
  ck_assert_ptr_nonnull(rpp_device_alloc((size_t)4 << 20, false));
  ck_assert_ptr_null(rpp_device_alloc(SIZE_MAX - 3, false));
  rpp_device_free_all();
  ck_assert_int_eq(fake.allocations, 1);
}
END_TEST

/* Its worker is then the verdict. */
START_TEST(a_broken_device_ends_the_process) {
  rpp_device_finish("good");
  fake.broken = true;
  rpp_device_finish("cuda:broken");
}
END_TEST

START_TEST(and_says_why) {
  int words[2];
  char text[200] = "";
  ck_assert_int_eq(pipe(words), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(words[1], STDERR_FILENO);
    fake.broken = true;
    rpp_device_finish("cuda:broken");
  }
  close(words[1]);
  ck_assert_int_gt(read(words[0], text, sizeof text - 1), 0);
  ck_assert_str_eq(text, "device: cuda:broken: fake: illegal address\n");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("device");
  TCase *tests = tcase_create("device");
  tcase_add_test(tests, presence_and_its_reason);
  tcase_add_test(tests, memory_is_aligned_and_apart);
  tcase_add_test(tests, what_the_pool_lacks_is_the_driver_s);
  tcase_add_test_raise_signal(tests, a_broken_device_ends_the_process, SIGABRT);
  tcase_add_test(tests, and_says_why);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
