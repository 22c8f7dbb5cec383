/* plugin_probe.c: whatever a library does on loading, this process learns of it and goes on. */
#define _GNU_SOURCE /* dlopen's RTLD_NOLOAD */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/plugin_load.h"
#include "shell.h"
#include "support.h"

static const char *copy(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s.so", shell_folder, name);
  ck_assert_int_eq(shell_run("ROPEPP_BROKEN_PLUGIN", "cp $PROGRAM %s", path), 0);
  return path;
}

static void nothing_stays(const char *path) {
  ck_assert_ptr_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child, dead or alive */
}

static void refused(const char *name, double limit_s, const char *says) {
  rpp_plugin_facts facts;
  rpp_message error = {""};
  const char *path = copy(name);
  ck_assert_msg(!rpp_plugin_probe(path, limit_s, &facts, &error), "%s is taken", name);
  ck_assert_msg(strstr(error.text, says) != NULL, "%s: %s", name, error.text);
  nothing_stays(path);
}

START_TEST(a_library_that_dies_is_told_of) {
  refused("constructor-aborts", 60, "crashes when it is loaded: SIGABRT");
  refused("constructor-exits", 60, "ends the process when it is loaded: exit, status "); /* 5, but ThreadSanitizer has its own */
  refused("entry-aborts", 60, "crashes when it is loaded: SIGABRT");
}
END_TEST

START_TEST(a_library_that_hangs_is_ended) {
  refused("constructor-hangs", 0.5, "hangs: it was not loaded after 0.5 s");
  refused("constructor-closes", 60, "when it is loaded"); /* the pipe, too: it cannot answer */
}
END_TEST

START_TEST(what_loading_refuses_is_refused) {
  refused("abi-newer", 60, "abi = 2: is newer");
  refused("contract-key", 60, "q = f8");
}
END_TEST

START_TEST(what_is_no_file_is_not_waited_for) {
  rpp_plugin_facts facts;
  rpp_message error;
  char path[256];
  ck_assert(!rpp_plugin_probe(shell_folder, 60, &facts, &error));
  ck_assert_str_eq(error.text, "is no regular file");
  snprintf(path, sizeof path, "%s/fifo", shell_folder);
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  ck_assert(!rpp_plugin_probe(path, 60, &facts, &error));
  ck_assert_str_eq(error.text, "is no regular file");
  ck_assert(!rpp_plugin_probe("/nonexistent/x.so", 60, &facts, &error));
  ck_assert_str_eq(error.text, "No such file or directory");
}
END_TEST

START_TEST(facts_come_over) {
  rpp_plugin_facts facts;
  rpp_message error;
  const char *path = copy("right");
  ck_assert_msg(rpp_plugin_probe(path, 60, &facts, &error), "%s", error.text);
  ck_assert_str_eq(facts.name, "broken");
  ck_assert_str_eq(facts.description, "breaks as its file is named");
  ck_assert(facts.contract.input == RPP_F32 && facts.attends && !facts.rotates && facts.wants_workspace && !facts.on_device);
  nothing_stays(path);
  ck_assert(rpp_plugin_probe(copy("device"), 60, &facts, &error) && facts.on_device);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plugin_probe");
  TCase *tests = tcase_create("plugin_probe");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, a_library_that_dies_is_told_of);
  tcase_add_test(tests, a_library_that_hangs_is_ended);
  tcase_add_test(tests, what_loading_refuses_is_refused);
  tcase_add_test(tests, what_is_no_file_is_not_waited_for);
  tcase_add_test(tests, facts_come_over);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
