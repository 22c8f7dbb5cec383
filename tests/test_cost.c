/* cost.c and cost_sweep.c: the published values to every digit given, recounts by other means, and what does not fit. */
#include <math.h>
#include <stdio.h>

#include "cost_sweep.h"
#include "support.h"

static rpp_model model_of(const char *name) {
  rpp_model m;
  ck_assert(rpp_model_find(name, &m));
  return m;
}

static const rpp_machine h200 = {RPP_BF16, 4.3e12, 7.7e14};

static rpp_parameters parameters_of(const rpp_model *m, rpp_mode mode) {
  rpp_parameters p;
  rpp_message error;
  ck_assert_msg(rpp_parameters_count(m, mode, &p, &error), "%s", error.text);
  return p;
}

/* x to the digits of the text. */
static void check_text(const char *wanted, const char *format, double x) {
  char text[64];
  snprintf(text, sizeof text, format, x);
  ck_assert_str_eq(text, wanted);
}

START_TEST(published_values) {
  static const struct {
    const char *model;
    rpp_mode mode;
    const char *millions;
    int64_t token_bytes;
    const char *ms;
  } known[] = {{"376m", RPP_MODE_ROPE, "375.9", 16384, "1.113"}, {"376m", RPP_MODE_EC, "384.3", 16384, "1.116"},
               {"376m", RPP_MODE_EH, "367.5", 8192, "0.609"},    {"776m", RPP_MODE_ROPE, "776.2", 36864, "2.517"},
               {"776m", RPP_MODE_EC, "804.5", 36864, "2.530"},   {"776m", RPP_MODE_EH, "747.9", 18432, "1.380"}};
  rpp_message error;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const rpp_model m = model_of(known[i].model);
    int64_t bytes;
    rpp_step step;
    check_text(known[i].millions, "%.1f", (double)parameters_of(&m, known[i].mode).total / 1e6);
    ck_assert(rpp_cache_bytes(&m, known[i].mode, RPP_BF16, 1, 1, &bytes, &error));
    ck_assert_int_eq(bytes, known[i].token_bytes);
    ck_assert(rpp_step_cost(&m, known[i].mode, &h200, 1, 8, 32768, &step, &error));
    check_text(known[i].ms, "%.3f", step.ms);
    ck_assert_double_eq(step.ms, step.memory_ms);
  }
  const char *twice[][2] = {{"376m", "2.115"}, {"776m", "4.777"}};
  for (int i = 0; i < 2; i++) {
    const rpp_model m = model_of(twice[i][0]);
    rpp_step step;
    ck_assert(rpp_step_cost(&m, RPP_MODE_EC, &h200, 2, 8, 32768, &step, &error));
    check_text(twice[i][1], "%.3f", step.ms);
  }
}
END_TEST

/* ---- Recounts: each matrix written out with its shape, each product of matrices by its three sizes -------------------------- */

typedef struct {
  double parameters, streamed, projections, attention, ffn, output_head;
} recount;

/* y = x W': tokens rows through a matrix of rows x columns. */
static void through(double tokens, double rows, double columns, double *parameters, double *flops) {
  *parameters += rows * columns;
  *flops += 2 * tokens * rows * columns;
}

/* One layer after another, one output head after another, one query row after another. Each sequence has `new` new tokens behind `old`. */
static recount count_again(const rpp_model *m, rpp_mode mode, int64_t batch, int64_t old, int64_t new) {
  recount r = {0};
  const int half = mode == RPP_MODE_EH ? 2 : 1, parts = mode == RPP_MODE_ROPE ? 1 : 2;
  const double d = (double)m->head_dim, x = (double)m->hidden, tokens = (double)(batch * new);
  double unused = 0;
  for (int64_t layer = 0; layer < m->layers; layer++) {
    for (int64_t j = 0; j < m->heads / half; j++) through(tokens, d, x, &r.parameters, &r.projections);        /* Wq */
    for (int64_t g = 0; g < m->kv_heads / half; g++) through(tokens, 2 * d, x, &r.parameters, &r.projections); /* Wk, Wv */
    for (int64_t o = 0; o < parts * m->heads / half; o++) {
      through(tokens, x, d, &r.parameters, &r.projections); /* a head's columns of Wo */
      for (int64_t t = 0; t < new; t++) {
        const double keys = (double)(old + t + 1);
        through((double)batch, keys, d, &unused, &r.attention); /* q k' */
        through((double)batch, d, keys, &unused, &r.attention); /* p v */
      }
    }
    for (int i = 0; i < 2; i++) through(tokens, (double)m->ffn, x, &r.parameters, &r.ffn);
    through(tokens, x, (double)m->ffn, &r.parameters, &r.ffn);
  }
  r.streamed = r.parameters;
  through((double)batch, (double)m->vocabulary, x, &r.streamed, &r.output_head);
  r.parameters += (m->tied ? 1 : 2) * (double)m->vocabulary * x;
  return r;
}

