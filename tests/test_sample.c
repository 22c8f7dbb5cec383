/* sample.c: every random problem is a valid one, and together they cover what an identity must hold for. */
#include "cases/sample.h"

#include <math.h>

#include "support.h"

enum { SAMPLES = 2000 };

static void make(rpp_sample *sample, uint64_t stream) {
  rpp_random random = rpp_random_make(20, stream);
  rpp_sample_make(sample, &random, (rpp_mode)(stream % 3));
}

/* Keys that the mask of the header shows to query i: i + offset - window < j <= i + offset. */
static int64_t visible_keys(const rpp_sample *s, int64_t i) {
  int64_t count = 0;
  for (int64_t j = 0; j < s->k_len; j++) {
    const bool causal = j <= i + s->attention.causal_offset, near = j > i + s->attention.causal_offset - s->attention.window;
    count += s->attention.mask == RPP_MASK_FULL || (causal && (s->attention.mask == RPP_MASK_CAUSAL || near));
  }
  return count;
}

/* What the header promises of every sample; null, or what is wrong. */
static const char *fault(const rpp_sample *s) {
  const rpp_attention *a = &s->attention;
  const rpp_tensor *const tensors[] = {&s->q, &s->k, &s->v};
  const int64_t shapes[][4] = {{s->batch, s->q_len, s->counts.projected, s->head_dim},
                               {s->batch, s->k_len, s->counts.kv, s->head_dim},
                               {s->batch, s->k_len, s->counts.kv, s->v_dim}};
  for (int i = 0; i < 3; i++)
    if (tensors[i]->ndim != 4 || memcmp(tensors[i]->shape, shapes[i], sizeof shapes[i]) != 0) return "a shape";
  if (s->inputs.q != &s->q || s->inputs.k != &s->k || s->inputs.v != &s->v) return "inputs";
  if (s->inputs.pos_q != &s->pos_q || s->inputs.pos_k != &s->pos_k || s->inputs.cu_q || s->inputs.cu_k) return "inputs";
  if (a->q_rotated || a->k_rotated) return "rotated";
  if (a->heads % 2 != 0 || a->kv_heads % 2 != 0 || a->heads < 2 * a->kv_heads) return "heads";
  if (s->counts.kv < 2) return "one KV head: a wrong one would not show";
  const int64_t offset = s->k_len - s->q_len, *pos_q = rpp_scratch_integers(&s->pos_q), *pos_k = rpp_scratch_integers(&s->pos_k);
  if (offset < 1 || a->causal_offset != offset) return "not aligned at the last key";
  if (a->scale != 1 / sqrt((double)s->head_dim)) return "scale";
  for (int64_t l = 0; l < s->k_len; l++) {
    if (pos_k[l] < 0 || pos_k[l] > 1000000 + s->k_len) return "a position";
    if (l >= offset && pos_q[l - offset] != pos_k[l]) return "a query's position is not its key's";
  }
  for (int64_t i = 0; i < s->q_len; i++)
    if (visible_keys(s, i) < 2) return "a query that sees fewer than two keys";
  return NULL;
}

START_TEST(every_sample_is_answered) {
  for (uint64_t stream = 0; stream < SAMPLES; stream++) {
    rpp_sample s;
    rpp_answer answer;
    make(&s, stream);
    if (fault(&s)) ck_abort_msg("sample %d: %s", (int)stream, fault(&s));
    if (!rpp_sample_answer(&s, &s.attention, &s.inputs, &answer)) ck_abort_msg("sample %d: %s", (int)stream, rpp_error_message());
    if (rpp_scratch_size(&answer.out) != s.batch * s.q_len * s.counts.output * s.v_dim ||
        rpp_scratch_size(&answer.lse) != s.batch * s.q_len * s.counts.output || rpp_answer_deviation(&answer, &answer) != 0)
      ck_abort_msg("sample %d: not answered whole, or not with finite numbers", (int)stream);
    rpp_scratch_free(&s.scratch);
  }
}
END_TEST

