/* subject.c, measure.c: what is timed is done, by the kernel named, as often as it is said to be. Times are not judged. */
#include "bench/subject.h"

#include <math.h>
#include <omp.h>

#include "bench/measure.h"
#include "kernels/kernel_blocked.h"
#include "support.h"

static rpp_generated data;

static rpp_spec parse(const char *text) {
  rpp_spec spec;
  rpp_message error;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  return spec;
}

static rpp_subject make(const rpp_kernel *kernel, rpp_bench_task task, const char *text) {
  const rpp_spec spec = parse(text);
  rpp_subject s;
  rpp_message error;
  if (data.blocks == NULL) ck_assert_msg(rpp_generate(&spec, RPP_F32, RPP_F32, &data, &error), "%s", error.text);
  ck_assert_msg(rpp_subject_make(kernel, task, &data, &s, &error), "%s", error.text);
  return s;
}

static void run(const rpp_subject *s) {
  rpp_message error;
  double seconds = -1;
  ck_assert_msg(rpp_subject_run(s, &seconds, &error), "%s", error.text);
  ck_assert(seconds >= 0);
}

static double worst(const rpp_tensor *a, const rpp_tensor *b) {
  double largest = 0;
  int64_t index[RPP_MAX_DIMS] = {0};
  for (int d = 0; d >= 0;) {
    support_worse(&largest, rpp_tensor_get(a, index) - rpp_tensor_get(b, index));
    for (d = a->ndim - 1; d >= 0 && ++index[d] == a->shape[d]; d--) index[d] = 0;
  }
  return largest;
}

/* ---- The tasks ---------------------------------------------------------------------------------------------------------- */

START_TEST(attention_is_done) {
  const char *text = "ec:h=4,kv=2,lq=33,lk=40,d=16";
  const rpp_subject s = make(&rpp_kernel_blocked, RPP_TASK_FORWARD, text),
                    again = make(&rpp_kernel_blocked, RPP_TASK_FORWARD, text);
  rpp_generated other;
  rpp_message error;
  const rpp_spec spec = parse(text);
  run(&s);
  ck_assert(s.out.data == again.out.data && s.out.data == data.out.data);
  ck_assert(s.operations == 2.0 * (33 * 7 + 33 * 34 / 2) * 32 * 8 && s.copied == 0);
  ck_assert(s.bytes == 4 * (33 * 4 * 16 + 2 * 40 * 2 * 16 + 33 * 8 * 16 + 33 * 8));
  ck_assert(rpp_generate(&spec, RPP_F32, RPP_F32, &other, &error));
  ck_assert_int_eq(rpp_attention_blocked(&other.attention, &other.inputs, &other.out, &other.lse), RPP_OK);
  ck_assert(worst(&s.out, &other.out) == 0 && worst(&s.lse, &other.lse) == 0);
  rpp_generated_free(&other);
}
END_TEST

START_TEST(rotation_is_done) {
  const char *text = "rope:h=2,lq=20,lk=0,d=8,rotary=6,layout=padded,position=100";
  const rpp_subject y = make(&rpp_kernel_blocked, RPP_TASK_ROTATE, text),
                    x = make(&rpp_kernel_blocked, RPP_TASK_ROTATE_IN_PLACE, text);
  const rpp_subject tables = make(NULL, RPP_TASK_ANGLES, text);
  ck_assert(worst(&x.out, &data.q) == 0);
  run(&y);
  run(&x);
  run(&tables);
  ck_assert(worst(&x.out, &y.out) == 0 && worst(&x.out, &data.q) > 0.1);
  run(&x); /* what it has written is what it reads */
  ck_assert(worst(&x.out, &y.out) > 0.1);
  ck_assert(y.copied == 4 * 20 * 2 * 8 && y.bytes == 2 * y.copied && y.operations == 0);
  ck_assert(tables.copied == 4 * 2 * 20 * 3 && tables.bytes == tables.copied);
  const int64_t last[] = {19, 0};
  ck_assert(fabs(rpp_tensor_get(&tables.out, last) - cos(119)) <= 1e-7 &&
            fabs(rpp_tensor_get(&tables.lse, last) - sin(119)) <= 1e-7);
}
END_TEST

START_TEST(outputs_of_another_type_have_room_of_their_own) {
  const char *text = "rope:lq=4,d=4,dtype=f16";
  const rpp_subject s = make(&rpp_kernel_blocked_f16, RPP_TASK_FORWARD, text); /* the data's own out is F32 here */
  ck_assert(s.out.dtype == RPP_F16 && s.out.data != data.out.data && s.lse.data == data.lse.data);
  run(&s);
}
END_TEST

