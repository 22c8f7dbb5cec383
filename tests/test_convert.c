/* convert.c: pairings and head orders are permutations, held against the definition element by element. */
#include <math.h>
#include "guarded.h"
#include "support.h"

enum { B = 2, L = 3, H = 6, D = 12 };
static const int64_t shape[] = {B, L, H, D};

/* A different exact value for every element. */
static double label(const int64_t *i) {
  return (double)(((i[0] * L + i[1]) * H + i[2]) * D + i[3] + 1);
}

static guarded labelled(guarded_layout layout, rpp_dtype dtype) {
  guarded g = guarded_new(layout, dtype, 4, shape);
  int64_t index[RPP_MAX_DIMS] = {0};
  do rpp_tensor_set(&g.tensor, index, label(index));
  while (guarded_next(&g.tensor, index));
  return g;
}

/* The column of member `second` of pair n. */
static int64_t column_of(rpp_pairing pairing, int64_t width, int64_t n, int64_t second) {
  return pairing == RPP_PAIRING_INTERLEAVED ? 2 * n + second : n + second * width / 2;
}

/* The place of head `part` (0 real, 1 imaginary) of query head j. */
static int64_t place_of(rpp_head_order order, int64_t j, int64_t part) {
  return order == RPP_ORDER_INTERLEAVED ? 2 * j + part : j + part * H / 2;
}

static int differences(const rpp_tensor *a, const rpp_tensor *b) {
  int64_t index[RPP_MAX_DIMS] = {0};
  int different = 0;
  do different += rpp_tensor_get(a, index) != rpp_tensor_get(b, index);
  while (guarded_next(a, index));
  return different;
}

START_TEST(pairings) {
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int64_t width = 2; width <= D; width += 2)
      for (int i = 0; i < 4; i++) {
        const rpp_pairing from = (rpp_pairing)(i & 1), to = (rpp_pairing)(i >> 1);
        guarded x = labelled((guarded_layout)((layout + i) % LAYOUTS), RPP_F32),
                y = guarded_new((guarded_layout)layout, RPP_F64, 4, shape),
                back = guarded_new((guarded_layout)layout, RPP_F32, 4, shape);
        support_accepted(rpp_pairing_convert(width, from, to, &x.tensor, &y.tensor));
        support_accepted(rpp_pairing_convert(width, to, from, &y.tensor, &back.tensor));
        int64_t index[RPP_MAX_DIMS] = {0};
        int wrong = 0;
        do { /* the last index counts members of pairs, then the columns past the width */
          int64_t source[] = {index[0], index[1], index[2], index[3]}, target[] = {index[0], index[1], index[2], index[3]};
          if (index[3] < width) {
            source[3] = column_of(from, width, index[3] / 2, index[3] % 2);
            target[3] = column_of(to, width, index[3] / 2, index[3] % 2);
          }
          wrong += rpp_tensor_get(&y.tensor, target) != label(source);
        } while (guarded_next(&x.tensor, index));
        ck_assert_int_eq(wrong, 0);
        ck_assert_int_eq(differences(&back.tensor, &x.tensor), 0);
        /* The control: it is no identity, but from a pairing to itself and at width 2. */
        ck_assert((differences(&y.tensor, &x.tensor) > 0) == (from != to && width > 2));
        ck_assert_uint_eq(guarded_stray_bytes(&x) + guarded_stray_bytes(&y) + guarded_stray_bytes(&back), 0);
        guarded_free(&x), guarded_free(&y), guarded_free(&back);
      }
}
END_TEST

START_TEST(head_orders) {
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int i = 0; i < 4; i++) {
      const rpp_head_order from = (rpp_head_order)(i & 1), to = (rpp_head_order)(i >> 1);
      guarded x = labelled((guarded_layout)((layout + i) % LAYOUTS), RPP_F16),
              y = guarded_new((guarded_layout)layout, RPP_F32, 4, shape),
              back = guarded_new((guarded_layout)layout, RPP_F16, 4, shape);
      support_accepted(rpp_heads_convert(from, to, &x.tensor, &y.tensor));
      support_accepted(rpp_heads_convert(to, from, &y.tensor, &back.tensor));
      int64_t index[RPP_MAX_DIMS] = {0};
      int wrong = 0;
      do {
        const int64_t source[] = {index[0], index[1], place_of(from, index[2] / 2, index[2] % 2), index[3]};
        const int64_t target[] = {index[0], index[1], place_of(to, index[2] / 2, index[2] % 2), index[3]};
        wrong += rpp_tensor_get(&y.tensor, target) != label(source);
      } while (guarded_next(&x.tensor, index));
      ck_assert_int_eq(wrong, 0);
      ck_assert_int_eq(differences(&back.tensor, &x.tensor), 0);
      ck_assert((differences(&y.tensor, &x.tensor) > 0) == (from != to));
      ck_assert_uint_eq(guarded_stray_bytes(&x) + guarded_stray_bytes(&y) + guarded_stray_bytes(&back), 0);
      guarded_free(&x), guarded_free(&y), guarded_free(&back);
    }
}
END_TEST

