/* cases.c: a campaign covers the sweep. */
#include "cases/cases.h"

#include <stdlib.h>

#include "support.h"

enum { MOST = 256 };

START_TEST(every_property_occurs_within_5000_cases) {
  int64_t counts[MOST];
  rpp_cases_count((uint64_t)_i, 5000, counts);
  for (int i = 0; rpp_case_properties[i].name != NULL; i++)
    ck_assert_msg(counts[i] > 0, "seed %d: no case with %s %s", _i, rpp_case_properties[i].group, rpp_case_properties[i].name);
}
END_TEST

START_TEST(the_command_prints_one_line_a_property) {
  char *text = NULL;
  size_t size = 0, lines = 0, properties = 0;
  FILE *out = open_memstream(&text, &size);
  const int status = rpp_cases_run(1, 10, out);
  fclose(out);
  for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
  while (rpp_case_properties[properties].name != NULL) properties++;
  ck_assert_uint_lt(properties, MOST);
  ck_assert_uint_eq(lines, properties + 2);
  ck_assert_int_eq(status, 1); /* ten are too few */
  ck_assert_ptr_nonnull(strstr(text, "NONE"));
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cases");
  TCase *tests = tcase_create("cases");
  tcase_add_loop_test(tests, every_property_occurs_within_5000_cases, 1, 4);
  tcase_add_test(tests, the_command_prints_one_line_a_property);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
