/* cli_campaign.h: what the commands that draw cases, fuzz and exec, share. */
#ifndef RPP_CLI_CAMPAIGN_H
#define RPP_CLI_CAMPAIGN_H
#include "cli.h"
#include "workers/campaign.h"

enum { RPP_CLI_CASES = 0x100, RPP_CLI_SECONDS, RPP_CLI_SEED, RPP_CLI_ONLY, RPP_CLI_FIRST_FREE_KEY };

/* Rows of an option table; first_cases: the words of how many there are by default. */
#define RPP_CLI_DRAW_OPTIONS(first_cases)                                                                                          \
  {"cases", RPP_CLI_CASES, "N", 0, first_cases, 0}, {"seconds", RPP_CLI_SECONDS, "S", 0, "start no case after S seconds", 0},      \
      {"seed", RPP_CLI_SEED, "N", 0, "of the campaign (default 1)", 0},                                                            \
      {"only", RPP_CLI_ONLY, "SPEC", 0, "keys that every case has as given, as ec:dtype=bf16 or mask=full", 0}, {                  \
    "jobs", 'j', "N", 0, "cases judged at a time (default: what there are CPUs for, at most 8)", 0                                 \
  }

/* Takes one of their keys, and at the end lets --seconds alone mean that no number of cases is asked for; ARGP_ERR_UNKNOWN for any
 * other key. cases_given starts as false. */
error_t rpp_cli_draw(rpp_campaign *campaign, bool *cases_given, int key, char *value, struct argp_state *state);

/* Runs a campaign, prints and saves its report, and adds its failures to corpus.txt in the folder that was asked for, if any. Returns the
 * exit status. */
int rpp_cli_campaign_run(const rpp_campaign *campaign, const rpp_cli_asked *asked);

#endif
