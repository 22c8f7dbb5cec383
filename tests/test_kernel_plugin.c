/* kernel_plugin.c: plug-ins on the command line, wherever a kernel is taken: what they do becomes their verdict, and the others' stand. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "shell.h"
#include "support.h"

#define run(...) shell_run("ROPEPP_VERIFY", __VA_ARGS__)

static void setup(void) {
  shell_setup();
  ck_assert_int_eq(shell_run("ROPEPP_EXAMPLE", "cp $PROGRAM $DIR/example.so"), 0);
}

static void copy(const char *name) {
  ck_assert_int_eq(shell_run("ROPEPP_BROKEN_PLUGIN", "cp $PROGRAM $DIR/%s.so", name), 0);
}

static const char *outcome_of(const json_t *kernel) {
  return json_string_value(json_object_get(json_array_get(json_object_get(kernel, "failures"), 0), "outcome"));
}

static const char *message_of(const json_t *kernel) {
  const json_t *failure = json_array_get(json_object_get(kernel, "failures"), 0);
  return json_string_value(json_object_get(json_object_get(failure, "shrunk"), "message"));
}

/* Every way to break, one after the other, and one that is right at either end. */
START_TEST(each_has_its_verdict) {
  static const struct {
    const char *name, *outcome, *says;
  } known[] = {{"aborts", "crash", NULL},
               {"exits", "exit", NULL},
               {"refuses", "refused", "not today"},
               {"unwritten", "unwritten", "were never written"},
               {"nan", "mismatch", NULL},
               {"past-end", "wrote outside", "out: "},
               {"before-start", "wrote outside", "out: "},
               {"input", "wrote outside", "the input itself was written to"},
               {"workspace-past-end", "wrote outside", "workspace: written after its memory, 0 bytes past its end"},
               {"supports-aborts", "crash", NULL}};
  enum { COUNT = sizeof known / sizeof *known };
  char paths[1024] = "$DIR/example.so";
  for (int i = 0; i < COUNT; i++) {
    copy(known[i].name);
    sprintf(paths + strlen(paths), " $DIR/%s.so", known[i].name);
  }
  ck_assert_int_eq(
      run("$PROGRAM fuzz %s blocked --only ec:lq=4,d=8,layout=contiguous --cases %d --format json", paths, 4 * (COUNT + 2)), 3);
  json_t *report = json_loads(shell_out, 0, NULL), *kernels = json_object_get(report, "kernels");
  ck_assert_msg(report != NULL, "%s", shell_out);
  for (size_t k = 0; k < json_array_size(kernels); k++) {
    const json_t *kernel = json_array_get(kernels, k);
    const char *name = json_string_value(json_object_get(kernel, "name"));
    ck_assert_int_eq(json_integer_value(json_object_get(kernel, "cases")), 4);
    if (k == 0 || k == COUNT + 1) {
      ck_assert_msg(json_is_true(json_object_get(kernel, "pass")), "%s", name);
      continue;
    }
    ck_assert_msg(strstr(name, known[k - 1].name) != NULL, "%s", name);
    ck_assert_msg(outcome_of(kernel) != NULL && strcmp(outcome_of(kernel), known[k - 1].outcome) == 0, "%s: %s", name,
                  outcome_of(kernel));
    ck_assert_msg(known[k - 1].says == NULL || strstr(message_of(kernel), known[k - 1].says) != NULL, "%s: %s", name,
                  message_of(kernel));
  }
  json_decref(report);
}
END_TEST

START_TEST(a_kernel_that_hangs_is_ended) {
  copy("hangs");
  ck_assert_int_eq(run("$PROGRAM replay $DIR/hangs.so $DIR/example.so ec:lq=2,d=2"), 3);
  shell_holds("hang: still running after 10 s");
  shell_holds("/example.so         1         1        0");
}
END_TEST

START_TEST(replay_lines_are_to_be_pasted) {
  copy("aborts");
  ck_assert_int_eq(run("mkdir \"$DIR/it's mine\" && mv $DIR/aborts.so \"$DIR/it's mine\" && "
                       "$PROGRAM fuzz --kernel \"$DIR/it's mine/aborts.so\" --cases 5"),
                   3);
  char *line = shell_replay_line();
  ck_assert_ptr_nonnull(strstr(line, "it'\\''s mine/aborts.so' "));
  ck_assert_int_eq(run("%s", line), 3);
  shell_holds("\n1 cases, 1 failures, ");
  free(line);
  ck_assert_int_eq(run("$PROGRAM replay \"$DIR/it's mine/aborts.so ec:h=2\""), 3); /* in one word */
}
END_TEST

/* A name without a slash is one in the current folder; the same library twice is one kernel. */
START_TEST(a_plug_in_goes_wherever_a_kernel_does) {
  ck_assert_int_eq(run("cd $DIR && $PROGRAM kernels --kernel example.so blocked"), 0);
  shell_holds("example  RoPE, EC and EH in float32, one row at a time; f32,rotated=f32,");
  shell_holds("\nexample");
  shell_holds("blocked  flash-style");
  ck_assert_int_eq(run("cd $DIR && $PROGRAM fuzz ./example.so --kernel example.so --cases 3 --format json"), 0);
  json_t *report = json_loads(shell_out, 0, NULL);
  ck_assert_int_eq(json_array_size(json_object_get(report, "kernels")), 1);
  ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(report, "kernels"), 0), "name")),
                   "./example.so");
  json_decref(report);
  ck_assert_int_eq(run("cd $DIR && $PROGRAM replay --kernel example.so --kernel=./example.so ec:h=2"), 0);
  shell_holds("\n1 cases, 0 failures");
  ck_assert_int_eq(run("cd $DIR && $PROGRAM bench -k example.so --vs ./example.so --case ec:lq=16,d=16 --seconds 0.01"), 0);
  shell_holds("example");
}
END_TEST

