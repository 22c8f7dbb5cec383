/* figure.c: pictures are there whole, or not at all and with a reason; table.c: so is data. */
#define _DEFAULT_SOURCE /* setenv, mkdtemp */
#include "figure.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "table.h"

static char folder[] = "/tmp/ropepp-figure-XXXXXX", path[64];

static void set_up(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.svg", folder);
}

static void tear_down(void) {
  unlink(path);
  rmdir(folder); /* which fails when anything else was left behind */
  ck_assert_int_ne(access(folder, F_OK), 0);
}

static bool draw(const char *commands, rpp_message *error) {
  rpp_figure figure;
  ck_assert(rpp_figure_open(&figure, 400, 300, error));
  fputs(commands, figure.script);
  return rpp_figure_draw(&figure, folder, "a.svg", error);
}

START_TEST(a_picture_is_whole) {
  rpp_message error;
  char bytes[200000];
  ck_assert_msg(draw("plot x\n", &error), "%s", error.text);
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
  fclose(file);
  ck_assert_ptr_nonnull(strstr(bytes, "<svg"));
  ck_assert_ptr_nonnull(strstr(bytes, "</svg>"));
}
END_TEST

START_TEST(gnuplots_complaint_is_passed_on_and_nothing_is_left) {
  rpp_message error;
  ck_assert(!draw("plot nonsense(x)\n", &error));
  ck_assert_ptr_nonnull(strstr(error.text, "gnuplot: "));
  ck_assert_ptr_null(strchr(error.text, '\n'));
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_missing_gnuplot_is_named) {
  rpp_message error;
  ck_assert_int_eq(setenv("PATH", "/nowhere", 1), 0);
  ck_assert(!draw("plot x\n", &error));
  ck_assert_ptr_nonnull(strstr(error.text, "gnuplot: No such file"));
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_table_reads_back) {
  rpp_table table;
  rpp_message error;
  char bytes[200];
  ck_assert(rpp_table_open(&table, folder, "a.svg", &error));
  rpp_table_comment(&table, "made %s", "here");
  rpp_table_text(&table, "t");
  rpp_table_text(&table, "x");
  rpp_table_end_row(&table);
  rpp_table_integer(&table, 3);
  rpp_table_number(&table, 1.0 / 3);
  rpp_table_end_row(&table);
  ck_assert_int_ne(access(path, F_OK), 0);
  ck_assert(rpp_table_close(&table, &error));
  FILE *file = fopen(path, "r");
  bytes[fread(bytes, 1, sizeof bytes - 1, file)] = '\0';
  fclose(file);
  ck_assert_str_eq(bytes, "# made here\nt,x\n3,0.33333333333333331\n");
  ck_assert(rpp_table_open(&table, folder, "a.svg", &error));
  rpp_table_drop(&table);
  ck_assert(!rpp_table_open(&table, "/proc/nowhere", "a.csv", &error));
  ck_assert(!rpp_table_open(&table, path, "a.csv", &error));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("figure");
  TCase *tests = tcase_create("figure");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, a_picture_is_whole);
  tcase_add_test(tests, gnuplots_complaint_is_passed_on_and_nothing_is_left);
  tcase_add_test(tests, a_missing_gnuplot_is_named);
  tcase_add_test(tests, a_table_reads_back);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
