/* coverage_search.c: every cell of the table of needed angles, the causal ones as notes/coverage.md gives them, and all of them against
 * brute force just below and just above. */
#include "coverage_search.h"

#include <math.h>

#include "coverage_brute.h"
#include "support.h"

/* A slow pair: a millionth of a turn a token. */
static const rpp_dd slow = {1e-6, 0};

START_TEST(causal_table) {
  static const double even[RPP_CRITERIA][RPP_METHODS] = {{0.5, 0}, {0.5, 0.25}, {0.75, 0.75}, {1, 0.75}},
                      odd[RPP_CRITERIA][RPP_METHODS] = {{0.25, 0.25}, {0.25, 0.25}, {0.75, 0.5}, {1, 0.75}};
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) {
        const double expected = c == RPP_Q_EVEN || c == RPP_K_ODD ? even[k][m] : odd[k][m];
        const rpp_coverage_needed found = rpp_coverage_search(c, m, k, false, slow);
        ck_assert_msg(fabs(found.angle - expected) <= 0x1p-50, "class %d, method %d, criterion %d: %.17g, not %g", c, m, k,
                      found.angle, expected);
        ck_assert_int_ge(found.length, llround(expected * 1e6) + 1);
        ck_assert_int_le(found.length, llround(expected * 1e6) + 2); /* 1e-6 is a little more, or less */
      }
}
END_TEST

/* By brute force: every cell was met. */
static bool is_full(rpp_dimension_class c, rpp_method m, rpp_criterion k, bool packed, double angle) {
  static brute_marks marks;
  brute_mark(c, m, (rpp_interval){packed ? -angle : 0, angle}, &marks);
  return brute_covered(k, &marks) == 1;
}

START_TEST(brute_force_changes_at_the_same_angle) {
  const bool packed = _i == 1;
  int different = 0;
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) {
        const rpp_coverage_needed found = rpp_coverage_search(c, m, k, packed, slow);
        ck_assert_msg(is_full(c, m, k, packed, found.angle + 0.02), "%d %d %d: not full after %g", c, m, k, found.angle);
        if (found.angle > 0)
          ck_assert_msg(!is_full(c, m, k, packed, found.angle - 0.02), "%d %d %d: full before %g", c, m, k, found.angle);
        /* The control: the other class, by brute force, changes elsewhere where the table says so. */
        const rpp_coverage_needed other = rpp_coverage_search(c ^ 1, m, k, packed, slow);
        if (other.angle == found.angle) continue;
        different++;
        ck_assert(is_full(c ^ 1, m, k, packed, fmin(found.angle, other.angle) + 0.02) !=
                  is_full(c, m, k, packed, fmin(found.angle, other.angle) + 0.02));
      }
  ck_assert_int_ge(different, 4);
}
END_TEST

START_TEST(packed_table) {
  static const double even[RPP_CRITERIA][RPP_METHODS] = {{0.25, 0}, {0.25, 0.125}, {0.5, 0.25}, {0.5, 0.375}},
                      odd[RPP_CRITERIA][RPP_METHODS] = {{0.25, 0.25}, {0.25, 0.25}, {0.5, 0.5}, {0.5, 0.375}};
  for (int k = 0; k < RPP_CRITERIA; k++)
    for (int m = 0; m < RPP_METHODS; m++)
      for (int c = 0; c < RPP_DIMENSION_CLASSES; c++)
        ck_assert_double_eq_tol(rpp_coverage_search(c, m, k, true, slow).angle,
                                (c == RPP_Q_EVEN || c == RPP_K_ODD ? even : odd)[k][m], 0x1p-50);
}
END_TEST

/* Covered from the length found on, and before it never: bisection takes that for granted. */
START_TEST(coverage_grows_with_length) {
  const rpp_dd turns = {1.0 / 1024 + 1e-9, 0};
  for (int packed = 0; packed < 2; packed++)
    for (int k = 0; k < RPP_CRITERIA; k++)
      for (int m = 0; m < RPP_METHODS; m++)
        for (int c = 0; c < RPP_DIMENSION_CLASSES; c++) {
          const int64_t needed = rpp_coverage_search(c, m, k, packed, turns).length;
          double before = 0;
          for (int64_t length = 1; length <= 2048; length++) {
            const rpp_coverage coverage = rpp_coverage_of_angles(c, m, k, rpp_angles_of_length(turns, length, packed));
            ck_assert_int_eq(coverage.full, length >= needed);
            ck_assert(coverage.covered >= before - 1e-15);
            before = coverage.covered;
          }
        }
}
END_TEST

START_TEST(what_no_length_covers_is_said) {
  ck_assert_int_eq(rpp_coverage_search(RPP_Q_EVEN, RPP_METHOD_ROPE, RPP_UNION, false, (rpp_dd){1e-17, 0}).length, 0);
  ck_assert_int_eq(rpp_coverage_search(RPP_Q_EVEN, RPP_METHOD_ROPE, RPP_UNION, false, (rpp_dd){0.15, 0}).length, 5);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("coverage_search");
  TCase *tests = tcase_create("coverage_search");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, causal_table);
  tcase_add_test(tests, packed_table);
  tcase_add_loop_test(tests, brute_force_changes_at_the_same_angle, 0, 2);
  tcase_add_test(tests, coverage_grows_with_length);
  tcase_add_test(tests, what_no_length_covers_is_said);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