static void check_flops(const rpp_flops *f, const recount *r) {
  ck_assert_double_eq(f->projections, r->projections);
  ck_assert_double_eq(f->attention, r->attention);
  ck_assert_double_eq(f->ffn, r->ffn);
  ck_assert_double_eq(f->output_head, r->output_head);
  ck_assert_double_eq(f->total, r->projections + r->attention + r->ffn + r->output_head);
}

START_TEST(recounted) {
  uint64_t state = 1;
  rpp_message error;
  for (int i = 0; i < 300; i++) {
    const int64_t groups = 2 * (1 + (int64_t)(support_random(&state) % 3)), share = 1 + (int64_t)(support_random(&state) % 4);
    const rpp_model m = {.hidden = 2 + (int64_t)(support_random(&state) % 50),
                         .ffn = 1 + (int64_t)(support_random(&state) % 90),
                         .layers = 1 + (int64_t)(support_random(&state) % 3),
                         .heads = groups * share,
                         .kv_heads = groups,
                         .head_dim = 2 * (1 + (int64_t)(support_random(&state) % 9)),
                         .vocabulary = 1 + (int64_t)(support_random(&state) % 300),
                         .tied = support_random(&state) % 2};
    const int64_t batch = 1 + (int64_t)(support_random(&state) % 4), context = 1 + (int64_t)(support_random(&state) % 40);
    for (int mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++) {
      rpp_flops f;
      const rpp_parameters p = parameters_of(&m, (rpp_mode)mode);
      recount r = count_again(&m, (rpp_mode)mode, batch, 0, context);
      double sum = 0;
      for (int k = 0; k < RPP_MATRICES; k++) sum += (double)p.of[k];
      ck_assert_double_eq((double)p.total, r.parameters);
      ck_assert_double_eq(sum, r.parameters);
      ck_assert_double_eq((double)p.streamed, r.streamed);
      ck_assert(rpp_flops_prefill(&m, (rpp_mode)mode, batch, context, &f, &error));
      check_flops(&f, &r);
      r = count_again(&m, (rpp_mode)mode, batch, context - 1, 1);
      ck_assert(rpp_flops_decode(&m, (rpp_mode)mode, batch, context, &f, &error));
      check_flops(&f, &r);
    }
  }
}
END_TEST

START_TEST(cache_is_a_list_of_tensors) {
  rpp_message error;
  const rpp_model m = model_of("776m");
  const rpp_dtype dtypes[] = {RPP_BF16, RPP_F16, RPP_F32, RPP_F64};
  for (int d = 0; d < 4; d++)
    for (int mode = RPP_MODE_ROPE; mode <= RPP_MODE_EH; mode++) {
      const int64_t sizes[] = {2, 2, 4, 8}, heads = mode == RPP_MODE_EH ? 3 : 6;
      int64_t bytes, all = 0;
      for (int64_t layer = 0; layer < m.layers; layer++)
        for (int i = 0; i < 2; i++) all += 3 * 100 * heads * 128 * sizes[d]; /* K, V: (3, 100, heads, 128) */
      ck_assert(rpp_cache_bytes(&m, (rpp_mode)mode, dtypes[d], 3, 100, &bytes, &error));
      ck_assert_int_eq(bytes, all);
    }
}
END_TEST

