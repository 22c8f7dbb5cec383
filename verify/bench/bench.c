#include "bench/bench.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/peak_memory.h"

/* ---- What runs beside what ---------------------------------------------------------------------------------------------- */

/* The case that differs in its mode alone, rope; null when it is not among them, or is this one. */
static const rpp_spec *rope_twin(const rpp_bench_plan *plan, const rpp_spec *spec) {
  char wanted[RPP_SPEC_TEXT], found[RPP_SPEC_TEXT];
  rpp_spec twin = *spec;
  if (spec->attention.mode == RPP_MODE_ROPE || rpp_subject_rotates(spec)) return NULL;
  twin.attention.mode = RPP_MODE_ROPE;
  rpp_spec_print(&twin, wanted);
  for (int i = 0; i < plan->case_count; i++) {
    rpp_spec_print(&plan->cases[i], found);
    if (strcmp(wanted, found) == 0) return &plan->cases[i];
  }
  return NULL;
}

/* The subjects of a row: its own, then those that it is compared with. */
typedef struct {
  rpp_generated data, twin_data;
  rpp_subject subjects[RPP_MEASURE_SUBJECTS];
  int count, vs, one_thread, twin; /* their places; 0: none */
} field;

static bool add_vs(field *f, const rpp_bench_plan *plan, rpp_bench_task task, rpp_message *error) {
  rpp_message why;
  if (plan->vs == NULL || !rpp_subject_offered(plan->vs, task, &f->data.spec, &why)) return true;
  f->vs = f->count++;
  return rpp_subject_make(plan->vs, task, &f->data, &f->subjects[f->vs], error);
}

static void add_one_thread(field *f, const rpp_bench_plan *plan) {
  if (!plan->scaling) return;
  f->one_thread = f->count++;
  f->subjects[f->one_thread] = f->subjects[0];
  f->subjects[f->one_thread].threads = 1;
}

static bool add_twin(field *f, const rpp_bench_plan *plan, const rpp_kernel *kernel, rpp_message *error) {
  const rpp_spec *twin = rope_twin(plan, &f->data.spec);
  rpp_message why;
  if (twin == NULL || !rpp_subject_offered(kernel, RPP_TASK_FORWARD, twin, &why)) return true;
  f->twin = f->count++;
  return rpp_generate(twin, kernel->contract.output, kernel->contract.lse, &f->twin_data, error) &&
         rpp_subject_make(kernel, RPP_TASK_FORWARD, &f->twin_data, &f->subjects[f->twin], error);
}

static bool open_field(field *f, const rpp_bench_plan *plan, const rpp_kernel *kernel, rpp_bench_task task, const rpp_spec *spec,
                       rpp_message *error) {
  *f = (field){.count = 1};
  if (!rpp_generate(spec, kernel->contract.output, kernel->contract.lse, &f->data, error) ||
      !rpp_subject_make(kernel, task, &f->data, &f->subjects[0], error))
    return false;
  if (task != RPP_TASK_ANGLES && !add_vs(f, plan, task, error)) return false;
  add_one_thread(f, plan);
  return add_twin(f, plan, kernel, error);
}

static void close_field(field *f) {
  rpp_generated_free(&f->data);
  rpp_generated_free(&f->twin_data);
}

/* ---- Rows --------------------------------------------------------------------------------------------------------------- */

/* What is done `amount` at a time, as a share of rates; rate: their median. */
static double share_of(double amount, const rpp_measured *m, double *rates, double *rate, double *room) {
  *rate = NAN;
  if (rates == NULL) return NAN;
  for (int i = 0; i < m->runs; i++) room[i] = amount / m->seconds[0][i] / rates[i];
  const double share = rpp_median(room, m->runs);
  *rate = rpp_median(rates, m->runs);
  return share;
}

static double ratio_to(const rpp_measured *m, int other, double *room) {
  return other == 0 ? NAN : rpp_median_ratio(m->seconds[0], m->seconds[other], m->runs, room);
}

static void fill_row(rpp_bench_row *row, const field *f, rpp_measured *m) {
  double room[RPP_MEASURE_MOST];
  const rpp_subject *s = &f->subjects[0];
  row->runs = m->runs;
  row->operations = s->operations;
  row->bytes = s->bytes;
  row->of_fma = share_of(s->operations, m, m->fma, &row->fma, room);
  row->of_read = share_of(s->bytes, m, m->read, &row->read, room);
  row->of_copy = share_of(s->copied, m, m->copy, &row->copy, room);
  row->to_rope = ratio_to(m, f->twin, room);
  row->speedup = 1 / ratio_to(m, f->one_thread, room);
  row->to_vs = ratio_to(m, f->vs, room);
  row->vs_seconds = f->vs == 0 ? NAN : rpp_median(m->seconds[f->vs], m->runs);
  row->seconds = rpp_spread_of(m->seconds[0], m->runs);
}

static void skip(rpp_bench *b, const rpp_spec *spec, const char *kernel, const rpp_message *reason) {
  b->skips[b->skip_count++] = (rpp_bench_skip){spec, kernel, *reason};
}

