/* sanitized_plants.c: the sanitizer ($ROPEPP_SANITIZER) reports every plant that only it sees, in the planted file, though the results are
 * the right ones; and it is silent when the clean kernels run. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLANTS = 20 };
static struct { char name[64], file[64]; } plants[PLANTS];
static int count;

/* What the program writes: on stdout, or on both. */
static const char *run(const char *argument, bool both) {
  static char text[1 << 16];
  char command[1024];
  snprintf(command, sizeof command,
           "ASAN_OPTIONS=halt_on_error=0 TSAN_OPTIONS=halt_on_error=0:ignore_noninstrumented_modules=1 \"$ROPEPP_PLANTS\" %s %s",
           argument, both ? "2>&1" : "2>/dev/null");
  FILE *pipe = popen(command, "r");
  if (pipe == NULL) abort(); /* before Check has begun, too */
  text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
  while (fgetc(pipe) != EOF) {
  }
  pclose(pipe);
  return text;
}

START_TEST(plant) {
  char where[80];
  const char *text = run(plants[_i].name, true), *report = strstr(text, getenv("ROPEPP_SANITIZER"));
  ck_assert_msg(report != NULL, "%s: no report of %s:\n%s", plants[_i].name, getenv("ROPEPP_SANITIZER"), text);
  snprintf(where, sizeof where, "/%s:", plants[_i].file);
  ck_assert_msg(strstr(report, where) != NULL, "%s: '%s' is not in:\n%s", plants[_i].name, where, text);
  ck_assert_str_eq(run(plants[_i].name, false), "the same results\n");
}
END_TEST

START_TEST(clean) {
  ck_assert_str_eq(run("clean", true), "the same results\n");
}
END_TEST

START_TEST(enough) {
  ck_assert_int_ge(count, 3);
}
END_TEST

int main(void) {
  if (getenv("ROPEPP_SKIP") != NULL) {
    printf("1..0 # SKIP %s\n", getenv("ROPEPP_SKIP"));
    return 0;
  }
  const char *list = run("list", false);
  for (int used; count < PLANTS && sscanf(list, "%63s %63s\n%n", plants[count].name, plants[count].file, &used) == 2; list += used)
    count++;
  Suite *suite = suite_create("sanitized_plants");
  TCase *each = tcase_create("each");
  tcase_set_timeout(each, 120);
  tcase_add_loop_test(each, plant, 0, count);
  tcase_add_test(each, clean);
  tcase_add_test(each, enough);
  suite_add_tcase(suite, each);
  return support_run(suite);
}
