/* test_named_tensors.c: tensors by name from a safetensors file, a .npy file, a folder of them; what is none of these. */
#include "files/named_tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer_builder.h"
#include "case_builder.h"
#include "support.h"

static char folder[] = "/tmp/ropepp-named-XXXXXX", path[128];
static rpp_named_tensors set;
static rpp_message error;
static float data[6] = {0, 1, 2, 3, 4, 5};
static const rpp_tensor two_by_three = {data, RPP_F32, 2, {2, 3}, {3, 1}, 0};

static void setup(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void) {
  char command[64];
  rpp_named_tensors_free(&set);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

static const char *inside(const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static bool known(const char *name) {
  return strlen(name) == 1;
}

static bool load(const char *from) {
  return rpp_named_tensors_load(from, "single", known, &set, &error);
}

static void refused(const char *from, const char *expected) {
  ck_assert_msg(!load(from), "taken, not: %s", expected);
  ck_assert_str_eq(error.text, expected);
  ck_assert(set.file == NULL && set.array_count == 0);
}

START_TEST(a_folder) {
  const char *name;
  answer_npy(folder, "b", &two_by_three, false);
  answer_npy(folder, "a", &two_by_three, false);
  build_save(inside("readme.txt"), "x", 1);
  build_save(inside(".npy"), "x", 1);
  build_save(inside(".c.npy"), "x", 1);
  ck_assert_msg(load(folder), "%s", error.text);
  ck_assert_uint_eq(rpp_named_tensors_count(&set), 2);
  const rpp_tensor *t = rpp_named_tensors_at(&set, 0, &name);
  ck_assert_str_eq(name, "a");
  ck_assert_double_eq(rpp_tensor_get(t, (int64_t[]){1, 1}), 4);
  rpp_named_tensors_at(&set, 1, &name);
  ck_assert_str_eq(name, "b");
}
END_TEST

START_TEST(bad_folders) {
  refused(folder, "a folder without .npy files");
  answer_npy(folder, "a", &two_by_three, false);
  answer_npy(folder, "pos", &two_by_three, false);
  refused(folder, "pos.npy: no tensor of a case is called so");
  unlink(inside("pos.npy"));
  answer_npy(folder, "a_name_that_is_longer_than_any_that_there_is", &two_by_three, false);
  refused(folder, "a_name_that_is_longer_than_any_that_there_is.npy: no tensor of a case is called so");
  unlink(inside("a_name_that_is_longer_than_any_that_there_is.npy"));
  build_save(inside("b.npy"), "\x93NUMPY\x01", 7);
  refused(folder, "b.npy: size = 7 bytes: too short for a .npy file");
  unlink(inside("b.npy"));
  ck_assert_int_eq(mkfifo(inside("b.npy"), 0600), 0); /* must not wait for a writer */
  refused(folder, "b.npy: not a regular file");
  unlink(inside("b.npy"));
  for (char c = 'A'; c <= 'Z'; c++) answer_npy(folder, (char[]){c, 0}, &two_by_three, false);
  for (char c = 'a'; c <= 'h'; c++) answer_npy(folder, (char[]){c, 0}, &two_by_three, false);
  refused(folder, "more than 31 .npy files");
}
END_TEST

START_TEST(one_array) {
  const char *name;
  answer_npy(folder, "result", &two_by_three, false);
  ck_assert(load(inside("result.npy")));
  ck_assert_uint_eq(rpp_named_tensors_count(&set), 1);
  rpp_named_tensors_at(&set, 0, &name);
  ck_assert_str_eq(name, "single");
  rpp_named_tensors_free(&set);
  char other[128];
  strcpy(other, path);
  ck_assert_int_eq(rename(other, inside("result")), 0);
  ck_assert(load(path)); /* known by its first bytes */
  rpp_named_tensors_free(&set);
  build_save(inside("x.npy"), "12345678", 8);
  refused(path, "not a .npy file: it does not begin with \\x93NUMPY");
}
END_TEST

START_TEST(safetensors) {
  const char *name;
  builder b = {0};
  build_tensor(&b, "any name", RPP_F32, 1, (int64_t[]){2})[1] = 7;
  build_write(&b, inside("file"));
  build_free(&b);
  ck_assert_msg(load(path), "%s", error.text);
  ck_assert_uint_eq(rpp_named_tensors_count(&set), 1);
  ck_assert_double_eq(rpp_tensor_get(rpp_named_tensors_at(&set, 0, &name), (int64_t[]){1}), 7);
  ck_assert_str_eq(name, "any name");
  rpp_named_tensors_free(&set);
  refused("/nonexistent", "cannot be opened: No such file or directory");
  build_save(inside("empty"), "", 0);
  refused(path, "size = 0 bytes: too short for a safetensors file");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("named_tensors");
  TCase *tests = tcase_create("named_tensors");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_folder);
  tcase_add_test(tests, bad_folders);
  tcase_add_test(tests, one_array);
  tcase_add_test(tests, safetensors);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
