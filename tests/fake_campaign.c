#define _GNU_SOURCE
#include "fake_campaign.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "support.h"

static void judge(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict) {
  char text[RPP_SPEC_TEXT];
  uint64_t hash = 1469598103934665603u;
  rpp_spec_print(spec, text);
  for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (uint64_t)*c) * 1099511628211u;
  rpp_random random = rpp_random_make(hash, 1);
  const int64_t dice = rpp_random_integer(&random, 0, 99);
  verdict->outcome = RPP_OUTCOME_PASS;
  verdict->elements = 1 + dice;
  for (int g = 0; g < RPP_GATES; g++)
    verdict->ratio[g] = g == RPP_GATE_TENSOR && dice < 50 ? -1 : 0.8 * rpp_random_uniform(&random);
  if (dice == 42) usleep(20000); /* so that verdicts come out of order */
  if (strcmp(kernel->name, "wrong") == 0 && dice < 30) {
    verdict->outcome = RPP_OUTCOME_MISMATCH;
    verdict->gate = (rpp_gate)(dice % RPP_GATES);
    verdict->ratio[verdict->gate] = dice % 7 == 0 ? NAN : dice % 7 == 1 ? INFINITY : 2 + (double)dice;
    verdict->worst =
        (rpp_worst){.tensor = RPP_JUDGED_LSE, .b = 0, .h = 1, .t = dice, .d = -1, .expected = 0.1, .got = NAN, .ratio = 3};
  }
  if ((strcmp(kernel->name, "picky") == 0 && dice < 80) || strcmp(kernel->name, "never") == 0) {
    *verdict = rpp_verdict_none();
    verdict->outcome = RPP_OUTCOME_UNSUPPORTED;
    rpp_message_set(&verdict->message, "it has %d reasons", (int)dice % 3);
  }
  if (strcmp(kernel->name, "dies") == 0 && dice < 4) abort();
  if (strcmp(kernel->name, "hangs") == 0 && dice < 10)
    for (;;) pause();
  if (strcmp(kernel->name, "slow") == 0) usleep(2000);
}

/* Cuts lengths, as long as the runner finds the same kind of failure. */
static bool shrink(rpp_shrink_runner *run, void *context, rpp_spec *spec, rpp_verdict *verdict) {
  bool better = false;
  for (int i = 0; i < 20; i++) {
    rpp_spec smaller = *spec;
    rpp_verdict found;
    smaller.seed = (uint64_t)i;
    if (!run(context, &smaller, &found)) break;
    if (!rpp_verdict_same_kind(&found, verdict)) continue;
    *spec = smaller;
    *verdict = found;
    better = true;
  }
  return better;
}

static bool explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation) {
  (void)kernel;
  (void)spec;
  rpp_message_set(explanation, "matches with gate=%d", (int)verdict->gate);
  return verdict->gate != RPP_GATE_ROW;
}

const rpp_kernel fake_clean = {.name = "clean", .contract = {.input = RPP_F32}},
                 fake_wrong = {.name = "wrong", .contract = {.input = RPP_F16}},
                 fake_picky = {.name = "picky", .contract = {.input = RPP_F64}},
                 fake_dies = {.name = "dies", .contract = {.input = RPP_BF16}},
                 fake_never = {.name = "never", .contract = {.input = RPP_F64}},
                 fake_hanging = {.name = "hangs", .contract = {.input = RPP_F32}},
                 fake_slow = {.name = "slow", .contract = {.input = RPP_F32}};

rpp_campaign fake_campaign(int count, const rpp_kernel **kernels, int64_t cases) {
  static const char *names[8];
  for (int i = 0; i < count; i++) names[i] = kernels[i]->name;
  return (rpp_campaign){
      .plan = {.command = "fuzz", .seed = 7, .cases = cases, .shards = 1},
      .names = names,
      .pool = {.kernels = kernels, .kernel_count = count, .judge = judge, .explain = explain, .lanes = 2, .floor_s = 0.5},
      .shrink = shrink};
}

void fake_run(const rpp_campaign *campaign, rpp_report *report, rpp_corpus *corpus) {
  rpp_message error;
  rpp_corpus dropped = {0};
  ck_assert_msg(rpp_campaign_run(campaign, report, corpus == NULL ? &dropped : corpus, &error), "%s", error.text);
  rpp_corpus_free(&dropped);
}

/* The JSON without its times. */
char *fake_json(rpp_report *report) {
  char *text;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  const double elapsed = report->elapsed_s;
  report->elapsed_s = 0;
  rpp_report_json(report, stream);
  report->elapsed_s = elapsed;
  fclose(stream);
  return text;
}

const rpp_kernel *fake_five[] = {&fake_clean, &fake_wrong, &fake_picky, &fake_dies, &fake_slow};
