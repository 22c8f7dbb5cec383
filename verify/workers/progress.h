/* progress.h: one line on a terminal, rewritten: cases, rate, worst ratio so far. */
#ifndef RPP_PROGRESS_H
#define RPP_PROGRESS_H
#include "judge/verdict.h"

typedef struct {
  bool shown; /* stderr is a terminal, and the caller wants it */
  int64_t total, cases, failures;
  double worst, start, last;
} rpp_progress;

/* total: -1 when it is not known. */
void rpp_progress_start(rpp_progress *progress, bool wanted, int64_t total);
void rpp_progress_case(rpp_progress *progress, const rpp_verdict *verdict);
void rpp_progress_show(rpp_progress *progress, bool at_once);
void rpp_progress_note(rpp_progress *progress, const char *doing, const char *what);
void rpp_progress_end(rpp_progress *progress);

#endif
