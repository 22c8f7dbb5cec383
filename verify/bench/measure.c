#include "bench/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

/* Operations for each byte below which memory may be the limit: a machine does 5 to 15 while it reads one. */
enum { FEW = 32 };

/* Rates at one moment; NaN: not measured. */
typedef struct {
  double fma, read, copy;
} reading;

typedef struct {
  const rpp_probe *probe;
  const rpp_subject *subjects;
  int count;
  double probe_seconds;
  reading last;
  rpp_measured *to;
} state;

static bool traffic_only(const rpp_subject *s) {
  return s->task != RPP_TASK_FORWARD;
}

static bool reads_much(const rpp_subject *s) {
  return !traffic_only(s) && s->operations < FEW * s->bytes;
}

static reading take_reading(const state *m) {
  const rpp_subject *s = &m->subjects[0];
  reading now = {NAN, NAN, NAN};
  if (!traffic_only(s)) now.fma = rpp_probe_arithmetic(m->probe, m->probe_seconds);
  if (reads_much(s)) now.read = rpp_probe_read(m->probe, m->probe_seconds);
  if (traffic_only(s) && s->copied > 0) now.copy = rpp_probe_copy(m->probe, (size_t)s->copied);
  return now;
}

static void keep(const state *m, int run, const reading *after) {
  m->to->fma[run] = (m->last.fma + after->fma) / 2;
  m->to->read[run] = (m->last.read + after->read) / 2;
  m->to->copy[run] = (m->last.copy + after->copy) / 2;
}

/* Every subject once, each followed by probes. */
static bool do_round(state *m, int run, rpp_message *error) {
  for (int i = 0; i < m->count; i++) {
    const int which = run % 2 == 0 ? i : m->count - 1 - i;
    double seconds;
    if (!rpp_subject_run(&m->subjects[which], &seconds, error)) return false;
    const reading after = take_reading(m);
    m->to->seconds[which][run] = seconds;
    if (which == 0) keep(m, run, &after);
    m->last = after;
  }
  return true;
}

/* The first round wakes threads and touches memory, and says how long probes should be: a part of a run. */
static bool warm_up(state *m, rpp_message *error) {
  double seconds = 0;
  for (int i = m->count - 1; i >= 0; i--)
    if (!rpp_subject_run(&m->subjects[i], &seconds, error)) return false;
  m->probe_seconds = fmin(fmax(seconds / 4, 0.004), 0.05);
  m->last = take_reading(m);
  return true;
}

static void drop(double **samples) {
  free(*samples);
  *samples = NULL;
}

static bool allocate(rpp_measured *m, int count, rpp_message *error) {
  double **const of_first[] = {&m->fma, &m->read, &m->copy};
  bool good = true;
  for (int i = 0; i < count; i++) good &= (m->seconds[i] = calloc(RPP_MEASURE_MOST, sizeof(double))) != NULL;
  for (int i = 0; i < 3; i++) good &= (*of_first[i] = calloc(RPP_MEASURE_MOST, sizeof(double))) != NULL;
  return good || rpp_message_set(error, "memory is out");
}

bool rpp_measure(const rpp_probe *probe, const rpp_subject *subjects, int count, double seconds, rpp_measured *measured,
                 rpp_message *error) {
  state m = {.probe = probe, .subjects = subjects, .count = count, .to = measured};
  const double start = rpp_clock_seconds();
  *measured = (rpp_measured){0};
  bool good = allocate(measured, count, error) && warm_up(&m, error);
  while (good && measured->runs < RPP_MEASURE_MOST &&
         (measured->runs < RPP_MEASURE_LEAST || rpp_clock_seconds() - start < seconds)) {
    good = do_round(&m, measured->runs, error);
    measured->runs += good;
  }
  if (!good) rpp_measured_free(measured);
  if (good && traffic_only(subjects)) drop(&measured->fma);
  if (good && !reads_much(subjects)) drop(&measured->read);
  if (good && (!traffic_only(subjects) || !(subjects->copied > 0))) drop(&measured->copy);
  return good;
}

void rpp_measured_free(rpp_measured *m) {
  for (int i = 0; i < RPP_MEASURE_SUBJECTS; i++) free(m->seconds[i]);
  free(m->fma);
  free(m->read);
  free(m->copy);
  *m = (rpp_measured){0};
}
