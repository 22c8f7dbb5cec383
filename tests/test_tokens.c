/* tokens.c: packed sequences, positions and sampled rows. */
#include "cases/tokens.h"

#include "support.h"

enum { MOST = 400 };

START_TEST(packings_rise_to_the_length_and_have_empty_sequences) {
  int empty_q = 0, empty_k = 0, alike = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    rpp_spec spec = rpp_spec_default(RPP_MODE_EC);
    spec.seed = seed, spec.packed = 1 + (int64_t)(seed % 7), spec.q_len = (int64_t)(seed % 41),
    spec.k_len = (int64_t)(seed % 3 ? seed % 41 : 97);
    int64_t cu_q[8], cu_k[8], n = spec.packed;
    rpp_token_packing(&spec, cu_q, cu_k);
    ck_assert_int_eq(cu_q[0], 0);
    ck_assert_int_eq(cu_k[0], 0);
    ck_assert_int_eq(cu_q[n], spec.q_len);
    ck_assert_int_eq(cu_k[n], spec.k_len);
    bool same = true;
    for (int64_t i = 0; i < n; i++) {
      ck_assert_int_le(cu_q[i], cu_q[i + 1]);
      ck_assert_int_le(cu_k[i], cu_k[i + 1]);
      same = same && cu_q[i] == cu_k[i];
      empty_q += cu_q[i] == cu_q[i + 1], empty_k += cu_k[i] == cu_k[i + 1];
    }
    alike += same;
  }
  ck_assert_int_gt(empty_q, 50);
  ck_assert_int_gt(empty_k, 50);
  ck_assert_int_gt(alike, 50);
  ck_assert_int_lt(alike, 250);
}
END_TEST

START_TEST(positions_count_and_restart) {
  rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  int64_t q[MOST], k[MOST];
  spec.q_len = 3, spec.k_len = 10, spec.position = 100;
  rpp_token_positions(&spec, NULL, NULL, 0, q, k);
  ck_assert_int_eq(k[0], 100);
  ck_assert_int_eq(k[9], 109);
  ck_assert_int_eq(q[2], 109); /* the last query meets the last key */
  spec.reset = 4;
  rpp_token_positions(&spec, NULL, NULL, 0, q, k);
  const int64_t after[] = {100, 101, 102, 103, 0, 1, 2, 3, 0, 1};
  for (int i = 0; i < 10; i++) ck_assert_int_eq(k[i], after[i]);
  ck_assert_int_eq(q[0], 3);
  spec.reset = 0, spec.q_len = 10, spec.k_len = 4;
  rpp_token_positions(&spec, NULL, NULL, 0, q, k);
  ck_assert_int_eq(q[0], 100);
  spec.batched_positions = true;
  int64_t last = -1;
  for (int64_t b = 0; b < 5; b++) {
    rpp_token_positions(&spec, NULL, NULL, b, q, k);
    ck_assert_int_gt(k[0], last);
    ck_assert_int_eq(q[0], k[0]);
    last = k[0];
  }
}
END_TEST

START_TEST(packed_positions_restart_with_each_sequence) {
  const int64_t cu_q[] = {0, 2, 2, 5}, cu_k[] = {0, 4, 7, 7};
  rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  int64_t q[MOST], k[MOST];
  spec.q_len = 5, spec.k_len = 7, spec.packed = 3, spec.position = 10;
  rpp_token_positions(&spec, cu_q, cu_k, 0, q, k);
  const int64_t want_q[] = {12, 13, 10, 11, 12}, want_k[] = {10, 11, 12, 13, 10, 11, 12};
  for (int i = 0; i < 5; i++) ck_assert_int_eq(q[i], want_q[i]);
  for (int i = 0; i < 7; i++) ck_assert_int_eq(k[i], want_k[i]);
}
END_TEST

