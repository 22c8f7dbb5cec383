/* bench.h: a bench: what was asked for, and what was measured. */
#ifndef RPP_BENCH_H
#define RPP_BENCH_H
#include <stdio.h>

#include "base/format.h"
#include "bench/machine.h"
#include "bench/probe.h"
#include "bench/statistics.h"
#include "bench/subject.h"

/* All NaN where they were not measured. Ratios are medians over runs of pairs measured side by side. */
typedef struct {
  const rpp_spec *spec;
  const char *kernel; /* "-" for angles */
  rpp_bench_task task;
  int runs;
  rpp_spread seconds;
  double operations, bytes;        /* of one run */
  double fma, read, copy;          /* what the probes did a second, next to its runs */
  double of_fma, of_read, of_copy; /* what it did, over that */
  double to_rope;                  /* its time over that of the same case with mode rope */
  double speedup;                  /* the time on one thread over its own */
  double vs_seconds, to_vs;        /* the other kernel's median time; its time over that kernel's */
  double peak;                     /* bytes of memory of a process that runs it */
} rpp_bench_row;

/* A kernel that a case was not timed of. */
typedef struct {
  const rpp_spec *spec;
  const char *kernel;
  rpp_message reason;
} rpp_bench_skip;

typedef struct {
  const rpp_kernel *const *kernels;
  int kernel_count;
  const rpp_spec *cases;
  int case_count;
  const rpp_kernel *vs; /* null: none */
  bool scaling, memory;
  double seconds; /* for a row */
} rpp_bench_plan;

typedef struct {
  const rpp_bench_plan *plan;
  rpp_machine machine;
  rpp_probe probe; /* closed: what it found is still there */
  rpp_bench_row *rows;
  rpp_bench_skip *skips;
  int row_count, skip_count;
} rpp_bench;

/* Runs it all; forks, where memory is asked for, and so must be the first here to use OpenMP. False, with a message, when memory is out.
 * The plan outlives the bench. */
bool rpp_bench_run(const rpp_bench_plan *plan, rpp_bench *bench, rpp_message *error);
void rpp_bench_free(rpp_bench *bench);

/* The medians over the rows of what the probes did, or NaN: operations, bytes read, bytes copied a second. */
void rpp_bench_probes(const rpp_bench *bench, double *fma, double *read, double *copy);

/* Whether the FMA probe did less than 3/4 beside the row's runs of what it did beside the best row's: a core was busy with something else, for
 * kernel and probe alike, and the row's shares are another machine's. */
bool rpp_bench_disturbed(const rpp_bench *bench, const rpp_bench_row *row);

void rpp_bench_text(const rpp_bench *bench, FILE *out);
/* False where this build has no JSON. */
bool rpp_bench_json(const rpp_bench *bench, FILE *out);

#endif
