/* check_rotary.c: what a rotary description, its tables and its positions may not be; each refusal a status, and a message with the
 * field and its value, before any output is written. */
#include <math.h>
#include <stdio.h>
#include "guarded.h"
#include "support.h"

/* A description that is fine, for each case to spoil. */
static rpp_rotary sound(rpp_scaling_kind kind) {
  return (rpp_rotary){.pairing = RPP_PAIRING_HALF,
                      .rotary_dim = 8,
                      .base = 10000,
                      .scaling = {.kind = kind, .factor = 8, .orig = 8192, .low = 1, .high = 4}};
}

/* Refused by each function that takes a rotary, with this status and words; and no output is touched. */
static void refused_by_all(const rpp_rotary *rotary, rpp_status status, const char *field, const char *value) {
  static const int64_t table[] = {2, 4}, shape[] = {1, 2, 1, 8};
  double hi[8], lo[8], magnitude = 7;
  for (int i = 0; i < 8; i++) hi[i] = lo[i] = 7;
  guarded pos = guarded_new(LAYOUT_CONTIGUOUS, RPP_I64, 1, table), c = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 2, table),
          s = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 2, table), x = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape),
          y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  for (int64_t l = 0; l < 2; l++) rpp_tensor_set(&pos.tensor, &l, (double)l);
  support_refused(rpp_frequencies(rotary, hi, lo, &magnitude), status, field, value);
  support_refused(rpp_angles(rotary, &pos.tensor, &c.tensor, &s.tensor), status, field, value);
  support_refused(rpp_rotate(rotary, RPP_PART_REAL, &x.tensor, &pos.tensor, &y.tensor), status, field, value);
  support_refused(rpp_quarter_turn(rotary, &x.tensor, &y.tensor), status, field, value);
  ck_assert_uint_eq(guarded_written_bytes(&c) + guarded_written_bytes(&s) + guarded_written_bytes(&y), 0);
  for (int i = 0; i < 8; i++) ck_assert(hi[i] == 7 && lo[i] == 7 && magnitude == 7);
  guarded_free(&pos), guarded_free(&c), guarded_free(&s), guarded_free(&x), guarded_free(&y);
}

#define SPOILED(kind_, change, status, field, value)                                                                               \
  do {                                                                                                                             \
    for (int model = RPP_ANGLES_EXACT; model <= RPP_ANGLES_HF_F32; model++) {                                                      \
      rpp_rotary r = sound(kind_);                                                                                                 \
      r.angles = (rpp_angle_model)model;                                                                                           \
      change;                                                                                                                      \
      refused_by_all(&r, status, field, value);                                                                                    \
    }                                                                                                                              \
  } while (0)

START_TEST(widths) {
  SPOILED(RPP_SCALING_NONE, r.rotary_dim = 7, RPP_ERROR_VALUE, "rotary_dim", "= 7");
  SPOILED(RPP_SCALING_NONE, r.rotary_dim = 0, RPP_ERROR_VALUE, "rotary_dim", "= 0");
  SPOILED(RPP_SCALING_NONE, r.rotary_dim = -8, RPP_ERROR_VALUE, "rotary_dim", "= -8");
  SPOILED(RPP_SCALING_NONE, r.rotary_dim = INT64_MIN, RPP_ERROR_VALUE, "rotary_dim", "= -9223372036854775808");
  SPOILED(RPP_SCALING_NTK_AWARE, r.rotary_dim = 2, RPP_ERROR_VALUE, "rotary_dim", "= 2");
  const int64_t shape[] = {1, 2, 1, 6};
  guarded x = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  guarded pos = guarded_new(LAYOUT_CONTIGUOUS, RPP_I64, 1, shape + 1);
  const rpp_rotary wide = sound(RPP_SCALING_NONE);
  support_refused(rpp_rotate(&wide, RPP_PART_REAL, &x.tensor, &pos.tensor, &y.tensor), RPP_ERROR_VALUE, "rotary_dim", "= 8");
  support_refused(rpp_quarter_turn(&wide, &x.tensor, &y.tensor), RPP_ERROR_VALUE, "rotary_dim", "= 8");
  guarded_free(&x), guarded_free(&y), guarded_free(&pos);
}
END_TEST

