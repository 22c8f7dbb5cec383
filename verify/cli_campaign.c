#include "cli_campaign.h"

#include <limits.h>
#include <string.h>

#include "judge/failure_file.h"

error_t rpp_cli_draw(rpp_campaign *campaign, bool *cases_given, int key, char *value, struct argp_state *state) {
  rpp_message error;
  int64_t jobs;
  switch (key) {
  case RPP_CLI_CASES:
    campaign->plan.cases = rpp_cli_integer("--cases", value, 0, state);
    *cases_given = true;
    return 0;
  case RPP_CLI_SECONDS:
    campaign->plan.seconds = rpp_cli_seconds("--seconds", value, state);
    return 0;
  case RPP_CLI_SEED:
    campaign->plan.seed = (uint64_t)rpp_cli_integer("--seed", value, 0, state);
    return 0;
  case RPP_CLI_ONLY:
    if (strlen(value) >= sizeof campaign->plan.only) rpp_refuse(state, "--only: is too long");
    if (!rpp_spec_parse_only(value, &campaign->base, campaign->fixed, &error)) rpp_refuse(state, "--only: %s", error.text);
    strcpy(campaign->plan.only, value);
    return 0;
  case 'j':
    jobs = rpp_cli_integer("--jobs", value, 1, state);
    campaign->pool.lanes = jobs < INT_MAX ? (int)jobs : INT_MAX;
    return 0;
  case ARGP_KEY_END:
    if (!*cases_given && campaign->plan.seconds > 0) campaign->plan.cases = -1;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

int rpp_cli_campaign_run(const rpp_campaign *campaign, const rpp_cli_asked *asked) {
  const char *command = campaign->plan.command;
  rpp_corpus failures = {0};
  rpp_report report;
  rpp_message error;
  rpp_campaign saving = *campaign;
  saving.pool.save = rpp_failure_file_write;
  saving.pool.folder = asked->folder;
  if (!rpp_campaign_run(&saving, &report, &failures, &error)) {
    rpp_corpus_free(&failures);
    return rpp_cli_complain(command, "", &error);
  }
  int status = rpp_cli_deliver(command, &report, asked->format, asked->folder);
  if (asked->folder != NULL && failures.count > 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/corpus.txt", asked->folder);
    if (!rpp_corpus_append(&failures, path, campaign->names, &error)) status = rpp_cli_complain(command, "", &error);
  }
  rpp_corpus_free(&failures);
  rpp_report_free(&report);
  return status;
}