START_TEST(no_position_passes_the_last) {
  for (uint64_t n = 0; n < 3000; n++) {
    const rpp_spec spec = rpp_spec_draw(4, n, NULL, NULL);
    int64_t q[MOST], k[MOST], cu_q[MOST + 1], cu_k[MOST + 1];
    const int64_t least = spec.position < 0 ? spec.position : 0;
    if (spec.q_len > MOST || spec.k_len > MOST || spec.packed > MOST) continue;
    rpp_token_packing(&spec, cu_q, cu_k);
    for (int64_t b = 0; b < spec.batch; b++) {
      rpp_token_positions(&spec, cu_q, cu_k, b, q, k);
      for (int64_t i = 0; i < spec.q_len; i++) ck_assert(q[i] >= least && q[i] <= rpp_token_last_position(&spec));
      for (int64_t i = 0; i < spec.k_len; i++) ck_assert(k[i] >= least && k[i] <= rpp_token_last_position(&spec));
    }
  }
}
END_TEST

START_TEST(rows_ascend_from_the_first_to_the_last) {
  rpp_spec spec = rpp_spec_default(RPP_MODE_ROPE);
  int64_t rows[MOST];
  for (int64_t length = 1; length < 40; length++)
    for (int64_t count = 1; count <= length; count++) {
      spec.q_len = length, spec.rows = count, spec.seed = (uint64_t)(length * 100 + count);
      rpp_token_rows(&spec, rows);
      ck_assert(rows[0] >= 0 && rows[count - 1] < length);
      for (int64_t i = 1; i < count; i++) ck_assert_int_lt(rows[i - 1], rows[i]);
      if (count > 1) ck_assert(rows[0] == 0 && rows[count - 1] == length - 1);
    }
}
END_TEST

/* Against the positions themselves. */
START_TEST(the_reach_is_the_lowest_and_the_highest_position) {
  enum { LONGEST = 5000 };
  static int64_t q[LONGEST], k[LONGEST];
  int packed = 0, reset = 0, batched = 0;
  for (uint64_t i = 0; i < 4000; i++) {
    rpp_spec base = rpp_spec_default(RPP_MODE_EC);
    const rpp_spec spec = rpp_spec_draw(3, i, &base, (const char *const[]){NULL});
    int64_t cu_q[64], cu_k[64], lowest = INT64_MAX, highest = INT64_MIN, low = 0, high = 0;
    if (spec.q_len > LONGEST || spec.k_len > LONGEST || spec.packed > 63) continue;
    rpp_token_packing(&spec, cu_q, cu_k);
    for (int64_t b = 0; b < spec.batch; b++) {
      rpp_token_positions(&spec, cu_q, cu_k, b, q, k);
      for (int64_t n = 0; n < spec.q_len; n++) lowest = q[n] < lowest ? q[n] : lowest, highest = q[n] > highest ? q[n] : highest;
      for (int64_t n = 0; n < spec.k_len; n++) lowest = k[n] < lowest ? k[n] : lowest, highest = k[n] > highest ? k[n] : highest;
    }
    const bool has = lowest <= highest && !spec.attention.q_rotated;
    ck_assert(rpp_token_reach(&spec, &low, &high) == has);
    if (!has) continue;
    ck_assert_msg(low == lowest && high == highest, "case %d: %lld to %lld, not %lld to %lld", (int)i, (long long)low,
                  (long long)high, (long long)lowest, (long long)highest);
    packed += spec.packed > 1, reset += spec.reset > 0 && spec.reset < spec.k_len, batched += spec.batched_positions;
  }
  ck_assert(packed > 100 && reset > 100 && batched > 100);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tokens");
  TCase *tests = tcase_create("tokens");
  tcase_add_test(tests, packings_rise_to_the_length_and_have_empty_sequences);
  tcase_add_test(tests, positions_count_and_restart);
  tcase_add_test(tests, packed_positions_restart_with_each_sequence);
  tcase_add_test(tests, no_position_passes_the_last);
  tcase_add_test(tests, the_reach_is_the_lowest_and_the_highest_position);
  tcase_add_test(tests, rows_ascend_from_the_first_to_the_last);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