START_TEST(enumerators) {
  SPOILED(RPP_SCALING_NONE, r.pairing = (rpp_pairing)2, RPP_ERROR_VALUE, "pairing", "= 2");
  SPOILED(RPP_SCALING_NONE, r.angles = (rpp_angle_model)(5 + 0 * model), RPP_ERROR_VALUE, "angles", "= 5");
  SPOILED(RPP_SCALING_NONE, r.scaling.kind = (rpp_scaling_kind)7, RPP_ERROR_VALUE, "kind", "= 7");
  SPOILED(RPP_SCALING_NONE, r.scaling.kind = (rpp_scaling_kind)-1, RPP_ERROR_VALUE, "kind", "= -1");
  SPOILED(RPP_SCALING_NONE, r.table_dtype = RPP_I64, RPP_ERROR_DTYPE, "table_dtype", "= ");
  SPOILED(RPP_SCALING_NONE, r.table_dtype = (rpp_dtype)12, RPP_ERROR_DTYPE, "table_dtype", "= 12");
  refused_by_all(NULL, RPP_ERROR_NULL, "rotary", "null");
}
END_TEST

START_TEST(bases) {
  SPOILED(RPP_SCALING_NONE, r.base = 1, RPP_ERROR_VALUE, "base", "= 1:");
  SPOILED(RPP_SCALING_NONE, r.base = 0.5, RPP_ERROR_VALUE, "base", "= 0.5:");
  SPOILED(RPP_SCALING_NONE, r.base = -10000, RPP_ERROR_VALUE, "base", "= -10000:");
  SPOILED(RPP_SCALING_NONE, r.base = NAN, RPP_ERROR_VALUE, "base", "nan");
  SPOILED(RPP_SCALING_NONE, r.base = INFINITY, RPP_ERROR_VALUE, "base", "= inf");
}
END_TEST

START_TEST(scaling_parameters) {
  for (int kind = RPP_SCALING_LINEAR; kind <= RPP_SCALING_LLAMA3; kind++) {
    SPOILED((rpp_scaling_kind)kind, r.scaling.factor = 0.5, RPP_ERROR_VALUE, "factor", "= 0.5:");
    SPOILED((rpp_scaling_kind)kind, r.scaling.factor = -8, RPP_ERROR_VALUE, "factor", "= -8:");
    SPOILED((rpp_scaling_kind)kind, r.scaling.factor = NAN, RPP_ERROR_VALUE, "factor", "nan");
    SPOILED((rpp_scaling_kind)kind, r.scaling.factor = INFINITY, RPP_ERROR_VALUE, "factor", "= inf");
    if (kind < RPP_SCALING_YARN) continue;
    SPOILED((rpp_scaling_kind)kind, r.scaling.orig = 0.5, RPP_ERROR_VALUE, "orig", "= 0.5:");
    SPOILED((rpp_scaling_kind)kind, r.scaling.orig = NAN, RPP_ERROR_VALUE, "orig", "nan");
    SPOILED((rpp_scaling_kind)kind, r.scaling.orig = INFINITY, RPP_ERROR_VALUE, "orig", "= inf");
  }
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.low = 4, RPP_ERROR_VALUE, "low", "4");
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.low = 5, RPP_ERROR_VALUE, "high", "= 4:");
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.low = 0, RPP_ERROR_VALUE, "low", "= 0:");
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.low = NAN, RPP_ERROR_VALUE, "low", "nan");
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.high = NAN, RPP_ERROR_VALUE, "high", "nan");
  SPOILED(RPP_SCALING_LLAMA3, r.scaling.high = INFINITY, RPP_ERROR_VALUE, "high", "= inf");
}
END_TEST

START_TEST(unread_parameters_may_be_anything) {
  for (int kind = RPP_SCALING_NONE; kind <= RPP_SCALING_YARN_HF; kind++) {
    rpp_rotary rotary = sound((rpp_scaling_kind)kind);
    rotary.scaling.low = rotary.scaling.high = NAN;
    if (kind < RPP_SCALING_YARN) rotary.scaling.orig = NAN;
    if (kind == RPP_SCALING_NONE) rotary.scaling.factor = NAN;
    support_accepted(rpp_frequencies(&rotary, NULL, NULL, NULL));
  }
}
END_TEST

