/* status.c: messages, and the two helpers that can fail. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include "status.h"
#include "support.h"

START_TEST(message_is_empty_before_the_first_failure) {
  ck_assert_str_eq(rpp_error_message(), "");
}
END_TEST

START_TEST(message_is_that_of_the_last_failure) {
  ck_assert_int_eq(rpp_fail(RPP_ERROR_SHAPE, "q.shape[%d] = %" PRId64 ": expected %d", 3, INT64_MIN, 8), RPP_ERROR_SHAPE);
  ck_assert_str_eq(rpp_error_message(), "q.shape[3] = -9223372036854775808: expected 8");
  ck_assert_int_eq(rpp_fail(RPP_ERROR_NULL, "q = null"), RPP_ERROR_NULL);
  ck_assert_str_eq(rpp_error_message(), "q = null");
  int64_t product;
  ck_assert_int_eq(rpp_multiply("a", 2, 3, &product), RPP_OK); /* a success leaves it alone */
  ck_assert_str_eq(rpp_error_message(), "q = null");
}
END_TEST

START_TEST(message_of_any_length_is_cut) {
  char name[1001];
  memset(name, 'n', sizeof name - 1), name[1000] = 0;
  ck_assert_int_eq(rpp_fail(RPP_ERROR_VALUE, "%s = 1", name), RPP_ERROR_VALUE);
  const size_t length = strlen(rpp_error_message());
  ck_assert_uint_ge(length, 200);
  ck_assert_uint_eq(strspn(rpp_error_message(), "n"), length);
}
END_TEST

static void *other_thread(void *seen) {
  const bool empty = rpp_error_message()[0] == 0;
  rpp_fail(RPP_ERROR_VALUE, "other = 2");
  *(bool *)seen = empty && strcmp(rpp_error_message(), "other = 2") == 0;
  return NULL;
}

START_TEST(message_belongs_to_its_thread) {
  pthread_t thread;
  bool seen = false;
  rpp_fail(RPP_ERROR_VALUE, "own = 1");
  ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, &seen), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert(seen);
  ck_assert_str_eq(rpp_error_message(), "own = 1");
}
END_TEST

static rpp_status passes_on(rpp_status status, int *reached) {
  RPP_TRY(status);
  ++*reached;
  return RPP_OK;
}

START_TEST(try_returns_on_failure_only) {
  int reached = 0;
  for (int status = RPP_OK; status <= RPP_ERROR_MEMORY; status++) ck_assert_int_eq(passes_on((rpp_status)status, &reached), status);
  ck_assert_int_eq(reached, 1);
}
END_TEST

START_TEST(multiply) {
  const int64_t half = INT64_C(1) << 62;
  int64_t product = 0;
  const struct {
    int64_t a, b, product;
  } fits[] = {{0, INT64_MAX, 0}, {INT64_MAX, 1, INT64_MAX}, {3037000499, 3037000499, 9223372030926249001}, {half, 1, half}};
  for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
    support_accepted(rpp_multiply("n", fits[i].a, fits[i].b, &product));
    ck_assert_int_eq(product, fits[i].product);
  }
  support_refused(rpp_multiply("elements", half, 2, &product), RPP_ERROR_OVERFLOW, "elements = ", "4611686018427387904 x 2");
  support_refused(rpp_multiply("elements", 3037000500, 3037000500, &product), RPP_ERROR_OVERFLOW, "elements", "3037000500");
}
END_TEST

START_TEST(allocate) {
  void *buffer;
  support_accepted(rpp_allocate(0, 8, &buffer)); /* one byte at least, so that null means failure */
  ck_assert_ptr_nonnull(buffer);
  *(char *)buffer = 1;
  free(buffer);
  support_accepted(rpp_allocate(1000, 16, &buffer));
  ck_assert_ptr_nonnull(buffer);
  memset(buffer, 1, 16000); /* AddressSanitizer knows whether they are there */
  free(buffer);
  buffer = &buffer;
  support_refused(rpp_allocate(INT64_MAX / 8 + 1, 8, &buffer), RPP_ERROR_OVERFLOW, "bytes = ", "1152921504606846976 x 8");
  ck_assert_ptr_null(buffer); /* may be freed */
  buffer = &buffer;
  support_refused(rpp_allocate(INT64_MAX / 8, 8, &buffer), RPP_ERROR_MEMORY, "bytes = ", "9223372036854775800");
  ck_assert_ptr_null(buffer);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("status");
  TCase *cases = tcase_create("status");
  tcase_add_test(cases, message_is_empty_before_the_first_failure);
  tcase_add_test(cases, message_is_that_of_the_last_failure);
  tcase_add_test(cases, message_of_any_length_is_cut);
  tcase_add_test(cases, message_belongs_to_its_thread);
  tcase_add_test(cases, try_returns_on_failure_only);
  tcase_add_test(cases, multiply);
  tcase_add_test(cases, allocate);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
