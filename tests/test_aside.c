/* aside.c: a file is there whole or not at all. */
#include "program/aside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/ropepp-aside-XXXXXX", path[64];

static void set_up(void) {
  strcpy(folder + strlen(folder) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/file", folder);
}

static void tear_down(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

/* What path holds: "" when it is not there. */
static const char *held(const char *name) {
  static char text[16];
  FILE *file = fopen(name, "r");
  memset(text, 0, sizeof text);
  if (file == NULL) return text;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static int entries(void) {
  char command[80], count[16] = "";
  snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
  FILE *pipe = popen(command, "r");
  ck_assert_ptr_nonnull(fgets(count, sizeof count, pipe));
  pclose(pipe);
  return atoi(count);
}

START_TEST(only_a_commit_puts_it_in_place) {
  rpp_aside aside;
  rpp_message error;
  for (int round = 0; round < 2; round++) { /* a new file, then over an old one */
    ck_assert(rpp_aside_open(&aside, path, &error));
    fprintf(aside.file, "round %d", round);
    fflush(aside.file);
    ck_assert_str_eq(held(path), round == 0 ? "" : "round 0");
    ck_assert(rpp_aside_commit(&aside, &error));
    ck_assert_str_eq(held(path), round == 0 ? "round 0" : "round 1");
    ck_assert_int_eq(entries(), 1);
  }
  ck_assert(rpp_aside_open(&aside, path, &error));
  fputs("never", aside.file);
  rpp_aside_drop(&aside);
  rpp_aside_drop(&aside);
  ck_assert_str_eq(held(path), "round 1");
  ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(the_file_behind_a_link_is_written_and_the_link_stays) {
  rpp_aside aside;
  rpp_message error;
  struct stat status;
  char link[80];
  snprintf(link, sizeof link, "%s/link", folder);
  ck_assert(rpp_aside_open(&aside, path, &error) && rpp_aside_commit(&aside, &error));
  ck_assert_int_eq(symlink(path, link), 0);
  ck_assert(rpp_aside_open(&aside, link, &error));
  fputs("through", aside.file);
  ck_assert(rpp_aside_commit(&aside, &error));
  ck_assert_str_eq(held(path), "through");
  ck_assert_int_eq(lstat(link, &status), 0);
  ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

START_TEST(what_cannot_be_a_file_is_refused) {
  const char *names[] = {"", "/dev/null", "/proc/nowhere/file", folder, "/tmp/"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    rpp_aside aside;
    rpp_message error = {""};
    ck_assert(!rpp_aside_open(&aside, names[i], &error));
    ck_assert_ptr_null(aside.file);
    ck_assert_str_ne(error.text, "");
  }
}
END_TEST

START_TEST(folders_are_made_with_those_above_them) {
  rpp_message error;
  char deep[80], below[96];
  rpp_aside aside;
  snprintf(deep, sizeof deep, "%s/a/b", folder);
  ck_assert(rpp_folder_make(deep, &error) && rpp_folder_make(deep, &error));
  ck_assert(rpp_aside_open(&aside, path, &error) && rpp_aside_commit(&aside, &error));
  snprintf(below, sizeof below, "%s/below", path);
  ck_assert(!rpp_folder_make(path, &error));
  ck_assert(!rpp_folder_make(below, &error));
  ck_assert(!rpp_folder_make("", &error));
  ck_assert(!rpp_folder_make("/proc/nowhere", &error));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("aside");
  TCase *tests = tcase_create("aside");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, only_a_commit_puts_it_in_place);
  tcase_add_test(tests, the_file_behind_a_link_is_written_and_the_link_stays);
  tcase_add_test(tests, what_cannot_be_a_file_is_refused);
  tcase_add_test(tests, folders_are_made_with_those_above_them);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