START_TEST(supports_decides) {
  copy("supports-nothing");
  ck_assert_int_eq(run("$PROGRAM fuzz $DIR/supports-nothing.so --cases 5"), 1);
  shell_holds("5 unsupported: of two minds?about it\n");
  shell_holds("FAIL: no case is supported");
  copy("rotates");
  ck_assert_int_eq(run("$PROGRAM fuzz $DIR/rotates.so --only ec:inputs=raw,lq=2 --cases 5"), 1);
  shell_holds("refused: does not rotate");
}
END_TEST

/* Device pointers, where the host's memory is the device's: guard zones there are looked after, too. */
START_TEST(a_device_kernel_is_guarded) {
  static const char *const known[][2] = {
      {"device-past-end", "wrote outside: out: written after its memory on the device, 0 bytes past its end"},
      {"device-workspace-past-end", "wrote outside: workspace: written after its memory on the device, 0 bytes past its end"},
      {"device-input", "wrote outside: q: the input itself, or its gaps, were written to on the device"},
      {"device-unwritten", "unwritten: out: "},
      {"device-aborts", "crash, SIGABRT"}};
  for (int i = 0; i < 5; i++) {
    copy(known[i][0]);
    ck_assert_int_eq(shell_run("ROPEPP_HOST_DEVICE", "$PROGRAM replay $DIR/%s.so ec:lq=2,d=2", known[i][0]), i == 3 ? 1 : 3);
    shell_holds(known[i][1]);
  }
  copy("device");
  ck_assert_int_eq(shell_run("ROPEPP_HOST_DEVICE", "$PROGRAM replay $DIR/device.so ec:lq=2,lk=0,d=2"), 0); /* no keys: right */
}
END_TEST

/* Here there is none, whatever the build. */
START_TEST(a_device_kernel_needs_a_device) {
  copy("device");
  ck_assert_int_eq(run("CUDA_VISIBLE_DEVICES= $PROGRAM fuzz --kernel $DIR/device.so"), 2);
  ck_assert_msg(strstr(shell_out, "device.so: takes device memory: this build was made without nvcc") ||
                    strstr(shell_out, "device.so: no device"),
                "%s", shell_out);
}
END_TEST

/* Two lines of the one that ends the run: the complaint. */
static void refused(const char *name, const char *says) {
  static const char *const commands[] = {"fuzz --cases 2", "bench", "kernels", "replay"};
  copy(name);
  for (int i = 0; i < 4; i++) {
    const char *const spec = i == 3 ? "ec:h=2" : "";
    ck_assert_int_eq(run("$PROGRAM %s --kernel $DIR/%s.so %s", commands[i], name, spec), 2);
    shell_holds(says);
    ck_assert_ptr_eq(strchr(shell_out, '\n'), shell_out + strlen(shell_out) - 1);
  }
}

START_TEST(what_is_refused_exits_2) {
  refused("abi-newer", "/abi-newer.so: abi = 2: is newer than this program, which takes version 1");
  refused("constructor-aborts", "crashes when it is loaded");
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel nobody-has-this.so"), 2);
  shell_holds("fuzz: ./nobody-has-this.so: No such file or directory");
  ck_assert_int_eq(run("$PROGRAM fuzz /nonexistent/x.so"), 2);
  ck_assert_int_eq(run("cd $DIR && $PROGRAM fuzz example.so"), 2);
  shell_holds("fuzz: example.so: no such kernel; a plug-in is named by a path: ./example.so\n");
  ck_assert_int_eq(run("$PROGRAM fuzz --kernel $(printf '%%300s' | tr ' ' x)"), 2);
  shell_holds("is longer a path than 255 characters");
  ck_assert_int_eq(run("$PROGRAM fuzz ./$(printf '%%300s' | tr ' ' x)"), 2);
  shell_holds("is longer a path than 255 characters");
  ck_assert_int_eq(run("$PROGRAM bench blocked --vs ./x.so"), 2);
  shell_holds("--vs ./x.so: No such file");
  ck_assert_int_eq(run("for i in $(seq 17); do cp $DIR/example.so $DIR/$i.so; done; $PROGRAM fuzz $DIR/[1-9]*.so --cases 1"), 2);
  shell_holds("more than 16 plug-ins");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernel_plugin");
  TCase *tests = tcase_create("kernel_plugin");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup, shell_teardown);
  tcase_add_test(tests, each_has_its_verdict);
  tcase_add_test(tests, a_kernel_that_hangs_is_ended);
  tcase_add_test(tests, replay_lines_are_to_be_pasted);
  tcase_add_test(tests, a_plug_in_goes_wherever_a_kernel_does);
  tcase_add_test(tests, supports_decides);
  tcase_add_test(tests, a_device_kernel_is_guarded);
  tcase_add_test(tests, a_device_kernel_needs_a_device);
  tcase_add_test(tests, what_is_refused_exits_2);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
