#include "workers/campaign.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "workers/interrupt.h"
#include "workers/investigate.h"
#include "workers/progress.h"

/* How far verdicts may run ahead of the first that is missing: one long case holds up nothing but the adding. */
enum { WINDOW = 1024 };

typedef struct {
  bool done, skipped;
  int64_t index;
  rpp_spec spec;
  rpp_verdict verdict;
} slot;

typedef struct {
  const rpp_campaign *campaign;
  rpp_report *report;
  rpp_corpus *corpus;
  rpp_pool *pool;
  slot *slots;          /* case number n of this shard is in slot n % WINDOW */
  uint64_t next, added; /* the next case to start, the next to add */
  bool started_all;
  double start;
  rpp_progress progress;
} run;

/* Adds a key to those that are fixed; false when it was fixed already. */
static bool fix(const char **fixed, const char *key) {
  int count = 0;
  for (; fixed[count] != NULL; count++)
    if (strcmp(fixed[count], key) == 0) return false;
  fixed[count] = key;
  fixed[count + 1] = NULL;
  return true;
}

rpp_spec rpp_campaign_spec(const rpp_campaign *campaign, int64_t round, int kernel) {
  const rpp_contract *contract = &campaign->pool.kernels[kernel]->contract;
  const char *fixed[RPP_SPEC_KEYS + 2];
  rpp_spec base = campaign->base;
  if (campaign->list != NULL) return campaign->list->cases[round].spec;
  memcpy(fixed, campaign->fixed, sizeof campaign->fixed);
  /* Else most cases would be ones that the kernel does not take. */
  if (fix(fixed, "dtype")) base.dtype = contract->input;
  if (fix(fixed, "angles")) base.attention.rotary.angles = contract->angles;
  return rpp_spec_draw(campaign->plan.seed, (uint64_t)round, &base, fixed);
}

static bool one_thread(const rpp_pool_options *options) {
  const char *text = getenv("OMP_NUM_THREADS");
  return !options->apart && text != NULL && atoi(text) == 1;
}

/* ---- Cases in order ----------------------------------------------------------------------------------------------------- */

/* Kernel and round of case number n of this shard; its number in the campaign. */
static int64_t place(const rpp_campaign *c, uint64_t n, int *kernel, int64_t *round) {
  const int64_t kernels = c->pool.kernel_count;
  *kernel = (int)(n % (uint64_t)kernels);
  *round = c->shard + (int64_t)(n / (uint64_t)kernels) * c->plan.shards;
  return *round * kernels + *kernel;
}

/* No more of this kernel: it hangs, or has failed where that is enough. */
static bool finished(const run *r, int kernel) {
  const rpp_report_kernel *k = &r->report->kernels[kernel];
  return k->outcomes[RPP_OUTCOME_HANG] >= RPP_CAMPAIGN_HANGS || (r->campaign->first_failure && rpp_report_failures(k) > 0);
}

/* Starts the next case, or finds that there is none. */
static bool start_next(run *r, rpp_message *error) {
  const rpp_campaign *c = r->campaign;
  int kernel;
  int64_t round;
  const int64_t index = place(c, r->next, &kernel, &round);
  if ((c->plan.cases >= 0 && index >= c->plan.cases) ||
      (c->plan.seconds > 0 && rpp_clock_seconds() - r->start >= c->plan.seconds)) {
    r->started_all = true;
    return true;
  }
  slot *s = &r->slots[r->next % WINDOW];
  *s = (slot){.index = index};
  if (finished(r, kernel)) {
    s->done = s->skipped = true;
  } else {
    /* One case in four on two threads, so that races can show; replaying and shrinking try both. */
    const rpp_threads threads = c->list != NULL ? RPP_THREADS_EITHER : round % 4 == 3 ? RPP_THREADS_TWO : RPP_THREADS_ONE;
    s->spec = rpp_campaign_spec(c, round, kernel);
    if (!rpp_pool_submit(r->pool, r->next, kernel, &s->spec, threads, error)) return false;
  }
  r->next++;
  return true;
}

