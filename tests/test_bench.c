/* bench.c: rows and their ratios, by a clock that stands still but when it is read and when these kernels say that time has passed. */
#include "bench/bench.h"

#include <math.h>
#include <omp.h>

#include "base/clock.h"
#include "kernels/kernel_blocked.h"
#include "support.h"

static const double TICK = 0.125;
static double now;

/* In place of the program's own. */
double rpp_clock_seconds(void) {
  return now += TICK;
}

/* Seconds of the n-th call: every third is disturbed, whoever runs then. */
static void pass(double seconds, int call) {
  now += call % 3 == 2 ? 50 * seconds : seconds;
}

static int calls; /* of quick */

static int slow(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)inputs, (void)out, (void)lse, (void)workspace, (void)reason;
  pass((attention->mode == RPP_MODE_EC ? 7.875 : 2.875) * (omp_get_max_threads() == 1 ? 2 : 1), 0);
  return 0;
}

static int quick(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                 rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)attention, (void)inputs, (void)out, (void)lse, (void)workspace, (void)reason;
  pass(1.375, calls++);
  return 0;
}

static int fails(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                 rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)attention, (void)inputs, (void)out, (void)lse, (void)workspace;
  *reason = "out of order";
  return 1;
}

static int turns(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                 rpp_tensor *y, const char **reason) {
  (void)kernel, (void)rotary, (void)part, (void)pos, (void)reason;
  pass(x == y ? 0.875 : 3.875, 0);
  return 0;
}

enum { KERNELS = 3, CASES = 4 };
static rpp_kernel kernels[KERNELS];
static const rpp_kernel *all[KERNELS] = {&kernels[0], &kernels[1], &kernels[2]};
static rpp_spec cases[CASES];
static rpp_bench_plan plan;
static rpp_bench bench;

static void setup(void) {
  static const char *const texts[CASES] = {"rope:h=1,lq=64,d=16,pairing=half", "ec:h=1,lq=64,d=16", "rope:h=1,lq=64,d=16",
                                           "rope:h=1,lq=64,lk=0,d=16"};
  for (int k = 0; k < KERNELS; k++) kernels[k] = rpp_kernel_blocked;
  kernels[0].name = "slow", kernels[0].forward = slow, kernels[0].rotate = turns;
  kernels[1].name = "quick", kernels[1].forward = quick, kernels[1].rotate = NULL;
  kernels[2].name = "fails", kernels[2].forward = fails, kernels[2].rotate = NULL;
  rpp_message error;
  for (int i = 0; i < CASES; i++) ck_assert_msg(rpp_spec_parse(texts[i], &cases[i], &error), "%s", error.text);
  plan = (rpp_bench_plan){.kernels = all, .kernel_count = KERNELS, .cases = cases, .case_count = CASES, .seconds = TICK};
  omp_set_num_threads(2);
}

static void run(void) {
  rpp_message error;
  ck_assert_msg(rpp_bench_run(&plan, &bench, &error), "%s", error.text);
}

/* The row of a kernel and a case. */
static const rpp_bench_row *row_of(const char *kernel, int number, rpp_bench_task task) {
  for (int i = 0; i < bench.row_count; i++)
    if (strcmp(bench.rows[i].kernel, kernel) == 0 && bench.rows[i].spec == &cases[number] && bench.rows[i].task == task)
      return &bench.rows[i];
  ck_abort_msg("%s has no row of case %d", kernel, number);
  return NULL;
}

static void near(double x, double wanted) {
  ck_assert_msg(fabs(x - wanted) <= 1e-12 * fabs(wanted), "%.17g, wanted %.17g", x, wanted);
}

/* ---- What is tested ------------------------------------------------------------------------------------------------------ */

static void every_kernel_and_case_has_a_row(void) {
  ck_assert_int_eq(bench.row_count, 3 + 3 + 3);
  for (int i = 0; i < 3; i++) near(row_of("slow", i, RPP_TASK_FORWARD)->seconds.median, i == 1 ? 8 : 3);
  near(row_of("slow", 3, RPP_TASK_ROTATE)->seconds.median, 4);
  near(row_of("slow", 3, RPP_TASK_ROTATE_IN_PLACE)->seconds.median, 1);
  near(row_of("-", 3, RPP_TASK_ANGLES)->seconds.median, TICK);
  ck_assert_int_eq(bench.skip_count, 3 + 2);
  ck_assert_str_eq(bench.skips[0].reason.text, "out of order");
  ck_assert_str_eq(bench.skips[0].kernel, "fails");
  ck_assert_str_eq(bench.skips[4].reason.text, "has no rotation");
}

