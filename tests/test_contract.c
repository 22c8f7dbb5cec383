/* The numbers behind a contract. */
#include "support.h"

#include "contract.h"

#include <math.h>

static rpp_contract sound(void) {
  return (rpp_contract){.input = RPP_F32,
                        .rotated = RPP_BF16,
                        .value = RPP_F32,
                        .probability = RPP_F32,
                        .output = RPP_F32,
                        .lse = RPP_F32,
                        .sums = RPP_SUMS_F32,
                        .sum_depth = 16,
                        .key_tile = 64,
                        .max_splits = 3};
}

START_TEST(checks) {
  rpp_contract c = sound();
  support_accepted(rpp_check_contract(&c));
  support_refused(rpp_check_contract(NULL), RPP_ERROR_NULL, "contract", "null");
  rpp_dtype *const dtypes[] = {&c.input, &c.rotated, &c.value, &c.probability, &c.output, &c.lse};
  static const char *const names[] = {"input", "rotated", "value", "probability", "output", "lse"};
  for (int i = 0; i < 6; i++) {
    c = sound(), *dtypes[i] = RPP_I64;
    support_refused(rpp_check_contract(&c), RPP_ERROR_DTYPE, names[i], "4");
    c = sound(), *dtypes[i] = (rpp_dtype)9;
    support_refused(rpp_check_contract(&c), RPP_ERROR_DTYPE, names[i], "9");
  }
  c = sound(), c.sums = (rpp_sums)3;
  support_refused(rpp_check_contract(&c), RPP_ERROR_VALUE, "sums", "3");
  c = sound(), c.angle_error = (rpp_angle_error)3;
  support_refused(rpp_check_contract(&c), RPP_ERROR_VALUE, "angle_error", "3");
  c = sound(), c.sum_depth = 0;
  support_refused(rpp_check_contract(&c), RPP_ERROR_VALUE, "sum_depth", "0");
  c = sound(), c.key_tile = -1;
  support_refused(rpp_check_contract(&c), RPP_ERROR_VALUE, "key_tile", "-1");
  c = sound(), c.max_splits = 0;
  support_refused(rpp_check_contract(&c), RPP_ERROR_VALUE, "max_splits", "0");
}
END_TEST

/* Half the distance of 1 and its neighbour above, and half of the smallest number: what rounding costs. */
START_TEST(units) {
  static const rpp_dtype dtypes[] = {RPP_F32, RPP_F16, RPP_BF16};
  for (int i = 0; i < 3; i++) {
    const double unit = rpp_dtype_unit(dtypes[i]), tiny = rpp_dtype_tiny(dtypes[i]);
    ck_assert(rpp_dtype_round(dtypes[i], 1 + unit) == 1 && rpp_dtype_round(dtypes[i], 1 + 1.01 * unit) > 1);
    ck_assert(rpp_dtype_round(dtypes[i], tiny) == 0 && rpp_dtype_round(dtypes[i], 1.01 * tiny) > 0);
  }
  ck_assert(rpp_dtype_tiny(RPP_F64) > 0 && isnan(rpp_dtype_tiny(RPP_I64)));
  ck_assert(rpp_sums_unit(RPP_SUMS_F32) == 0x1p-24 && rpp_sums_unit(RPP_SUMS_TENSOR_CORE) == 0x1p-22);
  ck_assert(rpp_scalar_unit(RPP_SUMS_TENSOR_CORE) == 0x1p-24 && rpp_scalar_unit(RPP_SUMS_F64) == 0x1p-52);
}
END_TEST

START_TEST(gammas_and_steps) {
  const rpp_contract c = sound();
  ck_assert_double_eq(rpp_gamma(0, 0x1p-24), 0);
  ck_assert_double_eq_tol(rpp_gamma(100, 0x1p-24), 100 * 0x1p-24, 1e-9);
  ck_assert(rpp_gamma(1, 0.5) == 1 && isinf(rpp_gamma(2, 0.5)) && isinf(rpp_gamma(4, 0.5)));
  ck_assert_double_eq(rpp_contract_steps(&c, 1), 1 + 16 + 1 + 3);
  ck_assert_double_eq(rpp_contract_steps(&c, 65), 5 + 16 + 2 + 3);
}
END_TEST

/* A coarser store leaves nothing but, near a tie, one unit; an equally fine one leaves what arithmetic and the store add. */
START_TEST(stores) {
  rpp_contract c = sound();
  double left;
  ck_assert(rpp_contract_store(&c, 1 + 0x1p-9, 0x1p-20, &left) == 1 && left == 0);
  ck_assert(rpp_contract_store(&c, 1 + 0x1p-8, 0, &left) == 1 && left == 0); /* a tie, exactly */
  ck_assert(rpp_contract_store(&c, 1 + 0x1p-8, 0x1p-20, &left) == 1 && left == 0x1p-7);
  ck_assert(rpp_contract_store(&c, 1 + 0x1p-8 + 0x1p-30, 0x1p-20, &left) == 1 + 0x1p-7 && left == 0x1p-7);
  ck_assert(rpp_contract_store(&c, -1.5, 0x1p-10, &left) == -1.5 && left == 0);
  c.rotated = RPP_F32;
  ck_assert(rpp_contract_store(&c, 1.5, 0, &left) == 1.5 && left == 0);
  ck_assert(rpp_contract_store(&c, 1.1, 0x1p-23, &left) == 1.1);
  ck_assert_double_eq_tol(left, 0x1p-23 + 1.1 * 0x1p-24, 1e-15);
}
END_TEST

/* What is left always covers a kernel that computes anywhere within the error and then stores. */
START_TEST(stores_cover) {
  uint64_t state = 5;
  static const rpp_dtype dtypes[] = {RPP_F32, RPP_F16, RPP_BF16};
  for (int i = 0; i < 300000; i++) {
    rpp_contract c = sound();
    c.rotated = dtypes[i % 3];
    const double x = support_uniform(&state, -4, 4) * exp2(support_uniform(&state, -30, 10)),
                 error = fabs(x) * exp2(support_uniform(&state, -26, -4));
    double left;
    const double value = rpp_contract_store(&c, x, error, &left);
    const double kernel = rpp_dtype_round(c.rotated, x + error * support_uniform(&state, -1, 1));
    ck_assert_msg(fabs(kernel - value) <= left, "%a within %a as %s: %a, not within %a of %a", x, error, rpp_dtype_name(c.rotated),
                  kernel, left, value);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("contract");
  TCase *all = tcase_create("contract");
  tcase_add_test(all, checks);
  tcase_add_test(all, units);
  tcase_add_test(all, gammas_and_steps);
  tcase_add_test(all, stores);
  tcase_add_test(all, stores_cover);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
