/* curves_run.c, options.c: the command line, its data, and one line for each mistake. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/ropepp-curves-XXXXXX", out[48], complaints[48];

static void set_up(void) {
  ck_assert_ptr_nonnull(getenv("ROPEPP_ANALYSIS"));
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(out, sizeof out, "%s/out", folder);
  snprintf(complaints, sizeof complaints, "%s/complaints", folder);
}

static void tear_down(void) {
  char command[96];
  snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", folder, folder);
  ck_assert_int_eq(system(command), 0);
}

/* The exit status; what it printed is in out and complaints. */
static int run(const char *arguments) {
  char command[1024];
  snprintf(command, sizeof command, "cd %s; (\"$ROPEPP_ANALYSIS\" %s) >%s 2>%s", folder, arguments, out, complaints);
  const int status = system(command);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int lines(const char *path) {
  int count = 0, c;
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  while ((c = getc(file)) != EOF) count += c == '\n';
  fclose(file);
  return count;
}

/* Reads a table: the header's line, and the first five fields of every row. */
static int read_rows(const char *path, char *header, double rows[][5], int most) {
  char line[512];
  int count = 0;
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  *header = '\0';
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#') continue;
    if (*header == '\0') {
      strcpy(header, line);
      continue;
    }
    ck_assert_int_lt(count, most);
    ck_assert_int_ge(
        sscanf(line, "%lf,%lf,%lf,%lf,%lf", &rows[count][0], &rows[count][1], &rows[count][2], &rows[count][3], &rows[count][4]),
        3);
    count++;
  }
  fclose(file);
  return count;
}

START_TEST(a_row_for_every_distance) {
  char header[512];
  double rows[64][5];
  ck_assert_int_eq(run("curves --head-dim 128 --base 10000 --max 50 -o made/here"), 0);
  char path[96];
  snprintf(path, sizeof path, "%s/made/here/curves.csv", folder);
  ck_assert_int_eq(read_rows(path, header, rows, 64), 51);
  ck_assert_str_eq(header, "t,c_re,c_im,closed_re,closed_im\n");
  for (int t = 0; t <= 50; t++) ck_assert_double_eq(rows[t][0], t);
  ck_assert_double_eq_tol(rows[1][1], 0.9702138094651191, 1e-15);
  ck_assert_double_eq_tol(rows[1][2], 0.1093834061624206, 1e-15);
  const char *others[] = {"json", "svg"};
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/made/here/curves.%s", folder, others[i]);
    ck_assert_int_eq(access(path, R_OK), 0);
  }
  ck_assert_int_eq(lines(complaints), 0);
}
END_TEST

START_TEST(points_samples_and_partial_widths_on_standard_output) {
  char header[512];
  double rows[64][5];
  ck_assert_int_eq(run("curves --at 1000000000,10 --samples 50 --rotary 32 --head-dim 64 --scaling yarn:factor=32,orig=4096"), 0);
  ck_assert_int_eq(read_rows(out, header, rows, 64), 2);
  ck_assert_str_eq(header, "t,c_re,c_im,head_re,head_im,mc_re,mc_re_ci,mc_im,mc_im_ci\n");
  ck_assert(rows[0][0] == 10 && rows[1][0] == 1e9);
  for (int i = 0; i < 2; i++)
    for (int part = 1; part <= 2; part++) ck_assert_double_eq_tol(rows[i][part + 2], (32 * rows[i][part] + 32) / 64, 1e-15);
  ck_assert_int_eq(run("curves --max 1000000 --points 10"), 0);
  const int count = read_rows(out, header, rows, 64);
  ck_assert(count > 50 && rows[count - 1][0] == 1e6);
}
END_TEST

