/* heads.c: the table of FACTS.md, for all small counts, and what it refuses. */
#include <inttypes.h>
#include <stdio.h>
#include "support.h"

/* What the table says, or zeros where it says nothing. */
static rpp_head_counts expected(rpp_mode mode, int64_t h, int64_t g) {
  if (h < 1 || g < 1 || h % g != 0) return (rpp_head_counts){0, 0, 0};
  if (mode == RPP_MODE_ROPE) return (rpp_head_counts){h, g, h};
  if (mode == RPP_MODE_EC) return (rpp_head_counts){h, g, h + h};
  return h % 2 || g % 2 ? (rpp_head_counts){0, 0, 0} : (rpp_head_counts){h / 2, g / 2, h};
}

START_TEST(all_small_counts) {
  int accepted = 0, odd = 0;
  for (int mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++)
    for (int64_t h = -2; h <= 24; h++)
      for (int64_t g = -2; g <= 25; g++) {
        const rpp_attention attention = {.mode = (rpp_mode)mode, .heads = h, .kv_heads = g};
        const rpp_head_counts want = expected((rpp_mode)mode, h, g);
        rpp_head_counts counts = {-7, -7, -7};
        const rpp_status status = rpp_attention_heads(&attention, &counts);
        ck_assert_int_eq(status, want.output ? RPP_OK : RPP_ERROR_VALUE);
        accepted += status == RPP_OK, odd += status != RPP_OK && h > 0 && g > 0 && h % g == 0;
        const rpp_head_counts left = status == RPP_OK ? want : (rpp_head_counts){-7, -7, -7};
        ck_assert(counts.projected == left.projected && counts.kv == left.kv && counts.output == left.output);
        if (status == RPP_OK) { /* output heads share KV heads evenly, and pairs of them never straddle two */
          ck_assert(counts.output % counts.kv == 0 && counts.projected % counts.kv == 0);
          ck_assert(mode == RPP_MODE_ROPE || counts.output / counts.kv % 2 == 0);
        }
      }
  ck_assert_int_gt(accepted, 100);
  ck_assert_int_gt(odd, 20);
}
END_TEST

START_TEST(models_of_the_paper) {
  rpp_head_counts counts;
  support_accepted(rpp_attention_heads(&(rpp_attention){.mode = RPP_MODE_EH, .heads = 8, .kv_heads = 4}, &counts));
  ck_assert(counts.projected == 4 && counts.kv == 2 && counts.output == 8);
  support_accepted(rpp_attention_heads(&(rpp_attention){.mode = RPP_MODE_EC, .heads = 12, .kv_heads = 6}, &counts));
  ck_assert(counts.projected == 12 && counts.kv == 6 && counts.output == 24);
}
END_TEST

static rpp_status heads(rpp_mode mode, int64_t h, int64_t g) {
  rpp_head_counts counts;
  return rpp_attention_heads(&(rpp_attention){.mode = mode, .heads = h, .kv_heads = g}, &counts);
}

START_TEST(refusals) {
  rpp_head_counts counts;
  support_refused(heads(RPP_MODE_EH, 7, 7), RPP_ERROR_VALUE, "heads = 7:", "EH");
  support_refused(heads(RPP_MODE_EH, 6, 3), RPP_ERROR_VALUE, "kv_heads = 3:", "EH");
  support_refused(heads(RPP_MODE_EH, 1, 1), RPP_ERROR_VALUE, "heads = 1:", "EH");
  support_refused(heads(RPP_MODE_ROPE, 8, 3), RPP_ERROR_VALUE, "kv_heads = 3:", "heads = 8");
  support_refused(heads(RPP_MODE_EC, 4, 8), RPP_ERROR_VALUE, "kv_heads = 8:", "heads = 4");
  support_refused(heads(RPP_MODE_ROPE, 0, 1), RPP_ERROR_VALUE, "heads = 0:", "at least 1");
  support_refused(heads(RPP_MODE_EC, 4, -2), RPP_ERROR_VALUE, "kv_heads = -2:", "at least 1");
  support_refused(heads(RPP_MODE_EC, INT64_MIN, INT64_MIN), RPP_ERROR_VALUE, "heads = -9223372036854775808:", "");
  support_refused(heads(RPP_MODE_EC, INT64_MAX, 1), RPP_ERROR_OVERFLOW, "heads = 9223372036854775807:", "");
  support_refused(heads((rpp_mode)3, 4, 2), RPP_ERROR_VALUE, "mode = 3:", "");
  support_refused(heads((rpp_mode)-1, 4, 2), RPP_ERROR_VALUE, "mode = -1:", "");
  support_refused(rpp_attention_heads(NULL, &counts), RPP_ERROR_NULL, "attention = null", "");
  support_refused(rpp_attention_heads(&(rpp_attention){.heads = 1, .kv_heads = 1}, NULL), RPP_ERROR_NULL, "counts = null", "");
  support_accepted(heads(RPP_MODE_EC, INT64_MAX / 2, 1));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("heads");
  TCase *cases = tcase_create("heads");
  tcase_add_test(cases, all_small_counts);
  tcase_add_test(cases, models_of_the_paper);
  tcase_add_test(cases, refusals);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
