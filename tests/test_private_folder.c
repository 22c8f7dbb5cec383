/* test_private_folder.c: the folder is gone when its process is. */
#include "base/private_folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static void fill(const char *folder) {
  char path[PATH_MAX];
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%d", folder, i);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
  }
  snprintf(path, sizeof path, "%s/inner", folder);
  ck_assert_int_eq(mkdir(path, 0700), 0);
  snprintf(path, sizeof path, "%s/inner/outside", folder);
  ck_assert_int_eq(symlink("/tmp", path), 0); /* not followed */
}

/* Within a second or ten. */
static bool goes(const char *path) {
  for (int i = 0; i < 100 && access(path, F_OK) == 0; i++) usleep(100000);
  return access(path, F_OK) != 0;
}

START_TEST(removed_when_asked) {
  rpp_private_folder folder;
  rpp_message error;
  struct stat status;
  ck_assert_msg(rpp_private_folder_make(&folder, &error), "%s", error.text);
  ck_assert(stat(folder.path, &status) == 0 && (status.st_mode & 0777) == 0700 && folder.path[0] == '/');
  fill(folder.path);
  rpp_private_folder_remove(&folder);
  ck_assert_int_ne(access(folder.path, F_OK), 0);
  ck_assert_int_eq(access("/tmp", F_OK), 0);
}
END_TEST

START_TEST(removed_however_the_process_ends) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGKILL, SIGSEGV, 0};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    int ends[2];
    char path[RPP_PRIVATE_FOLDER];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      rpp_private_folder folder;
      rpp_message error;
      for (size_t s = 0; signals[s] != 0; s++) signal(signals[s], SIG_DFL); /* in place of the handlers of Check */
      if (!rpp_private_folder_make(&folder, &error)) _exit(1);
      fill(folder.path);
      if (write(ends[1], folder.path, sizeof folder.path) < 0 || signals[i] == 0) _exit(1);
      for (;;) pause();
    }
    ck_assert_int_eq(read(ends[0], path, sizeof path), sizeof path);
    if (signals[i] != 0) {
      ck_assert_int_eq(access(path, F_OK), 0); /* not before */
      kill(pid, signals[i]);
    }
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    ck_assert_msg(goes(path), "signal %d", signals[i]);
  }
}
END_TEST

START_TEST(what_cannot_be_had) {
  rpp_private_folder folder;
  rpp_message error;
  static const char *const wrong[] = {"/nonexistent", "/dev/null", "/proc"};
  for (int i = 0; i < 3; i++) {
    setenv("TMPDIR", wrong[i], 1);
    ck_assert(!rpp_private_folder_make(&folder, &error));
    ck_assert_msg(strstr(error.text, "TMPDIR = ") != NULL && strstr(error.text, wrong[i]) != NULL, "%s", error.text);
  }
  setenv("TMPDIR", "", 1);
  ck_assert(rpp_private_folder_make(&folder, &error));
  ck_assert_int_eq(strncmp(folder.path, "/tmp/ropepp-", 12), 0);
  rpp_private_folder_remove(&folder);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("private_folder");
  TCase *tests = tcase_create("private_folder");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, removed_when_asked);
  tcase_add_test(tests, removed_however_the_process_ends);
  tcase_add_test(tests, what_cannot_be_had);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
