/* Every line of a strip is called once, whatever the layout. */
#include "support.h"

#include <stdlib.h>

#include "decode_ahead.h"

enum { LINE = 64, MOST = 4096 };

/* (B, L, heads, width) = (1, 20, 3, width), its strides in elements. */
static rpp_tensor tensor(rpp_dtype dtype, int64_t width, int64_t token, int64_t head, int64_t column) {
  return (rpp_tensor){.dtype = dtype, .ndim = 4, .shape = {1, 20, 3, width}, .strides = {1 << 20, token, head, column}};
}

/* How many bytes of the strip's elements no line holds. */
static int64_t missing(const rpp_tensor *t, int64_t tokens, int64_t heads, int64_t count, const int64_t *offset) {
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype);
  int64_t none = 0;
  for (int64_t l = 0; l < tokens; l++)
    for (int64_t h = 0; h < heads; h++)
      for (int64_t byte = 0; byte < t->shape[3] * size; byte++) {
        const int64_t at = (l * t->strides[1] + h * t->strides[2]) * size + byte;
        bool held = false;
        for (int64_t i = 0; i < count && !held; i++) held = at >= offset[i] && at < offset[i] + LINE;
        none += !held;
      }
  return none;
}

static void covers(rpp_tensor t, int64_t tokens, int64_t heads, int64_t lines) {
  int64_t offset[MOST + 1];
  const int64_t count = rpp_ahead_count(&t, tokens, heads);
  ck_assert_int_eq(count, lines);
  offset[count] = -1;
  rpp_ahead_offsets(&t, tokens, heads, offset);
  ck_assert_int_eq(offset[count], -1);
  ck_assert_int_eq(missing(&t, tokens, heads, count, offset), 0);
  /* The control: without any one of them something is missing. */
  for (int64_t i = 0; i < count; i++) {
    const int64_t kept = offset[i];
    offset[i] = kept + (1 << 24);
    ck_assert_int_gt(missing(&t, tokens, heads, count, offset), 0);
    offset[i] = kept;
  }
}

START_TEST(every_layout) {
  covers(tensor(RPP_F32, 32, 96, 32, 1), 12, 3, 12 * 3 * 2);  /* all side by side: one run */
  covers(tensor(RPP_F32, 32, 96, 32, 1), 12, 2, 12 * 4);      /* some heads of a token */
  covers(tensor(RPP_F16, 32, 32, 640, 1), 12, 3, 3 * 12);     /* head by head */
  covers(tensor(RPP_F16, 40, 200, 50, 1), 12, 3, 12 * 3 * 2); /* gaps between heads */
  covers(tensor(RPP_BF16, 24, 90, 24, 1), 5, 3, 5 * 3);       /* gaps between tokens */
  covers(tensor(RPP_F32, 16, -48, 16, 1), 12, 3, 12 * 3);     /* backwards */
  covers(tensor(RPP_F32, 7, 21, 7, 1), 1, 1, 1);              /* less than a line */
  covers(tensor(RPP_F32, 1, 300, 100, 5), 3, 3, 9);           /* one column, whose stride says nothing */
}
END_TEST

/* Neighbours are a quarter of a strip apart, so that a processor fetches from four places. */
START_TEST(four_places) {
  const rpp_tensor t = tensor(RPP_F32, 32, 96, 32, 1);
  int64_t offset[12 * 3 * 2];
  rpp_ahead_offsets(&t, 12, 3, offset);
  ck_assert_int_eq(offset[0], 0);
  ck_assert_int_eq(offset[1], 18 * LINE);
  ck_assert_int_eq(offset[2], 36 * LINE);
  ck_assert_int_eq(offset[3], 54 * LINE);
  ck_assert_int_eq(offset[4], LINE);
}
END_TEST

START_TEST(nothing_to_call) {
  int64_t offset = -1;
  const rpp_tensor columns_apart = tensor(RPP_F32, 32, 192, 64, 2), empty = tensor(RPP_F32, 0, 96, 32, 1),
                   whole = tensor(RPP_F32, 32, INT64_MAX, INT64_MAX, 1);
  ck_assert_int_eq(rpp_ahead_count(&columns_apart, 12, 3), 0);
  ck_assert_int_eq(rpp_ahead_count(&empty, 12, 3), 0);
  ck_assert_int_eq(rpp_ahead_count(&whole, 21, 1), 0); /* there are 20 */
  ck_assert_int_eq(rpp_ahead_count(&whole, 1, 4), 0);  /* there are 3 */
  ck_assert_int_eq(rpp_ahead_count(&whole, 1, 1), 2);  /* strides that are not used may be anything */
  rpp_ahead_offsets(&columns_apart, 12, 3, &offset);
  rpp_ahead_offsets(&whole, 21, 1, &offset);
  ck_assert_int_eq(offset, -1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("decode_ahead");
  TCase *tests = tcase_create("decode_ahead");
  tcase_add_test(tests, every_layout);
  tcase_add_test(tests, four_places);
  tcase_add_test(tests, nothing_to_call);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
