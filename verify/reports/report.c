#include "reports/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool rpp_report_make(rpp_report *report, const rpp_report_plan *plan, int64_t shard, int kernel_count) {
  *report = (rpp_report){.plan = *plan, .kernel_count = kernel_count};
  report->present = calloc((size_t)plan->shards, sizeof(bool));
  report->kernels = calloc((size_t)kernel_count + 1, sizeof(rpp_report_kernel));
  if (report->present == NULL || report->kernels == NULL) {
    rpp_report_free(report);
    return false;
  }
  report->present[shard] = true;
  for (int k = 0; k < kernel_count; k++)
    for (int g = 0; g < RPP_GATES; g++) report->kernels[k].worst[g].ratio = -1;
  return true;
}

void rpp_report_free(rpp_report *report) {
  for (int k = 0; report->kernels != NULL && k < report->kernel_count; k++) free(report->kernels[k].reasons);
  free(report->kernels);
  free(report->present);
  *report = (rpp_report){0};
}

/* ---- Adding a case ------------------------------------------------------------------------------------------------------ */

bool rpp_report_add_reason(rpp_report_kernel *kernel, const rpp_message *text, int64_t count) {
  int at = 0;
  while (at < kernel->reason_count && strcmp(kernel->reasons[at].text.text, text->text) < 0) at++;
  if (at < kernel->reason_count && strcmp(kernel->reasons[at].text.text, text->text) == 0) {
    kernel->reasons[at].count += count;
    return true;
  }
  rpp_report_reason *grown = realloc(kernel->reasons, ((size_t)kernel->reason_count + 1) * sizeof *grown);
  if (grown == NULL) return false;
  kernel->reasons = grown;
  memmove(grown + at + 1, grown + at, (size_t)(kernel->reason_count - at) * sizeof *grown);
  grown[at] = (rpp_report_reason){*text, count};
  kernel->reason_count++;
  return true;
}

static bool kept_already(const rpp_report_kernel *kernel, rpp_outcome outcome, rpp_gate gate) {
  const rpp_verdict wanted = {.outcome = outcome, .gate = gate};
  for (int i = 0; i < kernel->failure_count; i++) {
    const rpp_verdict kept = {.outcome = kernel->failures[i].outcome, .gate = kernel->failures[i].gate};
    if (rpp_verdict_same_kind(&kept, &wanted)) return true;
  }
  return kernel->failure_count == RPP_REPORT_FAILURES;
}

rpp_report_failure *rpp_report_add(rpp_report_kernel *kernel, int64_t index, const rpp_spec *spec, const rpp_verdict *verdict,
                                   bool *ok) {
  *ok = true;
  kernel->outcomes[verdict->outcome]++;
  kernel->elements += verdict->elements;
  if (verdict->outcome == RPP_OUTCOME_UNSUPPORTED)
    *ok = rpp_report_add_reason(kernel, &verdict->message, 1);
  else
    rpp_swept_add(&kernel->swept, spec);
  for (int g = 0; g < RPP_GATES; g++)
    if (rpp_ratio_worse(verdict->ratio[g], kernel->worst[g].ratio))
      kernel->worst[g] = (rpp_report_worst){verdict->ratio[g], index, *spec};
  if (!rpp_verdict_fails(verdict) || kept_already(kernel, verdict->outcome, verdict->gate)) return NULL;
  rpp_report_failure *failure = &kernel->failures[kernel->failure_count++];
  *failure = (rpp_report_failure){.index = index,
                                  .drawn = *spec,
                                  .outcome = verdict->outcome,
                                  .gate = verdict->gate,
                                  .spec = *spec,
                                  .verdict = *verdict,
                                  .reproduced = true};
  return failure;
}

/* ---- Merging ------------------------------------------------------------------------------------------------------------ */

static int by_index(const void *a, const void *b) {
  const int64_t x = ((const rpp_report_failure *)a)->index, y = ((const rpp_report_failure *)b)->index;
  return (x > y) - (x < y);
}

/* The first of each kind over both. A failure that the whole campaign would have kept is kept by its shard, too: before it, there
 * are no more kinds in the shard than in the whole. */
static void merge_failures(rpp_report_kernel *kernel, const rpp_report_kernel *other) {
  rpp_report_failure all[2 * RPP_REPORT_FAILURES];
  const size_t count = (size_t)(kernel->failure_count + other->failure_count);
  memcpy(all, kernel->failures, (size_t)kernel->failure_count * sizeof *all);
  memcpy(all + kernel->failure_count, other->failures, (size_t)other->failure_count * sizeof *all);
  qsort(all, count, sizeof *all, by_index);
  kernel->failure_count = 0;
  for (size_t i = 0; i < count; i++)
    if (!kept_already(kernel, all[i].outcome, all[i].gate)) kernel->failures[kernel->failure_count++] = all[i];
}

