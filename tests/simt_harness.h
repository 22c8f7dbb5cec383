// simt_harness.h: runs a kernel in the SIMT runtime, and looks at what it reports.
#ifndef SIMT_HARNESS_H
#define SIMT_HARNESS_H
#include "cu_compat.h"

#include "support.h"

using namespace RPP_TARGET;

// On the line of a call that is to be reported.
static int planted_line;
#define PLANTED __atomic_store_n(&planted_line, __LINE__, __ATOMIC_RELAXED)

static char simt_report[REPORT];

// One block, or more, of threads; several seeds, so that the order is another one each time. False at the first that reports.
template <class... P, class... A> bool simt_run(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, A... arguments) {
  for (uint64_t seed = 0; seed < 8; seed++) {
    const rpp_simt::Stream stream = {seed, 0};
    simt_report[0] = '\0';
    if (!launch("kernel_name", kernel, grid, block, shared, const_cast<rpp_simt::Stream *>(&stream), simt_report, arguments...))
      return false;
  }
  return true;
}

#define simt_clean(...) ck_assert_msg(simt_run(__VA_ARGS__), "%s", simt_report)

// The launch fails, and its report has the kernel, this file, the planted line and the text.
#define simt_reported(text, ...)                                                                                                   \
  do {                                                                                                                             \
    char where_[64];                                                                                                               \
    ck_assert_msg(!simt_run(__VA_ARGS__), "nothing was reported");                                                                 \
    snprintf(where_, sizeof where_, ".cc:%d: ", planted_line);                                                                     \
    ck_assert_msg(strstr(simt_report, where_) && strstr(simt_report, "kernel kernel_name") && strstr(simt_report, "thread (") &&   \
                      strstr(simt_report, (text)),                                                                                 \
                  "\"%s\"; wanted %s and %s", simt_report, where_, (text));                                                        \
  } while (0)

#define SIMT_SUITE(name, ...)                                                                                                      \
  int main() {                                                                                                                     \
    Suite *suite = suite_create(name);                                                                                             \
    TCase *tests = tcase_create(name);                                                                                             \
    const TTest *const all[] = {__VA_ARGS__};                                                                                      \
    for (const TTest *test : all) tcase_add_test(tests, test);                                                                     \
    suite_add_tcase(suite, tests);                                                                                                 \
    return support_run(suite);                                                                                                     \
  }

#endif