START_TEST(given_frequencies) {
  double data[8] = {1, 2, 3, NAN, INFINITY};
  rpp_tensor t = {data, RPP_F64, 1, {4}, {1}, 0};
  SPOILED(RPP_SCALING_NONE, (t.shape[0] = 5, r.inv_freq = &t), RPP_ERROR_SHAPE, "inv_freq.shape[0]", "= 5");
  SPOILED(RPP_SCALING_NONE, (t.shape[0] = 3, r.inv_freq = &t), RPP_ERROR_SHAPE, "inv_freq.shape[0]", "= 3");
  SPOILED(RPP_SCALING_NONE, (t.shape[0] = 4, r.inv_freq = &t), RPP_ERROR_VALUE, "inv_freq[3]", "nan");
  SPOILED(RPP_SCALING_NONE, (t.strides[0] = 0, t.data = data + 4, r.inv_freq = &t), RPP_ERROR_VALUE, "inv_freq[0]", "inf");
  SPOILED(RPP_SCALING_NONE, (t.dtype = RPP_I64, r.inv_freq = &t), RPP_ERROR_DTYPE, "inv_freq", "I64");
  t = (rpp_tensor){NULL, RPP_F64, 1, {4}, {1}, 0};
  SPOILED(RPP_SCALING_NONE, r.inv_freq = &t, RPP_ERROR_NULL, "inv_freq.data", "null");
  t = (rpp_tensor){data, RPP_F64, 2, {4, 1}, {1, 1}, 0};
  SPOILED(RPP_SCALING_NONE, r.inv_freq = &t, RPP_ERROR_SHAPE, "inv_freq.ndim", "= 2");
}
END_TEST

/* rpp_angles of one position; c and s hold poison where they were not written. */
static rpp_status angle_at(const rpp_rotary *rotary, int64_t position, bool *written) {
  const int64_t shape[] = {3, 4}, positions[] = {0, 1, position};
  rpp_tensor pos;
  support_accepted(rpp_tensor_contiguous((void *)positions, RPP_I64, 1, shape, &pos));
  guarded c = guarded_new(LAYOUT_CONTIGUOUS, RPP_F32, 2, shape), s = guarded_new(LAYOUT_CONTIGUOUS, RPP_F32, 2, shape);
  const rpp_status status = rpp_angles(rotary, &pos, &c.tensor, &s.tensor);
  *written = guarded_written_bytes(&c) + guarded_written_bytes(&s) > 0;
  guarded_free(&c), guarded_free(&s);
  return status;
}

START_TEST(positions) {
  const int64_t limits[] = {INT64_C(1) << 53, INT64_C(1) << 24};
  bool written;
  for (int model = RPP_ANGLES_EXACT; model <= RPP_ANGLES_HF_F32; model++) {
    rpp_rotary rotary = sound(RPP_SCALING_NONE);
    rotary.angles = (rpp_angle_model)model;
    const int64_t limit = limits[model], outside[] = {limit + 1, -limit - 1, INT64_MAX, INT64_MIN};
    support_accepted(angle_at(&rotary, limit, &written));
    ck_assert(written);
    support_accepted(angle_at(&rotary, -limit, &written));
    for (int i = 0; i < 4; i++) {
      char value[32];
      snprintf(value, sizeof value, "= %lld", (long long)outside[i]);
      support_refused(angle_at(&rotary, outside[i], &written), RPP_ERROR_VALUE, "pos[2]", value);
      ck_assert(!written);
    }
  }
}
END_TEST

START_TEST(given_tables) {
  float data[12] = {0};
  rpp_tensor c = {data, RPP_F32, 2, {3, 4}, {4, 1}, 0}, s = c;
  rpp_rotary rotary = sound(RPP_SCALING_NONE);
  rotary.cos = &c, rotary.sin = &s;
  bool written;
  support_accepted(angle_at(&rotary, 2, &written)); /* rows 0 .. 2 */
  support_refused(angle_at(&rotary, 3, &written), RPP_ERROR_VALUE, "pos[2]", "= 3");
  ck_assert(!written);
  support_refused(angle_at(&rotary, -1, &written), RPP_ERROR_VALUE, "pos[2]", "= -1");
  support_refused(rpp_frequencies(&rotary, NULL, NULL, NULL), RPP_ERROR_UNSUPPORTED, "cos", "given");
  s.shape[0] = 2; /* each wrong in one thing */
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_SHAPE, "sin.shape[0]", "= 2");
  s = c, c.shape[1] = 3;
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_SHAPE, "cos.shape[1]", "= 3");
  c = s, c.dtype = RPP_I64;
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_DTYPE, "cos", "I64");
  c = s, s.data = NULL;
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_NULL, "sin.data", "null");
  s = c, rotary.sin = NULL;
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_NULL, "sin", "null");
  rotary.sin = &s, rotary.cos = NULL;
  support_refused(angle_at(&rotary, 0, &written), RPP_ERROR_NULL, "cos", "null");
}
END_TEST

