/* names.c: every enumerator has one name, and the name finds it. */
#include "program/names.h"
#include "cases/spec_keys.h"
#include "files/case.h"

#include <string.h>

#include "support.h"

static const struct {
  const rpp_name *table;
  int count;
} tables[] = {{rpp_names_op, 2},
              {rpp_names_mode, 3},
              {rpp_names_pairing, 2},
              {rpp_names_mask, 3},
              {rpp_names_scaling, 7},
              {rpp_names_angles, 2},
              {rpp_names_inputs, 3},
              {rpp_names_dtype, 4},
              {rpp_names_layout, RPP_LAYOUTS},
              {rpp_names_family, RPP_FAMILIES}};

START_TEST(names_and_values_find_each_other) {
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    for (int value = 0; value < tables[i].count; value++) {
      const char *name = rpp_names_get(tables[i].table, value);
      int found = -1;
      ck_assert_str_ne(name, "?");
      ck_assert(rpp_names_find(tables[i].table, name, strlen(name), &found));
      ck_assert_int_eq(found, value);
    }
    ck_assert_str_eq(rpp_names_get(tables[i].table, tables[i].count), "?");
    ck_assert_str_eq(rpp_names_get(tables[i].table, -1), "?");
    ck_assert_ptr_null(tables[i].table[tables[i].count].name);
  }
}
END_TEST

START_TEST(only_whole_names_are_found) {
  int value = 42;
  ck_assert(!rpp_names_find(rpp_names_scaling, "yar", 3, &value));
  ck_assert(!rpp_names_find(rpp_names_scaling, "yarn-hff", 8, &value));
  ck_assert(!rpp_names_find(rpp_names_scaling, "", 0, &value));
  ck_assert(!rpp_names_find(rpp_names_scaling, "YARN", 4, &value));
  ck_assert_int_eq(value, 42);
  ck_assert(rpp_names_find(rpp_names_scaling, "yarn:factor=32", 4, &value));
  ck_assert_str_eq(rpp_names_get(rpp_names_scaling, value), "yarn");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("names");
  TCase *tests = tcase_create("names");
  tcase_add_test(tests, names_and_values_find_each_other);
  tcase_add_test(tests, only_whole_names_are_found);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
