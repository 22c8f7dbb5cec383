#include "bench/probe.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SET(set) extern const rpp_probe_set rpp_probe_##set;
SET(portable)
#if defined(__x86_64__)
SET(avx2)
SET(avx512)
#endif

const rpp_probe_set *const *rpp_probe_sets(void) {
#if defined(__x86_64__)
  static const rpp_probe_set *const all[] = {&rpp_probe_avx512, &rpp_probe_avx2, &rpp_probe_portable, NULL};
  __builtin_cpu_init();
  const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return all + (has_avx2 && __builtin_cpu_supports("avx512f") ? 0 : has_avx2 ? 1 : 2);
#else
  static const rpp_probe_set *const all[] = {&rpp_probe_portable, NULL};
  return all;
#endif
}

enum { MOST_STREAMS = 8, GRAIN = 256 * MOST_STREAMS };

/* Where results go, so that the work is done. */
static volatile float float_sink;
static volatile uint32_t word_sink;

/* A thread's share of the first bytes of the buffer. */
typedef struct {
  size_t first, bytes;
} share;

static share share_of(size_t bytes) {
  const size_t threads = (size_t)omp_get_num_threads(), thread = (size_t)omp_get_thread_num(), grains = bytes / GRAIN;
  const size_t first = grains * thread / threads, last = grains * (thread + 1) / threads;
  return (share){first * GRAIN, (last - first) * GRAIN};
}

/* ---- Arithmetic --------------------------------------------------------------------------------------------------------- */

static double seconds_of_rounds(const rpp_probe_set *set, int64_t rounds) {
  float sum = 0;
  const double start = rpp_clock_seconds();
#pragma omp parallel reduction(+ : sum)
  sum += set->multiply_add(rounds, 0.9375f, 0.0625f);
  const double took = rpp_clock_seconds() - start;
  float_sink = sum;
  return took;
}

double rpp_probe_arithmetic(const rpp_probe *probe, double seconds) {
  const rpp_probe_set *set = probe->arithmetic;
  const int64_t rounds = (int64_t)(probe->rounds * seconds) + 1;
  const double took = seconds_of_rounds(set, rounds);
  return (double)set->operations * (double)rounds * omp_get_max_threads() / (took + 1e-9);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------ */

static double seconds_of_read(const rpp_probe_set *set, const unsigned char *buffer, int streams) {
  uint32_t sum = 0;
  const double start = rpp_clock_seconds();
#pragma omp parallel reduction(+ : sum)
  {
    const share part = share_of(RPP_PROBE_BUFFER);
    sum += set->read(buffer + part.first, part.bytes, streams);
  }
  const double took = rpp_clock_seconds() - start;
  word_sink = sum;
  return took;
}

double rpp_probe_read(const rpp_probe *probe, double seconds) {
  double spent = 0;
  int64_t passes = 0;
  for (; passes == 0 || spent < seconds; passes++) spent += seconds_of_read(probe->reading, probe->buffer, probe->streams);
  return (double)passes * RPP_PROBE_BUFFER / spent;
}

/* ---- Copying ------------------------------------------------------------------------------------------------------------ */

double rpp_probe_copy(const rpp_probe *probe, size_t bytes) {
  const size_t half = RPP_PROBE_BUFFER / 2,
               apart = half + 2048; /* else a store looks like the load ahead of it, to some processors */
  const double start = rpp_clock_seconds();
  for (size_t left = bytes, now; left > 0; left -= now) {
    now = left < half - 2048 ? left : half - 2048;
#pragma omp parallel
    {
      const size_t threads = (size_t)omp_get_num_threads(), thread = (size_t)omp_get_thread_num();
      const size_t first = now * thread / threads, last = now * (thread + 1) / threads;
      memcpy(probe->buffer + apart + first, probe->buffer + first, last - first);
    }
  }
  return (double)bytes / (rpp_clock_seconds() - start);
}

/* ---- What is fastest ---------------------------------------------------------------------------------------------------- */

static void find_arithmetic(rpp_probe *probe) {
  enum { ROUNDS = 1 << 18 };
  double best = 0;
  for (int repeat = 0; repeat < 5; repeat++)
    for (const rpp_probe_set *const *set = rpp_probe_sets(); *set != NULL; set++) {
      const double rounds = ROUNDS / (seconds_of_rounds(*set, ROUNDS) + 1e-9), rate = rounds * (double)(*set)->operations;
      if (rate > best) best = rate, probe->arithmetic = *set, probe->rounds = rounds;
    }
}

static void find_reading(rpp_probe *probe) {
  double best = 1e99;
  for (int repeat = 0; repeat < 3; repeat++)
    for (const rpp_probe_set *const *set = rpp_probe_sets(); *set != NULL; set++)
      for (int streams = 1; streams <= MOST_STREAMS; streams *= 2) {
        const double took = seconds_of_read(*set, probe->buffer, streams);
        if (took < best) best = took, probe->reading = *set, probe->streams = streams;
      }
}

bool rpp_probe_open(rpp_probe *probe, rpp_message *error) {
  *probe = (rpp_probe){.streams = 1};
  probe->buffer = aligned_alloc(4096, RPP_PROBE_BUFFER);
  if (probe->buffer == NULL) return rpp_message_set(error, "the probes' %d MiB: memory is out", RPP_PROBE_BUFFER >> 20);
#pragma omp parallel
  {
    const share part = share_of(RPP_PROBE_BUFFER); /* each page is first touched by the thread that reads it */
    memset(probe->buffer + part.first, 1, part.bytes);
  }
  find_arithmetic(probe);
  find_reading(probe);
  return true;
}

void rpp_probe_close(rpp_probe *probe) {
  free(probe->buffer);
  probe->buffer = NULL;
}
