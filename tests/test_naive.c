/* naive.c: with float32 stores it is the truth to rounding; with 16-bit ones it is off by about what they round. */
#include "support.h"

#include "cases/generate.h"
#include "judge/naive.h"

#include <math.h>

static const char *const specs[] = {
    "rope:h=2,kv=1,lq=5,lk=9,d=8", "ec:h=2,kv=1,lq=5,d=8,pairing=half", "eh:h=4,kv=2,lq=6,d=8,b=2",
    "rope:h=1,lq=12,lk=6,d=8",     "rope:lq=20,d=8,packed=4",           "rope:lq=20,d=8,mask=window:4",
};
enum { SPECS = sizeof specs / sizeof *specs };

typedef struct {
  rpp_generated data;
  rpp_scratch scratch;
  rpp_tensor truth, naive, magnitude;
} setup;

static void prepare(setup *s, const char *text) {
  rpp_spec spec;
  rpp_message error;
  rpp_head_counts counts;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  ck_assert(rpp_generate(&spec, RPP_F32, RPP_F32, &s->data, &error));
  ck_assert_int_eq(rpp_attention_heads(&s->data.attention, &counts), RPP_OK);
  s->scratch = (rpp_scratch){0};
  rpp_tensor *const all[] = {&s->truth, &s->naive, &s->magnitude};
  const int64_t rows = s->data.rows.data ? s->data.rows.shape[0] : s->data.q.shape[1];
  for (int i = 0; i < 3; i++) *all[i] = rpp_scratch_zeros(&s->scratch, s->data.q.shape[0], rows, counts.output, s->data.v.shape[3]);
}

static void done(setup *s) {
  rpp_scratch_free(&s->scratch);
  rpp_generated_free(&s->data);
}

static double deviation(setup *s, rpp_dtype stored) {
  rpp_message error = {""};
  const rpp_generated *d = &s->data;
  const rpp_tensor *rows = d->rows.data ? &d->rows : NULL;
  ck_assert_int_eq(rpp_attention_forward(&d->attention, &d->inputs, rows, &s->truth, NULL), RPP_OK);
  ck_assert_msg(
      rpp_naive_attention(&s->scratch, &d->attention, &d->inputs, RPP_F64, stored, rows, &s->naive, &s->magnitude, &error), "%s",
      error.text);
  return rpp_scratch_deviation(&s->truth, &s->naive);
}

START_TEST(float32_is_near_the_truth) {
  setup s;
  prepare(&s, specs[_i]);
  const double error = deviation(&s, RPP_F32);
  ck_assert_msg(error <= 1e-5, "%s: %g", specs[_i], error);
  for (int64_t i = 0; i < rpp_scratch_size(&s.truth); i++)
    ck_assert(rpp_scratch_values(&s.magnitude)[i] >= fabs(rpp_scratch_values(&s.truth)[i]) - 1e-5);
  done(&s);
}
END_TEST

START_TEST(bfloat16_rounds) {
  setup s;
  prepare(&s, specs[_i]);
  const double error = deviation(&s, RPP_BF16);
  ck_assert_msg(error > 1e-4 && error < 0.1, "%s: %g", specs[_i], error);
  done(&s);
}
END_TEST

/* With |v| in place of v the truth is the magnitude. */
START_TEST(magnitude_is_the_attention_of_the_absolute_values) {
  setup s;
  prepare(&s, specs[_i]);
  deviation(&s, RPP_BF16);
  rpp_generated *d = &s.data;
  rpp_tensor v = rpp_scratch_zeros(&s.scratch, d->v.shape[0], d->v.shape[1], d->v.shape[2], d->v.shape[3]);
  rpp_scratch_assign(&d->v, &v);
  for (int64_t i = 0; i < rpp_scratch_size(&v); i++) rpp_scratch_values(&v)[i] = fabs(rpp_scratch_values(&v)[i]);
  rpp_attention_inputs inputs = d->inputs;
  inputs.v = &v;
  ck_assert_int_eq(rpp_attention_forward(&d->attention, &inputs, d->rows.data ? &d->rows : NULL, &s.truth, NULL), RPP_OK);
  const double error = rpp_scratch_deviation(&s.truth, &s.magnitude);
  ck_assert_msg(error <= 1e-5, "%s: %g", specs[_i], error);
  done(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("naive");
  TCase *cases = tcase_create("naive");
  tcase_add_loop_test(cases, float32_is_near_the_truth, 0, SPECS);
  tcase_add_loop_test(cases, bfloat16_rounds, 0, SPECS);
  tcase_add_loop_test(cases, magnitude_is_the_attention_of_the_absolute_values, 0, SPECS);
  suite_add_tcase(suite, cases);
  return support_run(suite);
}