START_TEST(rotate_arguments) {
  const rpp_rotary rotary = sound(RPP_SCALING_NONE);
  const int64_t shape[] = {2, 3, 2, 8};
  guarded x = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape), y = guarded_new(LAYOUT_CONTIGUOUS, RPP_F64, 4, shape);
  int64_t positions[6] = {0};
  rpp_tensor pos = {positions, RPP_I64, 2, {2, 3}, {3, 1}, 0};
  const rpp_part real = RPP_PART_REAL;
  support_accepted(rpp_rotate(&rotary, real, &y.tensor, &pos, &x.tensor)); /* all is well before each is spoiled */
  memset(x.memory, 0, x.size);
  support_refused(rpp_rotate(&rotary, (rpp_part)2, &x.tensor, &pos, &y.tensor), RPP_ERROR_VALUE, "part", "= 2");
  support_refused(rpp_rotate(&rotary, real, NULL, &pos, &y.tensor), RPP_ERROR_NULL, "x", "null");
  support_refused(rpp_rotate(&rotary, real, &x.tensor, NULL, &y.tensor), RPP_ERROR_NULL, "pos", "null");
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, NULL), RPP_ERROR_NULL, "y", "null");
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, &x.tensor), RPP_ERROR_OVERLAP, "y", "x");
  support_refused(rpp_quarter_turn(&rotary, &x.tensor, &x.tensor), RPP_ERROR_OVERLAP, "y", "x");
  rpp_tensor wrong = pos;
  wrong.shape[1] = 2;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &wrong, &y.tensor), RPP_ERROR_SHAPE, "pos.shape[1]", "= 2");
  wrong = pos, wrong.shape[0] = 1;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &wrong, &y.tensor), RPP_ERROR_SHAPE, "pos.shape[0]", "= 1");
  wrong = pos, wrong.dtype = RPP_F64;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &wrong, &y.tensor), RPP_ERROR_DTYPE, "pos", "F64");
  wrong = pos, wrong.data = NULL;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &wrong, &y.tensor), RPP_ERROR_NULL, "pos.data", "null");
  wrong = y.tensor, wrong.shape[2] = 1;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, &wrong), RPP_ERROR_SHAPE, "y.shape[2]", "= 1");
  wrong = y.tensor, wrong.dtype = RPP_I64;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, &wrong), RPP_ERROR_DTYPE, "y", "I64");
  wrong = y.tensor, wrong.strides[1] = 0;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, &wrong), RPP_ERROR_OVERLAP, "y.strides[", "= 0");
  wrong = x.tensor, wrong.shape[0] = INT64_C(1) << 40, wrong.shape[1] = INT64_C(1) << 40;
  support_refused(rpp_rotate(&rotary, real, &wrong, &pos, &y.tensor), RPP_ERROR_OVERFLOW, "x", "1099511627776");
  positions[5] = INT64_MIN;
  support_refused(rpp_rotate(&rotary, real, &x.tensor, &pos, &y.tensor), RPP_ERROR_VALUE, "pos", "-9223372036854775808");
  ck_assert_uint_eq(guarded_written_bytes(&y), 0);
  rpp_rotary tabled = rotary; /* an output over the table that is read */
  rpp_tensor table = {y.tensor.data, RPP_F64, 1, {4}, {1}, y.tensor.byte_offset};
  for (int64_t n = 0; n < 4; n++) rpp_tensor_set(&table, &n, 1);
  positions[5] = 0, tabled.inv_freq = &table;
  support_refused(rpp_rotate(&tabled, real, &x.tensor, &pos, &y.tensor), RPP_ERROR_OVERLAP, "y", "inv_freq");
  guarded_free(&x), guarded_free(&y);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_rotary");
  TCase *cases = tcase_create("check_rotary");
  tcase_add_test(cases, widths);
  tcase_add_test(cases, enumerators);
  tcase_add_test(cases, bases);
  tcase_add_test(cases, scaling_parameters);
  tcase_add_test(cases, unread_parameters_may_be_anything);
  tcase_add_test(cases, given_frequencies);
  tcase_add_test(cases, positions);
  tcase_add_test(cases, given_tables);
  tcase_add_test(cases, rotate_arguments);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
