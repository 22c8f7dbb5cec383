/* Rotated rows with what may be off: float32 and 16-bit rotations of every kind stay within it. */
#include "support.h"

#include "bounded_row.h"
#include "contract.h"

#include <math.h>

enum { WIDTH = 8 };

static rpp_contract contract_of(rpp_dtype rotated, bool each, rpp_angle_error error) {
  return (rpp_contract){.input = RPP_F32,
                        .rotated = rotated,
                        .rotate_each = each,
                        .value = RPP_F32,
                        .probability = RPP_F32,
                        .output = RPP_F32,
                        .lse = RPP_F32,
                        .sums = RPP_SUMS_F32,
                        .sum_depth = 1,
                        .key_tile = 16,
                        .max_splits = 1,
                        .angle_error = error};
}

/* A float32 kernel's pair: cos and sin rounded, products and sum rounded (fused or not), then stored. */
static void kernel_pair(const rpp_contract *c, double a, double b, float cosine, float sine, bool fused, double *x, double *y) {
  const float fa = (float)a, fb = (float)b;
  float ac = fa * cosine, bs = fb * sine, bc = fb * cosine, as = fa * sine, p, q;
  if (c->rotate_each) {
    ac = (float)rpp_dtype_round(c->rotated, (double)ac), bs = (float)rpp_dtype_round(c->rotated, (double)bs);
    bc = (float)rpp_dtype_round(c->rotated, (double)bc), as = (float)rpp_dtype_round(c->rotated, (double)as);
  }
  p = ac - bs, q = bc + as;
  if (fused && !c->rotate_each) p = fmaf(fa, cosine, -bs), q = fmaf(fb, cosine, as);
  *x = rpp_dtype_round(c->rotated, (double)p);
  *y = rpp_dtype_round(c->rotated, (double)q);
}

static void compare(const rpp_contract *c, int64_t t, uint64_t *state, bool own_angles) {
  const rpp_rotary rotary = {.rotary_dim = WIDTH - 2, .base = 1e4, .table_dtype = RPP_F64};
  rpp_bounded_rows rows;
  double row[WIDTH], raw[WIDTH], left[WIDTH], cosine[WIDTH / 2], sine[WIDTH / 2];
  ck_assert_int_eq(rpp_bounded_rows_open(c, &rotary, WIDTH, &rows), RPP_OK);
  for (int p = 0; p < WIDTH; p++)
    raw[p] = row[p] = rpp_dtype_round(c->rotated, support_uniform(state, -2, 2) * exp2(support_uniform(state, -12, 4)));
  rpp_bounded_row_rotate(&rows, t, cosine, sine, row, left);
  for (int p = 0; p < WIDTH - 2; p += 2)
    for (int fused = 0; fused < 2; fused++) {
      float kc = (float)cosine[p / 2], ks = (float)sine[p / 2];
      double x, y;
      if (own_angles) {
        const float angle = (float)t * (float)rows.theta[p / 2];
        kc = (float)cos((double)angle), ks = (float)sin((double)angle);
      }
      kernel_pair(c, raw[p], raw[p + 1], kc, ks, fused, &x, &y);
      ck_assert_msg(fabs(x - row[p]) <= left[p] && fabs(y - row[p + 1]) <= left[p + 1],
                    "t %lld, pair %d as %s: (%a, %a), not within (%a, %a) of (%a, %a)", (long long)t, p / 2,
                    rpp_dtype_name(c->rotated), x, y, left[p], left[p + 1], row[p], row[p + 1]);
    }
  for (int p = WIDTH - 2; p < WIDTH; p++) ck_assert(row[p] == raw[p] && left[p] == 0);
  rpp_bounded_rows_close(&rows);
}

START_TEST(kernels_stay_within) {
  static const rpp_dtype dtypes[] = {RPP_F32, RPP_F16, RPP_BF16};
  static const int64_t positions[] = {0, 1, -3, 100, 4095, 131071, 1000000, 16777213};
  uint64_t state = 11;
  for (int i = 0; i < 3; i++)
    for (int each = 0; each < 2; each++)
      for (int p = 0; p < 8; p++)
        for (int repeat = 0; repeat < 60; repeat++) {
          const rpp_contract modelled = contract_of(dtypes[i], each, RPP_ANGLES_AS_MODELLED),
                             own = contract_of(dtypes[i], each, RPP_ANGLES_F32_PRODUCT);
          compare(&modelled, positions[p], &state, false);
          compare(&own, positions[p], &state, true);
        }
}
END_TEST

/* With tables of the storage type, as Hugging Face has them, products are exact before they are stored: nothing is left. */
START_TEST(nothing_left_of_exact_products) {
  const rpp_rotary rotary = {.rotary_dim = WIDTH, .base = 1e4, .angles = RPP_ANGLES_HF_F32, .table_dtype = RPP_BF16};
  const rpp_contract c = contract_of(RPP_BF16, true, RPP_ANGLES_AS_MODELLED);
  rpp_bounded_rows rows;
  uint64_t state = 3;
  double row[WIDTH], left[WIDTH], cosine[WIDTH / 2], sine[WIDTH / 2];
  ck_assert_int_eq(rpp_bounded_rows_open(&c, &rotary, WIDTH, &rows), RPP_OK);
  for (int64_t t = 0; t < 500; t++) {
    for (int p = 0; p < WIDTH; p++) row[p] = rpp_dtype_round(RPP_BF16, support_uniform(&state, -2, 2));
    rpp_bounded_row_rotate(&rows, t, cosine, sine, row, left);
    for (int p = 0; p < WIDTH; p++) ck_assert(left[p] == 0 && rpp_dtype_round(RPP_BF16, row[p]) == row[p]);
  }
  rpp_bounded_rows_close(&rows);
}
END_TEST

START_TEST(kept_rows) {
  const rpp_contract c = contract_of(RPP_BF16, false, RPP_ANGLES_AS_MODELLED);
  rpp_bounded_rows rows;
  double row[] = {1, 1 + 0x1p-9, -1.5, 0}, left[4];
  ck_assert_int_eq(rpp_bounded_rows_open(&c, NULL, 4, &rows), RPP_OK);
  rpp_bounded_row_keep(&rows, row, left);
  ck_assert(row[0] == 1 && row[1] == 1 && row[2] == -1.5 && row[3] == 0);
  for (int p = 0; p < 4; p++) ck_assert(left[p] == 0);
  rpp_bounded_rows_close(&rows);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bounded_row");
  TCase *all = tcase_create("bounded_row");
  tcase_add_test(all, kernels_stay_within);
  tcase_add_test(all, nothing_left_of_exact_products);
  tcase_add_test(all, kept_rows);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
