#include "support.h"

#include "identities/errata.h"

#include <stdlib.h>
#include <string.h>

/* The table's text, and the command's exit status. */
static int run(char *text, size_t size) {
  FILE *out = tmpfile();
  ck_assert_ptr_nonnull(out);
  const int status = rpp_errata_run(out);
  rewind(out);
  const size_t length = fread(text, 1, size - 1, out);
  text[length] = '\0';
  fclose(out);
  return status;
}

START_TEST(every_number_is_shown) {
  static const char *const numbers[] = {" 0.201037 ",   " 1.851623 ",   " 1707.000000 ",
                                        " 978.000000 ", " 725.000000 ", " 131.000000 "};
  char text[4096];
  ck_assert_int_eq(run(text, sizeof text), 0);
  ck_assert_ptr_null(strstr(text, "NOT SHOWN"));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    ck_assert_msg(strstr(text, numbers[i]) != NULL, "missing%s", numbers[i]);
}
END_TEST

START_TEST(each_error_from_1_to_4_has_a_row) {
  char text[4096];
  run(text, sizeof text);
  for (char error = '1'; error <= '4'; error++) {
    const char start[] = {'\n', error, ' ', '\0'};
    ck_assert_msg(strstr(text, start) != NULL, "no row for error %c", error);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("errata");
  TCase *tests = tcase_create("errata");
  tcase_add_test(tests, every_number_is_shown);
  tcase_add_test(tests, each_error_from_1_to_4_has_a_row);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
