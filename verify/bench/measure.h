/* measure.h: many runs of a few subjects in turn, each between two probes. */
#ifndef RPP_MEASURE_H
#define RPP_MEASURE_H
#include "bench/probe.h"
#include "bench/subject.h"

enum { RPP_MEASURE_SUBJECTS = 4, RPP_MEASURE_LEAST = 3, RPP_MEASURE_MOST = 1000 };

/* The first subject is the one that probes are for; the others run in turn with it. Run n of every subject lies within one round, and rounds
 * change their direction. fma, read, copy: what the probes right before and right after the first's run n did a second, on the average:
 * operations, bytes read, bytes copied. Each null, or runs numbers. */
typedef struct {
  int runs;
  double *seconds[RPP_MEASURE_SUBJECTS];
  double *fma, *read, *copy;
} rpp_measured;

/* At least RPP_MEASURE_LEAST rounds, after a first one that does not count, and then until so many seconds have passed. Attention is held
 * against multiply-adds, and, where it has few operations for each byte, against reading, which empties the caches before each run;
 * rotation and tables against a copy of what they write. False, with a message, when a kernel fails or memory is out. */
bool rpp_measure(const rpp_probe *probe, const rpp_subject *subjects, int count, double seconds, rpp_measured *measured,
                 rpp_message *error);
void rpp_measured_free(rpp_measured *measured);

#endif
