/* bench_text.c: a bench as a table. */
#include <math.h>
#include <string.h>

#include "bench/bench.h"

/* A column shows a number of a row, times a factor; it is left out when no row has it. */
typedef struct {
  const char *title;
  int width, digits;
  double (*number)(const rpp_bench_row *row);
} column;

#define NUMBER(name, expression)                                                                                                   \
  static double name(const rpp_bench_row *row) {                                                                                   \
    return expression;                                                                                                             \
  }

NUMBER(runs, row->runs)
NUMBER(median, row->seconds.median * 1e3)
NUMBER(low, row->seconds.low * 1e3)
NUMBER(high, row->seconds.high * 1e3)
NUMBER(arithmetic, row->operations > 0 ? row->operations / row->seconds.median * 1e-9 : NAN)
NUMBER(traffic, row->bytes / row->seconds.median * 1e-9)
NUMBER(of_fma, row->of_fma)
NUMBER(of_read, row->of_read)
NUMBER(of_copy, row->of_copy)
NUMBER(to_rope, row->to_rope)
NUMBER(to_vs, row->to_vs)
NUMBER(speedup, row->speedup)
NUMBER(peak, row->peak / (1 << 20))

static const column columns[] = {
    {"runs", 5, 0, runs},       {"ms", 10, 3, median},     {"fastest", 10, 3, low},  {"slowest", 10, 3, high},
    {"GF/s", 7, 1, arithmetic}, {"GB/s", 6, 1, traffic},   {"of FMA", 7, 3, of_fma}, {"of read", 8, 3, of_read},
    {"of copy", 8, 3, of_copy}, {"/ rope", 7, 3, to_rope}, {"/ vs", 7, 3, to_vs},    {"speed-up", 9, 2, speedup},
    {"peak MiB", 9, 0, peak},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static bool any_has(const rpp_bench *b, const column *c) {
  for (int i = 0; i < b->row_count; i++)
    if (!isnan(c->number(&b->rows[i]))) return true;
  return false;
}

static int label(const rpp_bench_row *row, char *text, size_t room) {
  if (row->task == RPP_TASK_FORWARD) return snprintf(text, room, "  %s", row->kernel);
  return snprintf(text, room, "  %s %s", row->kernel, rpp_bench_task_names[row->task]);
}

static void print_row(const rpp_bench *b, const rpp_bench_row *row, const bool *shown, int width, FILE *out) {
  char name[160];
  label(row, name, sizeof name);
  fprintf(out, "%-*s", width, name);
  for (int c = 0; c < COLUMNS; c++) {
    const double x = columns[c].number(row);
    if (!shown[c]) continue;
    if (isnan(x))
      fprintf(out, "%*s", columns[c].width, "-");
    else
      fprintf(out, "%*.*f", columns[c].width, columns[c].digits, x);
  }
  fputs(rpp_bench_disturbed(b, row) ? " *\n" : "\n", out);
}

static void print_rows(const rpp_bench *b, FILE *out) {
  bool shown[COLUMNS];
  char name[160];
  int width = 0;
  for (int i = 0; i < b->row_count; i++) {
    const int length = label(&b->rows[i], name, sizeof name);
    if (length > width) width = length;
  }
  fprintf(out, "%*s", width, "");
  for (int c = 0; c < COLUMNS; c++) {
    shown[c] = any_has(b, &columns[c]);
    if (shown[c]) fprintf(out, "%*s", columns[c].width, columns[c].title);
  }
  fputc('\n', out);
  for (int i = 0; i < b->row_count; i++) {
    char spec[RPP_SPEC_TEXT];
    rpp_spec_print(b->rows[i].spec, spec);
    if (i == 0 || b->rows[i].spec != b->rows[i - 1].spec) fprintf(out, "%s\n", spec);
    print_row(b, &b->rows[i], shown, width, out);
  }
}

static void print_disturbed(const rpp_bench *b, FILE *out) {
  int count = 0;
  for (int i = 0; i < b->row_count; i++) count += rpp_bench_disturbed(b, &b->rows[i]);
  if (count > 0)
    fputs("\n* beside these runs the FMA probe did less than 3/4 of its best: a core was busy with something else; run it again\n",
          out);
}

static bool same(const rpp_bench_skip *a, const rpp_bench_skip *b) {
  return strcmp(a->kernel, b->kernel) == 0 && strcmp(a->reason.text, b->reason.text) == 0;
}

/* A line for each kernel and reason. */
static void print_skips(const rpp_bench *b, FILE *out) {
  for (int i = 0; i < b->skip_count; i++) {
    const rpp_bench_skip *s = &b->skips[i];
    int before = 0, count = 0;
    for (int j = 0; j < b->skip_count; j++)
      if (same(s, &b->skips[j])) j < i ? before++ : count++;
    if (before == 0) fprintf(out, "not timed: %s: %s (%d case%s)\n", s->kernel, s->reason.text, count, count == 1 ? "" : "s");
  }
}

static void print_probes(const rpp_bench *b, FILE *out) {
  double fma, read, copy;
  rpp_bench_probes(b, &fma, &read, &copy);
  fputs("probes:", out);
  if (!isnan(fma)) fprintf(out, " FMA %.1f GF/s (%s)", fma * 1e-9, b->probe.arithmetic->name);
  if (!isnan(read))
    fprintf(out, ", read %.1f GB/s (%s, %d stream%s a thread)", read * 1e-9, b->probe.reading->name, b->probe.streams,
            b->probe.streams == 1 ? "" : "s");
  if (!isnan(copy)) fprintf(out, "%s copy %.1f GB/s", isnan(fma) ? "" : ",", copy * 1e-9);
  fputc('\n', out);
}

void rpp_bench_text(const rpp_bench *b, FILE *out) {
  fprintf(out, "%s, %d thread%s, %s, OpenBLAS as %s, %s\n", b->machine.cpu, b->machine.threads, b->machine.threads == 1 ? "" : "s",
          b->machine.compiler, b->machine.blas, b->machine.date);
  if (b->row_count > 0) print_probes(b, out);
  if (b->plan->vs != NULL) fprintf(out, "/ vs: over the time of %s\n", b->plan->vs->name);
  if (b->row_count > 0) {
    fputc('\n', out);
    print_rows(b, out);
    print_disturbed(b, out);
  }
  if (b->skip_count > 0) fputc('\n', out);
  print_skips(b, out);
}
