/* merge.c: partial results over disjoint keys, against long double and against attention over all keys. */
#include <math.h>
#include <stdio.h>
#include "attention_oracle.h"
#include "attention_problem.h"
#include "guarded.h"
#include "support.h"

enum { B = 2, L = 3, O = 4, DV = 5 };
static const int64_t out_shape[] = {B, L, O, DV}, lse_shape[] = {B, O, L};

/* out_a, lse_a, out_b, lse_b, out, lse */
typedef struct {
  guarded t[6];
} merged;

static merged merged_new(int layout, const rpp_dtype *dtypes, double spread, uint64_t *state) {
  merged m;
  for (int i = 0; i < 6; i++) {
    m.t[i] = guarded_new((guarded_layout)((layout + i) % LAYOUTS), dtypes[i], i % 2 ? 3 : 4, i % 2 ? lse_shape : out_shape);
    int64_t at[RPP_MAX_DIMS] = {0};
    if (i < 4) do
        rpp_tensor_set(&m.t[i].tensor, at, i % 2 ? support_uniform(state, -spread, spread) : support_uniform(state, -2, 2));
      while (guarded_next(&m.t[i].tensor, at));
  }
  return m;
}

static rpp_status merge(merged *m, int first) { /* first = 2: b before a */
  return rpp_attention_merge(&m->t[first].tensor, &m->t[first + 1].tensor, &m->t[2 - first].tensor, &m->t[3 - first].tensor,
                             &m->t[4].tensor, &m->t[5].tensor);
}

static void merged_free(merged *m) {
  for (int i = 0; i < 6; i++) guarded_free(&m->t[i]);
}

/* out = (e^a A + e^b B) / (e^a + e^b), lse = log(e^a + e^b), with the weight of a times gain, which is for controls. */
static double error_of(const merged *m, long double gain) {
  double worst = 0;
  int64_t at[RPP_MAX_DIMS] = {0};
  do {
    const int64_t row[] = {at[0], at[2], at[1]};
    const long double a = (long double)rpp_tensor_get(&m->t[1].tensor, row), b = (long double)rpp_tensor_get(&m->t[3].tensor, row);
    const long double largest = fmaxl(a, b), wa = gain * expl(a - largest), wb = expl(b - largest);
    const long double out =
        (wa * (long double)rpp_tensor_get(&m->t[0].tensor, at) + wb * (long double)rpp_tensor_get(&m->t[2].tensor, at)) / (wa + wb);
    support_worse(&worst, oracle_disagreement(m->t[4].tensor.dtype, rpp_tensor_get(&m->t[4].tensor, at), out, 1));
    const long double lse = largest + logl(wa + wb);
    support_worse(&worst,
                  oracle_disagreement(m->t[5].tensor.dtype, rpp_tensor_get(&m->t[5].tensor, row), lse, 1 + fabs((double)lse)));
  } while (guarded_next(&m->t[4].tensor, at));
  return worst;
}

START_TEST(random_results) {
  static const rpp_dtype dtypes[] = {RPP_F64, RPP_F32, RPP_F16, RPP_BF16};
  static const double spreads[] = {1, 30, 60000};
  uint64_t state = 1;
  double worst = 0;
  for (int variant = 0; variant < 120; variant++) {
    rpp_dtype chosen[6];
    for (int i = 0; i < 6; i++) chosen[i] = variant % 2 ? dtypes[support_random(&state) % 4] : RPP_F64;
    merged m = merged_new(variant % LAYOUTS, chosen, spreads[variant / 2 % 3], &state);
    support_accepted(merge(&m, 0));
    const double error = error_of(&m, 1);
    ck_assert_msg(error <= 1e-15, "variant %d: error %g", variant, error);
    worst = fmax(worst, error);
    if (variant % 2 == 0 && variant / 2 % 3 == 0) ck_assert(error_of(&m, 1.00001L) > 1e-7);
    ck_assert_uint_eq(guarded_stray_bytes(&m.t[4]) + guarded_stray_bytes(&m.t[5]), 0);
    unsigned char before[2][4096]; /* the order of the two parts changes no bit */
    ck_assert(m.t[4].size <= 4096 && m.t[5].size <= 4096);
    memcpy(before[0], m.t[4].memory, m.t[4].size), memcpy(before[1], m.t[5].memory, m.t[5].size);
    support_accepted(merge(&m, 2));
    ck_assert_mem_eq(before[0], m.t[4].memory, m.t[4].size);
    ck_assert_mem_eq(before[1], m.t[5].memory, m.t[5].size);
    merged_free(&m);
  }
  fprintf(stderr, "merge: largest error %.3g\n", worst);
}
END_TEST

