/* json_number.c: float64 in JSON and back, bit for bit; what JSON has no number for is a string. */
#include "base/json_number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "support.h"

/* Written as the reports write it, and read again; to be released. */
static json_t *through_text(double x) {
  json_t *list = json_pack("[o]", rpp_json_number(x));
  char *text = json_dumps(list, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  ck_assert_ptr_nonnull(text);
  json_decref(list);
  list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  ck_assert_msg(list != NULL, "%s", text);
  free(text);
  return list;
}

static void check_same(double x) {
  json_t *list = through_text(x);
  const json_t *number = json_array_get(list, 0);
  ck_assert_msg(json_is_real(number), "%a", x);
  const double back = json_real_value(number);
  ck_assert_msg(memcmp(&back, &x, sizeof x) == 0, "%a came back as %a", x, back);
  json_decref(list);
}

START_TEST(finite_numbers_come_back) {
  const double some[] = {0,       -0.0,     1,       -1,           0.1,           1e-13,  1e300,
                         DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, -DBL_TRUE_MIN, 0x1p53, 9007199254740993.0};
  for (size_t i = 0; i < sizeof some / sizeof *some; i++) check_same(some[i]);
  uint64_t state = 1;
  for (int i = 0; i < 20000; i++) {
    const uint64_t bits = support_random(&state);
    double x;
    memcpy(&x, &bits, sizeof x);
    if (isfinite(x)) check_same(x);
  }
}
END_TEST

START_TEST(others_are_strings) {
  const struct {
    double x;
    const char *text;
  } others[] = {{NAN, "nan"}, {-NAN, "nan"}, {INFINITY, "inf"}, {-INFINITY, "-inf"}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    json_t *list = through_text(others[i].x);
    ck_assert_str_eq(json_string_value(json_array_get(list, 0)), others[i].text);
    json_decref(list);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("json_number");
  TCase *tests = tcase_create("json_number");
  tcase_add_test(tests, finite_numbers_come_back);
  tcase_add_test(tests, others_are_strings);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
