/* fuzz_run.c: `ropepp-verify fuzz`. */
#include "cli_campaign.h"
#include "command.h"
#include "explain/explain.h"
#include "program/aside.h"

enum { DEFAULT_CASES = 4000, DEFAULT_SEED = 1, KEY_SHARD = RPP_CLI_FIRST_FREE_KEY };

typedef struct {
  rpp_campaign campaign;
  bool cases_given;
  rpp_cli_asked asked; /* arguments: kernels */
} options;

static const struct argp_option table[] = {
    RPP_CLI_DRAW_OPTIONS("cases over all kernels and shards (default 4000; no limit with --seconds alone)"),
    {"shard", KEY_SHARD, "I/N", 0, "only every N-th spec, from the I-th; `ropepp-verify merge` joins the reports", 0},
    RPP_CLI_KERNEL_OPTION,
    {"format", 'f', "FORMAT", 0, "human (default), json, tap or junit, on standard output", 0},
    {"output", 'o', "DIR", 0,
     "also write DIR/report.json, .tap and .xml, DIR/KERNEL-N.safetensors of failures, and add them all to DIR/corpus.txt", 0},
    {0}};

static error_t parse(int key, char *value, struct argp_state *state) {
  options *o = state->input;
  if (key == KEY_SHARD) {
    rpp_cli_shard(value, &o->campaign.shard, &o->campaign.plan.shards, state);
    return 0;
  }
  const error_t taken = rpp_cli_draw(&o->campaign, &o->cases_given, key, value, state);
  return taken == ARGP_ERR_UNKNOWN ? rpp_cli_ask(&o->asked, key, value, state) : taken;
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
      "Holds kernels against the truth on random cases, in processes of their own. Without KERNEL, those that run on "
      "this CPU; `simt:` and `cuda:` stand for all of theirs, and a path for a plug-in, as --kernel takes it.",
      table, parse, argc, argv, &o);
  if (o.asked.folder != NULL && !rpp_folder_make(o.asked.folder, &error)) return rpp_cli_complain("fuzz", "", &error);
  if (!rpp_cli_kernels_find(o.asked.argument_count, o.asked.arguments, &o.asked.plugins, &found, &error))
    return rpp_cli_complain("fuzz", "", &error);
  o.campaign.names = found.names;
  o.campaign.pool.kernels = found.kernels;
  o.campaign.pool.kernel_count = found.count;
  const int status = rpp_cli_campaign_run(&o.campaign, &o.asked);
  rpp_cli_kernels_free(&found);
  return status;
}