/* With all scores 0, a row's LSE is ln of the number of keys it sees: the library's mask is the one counted here. */
START_TEST(every_query_sees_two_keys) {
  for (uint64_t stream = 0; stream < SAMPLES / 5; stream++) {
    rpp_sample s;
    rpp_answer answer;
    make(&s, stream);
    memset(s.k.data, 0, (size_t)rpp_scratch_size(&s.k) * sizeof(double));
    ck_assert(rpp_sample_answer(&s, &s.attention, &s.inputs, &answer));
    for (int64_t r = 0; r < rpp_scratch_size(&answer.lse); r++) {
      const double expected = log((double)visible_keys(&s, r % s.q_len)), got = rpp_scratch_values(&answer.lse)[r];
      if (!(fabs(got - expected) <= 1e-14)) ck_abort_msg("sample %d, row %d: %g, expected %g", (int)stream, (int)r, got, expected);
    }
    rpp_scratch_free(&s.scratch);
  }
}
END_TEST

/* Where among count values x is; fails for another. */
static int place(int64_t x, int count, const int64_t *values) {
  for (int i = 0; i < count; i++)
    if (values[i] == x) return i;
  ck_abort_msg("%d is not among the expected values", (int)x);
  return -1;
}

START_TEST(everything_occurs) {
  static const int64_t ratios[] = {2, 3, 4, 7}, widths[] = {4, 6, 8, 16, 34, 64}, v_widths[] = {1, 3, 8, 20},
                       bases[] = {10000, 500000, 1000000};
  /* Seen, by: mode and pairing; mode and mask; mode and ratio; pairing and scaling; width; Dv; base. */
  int pairing[3][2] = {{0}}, mask[3][3] = {{0}}, ratio[3][4] = {{0}}, scaling[2][7] = {{0}}, width[6] = {0}, v_width[4] = {0},
      base[3] = {0};
  int partial = 0, pair_alone = 0, negative_distance = 0, far = 0, at_zero = 0, cut = 0, uncut = 0, batches = 0, decode = 0;
  for (uint64_t stream = 0; stream < SAMPLES; stream++) {
    rpp_sample s;
    make(&s, stream);
    const rpp_attention *a = &s.attention;
    const int64_t *pos_q = rpp_scratch_integers(&s.pos_q), *pos_k = rpp_scratch_integers(&s.pos_k);
    pairing[a->mode][a->rotary.pairing]++;
    mask[a->mode][a->mask]++;
    ratio[a->mode][place(a->heads / a->kv_heads, 4, ratios)]++;
    scaling[a->rotary.pairing][a->rotary.scaling.kind]++;
    width[place(s.head_dim, 6, widths)]++;
    v_width[place(s.v_dim, 4, v_widths)]++;
    base[place((int64_t)a->rotary.base, 3, bases)]++;
    partial += a->rotary.rotary_dim < s.head_dim;
    pair_alone += a->rotary.rotary_dim == 2;
    far += pos_k[0] > 500000;
    at_zero += pos_k[0] == 0;
    negative_distance += a->mask == RPP_MASK_CAUSAL && pos_q[s.q_len - 1] < pos_k[0]; /* a reset, and the mask is by index */
    if (a->mask == RPP_MASK_WINDOW) *(a->window < s.k_len ? &cut : &uncut) += 1;
    batches += s.batch == 2;
    decode += s.q_len <= 2;
    rpp_scratch_free(&s.scratch);
  }
  const struct {
    const int *seen;
    int count, least;
  } table[] = {{&pairing[0][0], 6, 200}, {&mask[0][0], 9, 100},
               {&ratio[0][0], 12, 80},   {&scaling[0][0], 14, 80},
               {width, 6, 200},          {v_width, 4, 300},
               {base, 3, 400},           {&partial, 1, 300},
               {&pair_alone, 1, 20},     {&negative_distance, 1, 100},
               {&far, 1, 300},           {&at_zero, 1, 600},
               {&cut, 1, 300},           {&uncut, 1, 20},
               {&batches, 1, 800},       {&decode, 1, 100}};
  for (size_t t = 0; t < sizeof table / sizeof *table; t++)
    for (int i = 0; i < table[t].count; i++)
      ck_assert_msg(table[t].seen[i] >= table[t].least, "row %d, column %d: seen %d times", (int)t, i, table[t].seen[i]);
}
END_TEST

