/* parse.c: what each parser takes, and what it refuses with a message that names key and value. */
#include "program/parse.h"

#include <math.h>
#include <string.h>

#include "support.h"

static rpp_message error;

static void check_refused(bool accepted, const char *key, const char *text) {
  ck_assert_msg(!accepted, "%s = '%s' was taken", key, text);
  ck_assert_msg(strncmp(error.text, key, strlen(key)) == 0, "'%s' does not name %s", error.text, key);
}

START_TEST(integers) {
  int64_t value;
  ck_assert(rpp_parse_integer("n", "0", 0, &value, &error) && value == 0);
  ck_assert(rpp_parse_integer("n", "-12", INT64_MIN, &value, &error) && value == -12);
  ck_assert(rpp_parse_integer("n", "9223372036854775807", 1, &value, &error) && value == INT64_MAX);
  ck_assert(rpp_parse_integer("n", "-9223372036854775808", INT64_MIN, &value, &error) && value == INT64_MIN);
  static const char *const bad[] = {
      "", " 1", "1 ", "+1", "1.0", "1e3", "0x10", "1,000", "--1", "-", "1-", "nan", "9223372036854775808"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check_refused(rpp_parse_integer("heads", bad[i], INT64_MIN, &value, &error), "heads", bad[i]);
  check_refused(rpp_parse_integer("heads", "0", 1, &value, &error), "heads", "0");
  ck_assert_str_eq(error.text, "heads = 0: must be at least 1");
  ck_assert_int_eq(value, INT64_MIN);
}
END_TEST

START_TEST(numbers) {
  double value;
  ck_assert(rpp_parse_number("x", "0.3535533905932738", &value, &error) && value == 0.3535533905932738);
  ck_assert(rpp_parse_number("x", "-1e-3", &value, &error) && value == -1e-3);
  ck_assert(rpp_parse_number("x", "500000", &value, &error) && value == 5e5);
  ck_assert(rpp_parse_number("x", "1E+16", &value, &error) && value == 1e16);
  static const char *const bad[] = {"",    " 1", "1 ", "1x",  "nan",   "NaN", "inf", "-inf", "infinity", "1e400", "-1e400",
                                    "0x1", "e5", ".",  "1e+", "1.2.3", "1,5", "\t1", "--1",  "1 2",      "+",     "1e5e5"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check_refused(rpp_parse_number("scale", bad[i], &value, &error), "scale", bad[i]);
  ck_assert_double_eq(value, 1e16);
}
END_TEST

START_TEST(names) {
  int value = -1;
  ck_assert(rpp_parse_name("mode", "eh", rpp_names_mode, &value, &error) && value == RPP_MODE_EH);
  check_refused(rpp_parse_name("mode", "rope++", rpp_names_mode, &value, &error), "mode", "rope++");
  ck_assert_str_eq(error.text, "mode = rope++: must be one of rope, ec, eh");
}
END_TEST

START_TEST(scalings) {
  rpp_scaling s;
  ck_assert(rpp_parse_scaling("scaling", "none", &s, &error) && s.kind == RPP_SCALING_NONE);
  ck_assert(rpp_parse_scaling("scaling", "linear:factor=8", &s, &error) && s.kind == RPP_SCALING_LINEAR && s.factor == 8);
  ck_assert(rpp_parse_scaling("scaling", "ntk:factor=4", &s, &error) && s.kind == RPP_SCALING_NTK && s.factor == 4);
  ck_assert(rpp_parse_scaling("scaling", "ntk-aware:factor=1.5", &s, &error) && s.kind == RPP_SCALING_NTK_AWARE && s.factor == 1.5);
  ck_assert(rpp_parse_scaling("scaling", "yarn:factor=32,orig=4096", &s, &error) && s.kind == RPP_SCALING_YARN && s.factor == 32 &&
            s.orig == 4096);
  ck_assert(rpp_parse_scaling("scaling", "yarn-hf:orig=4096,factor=32", &s, &error) && s.kind == RPP_SCALING_YARN_HF &&
            s.factor == 32 && s.orig == 4096);
  ck_assert(rpp_parse_scaling("scaling", "llama3:factor=8,low=1,high=4,orig=8192", &s, &error) && s.kind == RPP_SCALING_LLAMA3 &&
            s.factor == 8 && s.low == 1 && s.high == 4 && s.orig == 8192);
}
END_TEST

START_TEST(scalings_refused) {
  static const char *const bad[] = {"",
                                    "None",
                                    "none:",
                                    "none:factor=1",
                                    "linear",
                                    "linear:",
                                    "linear:factor",
                                    "linear:factor=",
                                    "linear:factor=nan",
                                    "linear:factor=8x",
                                    "linear:factor=8,",
                                    "linear:factor=8,factor=8",
                                    "linear:factor=8,orig=4096",
                                    "linear:,factor=8",
                                    "linear: factor=8",
                                    "linear:factor=8 ",
                                    "linear:scale=8",
                                    "linear:FACTOR=8",
                                    "linear,factor=8",
                                    "yarn:factor=32",
                                    "yarn:orig=4096",
                                    "yarn:factor=32,orig=4096,beta=32",
                                    "yarn:factor=32:orig=4096",
                                    "llama3:factor=8,low=1,high=4",
                                    "dynamic:factor=2"};
  rpp_scaling s = {.kind = RPP_SCALING_YARN, .factor = 42};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check_refused(rpp_parse_scaling("scaling", bad[i], &s, &error), "scaling", bad[i]);
  ck_assert(s.kind == RPP_SCALING_YARN && s.factor == 42);
  rpp_parse_scaling("scaling", "llama3:factor=8,low=1,high=4", &s, &error);
  ck_assert_str_eq(error.text, "scaling = llama3:factor=8,low=1,high=4: orig is missing");

  char longest[4096] = "yarn:factor=32,orig=";
  memset(longest + strlen(longest), '1', sizeof longest - strlen(longest) - 1);
  check_refused(rpp_parse_scaling("scaling", longest, &s, &error), "scaling", longest);
}
END_TEST

START_TEST(masks) {
  rpp_mask mask;
  int64_t window;
  ck_assert(rpp_parse_mask("mask", "window:17", &mask, &window, &error) && mask == RPP_MASK_WINDOW && window == 17);
  ck_assert(rpp_parse_mask("mask", "causal", &mask, &window, &error) && mask == RPP_MASK_CAUSAL && window == 0);
  ck_assert(rpp_parse_mask("mask", "full", &mask, &window, &error) && mask == RPP_MASK_FULL && window == 0);
  static const char *const bad[] = {"", "window", "causal:", "causal:1", "full:2", "Causal", ":1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    check_refused(rpp_parse_mask("mask", bad[i], &mask, &window, &error), "mask", bad[i]);
  static const char *const bad_widths[] = {"window:", "window:0", "window:-1", "window:1.5", "window:1:2", "window:nan"};
  for (size_t i = 0; i < sizeof bad_widths / sizeof *bad_widths; i++)
    check_refused(rpp_parse_mask("mask", bad_widths[i], &mask, &window, &error), "window", bad_widths[i]);
  ck_assert(mask == RPP_MASK_FULL && window == 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("parse");
  TCase *tests = tcase_create("parse");
  tcase_add_test(tests, integers);
  tcase_add_test(tests, numbers);
  tcase_add_test(tests, names);
  tcase_add_test(tests, scalings);
  tcase_add_test(tests, scalings_refused);
  tcase_add_test(tests, masks);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
