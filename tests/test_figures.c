/* notes/figures: the committed data is what the program makes today, and the pictures are there. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

static char made[] = "/tmp/ropepp-figures-XXXXXX";
static const char *committed;

static void set_up(void) {
  char command[512];
  committed = getenv("ROPEPP_FIGURES");
  ck_assert(committed != NULL && getenv("ROPEPP_ANALYSIS") != NULL);
  ck_assert_ptr_nonnull(mkdtemp(made));
  snprintf(command, sizeof command, "%s/make.sh \"$ROPEPP_ANALYSIS\" %s >&2", committed, made);
  ck_assert_int_eq(system(command), 0);
}

static void tear_down(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", made);
  ck_assert_int_eq(system(command), 0);
}

/* The next field of a line, ended by a comma, a blank or the line's end, and what follows it. */
static char *field(char **rest) {
  char *begin = *rest, *end = begin + strcspn(begin, ", \n");
  *rest = *end == '\0' ? end : end + 1;
  *end = '\0';
  return begin;
}

/* Whether two lines are the same but for numbers that are within 1e-12 of each other. */
static bool alike(char *a, char *b) {
  while (*a != '\0' || *b != '\0') {
    char *x = field(&a), *y = field(&b), *x_end, *y_end;
    if (strcmp(x, y) == 0) continue;
    const double u = strtod(x, &x_end), v = strtod(y, &y_end);
    if (x_end == x || y_end == y || *x_end != '\0' || *y_end != '\0' || !(fabs(u - v) <= 1e-12)) return false;
  }
  return true;
}

/* Counts the lines of two files, which must be alike. */
static int compare(const char *a, const char *b) {
  static char line_a[1 << 16], line_b[1 << 16];
  int count = 0;
  FILE *x = fopen(a, "r"), *y = fopen(b, "r");
  ck_assert_msg(x != NULL && y != NULL, "%s, %s: one is missing", a, b);
  for (;; count++) {
    const bool more_a = fgets(line_a, sizeof line_a, x) != NULL, more_b = fgets(line_b, sizeof line_b, y) != NULL;
    ck_assert_msg(more_a == more_b, "%s has %s lines than the committed file", b, more_a ? "fewer" : "more");
    if (!more_a) break;
    ck_assert_msg(alike(line_a, line_b), "%s: line %d is not what the program makes", a, count + 1);
  }
  fclose(x);
  fclose(y);
  return count;
}

START_TEST(the_data_behind_the_figures_regenerates) {
  char pattern[512], other[512];
  glob_t files;
  snprintf(pattern, sizeof pattern, "%s/*/*.csv", committed);
  ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
  ck_assert_uint_eq(files.gl_pathc, 5);
  for (size_t i = 0; i < files.gl_pathc; i++) {
    snprintf(other, sizeof other, "%s%s", made, files.gl_pathv[i] + strlen(committed));
    ck_assert_int_gt(compare(files.gl_pathv[i], other), 5);
    strcpy(strrchr(files.gl_pathv[i], '.'), ".svg");
    ck_assert_msg(access(files.gl_pathv[i], R_OK) == 0, "%s is missing", files.gl_pathv[i]);
    strcpy(strrchr(other, '.'), ".svg");
    ck_assert_msg(access(other, R_OK) == 0, "%s was not drawn", other);
  }
  globfree(&files);
}
END_TEST

START_TEST(a_changed_number_is_seen) {
  char *pairs[][2] = {{strdup("1,0.5 +cos,2\n"), strdup("1,0.50000000001 +cos,2\n")},
                      {strdup("1,nan\n"), strdup("1,0\n")},
                      {strdup("1,2\n"), strdup("1,2,3\n")},
                      {strdup("+cos\n"), strdup("-cos\n")}};
  for (int i = 0; i < 4; i++) ck_assert_msg(!alike(pairs[i][0], pairs[i][1]), "%d", i);
  char *same[] = {strdup("a,0.1 x,nan\n"), strdup("a,0.10000000000000009 x,nan\n")};
  ck_assert(alike(same[0], same[1]));
  for (int i = 0; i < 4; i++) free(pairs[i][0]), free(pairs[i][1]);
  free(same[0]), free(same[1]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("figures");
  TCase *tests = tcase_create("figures");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, the_data_behind_the_figures_regenerates);
  tcase_add_test(tests, a_changed_number_is_seen);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
