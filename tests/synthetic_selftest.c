#define _GNU_SOURCE
#include "synthetic_selftest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain/explain.h"
#include "judge/judge.h"
#include "kernels/emulate.h"
#include "plants/plants.h"

#define PLANT(word, says)                                                                                                          \
  { .kernel = {.name = (word), .contract = {.input = RPP_F32}}, .source = "test", .explanation = (says), .region = "rope:" }

const rpp_plant rpp_plants[] = {PLANT("structure", NULL),   PLANT("element", NULL),    PLANT("statistical", NULL),
                                PLANT("row", NULL),         PLANT("tensor", NULL),     PLANT("dies", NULL),
                                PLANT("explained", "turn"), {.kernel = {.name = NULL}}};

const rpp_plant *rpp_cuda_plants(void) {
  static const rpp_plant none = {.kernel = {.name = NULL}};
  return &none;
}

static const rpp_kernel own = {.name = "own", .contract = {.input = RPP_F32}};
static const rpp_kernel emulated = {.name = "emulated", .contract = {.input = RPP_BF16}};
const rpp_kernel *const rpp_kernels[] = {&own, NULL}, *const rpp_emulated_kernels[] = {&emulated, NULL};

const rpp_kernel *rpp_kernel_find(const char *name) {
  return strcmp(name, own.name) == 0 ? &own : NULL;
}

synthetic_finding synthetic_findings[] = {{"structure", RPP_OUTCOME_UNWRITTEN, RPP_GATE_STRUCTURE, NULL},
                                          {"element", RPP_OUTCOME_MISMATCH, RPP_GATE_ELEMENT, NULL},
                                          {"statistical", RPP_OUTCOME_MISMATCH, RPP_GATE_STATISTICAL, NULL},
                                          {"row", RPP_OUTCOME_MISMATCH, RPP_GATE_ROW, NULL},
                                          {"tensor", RPP_OUTCOME_MISMATCH, RPP_GATE_TENSOR, NULL},
                                          {"dies", RPP_OUTCOME_CRASH, RPP_GATE_STRUCTURE, NULL},
                                          {"explained", RPP_OUTCOME_MISMATCH, RPP_GATE_STRUCTURE, "a quarter turn too far"},
                                          {"own", RPP_OUTCOME_PASS, RPP_GATE_STRUCTURE, NULL},
                                          {"emulated", RPP_OUTCOME_PASS, RPP_GATE_STRUCTURE, NULL}};
int synthetic_delay = 0;

synthetic_finding *synthetic_find(const char *name) {
  synthetic_finding *f = synthetic_findings;
  while (strcmp(f->name, name) != 0) f++;
  return f;
}

void rpp_judge_case(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict) {
  const synthetic_finding *f = synthetic_find(kernel->name);
  (void)spec;
  usleep(1000 * (useconds_t)synthetic_delay);
  if (f->outcome == RPP_OUTCOME_CRASH) abort();
  *verdict = rpp_verdict_none();
  verdict->outcome = f->outcome;
  verdict->gate = f->gate;
  verdict->elements = 1;
  verdict->ratio[f->gate] = rpp_verdict_fails(verdict) ? 2 : 0.5;
}

bool rpp_explain(const rpp_kernel *kernel, const rpp_spec *spec, const rpp_verdict *verdict, rpp_message *explanation) {
  const synthetic_finding *f = synthetic_find(kernel->name);
  (void)spec;
  (void)verdict;
  if (f->explanation != NULL) rpp_message_set(explanation, "%s", f->explanation);
  return f->explanation != NULL;
}
