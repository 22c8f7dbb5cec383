#define _GNU_SOURCE /* sigabbrev_np */
#include "reports/report_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/shell.h"

void rpp_report_what(const rpp_verdict *verdict, rpp_message *text) {
  const char *name = rpp_names_get(rpp_names_outcome, verdict->outcome), *signal = sigabbrev_np(verdict->signal);
  const char *colon = verdict->message.text[0] != '\0' ? ": " : "";
  switch (verdict->outcome) {
  case RPP_OUTCOME_MISMATCH:
    rpp_message_set(text, "mismatch, %s gate%s%s", rpp_names_get(rpp_names_gate, verdict->gate), colon, verdict->message.text);
    return;
  case RPP_OUTCOME_CRASH:
    rpp_message_set(text, "crash, SIG%s%s%s", signal == NULL ? "?" : signal, colon, verdict->message.text);
    return;
  case RPP_OUTCOME_EXIT:
    rpp_message_set(text, "exit, status %d%s%s", verdict->exit_status, colon, verdict->message.text);
    return;
  default:
    rpp_message_set(text, "%s%s%s", name, colon, verdict->message.text);
  }
}

void rpp_report_replay(const rpp_report_kernel *kernel, const rpp_report_failure *failure, char *line) {
  char spec[RPP_SPEC_TEXT];
  const rpp_report_command *own = &kernel->replay;
  rpp_spec_print(&failure->spec, spec);
  strcpy(line, own->before != NULL ? own->before : "ropepp-verify replay ");
  if (own->before == NULL) {
    rpp_shell_append(kernel->name, line);
    strcat(line, " ");
  }
  rpp_shell_append(spec, line);
  if (own->after != NULL) strcat(line, own->after);
}

void rpp_report_where(const rpp_worst *worst, rpp_message *text) {
  static const char letters[] = "bhtd";
  const int64_t at[] = {worst->b, worst->h, worst->t, worst->d};
  char where[128] = "";
  for (int i = 0; i < 4; i++)
    if (at[i] >= 0)
      snprintf(where + strlen(where), sizeof where - strlen(where), "%s%c=%" PRId64, *where ? ", " : "", letters[i], at[i]);
  rpp_message_set(text, "%s (%s)", rpp_names_get(rpp_names_judged, worst->tensor), *where ? where : "all of it");
}

void rpp_report_worst_line(const rpp_verdict *verdict, FILE *out) {
  const rpp_worst *w = &verdict->worst;
  rpp_message where;
  rpp_report_where(w, &where);
  fprintf(out, "worst at %s: expected %a (%.17g), got %a (%.17g), error/bound %.3g (bound %.3g)", where.text, w->expected,
          w->expected, w->got, w->got, w->ratio, w->bound);
}

bool rpp_report_has_worst(const rpp_verdict *verdict) {
  return verdict->elements > 0 && (verdict->outcome == RPP_OUTCOME_MISMATCH || verdict->outcome == RPP_OUTCOME_UNWRITTEN);
}

void rpp_report_failure_lines(const rpp_report_kernel *kernel, const rpp_report_failure *failure, const char *margin, FILE *out) {
  char text[RPP_REPORT_LINE], drawn[RPP_SPEC_TEXT];
  rpp_message what;
  rpp_report_what(&failure->verdict, &what);
  fprintf(out, "%s%s\n", margin, what.text);
  if (rpp_report_has_worst(&failure->verdict)) {
    fprintf(out, "%s  ", margin);
    rpp_report_worst_line(&failure->verdict, out);
    fputc('\n', out);
  }
  rpp_spec_print(&failure->drawn, drawn);
  fprintf(out, "%s  case %" PRId64 ": %s\n", margin, failure->index, drawn);
  rpp_spec_print(&failure->spec, text);
  if (strcmp(text, drawn) != 0) fprintf(out, "%s  shrunk: %s\n", margin, text);
  rpp_report_replay(kernel, failure, text);
  fprintf(out, "%s  replay: %s\n", margin, text);
  if (failure->file[0] != '\0') fprintf(out, "%s  to load: %s\n", margin, failure->file);
  if (!failure->reproduced)
    fprintf(
        out,
        "%s  not reproduced: it passed, or failed in another way, when run once more (a race, or harm done by an earlier case)\n",
        margin);
  if (failure->explanation.text[0] != '\0') fprintf(out, "%s  probably: %s\n", margin, failure->explanation.text);
}

/* ---- Human -------------------------------------------------------------------------------------------------------------- */

static void print_ratio(double ratio, FILE *out) {
  if (ratio == -1)
    fprintf(out, " %11s", "-");
  else
    fprintf(out, " %11.3g", ratio);
}

