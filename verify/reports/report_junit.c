#include "reports/report_text.h"

#include <inttypes.h>
#include <stdlib.h>

/* XML 1.0 has no control characters but tab and line ends, and everything else that we print is ASCII. */
static void print_escaped(const char *text, FILE *out) {
  for (; *text != '\0'; text++) switch (*text) {
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    default:
      fputc((*text >= ' ' && *text <= '~') || *text == '\n' ? *text : '?', out);
    }
}

static bool severe(const rpp_report_kernel *kernel) {
  for (int i = 0; i < RPP_OUTCOMES; i++)
    if (rpp_outcome_severe((rpp_outcome)i) && kernel->outcomes[i] > 0) return true;
  return false;
}

/* JUnit tells failures, a wrong answer, from errors, a program that broke. */
static void print_kernel(const rpp_report *report, const rpp_report_kernel *kernel, FILE *out) {
  const char *element = severe(kernel) ? "error" : "failure";
  const bool pass = rpp_report_kernel_pass(kernel) && rpp_report_complete(report);
  rpp_message why;
  char *text = NULL;
  size_t size = 0;
  rpp_report_why(kernel, &why);
  fprintf(out, "    <testcase classname=\"ropepp-verify.%s\" name=\"", report->plan.command);
  print_escaped(kernel->name, out);
  fprintf(out, "\" assertions=\"%" PRId64 "\">\n", kernel->elements);
  if (!pass) {
    fprintf(out, "      <%s message=\"", element);
    print_escaped(*why.text ? why.text : "incomplete", out);
    fputs("\">", out);
    FILE *lines = open_memstream(&text, &size);
    for (int i = 0; lines != NULL && i < kernel->failure_count; i++)
      rpp_report_failure_lines(kernel, &kernel->failures[i], "", lines);
    if (lines != NULL) fclose(lines);
    if (text != NULL) print_escaped(text, out);
    free(text);
    fprintf(out, "</%s>\n", element);
  }
  fprintf(out, "      <system-out>%" PRId64 " cases, %" PRId64 " supported\n", rpp_report_cases(kernel),
          rpp_report_supported(kernel));
  for (int i = 0; i < kernel->reason_count; i++) {
    fprintf(out, "%" PRId64 " unsupported: ", kernel->reasons[i].count);
    print_escaped(kernel->reasons[i].text.text, out);
    fputc('\n', out);
  }
  for (int g = 0; g < RPP_GATES; g++)
    if (kernel->worst[g].ratio != -1)
      fprintf(out, "worst error/bound, %s gate: %.3g\n", rpp_names_get(rpp_names_gate, g), kernel->worst[g].ratio);
  fputs("</system-out>\n    </testcase>\n", out);
}

void rpp_report_junit(const rpp_report *report, FILE *out) {
  int failures = 0, errors = 0;
  for (int k = 0; k < report->kernel_count; k++) {
    const bool pass = rpp_report_kernel_pass(&report->kernels[k]) && rpp_report_complete(report);
    errors += !pass && severe(&report->kernels[k]);
    failures += !pass && !severe(&report->kernels[k]);
  }
  fprintf(out,
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"ropepp-verify %s\" tests=\"%d\" "
          "failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n",
          report->plan.command, report->kernel_count, failures, errors, report->elapsed_s);
  for (int k = 0; k < report->kernel_count; k++) print_kernel(report, &report->kernels[k], out);
  fputs("  </testsuite>\n</testsuites>\n", out);
}