START_TEST(a_summary_looks_at_distances_that_have_no_row) {
  char path[96];
  const char *chosen[] = {"--max 20000 --points 2", "--at 3,20000"};
  snprintf(path, sizeof path, "%s/made/curves.json", folder);
  for (int i = 0; i < 2; i++) {
    char arguments[64];
    snprintf(arguments, sizeof arguments, "curves %s -o made", chosen[i]);
    ck_assert_int_eq(run(arguments), 0);
    json_t *all = json_load_file(path, 0, NULL), *re = json_object_get(all, "c_re"), *im = json_object_get(all, "c_im"),
           *closed = json_object_get(all, "closed_re");
    ck_assert_double_eq(json_real_value(json_object_get(re, "first_negative")), 1707);
    ck_assert_double_eq(json_real_value(json_object_get(re, "half_decay")), 46);
    ck_assert_double_eq(json_real_value(json_object_get(im, "first_negative")), 978);
    ck_assert_double_eq_tol(json_real_value(json_object_get(closed, "first_negative")), 6166.03, 0.01);
    const double gap = json_real_value(json_object_get(json_object_get(all, "largest_gap_im"), "gap"));
    ck_assert_double_eq_tol(gap, 0.302548889, 1e-9);
    json_decref(all);
  }
}
END_TEST

START_TEST(distance_0_alone_has_a_picture) {
  ck_assert_int_eq(run("curves --max 0 -o made"), 0);
  ck_assert_int_eq(lines(complaints), 0);
}
END_TEST

START_TEST(a_signal_leaves_nothing_half_written) {
  char command[256];
  snprintf(command, sizeof command,
           "cd %s; timeout -s INT 0.3 \"$ROPEPP_ANALYSIS\" curves --max 100000000 -o cut; ls -A cut | wc -l | grep -qx 0", folder);
  ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(every_mistake_is_one_line_and_leaves_nothing) {
  static const struct {
    const char *arguments, *named;
  } wrong[] = {{"--max -1", "--max = -1"},
               {"--max 1000000001", "--max = 1000000001"},
               {"--max 1e3", "--max = 1e3"},
               {"--base 1", "--base = 1"},
               {"--base nan", "--base = nan"},
               {"--base -3", "--base = -3"},
               {"--base 1e300", "base = 1"},
               {"--head-dim 7", "--head-dim = 7"},
               {"--head-dim 0", "--head-dim = 0"},
               {"--head-dim 64 --rotary 66", "--rotary = 66"},
               {"--head-dim 64 --rotary 3", "rotary_dim = 3"},
               {"--scaling linear", "factor"},
               {"--scaling linear:factor=0.5", "0.5"},
               {"--scaling cubic:factor=2", "cubic"},
               {"--rotary 2 --scaling ntk-aware:factor=2", "ntk-aware"},
               {"--at 1,x", "--at = x"},
               {"--samples 1", "--samples = 1"},
               {"--points 0", "--points = 0"},
               {"stray", "stray"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char arguments[160], line[512] = "", path[96];
    snprintf(arguments, sizeof arguments, "curves %s -o made", wrong[i].arguments);
    ck_assert_msg(run(arguments) == 2, "%s", wrong[i].arguments);
    ck_assert_msg(lines(complaints) == 1, "%s", wrong[i].arguments);
    ck_assert_int_eq(lines(out), 0);
    FILE *file = fopen(complaints, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    fclose(file);
    ck_assert_msg(strstr(line, wrong[i].named) != NULL, "%s: %s", wrong[i].arguments, line);
    snprintf(path, sizeof path, "%s/made", folder);
    ck_assert_int_ne(access(path, F_OK), 0);
  }
}
END_TEST

START_TEST(an_output_that_cannot_be_written) {
  ck_assert_int_eq(run("curves --max 5 -o /proc/nowhere"), 2);
  ck_assert_int_eq(lines(complaints), 1);
  ck_assert_int_eq(run("curves --max 5 -o out"), 2); /* a file */
  ck_assert_int_eq(run("curves --max 5 >/dev/full"), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("curves_run");
  TCase *tests = tcase_create("curves_run");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, a_row_for_every_distance);
  tcase_add_test(tests, points_samples_and_partial_widths_on_standard_output);
  tcase_add_test(tests, a_summary_looks_at_distances_that_have_no_row);
  tcase_add_test(tests, distance_0_alone_has_a_picture);
  tcase_add_test(tests, a_signal_leaves_nothing_half_written);
  tcase_add_test(tests, every_mistake_is_one_line_and_leaves_nothing);
  tcase_add_test(tests, an_output_that_cannot_be_written);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
