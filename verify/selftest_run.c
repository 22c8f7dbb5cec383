/* selftest_run.c: `ropepp-verify selftest`: every planted bug must be caught, every clean kernel must pass the same cases. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "explain/explain.h"
#include "plants/cast.h"
#include "workers/campaign.h"

static const char *caught_by(const rpp_report_failure *f) {
  return rpp_verdict_caught_by(f->outcome, f->gate);
}

/* What is known of a failure: its explanation, or what the kernel, or a sanitizer that ended it, reported. */
static const char *said(const rpp_report_failure *f) {
  const bool reported = f->verdict.outcome == RPP_OUTCOME_REFUSED || rpp_outcome_severe(f->verdict.outcome);
  return f->explanation.text[0] || !reported ? f->explanation.text : f->verdict.message.text;
}

/* Whether that is what the plant asks for. A sanitizer's report comes before others and is as good. */
static bool explained(const rpp_plant *plant, const rpp_report_failure *f) {
  const char *asked = plant->report ? plant->report : plant->explanation;
  return !asked || strstr(said(f), asked) != NULL || strstr(said(f), "Sanitizer") != NULL;
}

typedef struct {
  int missed, unexplained, alarms; /* plants and clean kernels that are not as they should be */
  bool gate_earned[RPP_GATES];     /* it caught at least one plant that no gate before it did */
  bool interrupted;
} tally;

static tally count(const rpp_cast *c, const rpp_report *report) {
  tally t = {.interrupted = report->interrupted != 0};
  for (int i = 0; i < c->count; i++) {
    const rpp_report_kernel *k = &report->kernels[i];
    if (i >= c->plants) {
      t.alarms += !rpp_report_kernel_pass(k);
      continue;
    }
    t.missed += k->failure_count == 0;
    if (k->failure_count == 0) continue;
    t.unexplained += !explained(c->planted[i], &k->failures[0]);
    if (k->failures[0].outcome == RPP_OUTCOME_MISMATCH) t.gate_earned[k->failures[0].gate] = true;
  }
  return t;
}

static bool passes(const tally *t) {
  bool earned = true;
  for (int gate = 0; gate < RPP_GATES; gate++) earned &= t->gate_earned[gate];
  return !t->interrupted && earned && t->missed == 0 && t->unexplained == 0 && t->alarms == 0;
}

static void print_human(const rpp_cast *c, const rpp_report *report, const tally *t) {
  char shrunk[RPP_SPEC_TEXT];
  printf("%-24s %-20s %6s  %s\n", "plant", "caught by", "cases", "shrunk case, explanation");
  for (int i = 0; i < c->plants; i++) {
    const rpp_report_kernel *k = &report->kernels[i];
    const rpp_report_failure *f = &k->failures[0];
    if (k->failure_count == 0) {
      printf("%-24s %-20s %6lld\n", c->names[i], "MISSED", (long long)rpp_report_cases(k));
      continue;
    }
    rpp_spec_print(&f->spec, shrunk);
    printf("%-24s %-20s %6lld  %s\n", c->names[i], caught_by(f), (long long)rpp_report_cases(k), shrunk);
    if (said(f)[0] || !explained(c->planted[i], f))
      printf("%-53s %s%s\n", "", said(f), explained(c->planted[i], f) ? "" : "  (NOT AS EXPECTED)");
  }
  printf("%-24s %-20s %6s\n", "clean kernel", "", "cases");
  for (int i = c->plants; i < c->count; i++) {
    const rpp_report_kernel *k = &report->kernels[i];
    printf("%-24s %-20s %6lld\n", c->names[i], rpp_report_kernel_pass(k) ? "pass" : "FALSE ALARM", (long long)rpp_report_cases(k));
  }
  for (int gate = 0; gate < RPP_GATES; gate++)
    if (!t->gate_earned[gate]) printf("no plant was caught by the %s gate first\n", rpp_names_get(rpp_names_gate, gate));
  printf("%d plants, %d missed, %d not explained as they should be; %d clean kernels, %d false alarms: %s\n", c->plants, t->missed,
         t->unexplained, c->count - c->plants, t->alarms,
         t->interrupted ? "interrupted"
         : passes(t)    ? "pass"
                        : "FAIL");
}

static json_t *json_plant(const rpp_cast *c, const rpp_report *report, int i) {
  const rpp_report_kernel *k = &report->kernels[i];
  const rpp_report_failure *f = &k->failures[0];
  char shrunk[RPP_SPEC_TEXT];
  if (k->failure_count == 0)
    return json_pack("{s:s, s:b, s:n, s:I, s:n, s:n}", "name", c->names[i], "caught", 0, "gate", "cases",
                     (json_int_t)rpp_report_cases(k), "shrunk", "explanation");
  rpp_spec_print(&f->spec, shrunk);
  return json_pack("{s:s, s:b, s:s, s:I, s:s, s:s}", "name", c->names[i], "caught", 1, "gate", caught_by(f), "cases",
                   (json_int_t)rpp_report_cases(k), "shrunk", shrunk, "explanation", said(f));
}

static void print_json(const rpp_cast *c, const rpp_report *report, const tally *t) {
  json_t *plants = json_array(), *clean = json_array();
  for (int i = 0; i < c->plants; i++) json_array_append_new(plants, json_plant(c, report, i));
  for (int i = c->plants; i < c->count; i++)
    json_array_append_new(clean, json_pack("{s:s, s:b, s:I}", "name", c->names[i], "pass",
                                           (int)rpp_report_kernel_pass(&report->kernels[i]), "cases",
                                           (json_int_t)rpp_report_cases(&report->kernels[i])));
  json_t *all = json_pack("{s:o, s:o, s:b}", "plants", plants, "clean", clean, "pass", (int)passes(t));
  json_dumpf(all, stdout, JSON_INDENT(1));
  putchar('\n');
  json_decref(all);
}

static error_t parse(int key, char *value, struct argp_state *state) {
  rpp_format *format = state->input;
  switch (key) {
  case 'f':
    *format = rpp_cli_basic_format(value, state);
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%.100s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_main_selftest(int argc, char **argv) {
  static const struct argp_option table[] = {{"format", 'f', "FORMAT", 0, "human (default) or json", 0}, {0}};
  rpp_format format = RPP_FORMAT_HUMAN;
  rpp_message error;
  rpp_report report;
  rpp_corpus failures = {0};
  rpp_cast c;
  rpp_cli_parse(NULL, "Every planted bug must be caught and explained, every clean kernel must pass the same cases.", table, parse,
                argc, argv, &format);
  if (!rpp_cast_gather(&c, true, false)) return EXIT_FAILURE;
  const rpp_campaign campaign = {
      .plan = {.command = "selftest", .seed = 1, .cases = (int64_t)RPP_CAST_ROUNDS * c.count, .shards = 1},
      .names = c.names,
      .pool = {.kernels = c.kernels, .kernel_count = c.count, .judge = rpp_judge_case, .explain = rpp_explain},
      .shrink = rpp_shrink,
      .first_failure = true,
      .progress = true,
  };
  int status = RPP_EXIT_USAGE;
  if (rpp_campaign_run(&campaign, &report, &failures, &error)) {
    const tally t = count(&c, &report);
    if (format == RPP_FORMAT_JSON)
      print_json(&c, &report, &t);
    else
      print_human(&c, &report, &t);
    status = report.interrupted ? 128 + report.interrupted : passes(&t) ? 0 : 1;
    rpp_report_free(&report);
  } else
    rpp_cli_complain("selftest", "", &error);
  rpp_corpus_free(&failures);
  rpp_cast_free(&c);
  return status;
}