/* Adds every verdict that is due. */
static bool add_due(run *r, rpp_message *error) {
  for (; r->added < r->next && r->slots[r->added % WINDOW].done; r->added++) {
    const slot *s = &r->slots[r->added % WINDOW];
    const int number = (int)(r->added % (uint64_t)r->campaign->pool.kernel_count);
    rpp_report_kernel *kernel = &r->report->kernels[number];
    const rpp_corpus_case failed = {s->index, number, s->spec};
    bool good = true;
    if (s->skipped || finished(r, number)) { /* some ran before the end was known: whether they did must not show */
      kernel->skipped++;
      continue;
    }
    rpp_report_add(kernel, s->index, &s->spec, &s->verdict, &good);
    if (good && rpp_verdict_fails(&s->verdict)) good = rpp_corpus_add(r->corpus, &failed);
    if (!good) return rpp_message_set(error, "memory is out");
    if (r->campaign->observe) r->campaign->observe(r->campaign->observer, s->index / r->report->kernel_count, number, &s->verdict);
    rpp_progress_case(&r->progress, &s->verdict);
  }
  return true;
}

/* True when all is done or interrupted. */
static bool run_cases(run *r, rpp_message *error) {
  while (rpp_interrupt_signal() == 0) {
    while (!r->started_all && r->next - r->added < WINDOW && rpp_pool_ready(r->pool))
      if (!start_next(r, error)) return false;
    uint64_t ticket;
    rpp_verdict verdict;
    const rpp_pool_event event = rpp_pool_wait(r->pool, 0.2, &ticket, &verdict);
    if (event == RPP_POOL_RESULT) {
      r->slots[ticket % WINDOW].verdict = verdict;
      r->slots[ticket % WINDOW].done = true;
    }
    if (!add_due(r, error)) return false;
    if (event == RPP_POOL_IDLE && r->started_all) return true;
    rpp_progress_show(&r->progress, false);
  }
  return true;
}

/* ---- A campaign --------------------------------------------------------------------------------------------------------- */

static void investigate_all(run *r) {
  const rpp_campaign *c = r->campaign;
  for (int k = 0; k < c->pool.kernel_count; k++)
    for (int i = 0; i < r->report->kernels[k].failure_count && rpp_interrupt_signal() == 0; i++) {
      rpp_report_failure *failure = &r->report->kernels[k].failures[i];
      rpp_progress_note(&r->progress, "shrinking", c->names[k]);
      rpp_investigate(r->pool, k, c->shrink, failure);
      for (int64_t j = 0; j < r->corpus->count; j++)
        if (r->corpus->cases[j].index == failure->index) r->corpus->cases[j].spec = failure->spec;
    }
}

static bool run_all(run *r, rpp_message *error) {
  r->slots = calloc(WINDOW, sizeof *r->slots);
  if (r->slots == NULL) return rpp_message_set(error, "memory is out");
  r->pool = rpp_pool_start(&r->campaign->pool, error);
  bool good = r->pool != NULL && run_cases(r, error);
  if (good && rpp_interrupt_signal() == 0) investigate_all(r);
  rpp_progress_end(&r->progress);
  rpp_pool_stop(r->pool);
  free(r->slots);
  return good;
}

bool rpp_campaign_run(const rpp_campaign *campaign, rpp_report *report, rpp_corpus *corpus, rpp_message *error) {
  run r = {.campaign = campaign, .report = report, .corpus = corpus, .start = rpp_clock_seconds()};
  if (!rpp_report_make(report, &campaign->plan, campaign->shard, campaign->pool.kernel_count))
    return rpp_message_set(error, "memory is out");
  for (int k = 0; k < report->kernel_count; k++) {
    snprintf(report->kernels[k].name, RPP_REPORT_NAME, "%s", campaign->names[k]);
    rpp_contract_print(&campaign->pool.kernels[k]->contract, report->kernels[k].contract);
    if (campaign->replay != NULL) report->kernels[k].replay = campaign->replay[k];
  }
  report->one_thread = one_thread(&campaign->pool);
  const int64_t cases = campaign->plan.cases;
  rpp_progress_start(&r.progress, campaign->progress, cases < 0 ? -1 : cases / campaign->plan.shards);
  rpp_interrupt_catch();
  const bool good = run_all(&r, error);
  report->interrupted = rpp_interrupt_signal();
  rpp_interrupt_release();
  report->elapsed_s = rpp_clock_seconds() - r.start;
  if (!good) rpp_report_free(report);
  return good;
}