START_TEST(special_values_pass) {
  /* A permutation computes nothing: infinities, the sign of zero and NaN arrive. */
  double x[] = {INFINITY, -0.0, NAN, -INFINITY, 0x1p-1074, -1}, y[6];
  const int64_t one[] = {1, 1, 1, 6};
  rpp_tensor from, to;
  support_accepted(rpp_tensor_contiguous(x, RPP_F64, 4, one, &from));
  support_accepted(rpp_tensor_contiguous(y, RPP_F64, 4, one, &to));
  support_accepted(rpp_pairing_convert(4, RPP_PAIRING_INTERLEAVED, RPP_PAIRING_HALF, &from, &to));
  const int order[] = {0, 2, 1, 3, 4, 5};
  for (int i = 0; i < 6; i++) ck_assert_mem_eq(&y[i], &x[order[i]], sizeof *y);
}
END_TEST

START_TEST(refusals) {
  guarded x = labelled(LAYOUT_CONTIGUOUS, RPP_F32), y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F32, 4, shape);
  rpp_tensor *a = &x.tensor, *b = &y.tensor;
  const rpp_pairing half = RPP_PAIRING_HALF, pairs = RPP_PAIRING_INTERLEAVED;
  support_refused(rpp_pairing_convert(4, half, pairs, NULL, b), RPP_ERROR_NULL, "x", "null");
  support_refused(rpp_pairing_convert(4, half, pairs, a, NULL), RPP_ERROR_NULL, "y", "null");
  support_refused(rpp_pairing_convert(4, half, pairs, a, a), RPP_ERROR_OVERLAP, "y", "x");
  support_refused(rpp_pairing_convert(4, (rpp_pairing)7, pairs, a, b), RPP_ERROR_VALUE, "from", "= 7");
  support_refused(rpp_pairing_convert(4, half, (rpp_pairing)-1, a, b), RPP_ERROR_VALUE, "to", "= -1");
  support_refused(rpp_pairing_convert(5, half, pairs, a, b), RPP_ERROR_VALUE, "rotary_dim", "= 5");
  support_refused(rpp_pairing_convert(0, half, pairs, a, b), RPP_ERROR_VALUE, "rotary_dim", "= 0");
  support_refused(rpp_pairing_convert(-2, half, pairs, a, b), RPP_ERROR_VALUE, "rotary_dim", "= -2");
  support_refused(rpp_pairing_convert(D + 2, half, pairs, a, b), RPP_ERROR_VALUE, "rotary_dim", "= 14");
  support_refused(rpp_heads_convert((rpp_head_order)2, RPP_ORDER_STACKED, a, b), RPP_ERROR_VALUE, "from", "= 2");
  support_refused(rpp_heads_convert(RPP_ORDER_STACKED, (rpp_head_order)3, a, b), RPP_ERROR_VALUE, "to", "= 3");
  support_refused(rpp_heads_convert(RPP_ORDER_STACKED, RPP_ORDER_STACKED, a, a), RPP_ERROR_OVERLAP, "y", "x");
  rpp_tensor odd_x, odd_y, short_y = *b, integer = *b, no_data = *b, flat = *b, repeated = *b;
  support_accepted(rpp_tensor_slice(a, 2, 0, 5, 1, &odd_x));
  support_accepted(rpp_tensor_slice(b, 2, 0, 5, 1, &odd_y));
  support_refused(rpp_heads_convert(RPP_ORDER_STACKED, RPP_ORDER_INTERLEAVED, &odd_x, &odd_y), RPP_ERROR_SHAPE, "shape[2]", "= 5");
  short_y.shape[1] = L - 1;
  support_refused(rpp_pairing_convert(4, half, pairs, a, &short_y), RPP_ERROR_SHAPE, "y.shape[1]", "= 2");
  integer.dtype = RPP_I64, integer.shape[3] = D;
  support_refused(rpp_pairing_convert(4, half, pairs, a, &integer), RPP_ERROR_DTYPE, "y", "I64");
  support_refused(rpp_heads_convert(RPP_ORDER_STACKED, RPP_ORDER_INTERLEAVED, &integer, b), RPP_ERROR_DTYPE, "x", "I64");
  no_data.data = NULL, no_data.byte_offset = 0;
  support_refused(rpp_pairing_convert(4, half, pairs, a, &no_data), RPP_ERROR_NULL, "y.data", "null");
  support_refused(rpp_pairing_convert(4, half, pairs, &no_data, b), RPP_ERROR_NULL, "x.data", "null");
  flat.ndim = 3;
  support_refused(rpp_pairing_convert(4, half, pairs, &flat, b), RPP_ERROR_SHAPE, "x.ndim", "= 3");
  repeated.strides[0] = 0;
  support_refused(rpp_pairing_convert(4, half, pairs, a, &repeated), RPP_ERROR_OVERLAP, "y", "0");
  ck_assert_uint_eq(guarded_written_bytes(&y), 0);                             /* nothing was written on the way */
  support_accepted(rpp_pairing_convert(4, half, pairs, &repeated, &x.tensor)); /* an input may repeat itself */
  guarded_free(&x), guarded_free(&y);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("convert");
  TCase *cases = tcase_create("convert");
  tcase_add_test(cases, pairings);
  tcase_add_test(cases, head_orders);
  tcase_add_test(cases, special_values_pass);
  tcase_add_test(cases, refusals);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
