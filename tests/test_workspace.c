/* workspace.c: rooms side by side in one block, and that the block is there again for the next call. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sanitized.h"
#include "support.h"
#include "workspace.h"

#if RPP_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#define IS_CLOSED(at) __asan_address_is_poisoned(at)
#else
#define IS_CLOSED(at) ((void)(at), 0)
#endif
#if defined(__GLIBC__) && !RPP_ADDRESS_SANITIZER && !RPP_THREAD_SANITIZER
enum { KEEPS_BLOCKS = 1 }; /* for who asks for the same size again; of other C libraries, and sanitizers', nothing is known */
#else
enum { KEEPS_BLOCKS = 0 };
#endif

/* Else what follows would leave out its checks without a word. */
START_TEST(the_build_s_sanitizers_are_known) {
  ck_assert_int_eq(RPP_ADDRESS_SANITIZER, strstr(B_SANITIZE, "address") != NULL);
  ck_assert_int_eq(RPP_THREAD_SANITIZER, strstr(B_SANITIZE, "thread") != NULL);
}
END_TEST

START_TEST(rooms_lie_apart_on_lines_of_their_own) {
  char *bytes, *one;
  double *numbers;
  int64_t *none;
  void *memory;
  const rpp_room rooms[] = {
      {&bytes, 1, 7, 11, 13}, {&none, sizeof *none, 5, 0, 9}, {&numbers, sizeof *numbers, 3, 1, 1}, {&one, 1, 1, 1, 1}};
  support_accepted(rpp_workspace(4, rooms, &memory));
  ck_assert_ptr_nonnull(memory);
  const uintptr_t starts[] = {(uintptr_t)bytes, (uintptr_t)none, (uintptr_t)numbers, (uintptr_t)one};
  for (int i = 0; i < 4; i++) ck_assert_uint_eq(starts[i] % 64, 0);
  memset(bytes, 1, 1001);
  for (int i = 0; i < 3; i++) numbers[i] = 2.5;
  *one = 3;
  for (int i = 0; i < 1001; i++) ck_assert_int_eq(bytes[i], 1);
  for (int i = 0; i < 3; i++) ck_assert(numbers[i] == 2.5);
  ck_assert_int_eq(IS_CLOSED(bytes + 1000) || IS_CLOSED(numbers + 2) || IS_CLOSED(one), 0);
  if (RPP_ADDRESS_SANITIZER) ck_assert(IS_CLOSED(bytes + 1001) && IS_CLOSED(none) && IS_CLOSED(numbers + 3) && IS_CLOSED(one + 1));
  free(memory);
}
END_TEST

START_TEST(nothing_is_room_too) {
  void *memory = NULL;
  support_accepted(rpp_workspace(0, NULL, &memory));
  ck_assert_ptr_nonnull(memory);
  free(memory);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
  const int64_t half = INT64_C(1) << 62;
  const struct {
    rpp_room first, second;
    rpp_status status;
    const char *field;
  } refused[] = {{{NULL, 1, 1, 1, 1}, {NULL, 1, half, 2, 1}, RPP_ERROR_OVERFLOW, "items = "},
                 {{NULL, 1, 1, 1, 1}, {NULL, 1, 2, 1, half}, RPP_ERROR_OVERFLOW, "items = "},
                 {{NULL, 1, 1, 1, 1}, {NULL, 8, half / 4, 1, 1}, RPP_ERROR_OVERFLOW, "bytes = "},
                 {{NULL, 1, half / 2, 1, 1}, {NULL, 1, half / 2, 1, 1}, RPP_ERROR_OVERFLOW, "bytes = "},
                 {{NULL, 1, 1, 1, 1}, {NULL, 1, half / 2, 1, 1}, RPP_ERROR_MEMORY, "bytes = "}};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char *first = "as it was", *second = first;
    void *memory = &first;
    rpp_room rooms[] = {refused[i].first, refused[i].second};
    rooms[0].to = &first, rooms[1].to = &second;
    support_refused(rpp_workspace(2, rooms, &memory), refused[i].status, refused[i].field, "");
    ck_assert_ptr_null(memory); /* may be freed */
    ck_assert_str_eq(first, "as it was");
    ck_assert_str_eq(second, "as it was");
  }
}
END_TEST

/* Settings with which glibc gives large blocks back, and libraries in its place. */
static bool allocator_is_set(void) {
  for (char **name = environ; *name != NULL; name++)
    if (strncmp(*name, "MALLOC_", 7) == 0 || strncmp(*name, "GLIBC_TUNABLES=", 15) == 0 || strncmp(*name, "LD_PRELOAD=", 11) == 0)
      return true;
  return false;
}

static long faults(void) {
  struct rusage usage;
  ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_minflt;
}

/* What a call does, with other memory that comes and goes beside it: once it took every page from the system anew. */
START_TEST(a_block_is_there_again) {
  enum { CALLS = 6, FIRST = 2, BYTES = 10000000, PAGES = BYTES / 4096 };
  long before = 0;
  for (int call = 0; call < CALLS; call++) {
    if (call == FIRST) before = faults();
    char *large, *small, *beside = malloc(8192);
    void *memory;
    const rpp_room rooms[] = {{&large, 1, BYTES, 1, 1}, {&small, 1, 1000, 1, 1}};
    support_accepted(rpp_workspace(2, rooms, &memory));
    memset(large, call, BYTES);
    memset(small, call, 1000);
    memset(beside, call, 8192);
    free(beside);
    free(memory);
  }
  const long taken = faults() - before;
  if (KEEPS_BLOCKS && !allocator_is_set())
    ck_assert_msg(taken < PAGES / 8, "%ld pages were taken anew in %d calls", taken, CALLS - FIRST);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("workspace");
  TCase *cases = tcase_create("workspace");
  tcase_add_test(cases, the_build_s_sanitizers_are_known);
  tcase_add_test(cases, rooms_lie_apart_on_lines_of_their_own);
  tcase_add_test(cases, nothing_is_room_too);
  tcase_add_test(cases, what_does_not_fit_is_refused);
  tcase_add_test(cases, a_block_is_there_again);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
