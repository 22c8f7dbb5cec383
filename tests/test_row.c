/* row.c: a head's row between tensors and the library's layout, and what is done to it there. */
#include <math.h>
#include "guarded.h"
#include "row.h"
#include "support.h"

enum { B = 2, L = 3, H = 2, D = 11 };
static const int64_t shape[] = {B, L, H, D};

/* The column of the tensor that holds member `second` of pair n, by the definition of the pairings. */
static int64_t column_of(rpp_pairing pairing, int64_t rotary_dim, int64_t n, int second) {
  return pairing == RPP_PAIRING_INTERLEAVED ? 2 * n + second : n + second * rotary_dim / 2;
}

/* Columns of a row that are not where the layout says. */
static int misplaced(const rpp_row_layout *layout, const rpp_tensor *t, int64_t b, int64_t l, int64_t h, const double *row) {
  int wrong = 0;
  for (int64_t p = 0; p < layout->width; p++) {
    const int64_t from = p < layout->rotary_dim ? column_of(layout->pairing, layout->rotary_dim, p / 2, p % 2) : p;
    wrong += rpp_tensor_get(t, (int64_t[]){b, l, h, from}) != rpp_dtype_round(t->dtype, row[p]);
  }
  return wrong;
}

START_TEST(load_and_store) {
  const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  uint64_t state = 1;
  for (int variant = 0; variant < LAYOUTS * 4 * 2; variant++)
    for (int64_t rotary_dim = 0; rotary_dim <= D; rotary_dim += 2) {
      const guarded_layout from = (guarded_layout)(variant % LAYOUTS), to = (guarded_layout)((variant + 1) % LAYOUTS);
      const rpp_dtype dtype = dtypes[variant / LAYOUTS % 4];
      const rpp_row_layout layout = {variant % 2 ? RPP_PAIRING_HALF : RPP_PAIRING_INTERLEAVED, D, rotary_dim};
      const rpp_row_layout other = {variant % 2 ? RPP_PAIRING_INTERLEAVED : RPP_PAIRING_HALF, D, rotary_dim};
      guarded x = guarded_new(from, dtype, 4, shape), y = guarded_new(to, RPP_F16, 4, shape);
      int64_t index[RPP_MAX_DIMS] = {0};
      do rpp_tensor_set(&x.tensor, index, support_uniform(&state, -2, 2));
      while (guarded_next(&x.tensor, index));
      int wrong = 0, control = 0;
      do {
        double row[D + 1];
        row[D] = 7;
        rpp_row_load(&layout, &x.tensor, index[0], index[1], index[2], row);
        wrong += misplaced(&layout, &x.tensor, index[0], index[1], index[2], row) + (row[D] != 7);
        control += misplaced(&other, &x.tensor, index[0], index[1], index[2], row);
        rpp_row_store(&layout, &y.tensor, index[0], index[1], index[2], row);
        wrong += misplaced(&layout, &y.tensor, index[0], index[1], index[2], row);
        index[3] = D - 1;
      } while (guarded_next(&x.tensor, index));
      ck_assert_int_eq(wrong, 0);
      ck_assert((control > 0) == (rotary_dim > 2)); /* with one pair at most the pairings agree */
      ck_assert_uint_eq(guarded_stray_bytes(&y), 0);
      guarded_free(&x), guarded_free(&y);
    }
}
END_TEST

START_TEST(quarter_turn) {
  const rpp_row_layout layout = {RPP_PAIRING_HALF, 7, 4};
  double row[] = {1, 2, -3, 0.5, 5, 6, 7};
  rpp_row_quarter_turn(&layout, row);
  ck_assert_mem_eq(row, ((double[]){2, -1, 0.5, 3, 5, 6, 7}), sizeof row);
}
END_TEST

START_TEST(rotate) {
  const rpp_row_layout layout = {RPP_PAIRING_INTERLEAVED, 7, 4};
  const double cosine[] = {0.6, 0}, sine[] = {0.8, 1};
  double row[] = {1, 2, -3, 0.5, 5, 6, 7};
  rpp_row_rotate(&layout, cosine, sine, row);
  ck_assert_mem_eq(row, ((double[]){1 * 0.6 - 2 * 0.8, 2 * 0.6 + 1 * 0.8, -0.5, -3, 5, 6, 7}), sizeof row);
}
END_TEST

START_TEST(dots_are_summed_in_order) {
  /* Bit for bit the pair-by-pair sum, for any count of keys: with four keys at a time and one by one alike. */
  enum { KEYS = 11 };
  uint64_t state = 2;
  int wrong = 0, control = 0;
  for (int64_t width = 1; width <= 13; width++)
    for (int64_t rotary_dim = 0; rotary_dim <= width; rotary_dim += 2)
      for (int64_t count = 0; count <= KEYS; count++) {
        double q[13], keys[KEYS * 13], dots[KEYS + 1];
        for (int64_t p = 0; p < width; p++) q[p] = support_uniform(&state, -2, 2);
        for (int64_t p = 0; p < count * width; p++) keys[p] = support_uniform(&state, -2, 2);
        for (int j = 0; j <= KEYS; j++) dots[j] = 99;
        const rpp_row_layout layout = {RPP_PAIRING_HALF, width, rotary_dim};
        rpp_row_dots(&layout, q, keys, count, dots);
        for (int64_t j = 0; j < count; j++) {
          const double *k = keys + j * width;
          double by_pairs = 0, by_columns = 0;
          for (int64_t p = 0; p < rotary_dim; p += 2) by_pairs += q[p] * k[p] + q[p + 1] * k[p + 1];
          for (int64_t p = rotary_dim; p < width; p++) by_pairs += q[p] * k[p];
          for (int64_t p = 0; p < width; p++) by_columns += q[p] * k[p];
          wrong += dots[j] != by_pairs;
          control += by_columns != by_pairs;
        }
        for (int64_t j = count; j <= KEYS; j++) wrong += dots[j] != 99;
      }
  ck_assert_int_eq(wrong, 0);
  ck_assert_int_gt(control, 100); /* another order of the sum does give other bits */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("row");
  TCase *cases = tcase_create("row");
  tcase_add_test(cases, load_and_store);
  tcase_add_test(cases, quarter_turn);
  tcase_add_test(cases, rotate);
  tcase_add_test(cases, dots_are_summed_in_order);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
