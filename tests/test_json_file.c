/* json_file.c: a summary is there whole, or not at all and with a reason. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include "json_file.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

START_TEST(a_file_reads_back) {
  char folder[] = "/tmp/ropepp-json-XXXXXX", path[64];
  rpp_message error;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.json", folder);
  ck_assert(rpp_json_file_write(json_pack("{s:f, s:o}", "third", 1.0 / 3, "none", rpp_json_or_null(NAN)), false, folder, "a.json",
                                &error));
  json_t *read = json_load_file(path, 0, NULL);
  ck_assert_double_eq(json_real_value(json_object_get(read, "third")), 1.0 / 3);
  ck_assert(json_is_null(json_object_get(read, "none")));
  json_decref(read);
  ck_assert(!rpp_json_file_write(json_object(), false, path, "b.json", &error)); /* a file's name for a folder */
  ck_assert_int_eq(unlink(path), 0);
  ck_assert(!rpp_json_file_write(NULL, false, folder, "a.json", &error));
  ck_assert_str_eq(error.text, "a.json: out of memory");
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("json_file");
  TCase *tests = tcase_create("json_file");
  tcase_add_test(tests, a_file_reads_back);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
