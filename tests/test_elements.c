/* Every element of a tensor once, in row-major order. */
#include "support.h"

#include "base/elements.h"

START_TEST(each_once) {
  const rpp_tensor t = {.data = "", .dtype = RPP_F32, .ndim = 3, .shape = {2, 1, 3}, .strides = {3, 3, 1}};
  int64_t index[3] = {0};
  for (int64_t n = 0; n < 6; n++) {
    ck_assert(index[0] == n / 3 && index[1] == 0 && index[2] == n % 3);
    ck_assert(rpp_elements_next(&t, index) == (n < 5));
  }
  ck_assert(index[0] == 0 && index[1] == 0 && index[2] == 0);
}
END_TEST

START_TEST(none) {
  rpp_tensor t = {.data = "", .dtype = RPP_F32, .ndim = 2, .shape = {2, 1}, .strides = {1, 1}};
  ck_assert(!rpp_elements_none(&t));
  t.shape[1] = 0;
  ck_assert(rpp_elements_none(&t));
  t.ndim = 0;
  ck_assert(rpp_elements_none(&t));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("elements");
  TCase *tests = tcase_create("elements");
  tcase_add_test(tests, each_once);
  tcase_add_test(tests, none);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
