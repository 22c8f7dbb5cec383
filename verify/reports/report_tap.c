#include "reports/report_text.h"

#include <inttypes.h>

/* A test point for each kernel; what failed is in diagnostic lines. In a description, # would start a directive. */
static void print_point(int number, const rpp_report_kernel *kernel, bool complete, FILE *out) {
  rpp_message why;
  rpp_report_why(kernel, &why);
  fprintf(out, "%sok %d - ", rpp_report_kernel_pass(kernel) && complete ? "" : "not ", number);
  for (const char *c = kernel->name; *c != '\0'; c++) fputc(*c == '#' || *c == '\\' ? '?' : *c, out);
  fprintf(out, ": %" PRId64 " cases, %" PRId64 " supported, %" PRId64 " elements%s%s\n", rpp_report_cases(kernel),
          rpp_report_supported(kernel), kernel->elements,
          *why.text  ? ", FAIL: "
          : complete ? ""
                     : ", incomplete",
          why.text);
  for (int i = 0; i < kernel->reason_count; i++)
    fprintf(out, "# %" PRId64 " unsupported: %s\n", kernel->reasons[i].count, kernel->reasons[i].text.text);
  for (int g = 0; g < RPP_GATES; g++)
    if (kernel->worst[g].ratio != -1)
      fprintf(out, "# worst error/bound, %s gate: %.3g\n", rpp_names_get(rpp_names_gate, g), kernel->worst[g].ratio);
  for (int i = 0; i < kernel->failure_count; i++) rpp_report_failure_lines(kernel, &kernel->failures[i], "# ", out);
}

void rpp_report_tap(const rpp_report *report, FILE *out) {
  fprintf(out, "TAP version 13\n1..%d\n", report->kernel_count);
  for (int k = 0; k < report->kernel_count; k++) print_point(k + 1, &report->kernels[k], rpp_report_complete(report), out);
}
