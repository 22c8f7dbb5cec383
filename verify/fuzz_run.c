/* fuzz_run.c: `ropepp-verify fuzz`. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "explain/explain.h"
#include "program/aside.h"
#include "workers/campaign.h"

enum { DEFAULT_CASES = 4000, DEFAULT_SEED = 1, KEY_CASES = 0x100, KEY_SECONDS, KEY_SEED, KEY_SHARD, KEY_ONLY };

typedef struct {
  rpp_campaign campaign;
  bool cases_given;
  rpp_cli_asked asked; /* arguments: kernels */
} options;

static const struct argp_option table[] = {
    {"cases", KEY_CASES, "N", 0, "cases over all kernels and shards (default 4000; no limit with --seconds alone)", 0},
    {"seconds", KEY_SECONDS, "S", 0, "start no case after S seconds", 0},
    {"seed", KEY_SEED, "N", 0, "of the campaign (default 1)", 0},
    {"shard", KEY_SHARD, "I/N", 0, "only every N-th spec, from the I-th; `ropepp-verify merge` joins the reports", 0},
    {"only", KEY_ONLY, "SPEC", 0, "keys that every case has as given, as ec:dtype=bf16 or mask=full", 0},
    {"jobs", 'j', "N", 0, "cases judged at a time (default: what there are CPUs for, at most 8)", 0},
    RPP_CLI_KERNEL_OPTION,
    {"format", 'f', "FORMAT", 0, "human (default), json, tap or junit, on standard output", 0},
    {"output", 'o', "DIR", 0, "also write DIR/report.json, .tap and .xml, and add every failure to DIR/corpus.txt", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  rpp_campaign *c = &o->campaign;
  rpp_message error;
  int64_t jobs;
  switch (key) {
  case KEY_CASES:
    c->plan.cases = rpp_cli_integer("--cases", value, 0, state);
    o->cases_given = true;
    return 0;
  case KEY_SECONDS:
    c->plan.seconds = rpp_cli_seconds("--seconds", value, state);
    return 0;
  case KEY_SEED:
    c->plan.seed = (uint64_t)rpp_cli_integer("--seed", value, 0, state);
    return 0;
  case KEY_SHARD:
    rpp_cli_shard(value, &c->shard, &c->plan.shards, state);
    return 0;
  case KEY_ONLY:
    if (strlen(value) >= sizeof c->plan.only) rpp_refuse(state, "--only: is too long");
    if (!rpp_spec_parse_only(value, &c->base, c->fixed, &error)) rpp_refuse(state, "--only: %s", error.text);
    strcpy(c->plan.only, value);
    return 0;
  case 'j':
    jobs = rpp_cli_integer("--jobs", value, 1, state);
    c->pool.lanes = jobs < INT_MAX ? (int)jobs : INT_MAX;
    return 0;
  case ARGP_KEY_END:
    if (!o->cases_given && c->plan.seconds > 0) c->plan.cases = -1;
    return 0;
  default:
    return rpp_cli_ask(&o->asked, key, value, state);
  }
}

static int run(options *o, const rpp_cli_kernels *found) {
  rpp_corpus failures = {0};
  rpp_report report;
  rpp_message error;
  o->campaign.names = found->names;
  o->campaign.pool.kernels = found->kernels;
  o->campaign.pool.kernel_count = found->count;
  if (!rpp_campaign_run(&o->campaign, &report, &failures, &error)) {
    rpp_corpus_free(&failures);
    return rpp_cli_complain("fuzz", "", &error);
  }
  int status = rpp_cli_deliver("fuzz", &report, o->asked.format, o->asked.folder);
  if (o->asked.folder != NULL && failures.count > 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/corpus.txt", o->asked.folder);
    if (!rpp_corpus_append(&failures, path, found->names, &error)) status = rpp_cli_complain("fuzz", "", &error);
  }
  rpp_corpus_free(&failures);
  rpp_report_free(&report);
  return status;
}

int rpp_main_fuzz(int argc, char **argv) {
  options o = {.campaign = {.plan = {.command = "fuzz", .seed = DEFAULT_SEED, .cases = DEFAULT_CASES, .shards = 1},
                            .pool = {.judge = rpp_judge_case, .explain = rpp_explain},
                            .shrink = rpp_shrink,
                            .progress = true}};
  rpp_cli_kernels found;
  rpp_message error;
  rpp_cli_parse(
      "[KERNEL...]",
      "Holds kernels against the truth on random cases, each run in a process of its own. Without KERNEL, those that run on "
      "this CPU; `simt:` and `cuda:` stand for all of theirs, and a path for a plug-in, as --kernel takes it.",
      table, parse, argc, argv, &o);
  if (o.asked.folder != NULL && !rpp_folder_make(o.asked.folder, &error)) return rpp_cli_complain("fuzz", "", &error);
  if (!rpp_cli_kernels_find(o.asked.argument_count, o.asked.arguments, &o.asked.plugins, &found, &error))
    return rpp_cli_complain("fuzz", "", &error);
  const int status = run(&o, &found);
  rpp_cli_kernels_free(&found);
  return status;
}
