/* campaign.h: many cases for several kernels, in worker processes, and what became of them in one report.
 *
 * Case number i of a campaign of K kernels is spec number i / K for kernel i % K; shard number s of n has the specs s, s + n, s +
 * 2n, ... for every kernel, so that shards are disjoint and cover everything whatever n and K. Verdicts are added in the order of
 * i, whichever comes first: a report depends on the plan alone. */
#ifndef RPP_CAMPAIGN_H
#define RPP_CAMPAIGN_H
#include "cases/corpus.h"
#include "explain/shrink.h"
#include "reports/report.h"
#include "workers/worker.h"

/* After so many hangs a kernel's other cases are not run: each hang takes seconds. */
enum { RPP_CAMPAIGN_HANGS = 2 };

typedef struct {
  rpp_report_plan plan;
  int64_t shard;                    /* from 0 */
  const char *const *names;         /* of the kernels of the pool, as on the command line */
  const rpp_report_command *replay; /* one each, or null: all are found by name */
  rpp_pool_options pool;

  /* Where specs come from: a list, or else rpp_spec_draw with these keys fixed, and dtype and angles, where not among them,
   * as the kernel's contract has them. */
  const rpp_corpus *list;
  rpp_spec base;
  const char *fixed[RPP_SPEC_KEYS];

  rpp_shrinker *shrink; /* rpp_shrink; null: nothing is shrunk */
  bool first_failure;   /* a kernel's first failure ends its cases: for kernels that are meant to fail */
  bool progress;        /* on stderr */

  /* Called with every verdict that is added to the report, in the order of i; null: nobody wants to know. */
  void (*observe)(void *observer, int64_t round, int kernel, const rpp_verdict *verdict);
  void *observer;
} rpp_campaign;

/* Spec number round for a kernel. */
rpp_spec rpp_campaign_spec(const rpp_campaign *campaign, int64_t round, int kernel);

/* Runs a campaign from start to end or to an interrupt. corpus: gets every failure, shrunk where that was done. False, with a
 * message, when memory or processes are out; else the report is to be freed. */
bool rpp_campaign_run(const rpp_campaign *campaign, rpp_report *report, rpp_corpus *corpus, rpp_message *error);

#endif