START_TEST(one_stream_one_sample) {
  for (uint64_t stream = 0; stream < 60; stream++) {
    rpp_sample a, b;
    make(&a, stream);
    make(&b, stream);
    ck_assert_double_eq(rpp_scratch_deviation(&a.q, &b.q), 0);
    ck_assert_double_eq(rpp_scratch_deviation(&a.v, &b.v), 0);
    ck_assert_double_eq(rpp_scratch_deviation(&a.pos_k, &b.pos_k), 0);
    ck_assert(a.attention.mask == b.attention.mask && a.attention.rotary.base == b.attention.rotary.base);
    rpp_scratch_free(&b.scratch);
    rpp_scratch_free(&a.scratch);
  }
}
END_TEST

START_TEST(rotaries_are_valid) {
  rpp_random random = rpp_random_make(21, 0);
  for (int64_t i = 0; i < SAMPLES; i++) {
    double theta[64];
    const rpp_rotary rotary = rpp_sample_rotary(&random, 2 * (i % 64 + 1));
    ck_assert(rotary.rotary_dim == 2 * (i % 64 + 1) && rotary.angles == RPP_ANGLES_EXACT && rotary.table_dtype == RPP_F64);
    support_accepted(rpp_frequencies(&rotary, theta, NULL, NULL));
  }
}
END_TEST

START_TEST(modes_of_one_shape) {
  rpp_sample s;
  rpp_random random = rpp_random_make(22, 0);
  rpp_answer answer;
  rpp_sample_make(&s, &random, RPP_MODE_EC);
  const int64_t heads = s.attention.heads;
  ck_assert_int_eq(s.counts.output, 2 * heads);
  rpp_sample_set_mode(&s, RPP_MODE_ROPE);
  ck_assert(s.attention.mode == RPP_MODE_ROPE && s.counts.output == heads && s.counts.projected == heads);
  ck_assert(rpp_sample_answer(&s, &s.attention, &s.inputs, &answer));
  ck_assert_int_eq(answer.out.shape[2], heads);
  s.attention.kv_heads = heads + 1;
  ck_assert(!rpp_sample_answer(&s, &s.attention, &s.inputs, &answer)); /* what the library refuses is no answer */
  s.attention.kv_heads = heads;
  ck_assert(!rpp_sample_answer(&s, &s.attention, &s.inputs, &answer));
  rpp_scratch_free(&s.scratch);
}
END_TEST

START_TEST(the_larger_deviation) {
  ck_assert_double_eq(rpp_larger(1, 2), 2);
  ck_assert_double_eq(rpp_larger(2, 1), 2);
  ck_assert_double_eq(rpp_larger(INFINITY, 1), INFINITY);
  ck_assert_double_eq(rpp_larger(NAN, 1), INFINITY);
  ck_assert_double_eq(rpp_larger(1, NAN), INFINITY);
  rpp_sample s;
  rpp_answer a, b;
  make(&s, 0);
  ck_assert(rpp_sample_answer(&s, &s.attention, &s.inputs, &a) && rpp_sample_answer(&s, &s.attention, &s.inputs, &b));
  rpp_scratch_values(&b.lse)[1] += 64;
  ck_assert_double_gt(rpp_answer_deviation(&a, &b), 1);
  rpp_scratch_values(&b.lse)[1] = rpp_scratch_values(&a.lse)[1];
  ck_assert_double_eq(rpp_answer_deviation(&a, &b), 0);
  rpp_scratch_values(&b.out)[rpp_scratch_size(&b.out) - 1] += 64;
  ck_assert_double_gt(rpp_answer_deviation(&a, &b), 1);
  rpp_scratch_free(&s.scratch);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sample");
  TCase *tests = tcase_create("sample");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, every_sample_is_answered);
  tcase_add_test(tests, every_query_sees_two_keys);
  tcase_add_test(tests, everything_occurs);
  tcase_add_test(tests, one_stream_one_sample);
  tcase_add_test(tests, rotaries_are_valid);
  tcase_add_test(tests, modes_of_one_shape);
  tcase_add_test(tests, the_larger_deviation);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