START_TEST(a_step_is_the_slower_of_two) {
  const rpp_model m = model_of("376m");
  rpp_step step;
  rpp_message error;
  const rpp_machine slow = {RPP_F32, 1e15, 1e9};
  ck_assert(rpp_step_cost(&m, RPP_MODE_ROPE, &slow, 1, 8, 2048, &step, &error));
  ck_assert_double_eq(step.ms, step.compute_ms);
  ck_assert(step.compute_ms > step.memory_ms);
  ck_assert_double_eq(step.compute_ms, step.flops / 1e9 * 1e3);
  ck_assert_int_eq(step.weight_bytes, 4 * (375914496 - 131334144));
  ck_assert_int_eq(step.cache_bytes, (int64_t)2 * 16384 * 8 * 2048);
  ck_assert_int_eq(step.bytes, step.weight_bytes + step.cache_bytes);
  rpp_model tied = m;
  tied.tied = true;
  const rpp_parameters p = parameters_of(&tied, RPP_MODE_ROPE);
  ck_assert_int_eq(p.total, 375914496 - 131334144); /* counted once, streamed once */
  ck_assert_int_eq(p.streamed, p.total);
  ck_assert_int_eq(p.of[RPP_MATRIX_OUTPUT_HEAD], 0);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
  rpp_model huge = {
      .hidden = INT32_MAX, .ffn = INT32_MAX, .layers = INT32_MAX, .heads = 2, .kv_heads = 2, .head_dim = 2, .vocabulary = 1};
  rpp_parameters p;
  rpp_flops f;
  rpp_message error;
  int64_t bytes;
  ck_assert(!rpp_parameters_count(&huge, RPP_MODE_ROPE, &p, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "hidden_size = 2147483647"));
  huge = (rpp_model){
      .hidden = 1, .ffn = 1, .layers = INT32_MAX, .heads = 2, .kv_heads = 2, .head_dim = INT32_MAX - 1, .vocabulary = 1};
  ck_assert(!rpp_cache_bytes(&huge, RPP_MODE_EC, RPP_F64, 8, 1, &bytes, &error));
  ck_assert(!rpp_cache_bytes(&huge, RPP_MODE_EC, RPP_F64, INT32_MAX, INT32_MAX, &bytes, &error));
  const rpp_model m = model_of("376m");
  ck_assert(rpp_flops_prefill(&m, RPP_MODE_EC, INT32_MAX, INT32_MAX, &f, &error)); /* past 64 bits: a float64 */
  const double pairs = 0x1p31 * 0x1p31 / 2 * 0x1p31;
  ck_assert_double_le(fabs(f.attention / (4 * 16 * 128 * 8 * pairs) - 1), 2e-9); /* INT32_MAX is not 2^31 */
  const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX};
  for (int i = 0; i < 4; i++) {
    ck_assert(!rpp_flops_prefill(&m, RPP_MODE_EC, bad[i], 1, &f, &error) && strstr(error.text, "batch = "));
    ck_assert(!rpp_flops_decode(&m, RPP_MODE_EC, 1, bad[i], &f, &error) && strstr(error.text, "context = "));
  }
}
END_TEST

START_TEST(a_sweep_doubles) {
  static rpp_sweep s;
  rpp_message error;
  s = (rpp_sweep){.model = model_of("376m"), .machine = h200, .batch = 8};
  ck_assert(rpp_sweep_compute(&s, 2048, 32768, &error));
  ck_assert_int_eq(s.count, 5);
  ck_assert(s.contexts[0] == 2048 && s.contexts[4] == 32768);
  ck_assert(rpp_sweep_compute(&s, 3, 47, &error));
  ck_assert(s.count == 4 && s.contexts[3] == 24);
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++) ck_assert(s.of[v].possible);
  ck_assert(!rpp_sweep_compute(&s, 3, 2, &error));
  ck_assert(rpp_sweep_compute(&s, 1, INT32_MAX, &error));
  ck_assert_int_eq(s.count, 31);
  s.batch = INT32_MAX;
  ck_assert(!rpp_sweep_compute(&s, 1, INT32_MAX, &error)); /* bytes of the cache past 64 bits */
  s.batch = 8;
  s.model.window = 4096;
  ck_assert(rpp_sweep_compute(&s, 2048, 4096, &error));
  ck_assert(!rpp_sweep_compute(&s, 2048, 8192, &error) && strstr(error.text, "sliding_window = 4096"));
  s.model.window = 0, s.model.kv_heads = 1;
  ck_assert(rpp_sweep_compute(&s, 1, 1, &error));
  ck_assert(s.of[RPP_SWEEP_ROPE].possible && s.of[RPP_SWEEP_EC].possible && !s.of[RPP_SWEEP_EH].possible);
  ck_assert_str_eq(s.of[RPP_SWEEP_EH].why_not.text, "kv_heads = 1: EH needs an even count");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cost");
  TCase *tests = tcase_create("cost");
  tcase_add_test(tests, published_values);
  tcase_add_test(tests, recounted);
  tcase_add_test(tests, cache_is_a_list_of_tensors);
  tcase_add_test(tests, a_step_is_the_slower_of_two);
  tcase_add_test(tests, what_does_not_fit_is_refused);
  tcase_add_test(tests, a_sweep_doubles);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