/* A kernel that fails, or a case too large for memory, is skipped with its reason. */
static void add_row(rpp_bench *b, const rpp_kernel *kernel, rpp_bench_task task, const rpp_spec *spec, double peak) {
  rpp_bench_row *row = &b->rows[b->row_count];
  field f;
  rpp_measured measured;
  rpp_message error;
  *row = (rpp_bench_row){.spec = spec, .kernel = task == RPP_TASK_ANGLES ? "-" : kernel->name, .task = task, .peak = peak};
  const bool good = open_field(&f, b->plan, kernel, task, spec, &error) &&
                    rpp_measure(&b->probe, f.subjects, f.count, b->plan->seconds, &measured, &error);
  if (good) {
    fill_row(row, &f, &measured);
    rpp_measured_free(&measured);
    b->row_count++;
  } else
    skip(b, spec, row->kernel, &error);
  close_field(&f);
}

/* ---- All of it ---------------------------------------------------------------------------------------------------------- */

static void show_progress(const rpp_bench *b, const char *kernel, int number) {
  if (isatty(STDERR_FILENO)) fprintf(stderr, "\r\033[Kcase %d of %d, %s", number + 1, b->plan->case_count, kernel);
}

static void end_progress(void) {
  if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
}

static void bench_case(rpp_bench *b, int number, const double *peaks) {
  const rpp_spec *spec = &b->plan->cases[number];
  const bool rotates = rpp_subject_rotates(spec);
  bool tables = !rotates || spec->batched_positions; /* made, or not to be */
  rpp_message why;
  if (b->plan->vs != NULL && !rpp_subject_offered(b->plan->vs, rotates ? RPP_TASK_ROTATE : RPP_TASK_FORWARD, spec, &why))
    skip(b, spec, b->plan->vs->name, &why);
  for (int k = 0; k < b->plan->kernel_count; k++) {
    const rpp_kernel *kernel = b->plan->kernels[k];
    if (!rpp_subject_offered(kernel, rotates ? RPP_TASK_ROTATE : RPP_TASK_FORWARD, spec, &why)) {
      skip(b, spec, kernel->name, &why);
      continue;
    }
    show_progress(b, kernel->name, number);
    if (!rotates) {
      add_row(b, kernel, RPP_TASK_FORWARD, spec, peaks[k]);
      continue;
    }
    if (!tables) add_row(b, kernel, RPP_TASK_ANGLES, spec, NAN);
    tables = true;
    add_row(b, kernel, RPP_TASK_ROTATE, spec, NAN);
    add_row(b, kernel, RPP_TASK_ROTATE_IN_PLACE, spec, NAN);
  }
}

/* One for each kernel of each case, in that order. */
static void find_peaks(const rpp_bench_plan *plan, double *peaks) {
  rpp_message why;
  for (int i = 0; i < plan->case_count; i++)
    for (int k = 0; k < plan->kernel_count; k++) {
      const rpp_kernel *kernel = plan->kernels[k];
      const bool wanted = plan->memory && !rpp_subject_rotates(&plan->cases[i]) &&
                          strncmp(kernel->name, "cuda:", 5) != 0; /* a device's driver does not survive a fork */
      const bool offered = wanted && rpp_subject_offered(kernel, RPP_TASK_FORWARD, &plan->cases[i], &why);
      peaks[i * plan->kernel_count + k] = offered ? rpp_peak_memory(kernel, &plan->cases[i]) : NAN;
    }
}

bool rpp_bench_run(const rpp_bench_plan *plan, rpp_bench *b, rpp_message *error) {
  const size_t pairs = (size_t)plan->case_count * (size_t)plan->kernel_count;
  double *peaks = calloc(pairs, sizeof *peaks);
  *b = (rpp_bench){.plan = plan, .machine = rpp_machine_here()};
  b->rows = calloc(3 * pairs, sizeof *b->rows);
  b->skips = calloc(3 * pairs + (size_t)plan->case_count, sizeof *b->skips);
  bool good = (peaks != NULL && b->rows != NULL && b->skips != NULL) || rpp_message_set(error, "memory is out");
  if (good) find_peaks(plan, peaks);
  good = good && rpp_probe_open(&b->probe, error);
  for (int i = 0; good && i < plan->case_count; i++) bench_case(b, i, peaks + i * plan->kernel_count);
  end_progress();
  rpp_probe_close(&b->probe);
  free(peaks);
  if (!good) rpp_bench_free(b);
  return good;
}

void rpp_bench_free(rpp_bench *b) {
  free(b->rows);
  free(b->skips);
  *b = (rpp_bench){0};
}

/* The median of one number over the rows that have it. */
static double over_rows(const rpp_bench *b, size_t offset, double *room) {
  int count = 0;
  for (int i = 0; i < b->row_count; i++) {
    double x;
    memcpy(&x, (const char *)&b->rows[i] + offset, sizeof x);
    if (!isnan(x)) room[count++] = x;
  }
  return rpp_median(room, count);
}

void rpp_bench_probes(const rpp_bench *b, double *fma, double *read, double *copy) {
  double *room = calloc((size_t)b->row_count + 1, sizeof *room);
  *fma = room == NULL ? NAN : over_rows(b, offsetof(rpp_bench_row, fma), room);
  *read = room == NULL ? NAN : over_rows(b, offsetof(rpp_bench_row, read), room);
  *copy = room == NULL ? NAN : over_rows(b, offsetof(rpp_bench_row, copy), room);
  free(room);
}

bool rpp_bench_disturbed(const rpp_bench *b, const rpp_bench_row *row) {
  double best = row->fma;
  for (int i = 0; i < b->row_count; i++) best = b->rows[i].fma > best ? b->rows[i].fma : best;
  return row->fma < 0.75 * best;
}
