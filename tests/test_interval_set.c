/* interval_set.c: unions of intervals with whole ends, held against a row of cells and of points that are marked one by one. */
#include "interval_set.h"

#include <math.h>

#include "support.h"

enum { LENGTH = 40 };

/* Points 0..LENGTH and the cells between them. */
typedef struct {
  bool point[LENGTH + 1], cell[LENGTH];
} row;

static void mark(row *r, int low, int high) {
  for (int i = low; i <= high; i++) r->point[i] = true;
  for (int i = low; i < high; i++) r->cell[i] = true;
}

static void check_row(const rpp_interval_set *set, const row *r) {
  double cells = 0;
  int first = LENGTH + 1, last = -1;
  for (int i = 0; i <= LENGTH; i++) {
    ck_assert_int_eq(rpp_intervals_contain(set, i), r->point[i]);
    if (r->point[i]) last = i, first = first > LENGTH ? i : first;
  }
  for (int i = 0; i < LENGTH; i++) {
    ck_assert_int_eq(rpp_intervals_contain(set, i + 0.5), r->cell[i]);
    ck_assert_int_eq(rpp_intervals_fill(set, i, i + 1), r->cell[i]);
    cells += r->cell[i];
  }
  ck_assert_double_eq(rpp_intervals_measure(set), cells);
  for (int i = 1; i < set->count; i++) ck_assert(set->at[i - 1].high < set->at[i].low);
  const rpp_interval_set hull = rpp_intervals_hull(set);
  ck_assert_int_eq(hull.count, last >= 0);
  if (last >= 0) ck_assert(hull.at[0].low == first && hull.at[0].high == last);
}

static rpp_interval_set draw(uint64_t *state, int most, row *r) {
  rpp_interval_set set = {0};
  *r = (row){.point = {false}};
  for (int i = 0; i < most; i++) {
    const int low = (int)(support_random(state) % (LENGTH + 1));
    int high = low + (int)(support_random(state) % 6);
    if (high > LENGTH) high = LENGTH;
    ck_assert(rpp_intervals_add(&set, low, high));
    mark(r, low, high);
  }
  return set;
}

START_TEST(unions_are_what_was_added) {
  uint64_t state = 1;
  for (int i = 0; i < 1000; i++) {
    row r;
    const rpp_interval_set set = draw(&state, i % (RPP_INTERVALS + 1), &r);
    check_row(&set, &r);
  }
}
END_TEST

START_TEST(differences_are_what_is_left) {
  uint64_t state = 2;
  for (int i = 0; i < 1000; i++) {
    row a_row, b_row;
    const rpp_interval_set a = draw(&state, i % 5, &a_row), b = draw(&state, RPP_INTERVALS - 4, &b_row);
    const rpp_interval_set rest = rpp_intervals_minus(&a, &b), gaps = rpp_intervals_gaps(&b, 0, LENGTH);
    for (int c = 0; c < LENGTH; c++) {
      ck_assert_int_eq(rpp_intervals_contain(&rest, c + 0.5), a_row.cell[c] && !b_row.cell[c]);
      ck_assert_int_eq(rpp_intervals_contain(&gaps, c + 0.5), !b_row.cell[c]);
    }
    ck_assert_double_eq(rpp_intervals_measure(&gaps) + rpp_intervals_measure(&b), LENGTH);
    for (int j = 1; j < rest.count; j++) ck_assert(rest.at[j - 1].high < rest.at[j].low);
  }
}
END_TEST

START_TEST(arcs_wrap_around) {
  uint64_t state = 3;
  for (int i = 0; i < 1000; i++) {
    rpp_interval_set set = {0};
    double low[3], width[3];
    for (int j = 0; j < 3; j++) { /* multiples of 1/64: exact */
      low[j] = floor(support_uniform(&state, -200, 200)) / 64, width[j] = floor(support_uniform(&state, 0, 70)) / 64;
      ck_assert(rpp_intervals_add_arc(&set, low[j], low[j] + width[j]));
    }
    for (int c = 0; c < 64; c++) {
      const double x = (c + 0.5) / 64;
      bool in = false;
      for (int j = 0; j < 3; j++) in = in || x - low[j] - floor(x - low[j]) < width[j];
      ck_assert_int_eq(rpp_intervals_contain(&set, x), in);
    }
    ck_assert(rpp_intervals_measure(&set) <= 1);
  }
}
END_TEST

START_TEST(a_full_set_stays_as_it_was) {
  rpp_interval_set set = {0};
  for (int i = 0; i < RPP_INTERVALS; i++) ck_assert(rpp_intervals_add(&set, 0.1 * i, 0.1 * i + 0.05));
  const rpp_interval_set before = set;
  ck_assert(!rpp_intervals_add(&set, 7, 8));
  ck_assert(!rpp_intervals_add_arc(&set, 0.9, 1.02));
  ck_assert_int_eq(set.count, before.count);
  for (int i = 0; i < set.count; i++) ck_assert(set.at[i].low == before.at[i].low && set.at[i].high == before.at[i].high);
  ck_assert(rpp_intervals_add(&set, 0.02, 0.73)); /* it meets what is there */
  ck_assert_int_eq(set.count, 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("interval_set");
  TCase *tests = tcase_create("interval_set");
  tcase_add_test(tests, unions_are_what_was_added);
  tcase_add_test(tests, differences_are_what_is_left);
  tcase_add_test(tests, arcs_wrap_around);
  tcase_add_test(tests, a_full_set_stays_as_it_was);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
