/* safetensors_write.c: what is written is read back; what cannot be written leaves nothing behind. */
#include "files/safetensors_write.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/safetensors.h"
#include "support.h"

static char folder[64], path[80];

static void enter(void) {
  strcpy(folder, "/tmp/ropepp-write-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/case", folder);
}

static void leave(void) {
  unlink(path);
  ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left in it */
}

START_TEST(files_come_back) {
  float data[2 * 3 * 4];
  int64_t positions[3] = {5, -1, 1000000};
  for (int i = 0; i < 24; i++) data[i] = (float)i;
  const rpp_tensor whole = {.data = data, .dtype = RPP_F32, .ndim = 3, .shape = {2, 3, 4}, .strides = {12, 4, 1}};
  const rpp_tensor turned = {.data = data, .dtype = RPP_F32, .ndim = 3, .shape = {4, 2, 3}, .strides = {1, 12, 4}};
  const rpp_tensor back = {.data = data, .dtype = RPP_F32, .ndim = 1, .shape = {3}, .strides = {-2}, .byte_offset = 20};
  const rpp_tensor pos = {.data = positions, .dtype = RPP_I64, .ndim = 1, .shape = {3}, .strides = {1}};
  const rpp_tensor none = {.dtype = RPP_BF16, .ndim = 2, .shape = {0, 7}, .strides = {7, 1}};
  const rpp_safetensors_entry entries[] = {{"whole", &whole}, {"turned", &turned}, {"back", &back}, {"pos", &pos}, {"none", &none}};
  const rpp_safetensors_pair metadata[] = {{"format", "x/1"}, {"name", "quote \" newline \n \xc3\xa9"}};
  rpp_safetensors *file;
  rpp_message error;
  ck_assert_msg(rpp_safetensors_write(path, 2, metadata, 5, entries, &error), "%s", error.text);
  ck_assert_msg(rpp_safetensors_load(path, &file, &error), "%s", error.text);
  ck_assert_str_eq(rpp_safetensors_metadata(file, "name"), metadata[1].value);
  ck_assert_uint_eq(rpp_safetensors_tensor_count(file), 5);
  const rpp_tensor *t = rpp_safetensors_tensor(file, "turned");
  for (int64_t a = 0; a < 4; a++)
    for (int64_t b = 0; b < 2; b++)
      for (int64_t c = 0; c < 3; c++)
        ck_assert_double_eq(rpp_tensor_get(t, (int64_t[]){a, b, c}), (double)data[b * 12 + c * 4 + a]);
  t = rpp_safetensors_tensor(file, "back");
  for (int64_t i = 0; i < 3; i++) ck_assert_double_eq(rpp_tensor_get(t, &i), (double)(5 - 2 * i));
  t = rpp_safetensors_tensor(file, "pos");
  ck_assert_double_eq(rpp_tensor_get(t, (int64_t[]){2}), 1e6);
  ck_assert_uint_eq((uintptr_t)rpp_safetensors_tensor(file, "whole")->data % 4, 0);
  rpp_safetensors_free(file);
}
END_TEST

START_TEST(permissions_are_those_of_a_new_file) {
  struct stat status;
  rpp_message error;
  umask(027);
  ck_assert(rpp_safetensors_write(path, 0, NULL, 0, NULL, &error));
  ck_assert_int_eq(stat(path, &status), 0);
  ck_assert_uint_eq(status.st_mode & 0777, 0640);
}
END_TEST

START_TEST(only_files_are_replaced) {
  static const char *const places[] = {"", "/", "/tmp", "/tmp/", "/dev/null", "/dev/full", "/nowhere/case", "/proc/case"};
  char link[80], other[80];
  rpp_message error;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    ck_assert(!rpp_safetensors_write(places[i], 0, NULL, 0, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "cannot be written: "));
  }
  ck_assert(rpp_safetensors_write(path, 0, NULL, 0, NULL, &error)); /* over a link: the file it leads to is replaced */
  snprintf(link, sizeof link, "%s/link", folder);
  snprintf(other, sizeof other, "%s/case", folder);
  ck_assert_int_eq(symlink(other, link), 0);
  ck_assert(rpp_safetensors_write(link, 1, (rpp_safetensors_pair[]){{"a", "b"}}, 0, NULL, &error));
  struct stat status;
  ck_assert_int_eq(lstat(link, &status), 0);
  ck_assert(S_ISLNK(status.st_mode));
  rpp_safetensors *file;
  ck_assert(rpp_safetensors_load(path, &file, &error));
  ck_assert_str_eq(rpp_safetensors_metadata(file, "a"), "b");
  rpp_safetensors_free(file);
  unlink(link);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file) {
  static double data[100000];
  const rpp_tensor large = {.data = data, .dtype = RPP_F64, .ndim = 1, .shape = {100000}, .strides = {1}};
  rpp_safetensors *file;
  rpp_message error;
  ck_assert(rpp_safetensors_write(path, 1, (rpp_safetensors_pair[]){{"a", "old"}}, 0, NULL, &error));
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096}), 0);
  ck_assert(!rpp_safetensors_write(path, 0, NULL, 1, (rpp_safetensors_entry[]){{"x", &large}}, &error));
  ck_assert_str_eq(error.text, "cannot be written: File too large");
  ck_assert(rpp_safetensors_load(path, &file, &error));
  ck_assert_str_eq(rpp_safetensors_metadata(file, "a"), "old");
  rpp_safetensors_free(file);
}
END_TEST

START_TEST(what_no_file_can_hold_is_refused) {
  double x = 0;
  rpp_tensor t = {.data = &x, .dtype = RPP_F64, .ndim = 1, .shape = {1}, .strides = {1}};
  const rpp_safetensors_entry twice[] = {{"x", &t}, {"x", &t}};
  rpp_message error;
  ck_assert(!rpp_safetensors_write(path, 0, NULL, 2, twice, &error));
  ck_assert(!rpp_safetensors_write(path, 2, (rpp_safetensors_pair[]){{"a", "1"}, {"a", "2"}}, 0, NULL, &error));
  ck_assert(!rpp_safetensors_write(path, 1, (rpp_safetensors_pair[]){{"a", "\xff"}}, 0, NULL, &error));
  t.ndim = 5;
  ck_assert(!rpp_safetensors_write(path, 0, NULL, 1, twice, &error));
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("safetensors_write");
  TCase *tests = tcase_create("safetensors_write");
  tcase_add_checked_fixture(tests, enter, leave);
  tcase_add_test(tests, files_come_back);
  tcase_add_test(tests, permissions_are_those_of_a_new_file);
  tcase_add_test(tests, only_files_are_replaced);
  tcase_add_test(tests, a_full_disk_leaves_the_old_file);
  tcase_add_test(tests, what_no_file_can_hold_is_refused);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
