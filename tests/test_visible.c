/* visible.c: every mask against the predicate of CASE-FILES.md, for all small sizes and for offsets to the ends of int64. */
#include "attention_oracle.h"
#include "support.h"
#include "visible.h"

enum { SIZE = 6 };

static const int64_t offsets[] = {
    INT64_MIN,     INT64_MIN + 1, -INT64_MAX / 2, -9,       -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1 << 20,
    INT64_MAX / 2, INT64_MAX - 7, INT64_MAX - 1,  INT64_MAX};
static const int64_t windows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1 << 20, INT64_MAX / 2, INT64_MAX - 7, INT64_MAX - 1, INT64_MAX};
enum { OFFSETS = sizeof offsets / sizeof *offsets, WINDOWS = sizeof windows / sizeof *windows };

/* Pairs of a query and a key that the range and the predicate see differently; seen is what the predicate sees. */
static int wrong_pairs(const rpp_attention *ranged, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                       int64_t q_len, int64_t k_len, int *seen) {
  int wrong = 0;
  for (int64_t i = 0; i < q_len; i++) {
    const rpp_key_range range = rpp_visible_keys(ranged, inputs, k_len, i);
    wrong += range.first < 0 || range.first > range.last || range.last > k_len;
    wrong += range.first == range.last && range.first != 0; /* no key: 0, 0 */
    for (int64_t j = 0; j < k_len; j++) {
      const bool sees = oracle_sees(attention, inputs, i, j);
      *seen += sees;
      wrong += sees != (range.first <= j && j < range.last);
    }
  }
  return wrong;
}

START_TEST(all_small_sizes) {
  const rpp_attention_inputs inputs = {.q = NULL};
  int seen = 0, control = 0, masked = 0;
  for (int mask = 0; mask < 3; mask++)
    for (int w = 0; w < (mask == RPP_MASK_WINDOW ? WINDOWS : 1); w++)
      for (int o = 0; o < OFFSETS; o++)
        for (int64_t q_len = 0; q_len <= SIZE; q_len++)
          for (int64_t k_len = 0; k_len <= SIZE; k_len++) {
            const rpp_attention attention = {.mask = (rpp_mask)mask, .causal_offset = offsets[o], .window = windows[w]};
            const int wrong = wrong_pairs(&attention, &attention, &inputs, q_len, k_len, &seen);
            ck_assert_msg(wrong == 0, "mask %d, offset %lld, window %lld, Lq %lld, Lk %lld: %d pairs", mask, (long long)offsets[o],
                          (long long)windows[w], (long long)q_len, (long long)k_len, wrong);
            masked += (int)(q_len * k_len);
            if (offsets[o] == INT64_MAX) continue; /* controls: one further, one wider */
            rpp_attention spoiled = attention;
            spoiled.causal_offset++;
            control += wrong_pairs(&spoiled, &attention, &inputs, q_len, k_len, &seen) > 0;
          }
  ck_assert_int_gt(seen, 10000);
  ck_assert_int_gt(masked, seen / 8);
  ck_assert_int_gt(control, 1000);
}
END_TEST

START_TEST(window_is_not_read_by_other_masks) {
  const rpp_attention_inputs inputs = {.q = NULL};
  int seen = 0;
  for (int64_t window = -3; window <= 3; window++)
    for (int mask = 0; mask < 2; mask++) {
      const rpp_attention attention = {.mask = (rpp_mask)mask, .causal_offset = -1, .window = window};
      ck_assert_int_eq(wrong_pairs(&attention, &attention, &inputs, SIZE, SIZE, &seen), 0);
    }
}
END_TEST

/* The next way to cut length into sequences; cuts[0] = 0 and cuts[last] = length stay. */
static bool next_cuts(int64_t *cuts, int last) {
  for (int n = last - 1; n > 0; n--)
    if (cuts[n] < cuts[last]) {
      cuts[n]++;
      for (int m = n + 1; m < last; m++) cuts[m] = cuts[n];
      return true;
    }
  return false;
}

START_TEST(all_small_packings) {
  enum { SEQUENCES = 3, LENGTH = 4 };
  int seen = 0, control = 0, packings = 0;
  for (int64_t q_len = 0; q_len <= LENGTH; q_len++)
    for (int64_t k_len = 0; k_len <= LENGTH; k_len++) {
      int64_t q_cuts[SEQUENCES + 1] = {0, 0, 0, q_len};
      do {
        int64_t k_cuts[SEQUENCES + 1] = {0, 0, 0, k_len};
        do {
          packings++;
          const rpp_tensor cu_q = {q_cuts, RPP_I64, 1, {SEQUENCES + 1}, {1}, 0},
                           cu_k = {k_cuts, RPP_I64, 1, {SEQUENCES + 1}, {1}, 0};
          const rpp_attention_inputs packed = {.cu_q = &cu_q, .cu_k = &cu_k}, loose = {.cu_q = NULL};
          for (int mask = 0; mask < 3; mask++)
            for (int64_t offset = -3; offset <= 3; offset++)
              for (int64_t window = 1; window <= (mask == RPP_MASK_WINDOW ? 4 : 1); window++) {
                const rpp_attention attention = {.mask = (rpp_mask)mask, .causal_offset = offset, .window = window};
                const int wrong = wrong_pairs(&attention, &attention, &packed, q_len, k_len, &seen);
                ck_assert_msg(wrong == 0, "mask %d, offset %lld, window %lld: %d pairs", mask, (long long)offset, (long long)window,
                              wrong);
                for (int64_t i = 0; i < q_len; i++) { /* control: without the packing */
                  const rpp_key_range with = rpp_visible_keys(&attention, &packed, k_len, i);
                  const rpp_key_range without = rpp_visible_keys(&attention, &loose, k_len, i);
                  control += with.first != without.first || with.last != without.last;
                }
              }
        } while (next_cuts(k_cuts, SEQUENCES));
      } while (next_cuts(q_cuts, SEQUENCES));
    }
  ck_assert_int_eq(packings, 35 * 35); /* sum over lengths 0 .. 4 of C(length + 2, 2), squared */
  ck_assert_int_gt(seen, 10000);
  ck_assert_int_gt(control, 10000);
}
END_TEST

START_TEST(strided_packing) {
  /* cu_q backwards, cu_k every other one. */
  int64_t q[] = {6, 4, 4, 0}, k[] = {0, -1, 1, -1, 2, -1, 6};
  const rpp_tensor cu_q = {q, RPP_I64, 1, {4}, {-1}, 24}, cu_k = {k, RPP_I64, 1, {4}, {2}, 0};
  const rpp_attention_inputs inputs = {.cu_q = &cu_q, .cu_k = &cu_k};
  int seen = 0;
  for (int64_t offset = -3; offset <= 3; offset++) {
    const rpp_attention attention = {.mask = RPP_MASK_CAUSAL, .causal_offset = offset};
    ck_assert_int_eq(wrong_pairs(&attention, &attention, &inputs, 6, 6, &seen), 0);
  }
  ck_assert_int_gt(seen, 20);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("visible");
  TCase *cases = tcase_create("visible");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, all_small_sizes);
  tcase_add_test(cases, window_is_not_read_by_other_masks);
  tcase_add_test(cases, all_small_packings);
  tcase_add_test(cases, strided_packing);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