START_TEST(parts_without_keys) {
  static const rpp_dtype f64[6] = {RPP_F64};
  uint64_t state = 2;
  for (int empty = 1; empty < 4; empty++) { /* a, b, or both in row (1, 2, 3) */
    merged m = merged_new(0, f64, 5, &state), plain = merged_new(0, f64, 5, &state);
    for (int i = 0; i < 4; i++) memcpy(plain.t[i].memory, m.t[i].memory, m.t[i].size);
    const int64_t row[] = {1, 3, 2};
    for (int part = 0; part < 2; part++)
      if (empty >> part & 1) {
        rpp_tensor_set(&m.t[2 * part + 1].tensor, row, -INFINITY);
        for (int64_t c = 0; c < DV; c++) rpp_tensor_set(&m.t[2 * part].tensor, (int64_t[]){1, 2, 3, c}, 0);
      }
    support_accepted(merge(&m, 0));
    support_accepted(merge(&plain, 0));
    int64_t at[RPP_MAX_DIMS] = {0};
    int wrong = 0;
    do {
      const int64_t here[] = {at[0], at[2], at[1]};
      const bool hit = at[0] == 1 && at[1] == 2 && at[2] == 3;
      /* Alone, a part comes through bit for bit; with both empty the union is empty: out 0 and lse -inf. */
      const double out = !hit         ? rpp_tensor_get(&plain.t[4].tensor, at)
                         : empty == 3 ? 0
                                      : rpp_tensor_get(&m.t[empty == 1 ? 2 : 0].tensor, at);
      const double lse = !hit         ? rpp_tensor_get(&plain.t[5].tensor, here)
                         : empty == 3 ? -INFINITY
                                      : rpp_tensor_get(&m.t[empty == 1 ? 3 : 1].tensor, here);
      wrong += rpp_tensor_get(&m.t[4].tensor, at) != out || rpp_tensor_get(&m.t[5].tensor, here) != lse;
    } while (guarded_next(&m.t[4].tensor, at));
    ck_assert_msg(wrong == 0, "empty parts %d: %d", empty, wrong);
    merged_free(&m), merged_free(&plain);
  }
}
END_TEST

START_TEST(nan_goes_through) {
  static const rpp_dtype f64[6] = {RPP_F64};
  for (int where = 0; where < 4; where++)
    for (int other_empty = 0; other_empty < 2; other_empty++) {
      uint64_t state = 3;
      merged m = merged_new(0, f64, 5, &state);
      const int64_t element[] = {0, 1, 2, 3}, row[] = {0, 2, 1};
      rpp_tensor_set(&m.t[where].tensor, where % 2 ? row : element, NAN);
      if (other_empty) rpp_tensor_set(&m.t[where < 2 ? 3 : 1].tensor, row, -INFINITY);
      support_accepted(merge(&m, 0));
      int64_t at[RPP_MAX_DIMS] = {0};
      int wrong = 0;
      do {
        const int64_t here[] = {at[0], at[2], at[1]};
        const bool in_row = at[0] == 0 && at[1] == 1 && at[2] == 2;
        wrong += !!isnan(rpp_tensor_get(&m.t[4].tensor, at)) != (in_row && (where % 2 || at[3] == 3));
        wrong += !!isnan(rpp_tensor_get(&m.t[5].tensor, here)) != (in_row && where % 2);
      } while (guarded_next(&m.t[4].tensor, at));
      ck_assert_msg(wrong == 0, "NaN in argument %d: %d", where, wrong);
      merged_free(&m);
    }
}
END_TEST

START_TEST(empty_results) {
  /* Without a batch, a query or a head there is nothing to do; without a value width lse alone is merged. */
  for (int dim = 0; dim < 4; dim++) {
    double lse[3][B * L * O] = {{0}};
    int64_t shape[] = {B, L, O, DV};
    shape[dim] = 0;
    rpp_tensor out, sums[3];
    support_accepted(rpp_tensor_contiguous(NULL, RPP_F32, 4, shape, &out));
    for (int i = 0; i < 3; i++)
      support_accepted(
          rpp_tensor_contiguous(dim < 3 ? NULL : lse[i], RPP_F64, 3, (int64_t[]){shape[0], shape[2], shape[1]}, &sums[i]));
    rpp_tensor target = out;
    support_accepted(rpp_attention_merge(&out, &sums[0], &out, &sums[1], &target, &sums[2]));
    ck_assert(dim < 3 || fabs(lse[2][B * L * O - 1] - log(2)) <= 1e-15);
  }
}
END_TEST