static bool merge_kernel(rpp_report_kernel *kernel, const rpp_report_kernel *other) {
  for (int i = 0; i < RPP_OUTCOMES; i++) kernel->outcomes[i] += other->outcomes[i];
  kernel->skipped += other->skipped;
  kernel->elements += other->elements;
  for (int g = 0; g < RPP_GATES; g++) {
    const rpp_report_worst *a = &kernel->worst[g], *b = &other->worst[g];
    const bool tie = !rpp_ratio_worse(a->ratio, b->ratio) && b->index < a->index;
    if (rpp_ratio_worse(b->ratio, a->ratio) || tie) kernel->worst[g] = *b;
  }
  for (int i = 0; i < other->reason_count; i++)
    if (!rpp_report_add_reason(kernel, &other->reasons[i].text, other->reasons[i].count)) return false;
  rpp_swept_merge(&kernel->swept, &other->swept);
  merge_failures(kernel, other);
  return true;
}

bool rpp_report_merge(rpp_report *report, const rpp_report *other, rpp_message *error) {
  const rpp_report_plan *a = &report->plan, *b = &other->plan;
  if (strcmp(a->command, "fuzz") != 0 || strcmp(b->command, "fuzz") != 0)
    return rpp_message_set(error, "only reports of fuzz add up");
  if (a->seed != b->seed)
    return rpp_message_set(error, "seed = %llu: the first report has %llu", (unsigned long long)b->seed,
                           (unsigned long long)a->seed);
  if (a->cases != b->cases)
    return rpp_message_set(error, "cases = %lld: the first report has %lld", (long long)b->cases, (long long)a->cases);
  if (a->seconds != b->seconds) return rpp_message_set(error, "seconds = %g: the first report has %g", b->seconds, a->seconds);
  if (a->shards != b->shards)
    return rpp_message_set(error, "shards = %lld: the first report has %lld", (long long)b->shards, (long long)a->shards);
  if (strcmp(a->only, b->only) != 0) return rpp_message_set(error, "only = \"%s\": the first report has \"%s\"", b->only, a->only);
  bool same = report->kernel_count == other->kernel_count;
  for (int k = 0; same && k < report->kernel_count; k++) same = strcmp(report->kernels[k].name, other->kernels[k].name) == 0;
  if (!same) return rpp_message_set(error, "kernels: not those of the first report, in its order");
  for (int k = 0; k < report->kernel_count; k++)
    if (strcmp(report->kernels[k].contract, other->kernels[k].contract) != 0)
      return rpp_message_set(error, "%.60s: was judged by another contract than in the first report", report->kernels[k].name);
  for (int64_t i = 0; i < a->shards; i++) {
    if (report->present[i] && other->present[i])
      return rpp_message_set(error, "shard %lld/%lld: given twice", (long long)i + 1, (long long)a->shards);
    report->present[i] = report->present[i] || other->present[i];
  }
  for (int k = 0; k < report->kernel_count; k++)
    if (!merge_kernel(&report->kernels[k], &other->kernels[k])) return rpp_message_set(error, "memory is out");
  if (report->interrupted == 0) report->interrupted = other->interrupted;
  report->elapsed_s += other->elapsed_s;
  return true;
}

void rpp_report_merged(rpp_report *report) {
  report->merged = true;
  for (int64_t i = 0; i < report->plan.shards; i++)
    if (!report->present[i]) return;
  report->plan.shards = 1;
}

/* ---- What it says ------------------------------------------------------------------------------------------------------- */

int64_t rpp_report_cases(const rpp_report_kernel *kernel) {
  int64_t sum = 0;
  for (int i = 0; i < RPP_OUTCOMES; i++) sum += kernel->outcomes[i];
  return sum;
}

int64_t rpp_report_supported(const rpp_report_kernel *kernel) {
  return rpp_report_cases(kernel) - kernel->outcomes[RPP_OUTCOME_UNSUPPORTED];
}

int64_t rpp_report_failures(const rpp_report_kernel *kernel) {
  return rpp_report_supported(kernel) - kernel->outcomes[RPP_OUTCOME_PASS];
}

bool rpp_report_kernel_pass(const rpp_report_kernel *kernel) {
  return rpp_report_supported(kernel) > 0 && rpp_report_failures(kernel) == 0 && kernel->elements > 0;
}

bool rpp_report_complete(const rpp_report *report) {
  for (int64_t i = 0; report->merged && i < report->plan.shards; i++)
    if (!report->present[i]) return false;
  return report->interrupted == 0;
}

int rpp_report_status(const rpp_report *report) {
  int status = report->kernel_count > 0 && rpp_report_complete(report) ? 0 : 1;
  if (report->interrupted != 0 && !report->merged) return 128 + report->interrupted;
  for (int k = 0; k < report->kernel_count; k++) {
    const rpp_report_kernel *kernel = &report->kernels[k];
    if (!rpp_report_kernel_pass(kernel) && status == 0) status = 1;
    for (int i = 0; i < RPP_OUTCOMES; i++)
      if (rpp_outcome_severe((rpp_outcome)i) && kernel->outcomes[i] > 0) status = 3;
  }
  return status;
}
