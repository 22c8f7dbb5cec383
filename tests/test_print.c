/* print.c: what is printed parses to the same value. */
#include "program/print.h"

#include <float.h>

#include "program/parse.h"
#include "support.h"

START_TEST(numbers_come_back) {
  static const double known[] = {0, 1, 0.1, 10000, 1e6, 1.0 / 3, 0x1p-1074, DBL_MAX, -2.5, 0.08838834764831845};
  uint64_t state = 1;
  char text[RPP_PRINT_TEXT];
  rpp_message error;
  for (int i = 0; i < 100000; i++) {
    const double x = i < (int)(sizeof known / sizeof *known) ? known[i] : support_uniform(&state, -1, 1) * (i % 2 ? 1e-9 : 1e12);
    double back;
    rpp_print_number(x, text);
    ck_assert_msg(rpp_parse_number("x", text, &back, &error) && back == x, "%a printed as %s", x, text);
  }
  rpp_print_number(10000, text);
  ck_assert_str_eq(text, "10000");
  rpp_print_number(0.1, text);
  ck_assert_str_eq(text, "0.1");
}
END_TEST

START_TEST(scalings_and_masks_come_back) {
  static const char *const scalings[] = {"none",
                                         "linear:factor=8",
                                         "ntk:factor=4",
                                         "ntk-aware:factor=1.5",
                                         "yarn:factor=32,orig=4096",
                                         "yarn-hf:factor=4,orig=64",
                                         "llama3:factor=8,orig=8192,low=1,high=4"};
  static const char *const masks[] = {"causal", "full", "window:7"};
  char text[RPP_PRINT_TEXT];
  rpp_message error;
  for (size_t i = 0; i < sizeof scalings / sizeof *scalings; i++) {
    rpp_scaling scaling;
    ck_assert(rpp_parse_scaling("scaling", scalings[i], &scaling, &error));
    rpp_print_scaling(&scaling, text);
    ck_assert_str_eq(text, scalings[i]);
  }
  for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
    rpp_mask mask;
    int64_t window;
    ck_assert(rpp_parse_mask("mask", masks[i], &mask, &window, &error));
    rpp_print_mask(mask, window, text);
    ck_assert_str_eq(text, masks[i]);
  }
  const double long_number = -1.2345678901234567e-300;
  rpp_print_scaling(&(rpp_scaling){RPP_SCALING_LLAMA3, long_number, long_number, long_number, long_number}, text);
  ck_assert_uint_lt(strlen(text), RPP_PRINT_TEXT - 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("print");
  TCase *tests = tcase_create("print");
  tcase_add_test(tests, numbers_come_back);
  tcase_add_test(tests, scalings_and_masks_come_back);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