START_TEST(split_keys_are_all_keys) {
  /* Keys in two parts at every place, one part possibly empty, and rows that see keys of one part only or of none. */
  for (int variant = 0; variant < 3 * 8; variant++) {
    problem_config c = problem_default((rpp_mode)(variant % 3));
    const int64_t split = variant / 3;
    c.attention.causal_offset = variant % 2 ? 3 : -1;
    problem *whole = problem_new(&c), *parts[2];
    for (int part = 0; part < 2; part++) {
      parts[part] = problem_new(&c);
      rpp_tensor k, v, pos;
      const int64_t from = part ? split : 0, count = part ? 7 - split : split;
      support_accepted(rpp_tensor_slice(&whole->k.tensor, 1, from, count, 1, &k));
      support_accepted(rpp_tensor_slice(&whole->v.tensor, 1, from, count, 1, &v));
      support_accepted(rpp_tensor_slice(&whole->pos_k.tensor, 0, from, count, 1, &pos));
      parts[part]->inputs =
          (rpp_attention_inputs){.q = &whole->q.tensor, .k = &k, .v = &v, .pos_q = &whole->pos_q.tensor, .pos_k = &pos};
      parts[part]->attention.causal_offset -= from;
      problem_run(parts[part], NULL);
    }
    support_accepted(rpp_attention_merge(&parts[0]->out.tensor, &parts[0]->lse.tensor, &parts[1]->out.tensor, &parts[1]->lse.tensor,
                                         &whole->out.tensor, &whole->lse.tensor));
    const double error = problem_error(whole, &whole->attention, NULL, 1);
    ck_assert_msg(error <= 2e-14, "variant %d: error %g", variant, error);
    problem_free(whole), problem_free(parts[0]), problem_free(parts[1]);
  }
}
END_TEST

#define REFUSED(change, status, field, value)                                                                                      \
  do {                                                                                                                             \
    static const rpp_dtype f64_[6] = {RPP_F64};                                                                                    \
    uint64_t state_ = 4;                                                                                                           \
    merged m = merged_new(0, f64_, 5, &state_);                                                                                    \
    rpp_tensor t[6], *at[6];                                                                                                       \
    for (int i_ = 0; i_ < 6; i_++) t[i_] = m.t[i_].tensor, at[i_] = &t[i_];                                                        \
    change;                                                                                                                        \
    support_refused(rpp_attention_merge(at[0], at[1], at[2], at[3], at[4], at[5]), status, field, value);                          \
    ck_assert_uint_eq(guarded_written_bytes(&m.t[4]) + guarded_written_bytes(&m.t[5]), 0);                                         \
    merged_free(&m);                                                                                                               \
  } while (0)

START_TEST(refusals) {
  static const char *const names[] = {"out_a", "lse_a", "out_b", "lse_b", "out", "lse"};
  for (int i = 0; i < 6; i++) {
    char message[3][32];
    snprintf(message[0], 32, "%s = null:", names[i]), snprintf(message[1], 32, "%s.data = null:", names[i]);
    snprintf(message[2], 32, "%s.dtype = I64:", names[i]);
    REFUSED(at[i] = NULL, RPP_ERROR_NULL, message[0], "");
    REFUSED(t[i].data = NULL, RPP_ERROR_NULL, message[1], "");
    REFUSED(t[i].dtype = RPP_I64, RPP_ERROR_DTYPE, message[2], "");
    snprintf(message[0], 32, "%s.ndim = %d:", names[i], i % 2 ? 2 : 3), snprintf(message[1], 32, "%s.shape[1] = 1:", names[i]);
    REFUSED(t[i].ndim--, RPP_ERROR_SHAPE, message[0], "");
    if (i > 0) REFUSED(t[i].shape[1] = 1, RPP_ERROR_SHAPE, message[1], i % 2 ? "4" : "3");
    snprintf(message[2], 32, "%s.shape = (", names[i]);
    REFUSED(t[i].strides[0] = INT64_MAX, RPP_ERROR_OVERFLOW, message[2], "");
    for (int o = 4; o < 6; o++) {
      if (o == i || (o == 4 && i == 5)) continue;
      snprintf(message[0], 32, "%s.data = ", names[o]), snprintf(message[1], 32, "overlaps %s", names[i]);
      REFUSED((t[o].data = m.t[i].memory, t[o].byte_offset = t[i].byte_offset), RPP_ERROR_OVERLAP, message[0], message[1]);
    }
  }
  REFUSED(t[2].shape[3] = 4, RPP_ERROR_SHAPE, "out_b.shape[3] = 4:", "5");
  REFUSED(t[4].strides[3] = 0, RPP_ERROR_OVERLAP, "out.strides[", "");
  REFUSED(t[5].strides[2] = 0, RPP_ERROR_OVERLAP, "lse.strides[", "");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("merge");
  TCase *cases = tcase_create("merge");
  tcase_add_test(cases, random_results);
  tcase_add_test(cases, parts_without_keys);
  tcase_add_test(cases, nan_goes_through);
  tcase_add_test(cases, empty_results);
  tcase_add_test(cases, split_keys_are_all_keys);
  tcase_add_test(cases, refusals);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
