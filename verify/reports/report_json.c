#include "reports/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_number.h"
#include "base/json_text.h"
#include "reports/json_worst.h"

static json_t *json_spec(const rpp_spec *spec) {
  char text[RPP_SPEC_TEXT];
  rpp_spec_print(spec, text);
  return json_string(text);
}

static json_t *json_failure(const rpp_report_kernel *kernel, const rpp_report_failure *f) {
  char line[RPP_REPORT_LINE];
  const rpp_verdict *v = &f->verdict;
  rpp_report_replay(kernel, f, line);
  json_t *shrunk =
      json_pack("{s:o, s:o, s:i, s:i, s:o, s:I, s:o}", "case", json_spec(&f->spec), "gate", rpp_json_gate(v->outcome, v->gate),
                "signal", v->signal, "exit_status", v->exit_status, "message", rpp_json_text_or_null(v->message.text), "elements",
                (json_int_t)v->elements, "worst", rpp_json_worst(v));
  return json_pack("{s:I, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o}", "index", (json_int_t)f->index, "case", json_spec(&f->drawn),
                   "outcome", rpp_names_get(rpp_names_outcome, f->outcome), "gate", rpp_json_gate(f->outcome, f->gate),
                   "reproduced", (int)f->reproduced, "shrunk", shrunk, "replay", rpp_json_text(line), "file",
                   rpp_json_text_or_null(f->file), "explanation", rpp_json_text_or_null(f->explanation.text));
}

static json_t *json_gates(const rpp_report_kernel *kernel) {
  json_t *gates = json_object();
  for (int g = 0; g < RPP_GATES; g++) {
    const rpp_report_worst *w = &kernel->worst[g];
    json_t *value = w->ratio == -1 ? json_null()
                                   : json_pack("{s:o, s:I, s:o}", "worst", rpp_json_number(w->ratio), "index", (json_int_t)w->index,
                                               "case", json_spec(&w->spec));
    json_object_set_new(gates, rpp_names_get(rpp_names_gate, g), value);
  }
  return gates;
}

static json_t *json_kernel(const rpp_report_kernel *kernel) {
  json_t *outcomes = json_object(), *reasons = json_array(), *failures = json_array();
  for (int i = 0; i < RPP_OUTCOMES; i++)
    json_object_set_new(outcomes, rpp_names_get(rpp_names_outcome, i), json_integer(kernel->outcomes[i]));
  for (int i = 0; i < kernel->reason_count; i++)
    json_array_append_new(reasons, json_pack("{s:o, s:I}", "reason", rpp_json_text_or_null(kernel->reasons[i].text.text), "cases",
                                             (json_int_t)kernel->reasons[i].count));
  for (int i = 0; i < kernel->failure_count; i++) json_array_append_new(failures, json_failure(kernel, &kernel->failures[i]));
  return json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "name", rpp_json_text_or_null(kernel->name),
                   "contract", rpp_json_text_or_null(kernel->contract), "pass", (int)rpp_report_kernel_pass(kernel), "cases",
                   (json_int_t)rpp_report_cases(kernel), "supported", (json_int_t)rpp_report_supported(kernel), "failed",
                   (json_int_t)rpp_report_failures(kernel), "skipped", (json_int_t)kernel->skipped, "elements",
                   (json_int_t)kernel->elements, "outcomes", outcomes, "unsupported", reasons, "swept",
                   rpp_swept_json(&kernel->swept), "gates", json_gates(kernel), "failures", failures);
}

void rpp_report_json(const rpp_report *report, FILE *out) {
  const rpp_report_plan *plan = &report->plan;
  json_t *kernels = json_array(), *names = json_array(), *present = json_array();
  for (int k = 0; k < report->kernel_count; k++) {
    json_array_append_new(names, rpp_json_text_or_null(report->kernels[k].name));
    json_array_append_new(kernels, json_kernel(&report->kernels[k]));
  }
  const bool whole = plan->shards == 1; /* also when merged: present then still has the parts */
  for (int64_t i = 0; i < plan->shards; i++)
    if (whole || report->present[i]) json_array_append_new(present, json_integer(i + 1));
  json_t *campaign =
      json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "command", plan->command, "seed", (json_int_t)plan->seed, "cases",
                plan->cases < 0 ? json_null() : json_integer(plan->cases), "seconds",
                plan->seconds > 0 ? rpp_json_number(plan->seconds) : json_null(), "only", rpp_json_text_or_null(plan->only),
                "kernels", names, "shards", (json_int_t)plan->shards, "present", present);
  json_t *all =
      json_pack("{s:s, s:s, s:o, s:b, s:b, s:i, s:o, s:{s:o}}", "program", "ropepp-verify", "version", RPP_VERSION, "campaign",
                campaign, "pass", rpp_report_status(report) == 0, "complete", (int)rpp_report_complete(report), "interrupted",
                report->interrupted, "kernels", kernels, "time", "seconds", rpp_json_number(report->elapsed_s));
  json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  fputc('\n', out);
  json_decref(all);
}
