/* detection_run.c: `ropepp-verify detection`: the plants of selftest, its cases, our gates, and other projects' rules beside
 * them. */
#include <stdlib.h>

#include "cli.h"
#include "command.h"
#include "judge/rules.h"
#include "plants/cast.h"
#include "workers/campaign.h"

/* What a verdict says here. */
typedef struct {
  bool ran, failed, died; /* not declined; by our gates; no test program survives it, or it returned an error */
  unsigned rules;         /* bit i: rpp_rules[i] fails the case */
  rpp_outcome outcome;
  rpp_gate gate;
} sight;

typedef struct {
  const rpp_cast *cast;
  int64_t rounds;
  sight *sights; /* (count, rounds) */
} table;

static void observe(void *observer, int64_t round, int kernel, const rpp_verdict *v) {
  const table *t = observer;
  const bool died = v->outcome == RPP_OUTCOME_CRASH || v->outcome == RPP_OUTCOME_EXIT || v->outcome == RPP_OUTCOME_HANG;
  t->sights[kernel * t->rounds + round] = (sight){.ran = v->outcome != RPP_OUTCOME_UNSUPPORTED,
                                                  .failed = rpp_verdict_fails(v),
                                                  .died = died || v->outcome == RPP_OUTCOME_REFUSED,
                                                  .rules = v->compared ? v->rules_failed : 0,
                                                  .outcome = v->outcome,
                                                  .gate = v->gate};
}

typedef struct {
  int64_t ran, ours, first, rules[RPP_RULES]; /* cases; first: of our failures, from 1 */
  const sight *first_sight;
} row;

/* A plant's cases that a rule fails, but not the same case of the kernel without the fault (twin; negative: a clean kernel's row,
 * every case that it fails). */
static row count(const table *t, int kernel, int twin) {
  row r = {0};
  for (int64_t i = 0; i < t->rounds; i++) {
    const sight *s = &t->sights[kernel * t->rounds + i];
    const unsigned alarms = twin < 0 ? 0 : t->sights[twin * t->rounds + i].rules;
    r.ran += s->ran, r.ours += s->failed;
    if (s->failed && r.first == 0) r.first = i + 1, r.first_sight = s;
    for (int rule = 0; rule < RPP_RULES; rule++) r.rules[rule] += s->died || (s->rules & ~alarms) >> rule & 1U;
  }
  return r;
}

static void print_count(int width, int64_t count) {
  if (count == 0)
    printf(" %*s", width, "-");
  else
    printf(" %*lld", width, (long long)count);
}

static void print_counts(const row *r) {
  print_count(6, r->ours);
  for (int rule = 0; rule < RPP_RULES; rule++) print_count(9, r->rules[rule]);
}

static void print_head(const char *what) {
  printf("%-26s %-19s %5s %6s", what, "first gate", "at", "ours");
  for (int rule = 0; rule < RPP_RULES; rule++) printf(" %9s", rpp_rules[rule].name);
  printf(" %6s\n", "cases");
}

static void print_row(const char *name, const row *r) {
  printf("%-26s %-19s", name, r->first == 0 ? "-" : rpp_verdict_caught_by(r->first_sight->outcome, r->first_sight->gate));
  print_count(5, r->first);
  print_counts(r);
  printf(" %6lld\n", (long long)r->ran);
}

static void print_total(const char *what, const row *total, int64_t of) {
  printf("%-52s", what);
  print_counts(total);
  printf(" %6lld\n", (long long)of);
}

/* The table; the number of cases that ran. */
static int64_t print(const table *t) {
  const rpp_cast *c = t->cast;
  row missed = {0}, alarmed = {0}, alarms = {0};
  int64_t ran = 0, clean_ran = 0;
  print_head("plant");
  for (int k = 0; k < c->count; k++) {
    const bool clean = k >= c->plants;
    const row r = count(t, k, clean ? -1 : c->twins[k]);
    if (k == c->plants) print_head("clean kernel");
    print_row(c->names[k], &r);
    ran += r.ran;
    missed.ours += !clean && r.ours == 0, alarmed.ours += clean && r.ours > 0, alarms.ours += clean ? r.ours : 0;
    for (int rule = 0; rule < RPP_RULES; rule++) {
      missed.rules[rule] += !clean && r.rules[rule] == 0;
      alarmed.rules[rule] += clean && r.rules[rule] > 0;
      alarms.rules[rule] += clean ? r.rules[rule] : 0;
    }
    clean_ran += clean ? r.ran : 0;
  }
  print_head("total");
  print_total("plants missed", &missed, c->plants);
  print_total("clean kernels failed", &alarmed, c->count - c->plants);
  print_total("their cases failed", &alarms, clean_ran);
  return ran;
}

static error_t parse(int key, char *value, struct argp_state *state) {
  int64_t *rounds = state->input;
  switch (key) {
  case 'n':
    *rounds = rpp_cli_integer("cases", value, 1, state);
    if (*rounds > 1000000) rpp_refuse(state, "--cases = %.100s: at most 1000000", value);
    return 0;
  case ARGP_KEY_ARG:
    rpp_refuse(state, "%.100s: no argument is expected", value);
    return EINVAL;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run(table *t) {
  const rpp_cast *c = t->cast;
  const rpp_campaign campaign = {
      .plan = {.command = "detection", .seed = 1, .cases = t->rounds * c->count, .shards = 1},
      .names = c->names,
      .pool = {.kernels = c->kernels, .kernel_count = c->count, .judge = rpp_judge_compared},
      .progress = true,
      .observe = observe,
      .observer = t,
  };
  rpp_message error;
  rpp_report report;
  rpp_corpus failures = {0};
  int status = RPP_EXIT_USAGE;
  if (rpp_campaign_run(&campaign, &report, &failures, &error)) {
    const int64_t ran = print(t);
    status = report.interrupted ? 128 + report.interrupted : ran > 0 ? 0 : 1;
    rpp_report_free(&report);
  } else
    rpp_cli_complain("detection", "", &error);
  rpp_corpus_free(&failures);
  return status;
}

int rpp_main_detection(int argc, char **argv) {
  static const struct argp_option options[] = {{"cases", 'n', "N", 0, "cases a kernel gets (default: 500, as in selftest)", 0},
                                               {0}};
  int64_t rounds = RPP_CAST_ROUNDS;
  rpp_cast cast;
  rpp_cli_parse(
      NULL,
      "Applies the pass or fail rules of other projects' tests to what the planted and the clean kernels return. A plant's row "
      "counts the cases that a rule fails while it passes the same kernel without the fault; a clean kernel's row, every "
      "case that it fails. See notes/detection.md.",
      options, parse, argc, argv, &rounds);
  if (!rpp_cast_gather(&cast, false, true)) return EXIT_FAILURE;
  table t = {.cast = &cast, .rounds = rounds, .sights = calloc((size_t)(cast.count * rounds), sizeof(sight))};
  const int status = t.sights ? run(&t) : EXIT_FAILURE;
  free(t.sights);
  rpp_cast_free(&cast);
  return status;
}
