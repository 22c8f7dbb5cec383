#include "workers/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

void rpp_progress_start(rpp_progress *progress, bool wanted, int64_t total) {
  *progress = (rpp_progress){.shown = wanted && isatty(STDERR_FILENO), .total = total, .worst = -1, .start = rpp_clock_seconds()};
}

void rpp_progress_case(rpp_progress *progress, const rpp_verdict *verdict) {
  progress->cases++;
  progress->failures += rpp_verdict_fails(verdict);
  for (int g = RPP_GATE_STRUCTURE + 1; g < RPP_GATES; g++)
    if (rpp_ratio_worse(verdict->ratio[g], progress->worst)) progress->worst = verdict->ratio[g];
}

void rpp_progress_show(rpp_progress *progress, bool at_once) {
  const double time = rpp_clock_seconds();
  if (!progress->shown || (!at_once && time - progress->last < 0.2)) return;
  progress->last = time;
  fprintf(stderr, "\r\033[K%" PRId64, progress->cases);
  if (progress->total >= 0) fprintf(stderr, "/%" PRId64, progress->total);
  fprintf(stderr, " cases, %.0f/s", (double)progress->cases / (time - progress->start + 1e-9));
  if (progress->worst >= 0 || progress->worst != progress->worst) fprintf(stderr, ", worst error/bound %.3g", progress->worst);
  if (progress->failures > 0) fprintf(stderr, ", %" PRId64 " failures", progress->failures);
  fflush(stderr);
}

void rpp_progress_note(rpp_progress *progress, const char *doing, const char *what) {
  if (!progress->shown) return;
  rpp_progress_show(progress, true);
  fprintf(stderr, "; %s %.40s", doing, what);
  fflush(stderr);
}

void rpp_progress_end(rpp_progress *progress) {
  if (!progress->shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
}
