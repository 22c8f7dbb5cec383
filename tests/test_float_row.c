/* float_row.c: every 16-bit value, and every place of a row. */
#include <math.h>
#include "float_row.h"
#include "guarded.h"
#include "support.h"

START_TEST(every_16_bit_value_is_loaded_exactly) {
  static uint16_t bits[65536];
  static float row[65536];
  for (int i = 0; i < 65536; i++) bits[i] = (uint16_t)i;
  for (int dtype = RPP_F16; dtype <= RPP_BF16; dtype++) {
    const rpp_tensor t = {.data = bits, .dtype = (rpp_dtype)dtype, .ndim = 4, .shape = {1, 1, 1, 65536}, .strides = {0, 0, 0, 1}};
    const rpp_row_layout plain = {RPP_PAIRING_INTERLEAVED, 65536, 0};
    rpp_float_row_load(&plain, &t, 0, 0, 0, row);
    for (int i = 0; i < 65536; i++) {
      const double want = dtype == RPP_F16 ? rpp_f64_from_f16((uint16_t)i) : rpp_f64_from_bf16((uint16_t)i);
      ck_assert_msg(isnan(want) ? isnan(row[i]) : want == (double)row[i] && !signbit(want) == !signbit(row[i]),
                    "%s %04x: %a, not %a", rpp_dtype_name((rpp_dtype)dtype), (unsigned)i, (double)row[i], want);
    }
  }
}
END_TEST

/* Loaded, rotated and turned rows hold what the truth's rows do, place by place; storing puts each column back. */
START_TEST(rows_agree_with_row_h) {
  enum { WIDTH = 11, ROTARY = 6, PAIRS = ROTARY / 2 };
  uint64_t state = 1;
  for (int layout = 0; layout < LAYOUTS; layout++)
    for (int dtype = RPP_F32; dtype <= RPP_BF16; dtype++)
      for (int pairing = 0; pairing < 2; pairing++) {
        const rpp_row_layout columns = {(rpp_pairing)pairing, WIDTH, ROTARY};
        guarded x = guarded_new((guarded_layout)layout, (rpp_dtype)dtype, 4, (int64_t[]){2, 3, 2, WIDTH});
        guarded y = guarded_new((guarded_layout)layout, (rpp_dtype)dtype, 4, (int64_t[]){2, 3, 2, WIDTH});
        int64_t index[RPP_MAX_DIMS] = {0};
        do rpp_tensor_set(&x.tensor, index, support_uniform(&state, -2, 2));
        while (guarded_next(&x.tensor, index));
        double wide[WIDTH], cosine[PAIRS], sine[PAIRS];
        float row[WIDTH], turned[WIDTH], c[PAIRS], s[PAIRS];
        for (int n = 0; n < PAIRS; n++) cosine[n] = c[n] = 0.75f - (float)n, sine[n] = s[n] = 0.5f + (float)n;
        rpp_float_row_load(&columns, &x.tensor, 1, 2, 1, row);
        rpp_float_row_store(&columns, &y.tensor, 1, 2, 1, row);
        for (int64_t p = 0; p < WIDTH; p++)
          ck_assert(rpp_tensor_get(&x.tensor, (int64_t[]){1, 2, 1, p}) == rpp_tensor_get(&y.tensor, (int64_t[]){1, 2, 1, p}));
        ck_assert_uint_eq(guarded_stray_bytes(&y), 0);
        rpp_row_load(&columns, &x.tensor, 1, 2, 1, wide);
        rpp_float_row_rotate(&columns, c, s, row);
        rpp_row_rotate(&columns, cosine, sine, wide);
        rpp_float_row_quarter_turn(&columns, row, turned);
        for (int p = 0; p < WIDTH; p++) {
          const int place = p >= ROTARY ? p : p / 2 + p % 2 * PAIRS;
          ck_assert_msg(fabs((double)row[place] - wide[p]) < 1e-6, "place %d: %g, not %g", place, (double)row[place], wide[p]);
        }
        rpp_row_quarter_turn(&columns, wide);
        for (int p = 0; p < WIDTH; p++) {
          const int place = p >= ROTARY ? p : p / 2 + p % 2 * PAIRS;
          ck_assert_msg(fabs((double)turned[place] - wide[p]) < 1e-6, "turned, place %d: %g, not %g", place, (double)turned[place],
                        wide[p]);
        }
        /* As it lies: real and imaginary head at once, and the real one alone. */
        float real[WIDTH], imag[WIDTH], alone[WIDTH];
        rpp_float_row_load_rotated(&columns, &x.tensor, 1, 2, 1, c, s, real, imag);
        rpp_float_row_load_rotated(&columns, &x.tensor, 1, 2, 1, c, s, alone, NULL);
        for (int p = 0; p < WIDTH; p++) {
          const int first = pairing == RPP_PAIRING_HALF ? p : p / 2 + p % 2 * PAIRS, place = p >= ROTARY ? p : first;
          ck_assert_msg(real[p] == row[place] && alone[p] == row[place], "column %d: %g and %g, not %g", p, (double)real[p],
                        (double)alone[p], (double)row[place]);
          ck_assert_msg(imag[p] == turned[place], "imaginary, column %d: %g, not %g", p, (double)imag[p], (double)turned[place]);
        }
        guarded_free(&x), guarded_free(&y);
      }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("float_row");
  TCase *tests = tcase_create("float_row");
  tcase_add_test(tests, every_16_bit_value_is_loaded_exactly);
  tcase_add_test(tests, rows_agree_with_row_h);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
