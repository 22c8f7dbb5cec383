#include "identity_suite.h"

#include <ctype.h>
#include <math.h>

#include "support.h"

static const rpp_identity *tested;
static int count, fewest;

START_TEST(entries_are_complete) {
  ck_assert_int_ge(count, fewest);
  for (int i = 0; i < count; i++) {
    const rpp_identity *a = &tested[i];
    ck_assert(a->equation && *a->equation && a->statement && a->deviation && a->cases > 0);
    ck_assert(a->bound >= 0 && isfinite(a->bound));
    ck_assert_msg(strstr(a->statement, "; plant: ") != NULL, "%s does not say what is planted", a->name);
    ck_assert_uint_gt(strlen(a->name), 0);
    for (const char *c = a->name; *c; c++) ck_assert_msg(islower(*c) || isdigit(*c) || *c == '-', "%s", a->name);
    for (int j = 0; j < i; j++) ck_assert_str_ne(tested[j].name, a->name);
  }
}
END_TEST

START_TEST(holds_on_other_seeds) {
  const rpp_identity *identity = &tested[_i];
  for (uint64_t seed = 1000; seed < 1002; seed++) {
    const rpp_identity_result result = rpp_identity_run(identity, seed);
    ck_assert_msg(result.pass, "%s, seed %d: deviation %g, bound %g", identity->name, (int)seed, result.deviation, identity->bound);
    ck_assert_msg(result.control_caught, "%s, seed %d: the planted error is missed", identity->name, (int)seed);
    ck_assert(result.deviation >= 0 && isfinite(result.deviation));
  }
}
END_TEST

/* The planted error is no matter of luck: it passes the bound manifold. */
START_TEST(plants_stand_out) {
  const rpp_identity *identity = &tested[_i];
  const bool statistical = identity->bound >= 1;
  for (int i = 0; i < (statistical ? 2 : 40); i++) {
    rpp_random random = rpp_random_make(2000, (uint64_t)i);
    const double planted = identity->deviation(&random, true);
    ck_assert_msg(planted > (statistical ? 2 : 5) * identity->bound && planted > 1e-6, "%s, case %d: planted %g, bound %g",
                  identity->name, i, planted, identity->bound);
    /* What the library refuses deviates infinitely, and would be no plant. */
    ck_assert_msg(*rpp_error_message() == '\0', "%s, case %d: %s", identity->name, i, rpp_error_message());
  }
}
END_TEST

START_TEST(a_case_is_a_function_of_its_numbers) {
  const rpp_identity *identity = &tested[_i];
  for (int i = 0; i < (identity->bound >= 1 ? 1 : 10); i++) {
    rpp_random a = rpp_random_make(3000, (uint64_t)i), b = a;
    const double first = identity->deviation(&a, false), second = identity->deviation(&b, false);
    ck_assert_msg(first == second && a.counter == b.counter && a.used == b.used, "%s, case %d: %g, then %g", identity->name, i,
                  first, second);
    ck_assert_msg(a.counter > 0, "%s draws nothing", identity->name);
  }
}
END_TEST

int identity_suite_run(const char *name, const rpp_identity *table, int least) {
  tested = table, fewest = least;
  while (table[count].name) count++;
  Suite *suite = suite_create(name);
  TCase *tests = tcase_create(name);
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, entries_are_complete);
  tcase_add_loop_test(tests, holds_on_other_seeds, 0, count);
  tcase_add_loop_test(tests, plants_stand_out, 0, count);
  tcase_add_loop_test(tests, a_case_is_a_function_of_its_numbers, 0, count);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