static void medians_pass_over_what_is_disturbed(void) {
  const rpp_bench_row *row = row_of("quick", 0, RPP_TASK_FORWARD);
  near(row->seconds.median, 1.5);
  near(row->seconds.low, 1.5);
  near(row->seconds.high, 50 * 1.375 + TICK);
}

static void shares_are_of_the_probes(void) {
  double fma, read, copy;
  const rpp_bench_row *row = row_of("slow", 2, RPP_TASK_FORWARD), *turn = row_of("slow", 3, RPP_TASK_ROTATE);
  near(row->read, RPP_PROBE_BUFFER / TICK);
  near(row->of_read, row->bytes / 3 / row->read);
  near(row->of_fma, row->operations / 3 / row->fma);
  ck_assert(isnan(row->of_copy) && isnan(row->copy) && isnan(turn->of_read) && isnan(turn->of_fma));
  near(turn->copy, turn->bytes / 2 / TICK);
  near(turn->of_copy, TICK / 4);
  near(row_of("-", 3, RPP_TASK_ANGLES)->of_copy, 1);
  rpp_bench_probes(&bench, &fma, &read, &copy);
  near(read, row->read);
  near(fma, row->fma);
  ck_assert(copy > 0);
}

START_TEST(rows) {
  run();
  every_kernel_and_case_has_a_row();
  medians_pass_over_what_is_disturbed();
  shares_are_of_the_probes();
  rpp_bench_free(&bench);
}
END_TEST

START_TEST(ratios_are_own_time_over_the_other) {
  plan.vs = &kernels[1];
  plan.scaling = true;
  run();
  const rpp_bench_row *ec = row_of("slow", 1, RPP_TASK_FORWARD), *rope = row_of("slow", 2, RPP_TASK_FORWARD);
  near(ec->to_rope, 8.0 / 3);
  ck_assert(isnan(rope->to_rope) && isnan(row_of("slow", 0, RPP_TASK_FORWARD)->to_rope));
  near(ec->to_vs, 8 / 1.5);
  near(ec->vs_seconds, 1.5);
  near(ec->speedup, (2 * 7.875 + TICK) / 8);
  near(rope->speedup, (2 * 2.875 + TICK) / 3);
  ck_assert(isnan(row_of("slow", 3, RPP_TASK_ROTATE)->to_vs)); /* which has no rotation */
  rpp_bench_free(&bench);
}
END_TEST

static void print(char *text, size_t room) {
  FILE *out = fmemopen(text, room, "w");
  ck_assert_ptr_nonnull(out);
  rpp_bench_text(&bench, out);
  ck_assert_int_eq(fclose(out), 0);
}

/* A row whose probe did half is marked, and no other: not one without a probe, nor any where all are as slow. */
START_TEST(a_busy_core_is_marked) {
  char text[1 << 14];
  int marked = 0;
  run();
  for (int i = 0; i < bench.row_count; i++) ck_assert(!rpp_bench_disturbed(&bench, &bench.rows[i]));
  print(text, sizeof text);
  ck_assert_ptr_null(strchr(text, '*'));
  for (int i = 0; i < bench.row_count; i++) bench.rows[i].fma /= 2;
  for (int i = 0; i < bench.row_count; i++) ck_assert(!rpp_bench_disturbed(&bench, &bench.rows[i]));
  bench.rows[1].fma /= 2;
  for (int i = 0; i < bench.row_count; i++) ck_assert_int_eq(rpp_bench_disturbed(&bench, &bench.rows[i]), i == 1);
  print(text, sizeof text);
  for (const char *at = text; (at = strstr(at, " *\n")) != NULL; at++) marked++;
  ck_assert_int_eq(marked, 1);
  ck_assert_ptr_nonnull(strstr(text, "\n* beside these runs the FMA probe did less than 3/4 of its best"));
  rpp_bench_free(&bench);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bench");
  TCase *tests = tcase_create("bench");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, setup, NULL);
  tcase_add_test(tests, rows);
  tcase_add_test(tests, ratios_are_own_time_over_the_other);
  tcase_add_test(tests, a_busy_core_is_marked);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