START_TEST(what_is_not_offered_says_why) {
  static const struct {
    const rpp_kernel *kernel;
    rpp_bench_task task;
    const char *text, *why;
  } cases[] = {{&rpp_kernel_blocked, RPP_TASK_FORWARD, "rope:dtype=f16", "takes F32"},
               {&rpp_kernel_blocked_bf16, RPP_TASK_ROTATE, "rope:lk=0", "takes BF16"},
               {&rpp_kernel_blocked, RPP_TASK_FORWARD, "rope:angles=hf-f32", "its angles are exact"},
               {&rpp_kernel_blocked, RPP_TASK_FORWARD, "rope:scale=1e-42", "the scale is not a normal float32"},
               {&rpp_kernel_blocked, RPP_TASK_ROTATE, "rope:lk=0,inputs=rotated", "q is rotated already, and there are no keys"}};
  rpp_message why;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const rpp_spec spec = parse(cases[i].text);
    ck_assert(!rpp_subject_offered(cases[i].kernel, cases[i].task, &spec, &why));
    ck_assert_str_eq(why.text, cases[i].why);
  }
  rpp_kernel part = rpp_kernel_blocked;
  const rpp_spec spec = parse("rope:lk=0");
  part.rotate = NULL;
  ck_assert(rpp_subject_offered(&part, RPP_TASK_FORWARD, &spec, &why) && !rpp_subject_offered(&part, RPP_TASK_ROTATE, &spec, &why));
  part = rpp_kernel_blocked;
  part.forward = NULL;
  ck_assert(!rpp_subject_offered(&part, RPP_TASK_FORWARD, &spec, &why) && rpp_subject_offered(&part, RPP_TASK_ROTATE, &spec, &why));
}
END_TEST

/* ---- Measuring ---------------------------------------------------------------------------------------------------------- */

static char order[4 * RPP_MEASURE_MOST]; /* a letter for each run */
static int ran, threads_seen[2];

static int note(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                rpp_tensor *lse, void *workspace, const char **reason) {
  (void)attention, (void)inputs, (void)out, (void)lse, (void)workspace;
  const char letter = *(const char *)kernel->data;
  order[ran++] = letter;
  threads_seen[letter - 'a'] = omp_get_max_threads();
  *reason = "tired";
  return letter == 'b' && ran > 5;
}

static rpp_kernel noting(const char *letter) {
  rpp_kernel kernel = rpp_kernel_blocked;
  kernel.forward = note;
  kernel.data = letter;
  return kernel;
}

START_TEST(runs_alternate_between_probes) {
  const rpp_kernel a = noting("a");
  const char *text = "rope:h=1,lq=1,lk=64,d=16,inputs=rotated";
  rpp_subject subjects[] = {make(&a, RPP_TASK_FORWARD, text), make(&rpp_kernel_blocked, RPP_TASK_FORWARD, text)};
  rpp_measured m;
  rpp_probe probe;
  rpp_message error;
  ck_assert(rpp_probe_open(&probe, &error));
  subjects[0].threads = 1;
  omp_set_num_threads(2);
  ck_assert_msg(rpp_measure(&probe, subjects, 2, 1e-9, &m, &error), "%s", error.text);
  ck_assert_int_eq(m.runs, RPP_MEASURE_LEAST);
  ck_assert_int_eq(ran, m.runs + 1);
  ck_assert(threads_seen[0] == 1 && omp_get_max_threads() == 2);
  ck_assert(m.fma != NULL && m.read != NULL && m.copy == NULL);
  for (int i = 0; i < m.runs; i++) ck_assert(m.seconds[0][i] >= 0 && m.seconds[1][i] > 0 && m.fma[i] > 0 && m.read[i] > 0);
  rpp_measured_free(&m);
  const rpp_kernel b = noting("b");
  ran = 0;
  subjects[1] = make(&b, RPP_TASK_FORWARD, text);
  ck_assert(!rpp_measure(&probe, subjects, 2, 1e-9, &m, &error)); /* the first fails in a later round */
  ck_assert_str_eq(error.text, "tired");
  ck_assert_msg(strncmp(order, "baabbaab", (size_t)ran) == 0 && ran >= 6, "%.*s", ran, order);
  rpp_probe_close(&probe);
}
END_TEST

/* Attention of many operations a byte leaves the caches alone; rotation is held against a copy. */
START_TEST(probes_are_those_of_the_task) {
  static const struct {
    rpp_bench_task task;
    const char *text;
    bool fma, read, copy;
  } cases[] = {{RPP_TASK_FORWARD, "rope:h=1,lq=512,d=32", true, false, false},
               {RPP_TASK_FORWARD, "rope:h=4,kv=1,lq=1,lk=256,d=32,inputs=rotated", true, true, false},
               {RPP_TASK_ROTATE, "rope:h=1,lq=256,lk=0,d=32", false, false, true},
               {RPP_TASK_ANGLES, "rope:h=1,lq=256,lk=0,d=32", false, false, true},
               {RPP_TASK_ROTATE, "rope:h=1,lq=0,lk=0,d=32", false, false, false}};
  rpp_probe probe;
  rpp_message error;
  ck_assert(rpp_probe_open(&probe, &error));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const rpp_subject s = make(&rpp_kernel_blocked, cases[i].task, cases[i].text);
    rpp_measured m;
    ck_assert_msg(rpp_measure(&probe, &s, 1, 1e-9, &m, &error), "%s", error.text);
    ck_assert_msg((m.fma != NULL) == cases[i].fma && (m.read != NULL) == cases[i].read && (m.copy != NULL) == cases[i].copy,
                  "case %zu", i);
    rpp_measured_free(&m);
    rpp_generated_free(&data);
  }
  rpp_probe_close(&probe);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("subject");
  TCase *tests = tcase_create("subject");
  tcase_set_timeout(tests, 30);
  tcase_add_test(tests, attention_is_done);
  tcase_add_test(tests, rotation_is_done);
  tcase_add_test(tests, outputs_of_another_type_have_room_of_their_own);
  tcase_add_test(tests, what_is_not_offered_says_why);
  tcase_add_test(tests, runs_alternate_between_probes);
  tcase_add_test(tests, probes_are_those_of_the_task);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