static void print_table(const rpp_report *report, FILE *out) {
  int width = 6;
  for (int k = 0; k < report->kernel_count; k++) {
    const int length = (int)strlen(report->kernels[k].name);
    if (length > width) width = length;
  }
  fprintf(out, "%-*s %9s %9s %8s %13s", width, "kernel", "cases", "supported", "failures", "elements");
  for (int g = 0; g < RPP_GATES; g++) fprintf(out, " %11.11s", rpp_names_get(rpp_names_gate, g));
  fputs("  verdict\n", out);
  for (int k = 0; k < report->kernel_count; k++) {
    const rpp_report_kernel *kernel = &report->kernels[k];
    fprintf(out, "%-*s %9" PRId64 " %9" PRId64 " %8" PRId64 " %13" PRId64, width, kernel->name, rpp_report_cases(kernel),
            rpp_report_supported(kernel), rpp_report_failures(kernel), kernel->elements);
    for (int g = 0; g < RPP_GATES; g++) print_ratio(kernel->worst[g].ratio, out);
    fprintf(out, "  %s\n", rpp_report_kernel_pass(kernel) ? "ok" : "FAIL");
  }
}

/* Everything about a kernel that its row has no room for. */
static void print_rest(const rpp_report_kernel *kernel, FILE *out) {
  char margin[RPP_REPORT_NAME + 8];
  rpp_message why;
  for (int i = 0; i < kernel->reason_count; i++)
    fprintf(out, "  %s: %" PRId64 " unsupported: %s\n", kernel->name, kernel->reasons[i].count, kernel->reasons[i].text.text);
  snprintf(margin, sizeof margin, "  %s: ", kernel->name);
  if (kernel->contract[0] != '\0') fprintf(out, "%scontract %s\n", margin, kernel->contract);
  if (rpp_report_kernel_pass(kernel)) {
    rpp_swept_text(&kernel->swept, margin, out);
    return;
  }
  rpp_report_why(kernel, &why);
  fprintf(out, "\n%s: FAIL: %s\n", kernel->name, why.text);
  for (int i = 0; i < kernel->failure_count; i++) rpp_report_failure_lines(kernel, &kernel->failures[i], "  ", out);
}

void rpp_report_why(const rpp_report_kernel *kernel, rpp_message *text) {
  if (rpp_report_cases(kernel) == 0)
    rpp_message_set(text, "no case was run");
  else if (rpp_report_supported(kernel) == 0)
    rpp_message_set(text, "no case is supported");
  else if (rpp_report_failures(kernel) == 0)
    rpp_message_set(text, "%s", kernel->elements > 0 ? "" : "no element was judged");
  else {
    rpp_message_set(text, "%" PRId64 " of %" PRId64 " cases", rpp_report_failures(kernel), rpp_report_supported(kernel));
    for (int i = 0; i < RPP_OUTCOMES; i++)
      if (i != RPP_OUTCOME_PASS && i != RPP_OUTCOME_UNSUPPORTED && kernel->outcomes[i] > 0)
        rpp_message_set(text, "%s, %" PRId64 " %s", text->text, kernel->outcomes[i], rpp_names_get(rpp_names_outcome, i));
    if (kernel->skipped > 0) rpp_message_set(text, "%s; %" PRId64 " more not run, since it hangs", text->text, kernel->skipped);
  }
}

void rpp_report_human(const rpp_report *report, FILE *out) {
  int64_t cases = 0, failures = 0;
  print_table(report, out);
  for (int k = 0; k < report->kernel_count; k++) {
    print_rest(&report->kernels[k], out);
    cases += rpp_report_cases(&report->kernels[k]);
    failures += rpp_report_failures(&report->kernels[k]);
  }
  for (int64_t i = 0; report->merged && i < report->plan.shards; i++)
    if (!report->present[i]) fprintf(out, "shard %" PRId64 "/%" PRId64 " is missing\n", i + 1, report->plan.shards);
  if (report->one_thread) fputs("no case was run on several threads: OMP_NUM_THREADS=1\n", out);
  fprintf(out, "%" PRId64 " cases, %" PRId64 " failures, %.1f s", cases, failures, report->elapsed_s);
  if (strcmp(report->plan.command, "replay") != 0) fprintf(out, ", seed %" PRIu64, report->plan.seed);
  fprintf(out, ": %s%s\n", report->interrupted != 0 ? "interrupted, " : "", rpp_report_status(report) == 0 ? "pass" : "FAIL");
}

void rpp_report_print(const rpp_report *report, rpp_format format, FILE *out) {
  static void (*const print[])(const rpp_report *, FILE *) = {rpp_report_human, rpp_report_json, rpp_report_tap, rpp_report_junit};
  print[format](report, out);
}
