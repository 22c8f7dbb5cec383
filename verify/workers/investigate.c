#include "workers/investigate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "workers/interrupt.h"

/* What shrinking may cost, counted in cases and operations, not in seconds: what it finds must not depend on the machine. */
enum { ATTEMPTS = 1000, ATTEMPTS_DYING = 200, ATTEMPTS_HANGING = 4 };

typedef struct {
  rpp_pool *pool;
  int kernel;
  bool hanging;
  int attempts;
  double operations;
} budget;

static bool judge_candidate(void *context, const rpp_spec *candidate, rpp_verdict *verdict) {
  budget *b = context;
  b->operations -= rpp_spec_operations(candidate);
  if (b->attempts-- <= 0 || b->operations < 0 || rpp_interrupt_signal() != 0) return false;
  return rpp_pool_judge(b->pool, b->kernel, candidate, b->hanging, verdict);
}

static void look_into(rpp_pool *pool, int kernel, rpp_shrinker *shrink, rpp_report_failure *failure) {
  const rpp_outcome outcome = failure->verdict.outcome;
  rpp_verdict again;
  if (outcome != RPP_OUTCOME_HANG) {
    if (!rpp_pool_judge(pool, kernel, &failure->spec, false, &again)) return;
    failure->reproduced = rpp_verdict_same_kind(&again, &failure->verdict);
    if (!failure->reproduced) return;
  }
  budget b = {pool, kernel, outcome == RPP_OUTCOME_HANG, ATTEMPTS, 1e11 + 20 * rpp_spec_operations(&failure->spec)};
  if (outcome == RPP_OUTCOME_CRASH || outcome == RPP_OUTCOME_EXIT) b.attempts = ATTEMPTS_DYING;
  if (outcome == RPP_OUTCOME_HANG) b.attempts = ATTEMPTS_HANGING;
  if (shrink != NULL) shrink(judge_candidate, &b, &failure->spec, &failure->verdict);
  /* Of what ends a process the layout may tell why. */
  const rpp_outcome left = failure->verdict.outcome;
  const bool wrong = left == RPP_OUTCOME_MISMATCH || left == RPP_OUTCOME_UNWRITTEN ||
                     (failure->spec.layout == RPP_LAYOUT_SPARSE && left != RPP_OUTCOME_HANG);
  if (wrong && rpp_interrupt_signal() == 0)
    rpp_pool_explain(pool, kernel, &failure->spec, &failure->verdict, &failure->explanation);
}

/* ---- The case as a file -------------------------------------------------------------------------------------------------- */

/* FOLDER/KERNEL-INDEX.safetensors, the kernel's name without what a shell or a folder would make something of. */
static bool path_of(const char *folder, const char *kernel, int64_t index, char *path) {
  enum { NAME = 64 };
  char name[NAME + 1];
  size_t length = 0;
  for (; kernel[length] != '\0' && length < NAME; length++) {
    const unsigned char c = (unsigned char)kernel[length];
    name[length] = isascii(c) && (isalnum(c) || c == '_' || (c == '.' && length > 0)) ? (char)c : '-';
  }
  name[length] = '\0';
  const int size = snprintf(path, RPP_REPORT_FILE, "%s/%s-%lld.safetensors", folder, name, (long long)index);
  return size > 0 && size < RPP_REPORT_FILE;
}

/* What has ended its process, or would not end, is not run again. */
static void save(rpp_pool *pool, int kernel, rpp_report_failure *failure) {
  const rpp_pool_options *asked = rpp_pool_asked(pool);
  const rpp_outcome outcome = failure->verdict.outcome;
  const bool runs = outcome != RPP_OUTCOME_CRASH && outcome != RPP_OUTCOME_EXIT && outcome != RPP_OUTCOME_HANG;
  char path[RPP_REPORT_FILE];
  rpp_message error;
  if (asked->save == NULL || asked->folder == NULL || rpp_interrupt_signal() != 0) return;
  if (!path_of(asked->folder, asked->kernels[kernel]->name, failure->index, path))
    rpp_message_set(&error, "%s: is too long a name", asked->folder);
  else if ((runs && rpp_pool_save(pool, kernel, &failure->spec, true, path, &error)) ||
           rpp_pool_save(pool, kernel, &failure->spec, false, path, &error)) {
    strcpy(failure->file, path);
    return;
  }
  if (rpp_interrupt_signal() == 0) fprintf(stderr, "ropepp-verify: no file of a failure: %s\n", error.text);
}

void rpp_investigate(rpp_pool *pool, int kernel, rpp_shrinker *shrink, rpp_report_failure *failure) {
  look_into(pool, kernel, shrink, failure);
  save(pool, kernel, failure);
}
