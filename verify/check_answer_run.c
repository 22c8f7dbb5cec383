#include "check_answer_run.h"

#include <inttypes.h>
#include <math.h>

#include "base/json_number.h"
#include "base/json_text.h"
#include "reports/json_worst.h"
#include "reports/report_text.h"

enum { EXIT_PASS = 0, EXIT_MISMATCH = 1, EXIT_BAD = 2 };

/* ---- Human --------------------------------------------------------------------------------------------------------------- */

/* A path as it is, apart from what a terminal would obey. */
static void put_path(const char *path, FILE *out) {
  for (; *path != '\0'; path++) fputc((unsigned char)*path < ' ' || *path == 0x7f ? '?' : *path, out);
}

static void print_head(const rpp_check_asked *asked, const rpp_check_judged *j, FILE *out) {
  char contract[RPP_CONTRACT_TEXT];
  rpp_contract_print(&j->contract, contract);
  fputs("case      ", out);
  put_path(asked->case_path, out);
  fprintf(out, "%s%s\nanswer    ", *j->taken != '\0' ? ": " : "", j->taken);
  put_path(asked->answer_path != NULL ? asked->answer_path : asked->case_path, out);
  fprintf(out, ": %s\ncontract  %s%s\n", j->arrays, contract,
          asked->contract == NULL ? "\n          (the default for out's dtype; --contract says another)" : "");
}

static void print_gates(const rpp_check_judged *j, FILE *out) {
  fprintf(out, "%-22s largest error/bound\n", "gate");
  for (int g = 0; g < RPP_GATES; g++) {
    fprintf(out, "%-22s ", rpp_names_get(rpp_names_gate, g));
    if (j->verdict.ratio[g] == -1)
      fprintf(out, "%s\n",
              g >= RPP_GATE_STATISTICAL && !j->statistical ? "- (for values known to be independent and random)" : "-");
    else
      fprintf(out, "%.3g\n", j->verdict.ratio[g]);
  }
}

static void print_failure(const rpp_check_judged *j, FILE *out) {
  rpp_message what;
  if (j->verdict.elements == 0) {
    fputs("FAIL: no element to judge\n", out);
    return;
  }
  rpp_report_what(&j->verdict, &what);
  fprintf(out, "FAIL: %s\n  ", what.text);
  rpp_report_worst_line(&j->verdict, out);
  fputc('\n', out);
  if (j->nan > 0) fprintf(out, "  NaN in %" PRId64 " element%s of the answer\n", j->nan, j->nan == 1 ? "" : "s");
  if (*j->explanation.text != '\0') fprintf(out, "  %s%s\n", j->likely ? "probably: " : "", j->explanation.text);
}

static void print_human(const rpp_check_asked *asked, const rpp_check_judged *j, FILE *out) {
  print_head(asked, j, out);
  print_gates(j, out);
  if (!j->lse) fputs("lse is not in the answer, and not judged\n", out);
  if (j->rows < j->queries)
    fprintf(out, "%" PRId64 " of %" PRId64 " query rows were judged, as the case asks\n", j->rows, j->queries);
  if (!j->pass) print_failure(j, out);
  fprintf(out, "%" PRId64 " elements: %s\n", j->verdict.elements, j->pass ? "pass" : "FAIL");
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

static json_t *json_gates(const rpp_verdict *v) {
  json_t *gates = json_object();
  for (int g = 0; g < RPP_GATES; g++)
    json_object_set_new(gates, rpp_names_get(rpp_names_gate, g), v->ratio[g] == -1 ? json_null() : rpp_json_number(v->ratio[g]));
  return gates;
}

static json_t *json_judged(const rpp_check_judged *j) {
  char contract[RPP_CONTRACT_TEXT];
  const rpp_verdict *v = &j->verdict;
  rpp_contract_print(&j->contract, contract);
  return json_pack("{s:o, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "name", rpp_json_text_or_null(j->taken),
                   "tensors", j->arrays, "contract", contract, "outcome", rpp_names_get(rpp_names_outcome, (int)v->outcome), "gate",
                   rpp_json_gate(v->outcome, v->gate), "elements", (json_int_t)v->elements, "rows", (json_int_t)j->rows, "nan",
                   (json_int_t)j->nan, "pass", (int)j->pass, "gates", json_gates(v), "worst", rpp_json_worst(v), "explanation",
                   rpp_json_text_or_null(j->explanation.text));
}

/* One case, as a check of cases reports it. */
static void print_json(const rpp_check_asked *asked, json_t *judged, bool pass, FILE *out) {
  json_t *one = json_pack("{s:o, s:o}", "file", rpp_json_text(asked->case_path), "answer",
                          rpp_json_text(asked->answer_path != NULL ? asked->answer_path : asked->case_path));
  json_object_update(one, judged);
  json_t *report = json_pack("{s:[o], s:b}", "cases", one, "pass", (int)pass);
  json_dumpf(report, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
  fputc('\n', out);
  json_decref(report);
}

/* ---- The command --------------------------------------------------------------------------------------------------------- */

int rpp_check_answer_run(const rpp_check_asked *asked, rpp_format format, FILE *out) {
  rpp_check_judged judged;
  rpp_message error;
  const bool good = rpp_check_answer(asked, &judged, &error);
  if (!good) {
    fflush(out);
    fputs("ropepp-verify: check: ", stderr);
    if (judged.bad != NULL) put_path(judged.bad, stderr);
    fprintf(stderr, "%s%s\n", judged.bad != NULL ? ": " : "", error.text);
  }
  if (format == RPP_FORMAT_JSON) {
    json_t *text = good ? json_judged(&judged) : json_pack("{s:b, s:s}", "pass", 0, "error", error.text);
    print_json(asked, text, good && judged.pass, out);
    json_decref(text);
  } else if (good)
    print_human(asked, &judged, out);
  return !good ? EXIT_BAD : judged.pass ? EXIT_PASS : EXIT_MISMATCH;
}
