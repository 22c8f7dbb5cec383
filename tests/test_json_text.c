/* test_json_text.c: any bytes become JSON text, as they are where JSON has them. */
#include "base/json_text.h"

#include "support.h"

static void becomes(json_t *value, const char *expected) {
  ck_assert_str_eq(json_string_value(value), expected);
  json_decref(value);
}

START_TEST(text) {
  becomes(rpp_json_text("a/b c"), "a/b c");
  becomes(rpp_json_text("caf\xc3\xa9\n"), "caf\xc3\xa9\n");
  becomes(rpp_json_text("caf\xe9\n\x1b"), "caf???");
  becomes(rpp_json_text(""), "");
  becomes(rpp_json_text_or_null("\xff"), "?");
  json_t *none = rpp_json_text_or_null("");
  ck_assert(json_is_null(none));
  json_decref(none);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("json_text");
  TCase *tests = tcase_create("json_text");
  tcase_add_test(tests, text);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
