/* online_softmax.c: its exponential against float64's, and rows that come in pieces. */
#include <math.h>
#include "online_softmax.h"
#include "support.h"

/* Units in the last place of the nearest float32, subnormal ones too. */
static double ulps(double want, float got) {
  int exponent;
  frexp(want, &exponent);
  const double step = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
  return fabs((double)got - want) / step;
}

START_TEST(exponential_is_within_one_ulp) {
  double worst = 0;
  uint32_t bits = 0x80000000u; /* -0 and then every 61st float32 down to -110 */
  for (float x = 0; x > -110; bits += 61) {
    memcpy(&x, &bits, sizeof x);
    worst = fmax(worst, ulps(exp((double)x), rpp_exp_f32(x)));
  }
  ck_assert_msg(worst <= 1, "%g ulp", worst);
  ck_assert_msg(worst > 0.5, "%g ulp: too good to have been measured", worst);
}
END_TEST

START_TEST(exponential_of_special_values) {
  ck_assert(rpp_exp_f32(0.0f) == 1 && rpp_exp_f32(-0.0f) == 1);
  ck_assert(rpp_exp_f32(-INFINITY) == 0 && rpp_exp_f32(-3e38f) == 0 && rpp_exp_f32(-104.1f) == 0);
  ck_assert(rpp_exp_f32(-100.0f) > 0);
  ck_assert(isnan(rpp_exp_f32(NAN)) && isnan(rpp_exp_f32(-NAN)));
}
END_TEST

/* The scores of a tile as they are left, and the state, for runs first .. last - 1 of every length and place. */
START_TEST(masked_scores_do_not_matter) {
  enum { COUNT = 37, ROOM = 40 };
  for (int64_t first = 0; first < COUNT; first++)
    for (int64_t last = first; last <= COUNT; last++) {
      float scores[ROOM + 1];
      double sum = 0, largest = -INFINITY;
      for (int j = 0; j <= ROOM; j++) scores[j] = j < first || j >= last ? (j % 2 ? NAN : INFINITY) : (float)((j * 29) % 17) - 8;
      for (int64_t j = first; j < last; j++) largest = fmax(largest, (double)scores[j]);
      for (int64_t j = first; j < last; j++) sum += exp((double)scores[j] - largest);
      rpp_online_softmax row = {-INFINITY, 0};
      const float rescale = rpp_online_softmax_add(&row, COUNT, first, last, scores);
      if (first == last)
        ck_assert(rescale == 1 && row.largest == -INFINITY && row.sum == 0);
      else {
        ck_assert(rescale == 0 && (double)row.largest == largest);
        ck_assert(fabs((double)row.sum - sum) <= 1e-6 * sum);
        ck_assert(fabs(rpp_online_softmax_lse(&row) - (largest + log(sum))) <= 1e-6);
      }
      for (int j = 0; j < COUNT; j++)
        if (j < first || j >= last) ck_assert_msg(scores[j] == 0, "score %d weighs %g", j, (double)scores[j]);
      ck_assert(isinf(scores[ROOM]));
    }
}
END_TEST

START_TEST(tiles_add_up) {
  float tiles[4][8] = {{-1e5f, -1e5f - 1, -2e5f, 0, 0, 0, 0, 0}, {5, 4, 3, 0, 0, 0, 0, 0}, {0}, {1e4f, -1e4f, 0, 0, 0, 0, 0, 0}};
  rpp_online_softmax row = {-INFINITY, 0};
  ck_assert(rpp_online_softmax_add(&row, 8, 0, 3, tiles[0]) == 0);
  ck_assert(row.largest == -1e5f && fabs((double)row.sum - (1 + exp(-1))) < 1e-6);
  ck_assert(rpp_online_softmax_add(&row, 8, 0, 3, tiles[1]) == 0); /* e^(-10^5) */
  ck_assert(row.largest == 5 && fabs((double)row.sum - (1 + exp(-1) + exp(-2))) < 1e-6);
  ck_assert(rpp_online_softmax_add(&row, 8, 5, 5, tiles[2]) == 1); /* nothing seen: as it was */
  ck_assert(row.largest == 5 && fabs((double)row.sum - (1 + exp(-1) + exp(-2))) < 1e-6);
  ck_assert(rpp_online_softmax_add(&row, 8, 1, 2, tiles[3]) == 1 && tiles[3][0] == 0 && tiles[3][1] == 0);
  ck_assert(row.largest == 5);
}
END_TEST

START_TEST(infinite_scores_follow_the_definition) {
  float low[8] = {-INFINITY, -INFINITY, 0}, later[8] = {2, -INFINITY, 0}, high[8] = {INFINITY, 1, 0}, none[8] = {NAN, 1, 0};
  rpp_online_softmax row = {-INFINITY, 0};
  rpp_online_softmax_add(&row, 8, 0, 2, low);
  ck_assert(isnan(rpp_online_softmax_lse(&row))); /* e^(-inf + inf) */
  rpp_online_softmax_add(&row, 8, 0, 2, later);
  ck_assert(row.sum == 1 && rpp_online_softmax_lse(&row) == 2);
  rpp_online_softmax_add(&row, 8, 0, 2, high);
  ck_assert(isnan(rpp_online_softmax_lse(&row)));
  row = (rpp_online_softmax){-INFINITY, 0};
  rpp_online_softmax_add(&row, 8, 0, 2, none);
  ck_assert(isnan(rpp_online_softmax_lse(&row)));
  rpp_online_softmax_add(&row, 8, 0, 1, later);
  ck_assert(isnan(rpp_online_softmax_lse(&row)));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("online_softmax");
  TCase *tests = tcase_create("online_softmax");
  tcase_add_test(tests, exponential_is_within_one_ulp);
  tcase_add_test(tests, exponential_of_special_values);
  tcase_add_test(tests, masked_scores_do_not_matter);
  tcase_add_test(tests, tiles_add_up);
  tcase_add_test(tests, infinite_scores_follow_the_definition);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
