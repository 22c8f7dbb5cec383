/* test_example_plugins.c: the plug-ins of verify/examples: right, they pass; with the fault that a beginner makes, the program says so. */
#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "support.h"

#define run(...) shell_run("ROPEPP_VERIFY", __VA_ARGS__)

START_TEST(the_example_passes) {
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE --cases 400"), 0);
  shell_holds("400 cases, 0 failures");
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE --cases 100 --only position=1000000 --seed 5"), 0);
}
END_TEST

START_TEST(a_wrong_turn_is_told_in_words) {
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE_FAULTY --cases 100"), 1);
  shell_holds("probably: matches with a quarter turn of +pi/2");
  shell_holds(",lq=1,lk=");
  char *line = shell_replay_line();
  ck_assert_int_eq(run("%s", line), 1);
  shell_holds("matches with a quarter turn of +pi/2");
  free(line);
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE_FAULTY --cases 100 --only rope:"), 0); /* no imaginary heads */
}
END_TEST

/* On the host's memory, by the SIMT runtime: what a device would run, and the verifier's way to its memory. */
START_TEST(the_cuda_example_passes) {
  ck_assert_int_eq(shell_run("ROPEPP_HOST_DEVICE", "$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE_CUDA --cases 250"), 0);
  shell_holds("250 cases, 0 failures");
  shell_holds("unsupported: its tensors span more memory than is given to a case on the device");
}
END_TEST

START_TEST(tiled_kv_heads_are_told_in_words) {
  ck_assert_int_eq(shell_run("ROPEPP_HOST_DEVICE", "$PROGRAM fuzz --kernel $ROPEPP_EXAMPLE_CUDA_FAULTY --cases 100"), 1);
  shell_holds("probably: matches with KV head o mod K: tiled instead of repeated");
  char *line = shell_replay_line();
  ck_assert_int_eq(shell_run("ROPEPP_HOST_DEVICE", "%s", line), 1);
  free(line);
}
END_TEST

/* By the command that its first lines give, with a compiler's name and a folder for pkg-config's. */
START_TEST(the_example_is_built_by_one_command) {
  ck_assert_int_eq(run("cp $ROPEPP_EXAMPLES/attention.c $DIR && cd $DIR && "
                       "$ROPEPP_CC -O2 -shared -fPIC -I$ROPEPP_EXAMPLES/.. attention.c -o attention.so -lm && "
                       "$PROGRAM fuzz --kernel ./attention.so --cases 20"),
                   0);
  shell_holds("20 cases, 0 failures");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("example_plugins");
  TCase *tests = tcase_create("example_plugins");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, shell_setup, shell_teardown);
  tcase_add_test(tests, the_example_passes);
  tcase_add_test(tests, a_wrong_turn_is_told_in_words);
  tcase_add_test(tests, the_cuda_example_passes);
  tcase_add_test(tests, tiled_kv_heads_are_told_in_words);
  tcase_add_test(tests, the_example_is_built_by_one_command);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
