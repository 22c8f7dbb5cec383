/* report.h: what a campaign has found: totals of each kernel, its worst ratios and its failures. Reports of shards add up to the
 * report of the whole. */
#ifndef RPP_REPORT_H
#define RPP_REPORT_H
#include <stdio.h>

#include "base/format.h"
#include "cases/spec.h"
#include "contract_text.h"
#include "judge/verdict.h"
#include "reports/swept.h"

enum { RPP_REPORT_FAILURES = 4, RPP_REPORT_NAME = 256, RPP_REPORT_FILE = 1024, RPP_REPORT_SHARDS = 1000000 };

/* Failures of a kernel that are kept in full: the first of each kind (rpp_verdict_same_kind, as drawn), at most
 * RPP_REPORT_FAILURES. */
typedef struct {
  int64_t index;       /* of the case in the campaign */
  rpp_spec drawn;      /* as the campaign met it */
  rpp_outcome outcome; /* of that; with gate, its kind, which shrinking may sharpen */
  rpp_gate gate;
  rpp_spec spec;              /* shrunk, or the same */
  rpp_verdict verdict;        /* of spec */
  bool reproduced;            /* it failed in the same way when run once more; true for a hang, which is not waited for again */
  rpp_message explanation;    /* "": none fits */
  char file[RPP_REPORT_FILE]; /* that holds the case, what was expected and what the kernel gave (failure_file.h); "": none */
} rpp_report_failure;

typedef struct {
  double ratio;  /* -1: the gate never applied */
  int64_t index; /* of the first case that has it */
  rpp_spec spec;
} rpp_report_worst;

typedef struct {
  rpp_message text;
  int64_t count;
} rpp_report_reason;

/* The command line that replays a case of a kernel that has no name to be found by, but for the SPEC between its two parts. */
typedef struct {
  const char *before, *after; /* quoted for a shell; null: `ropepp-verify replay NAME SPEC` */
} rpp_report_command;

typedef struct {
  char name[RPP_REPORT_NAME];       /* as on the command line */
  char contract[RPP_CONTRACT_TEXT]; /* by which it was judged */
  rpp_report_command replay;
  int64_t outcomes[RPP_OUTCOMES];
  int64_t skipped; /* cases that were not run because the kernel had hung too often */
  int64_t elements;
  rpp_report_worst worst[RPP_GATES];
  rpp_report_reason *reasons; /* of unsupported cases, sorted by text */
  int reason_count;
  rpp_swept swept;                                  /* of supported cases */
  rpp_report_failure failures[RPP_REPORT_FAILURES]; /* in the order of index */
  int failure_count;
} rpp_report_kernel;

/* What a campaign is asked to do: the part that shards have in common, but for shard. */
typedef struct {
  const char *command;      /* "fuzz", "exec" or "replay" */
  uint64_t seed;            /* at most 2^63 - 1: JSON readers have no more */
  int64_t cases;            /* over all kernels and shards; -1: no limit */
  double seconds;           /* 0: no limit */
  char only[RPP_SPEC_TEXT]; /* as given; "": nothing is fixed */
  int64_t shards;
} rpp_report_plan;

typedef struct {
  rpp_report_plan plan;
  bool *present; /* for each shard, from 0: it is in the report */
  bool merged;   /* from the reports of shards: those that are missing count */
  rpp_report_kernel *kernels;
  int kernel_count;
  int interrupted; /* the signal, or 0 */
  bool one_thread; /* no case was given several, since the environment says so; not in files, which do not depend on threads */
  double elapsed_s;
} rpp_report;

/* An empty report of the shards-th part number shard (from 0). False when memory is out. */
bool rpp_report_make(rpp_report *report, const rpp_report_plan *plan, int64_t shard, int kernel_count);
void rpp_report_free(rpp_report *report);

/* Adds the verdict of case number index, larger than all before. Returns the failure to be looked into when it is kept, else null;
 * false in *ok when memory is out. */
rpp_report_failure *rpp_report_add(rpp_report_kernel *kernel, int64_t index, const rpp_spec *spec, const rpp_verdict *verdict,
                                   bool *ok);

/* Counts cases that were unsupported for one reason. False when memory is out. */
bool rpp_report_add_reason(rpp_report_kernel *kernel, const rpp_message *text, int64_t count);

/* Adds the results of another shard. False, with a message, when the two are not shards of one campaign or have one in common;
 * report may then not be used any more. rpp_report_merged ends a merge: with every shard present, the report is that of one that
 * was never split. */
bool rpp_report_merge(rpp_report *report, const rpp_report *other, rpp_message *error);
void rpp_report_merged(rpp_report *report);

int64_t rpp_report_cases(const rpp_report_kernel *kernel);     /* run */
int64_t rpp_report_failures(const rpp_report_kernel *kernel);  /* of any kind */
int64_t rpp_report_supported(const rpp_report_kernel *kernel); /* cases that a kernel did not decline */
bool rpp_report_kernel_pass(const rpp_report_kernel *kernel);  /* something was judged, and nothing failed */
bool rpp_report_complete(const rpp_report *report);            /* not interrupted, and no shard missing of a merged one */

/* 0 pass; 1 failures, nothing judged, or incomplete; 3 a crash, an exit, a hang or a write outside; 128 + the signal when this very
 * run was interrupted. */
int rpp_report_status(const rpp_report *report);

/* "crash", "SIGSEGV; AddressSanitizer: ..." in one: what happened, in words. */
void rpp_report_what(const rpp_verdict *verdict, rpp_message *text);

/* The line that runs a failure again, for pasting into a shell. line has room for RPP_REPORT_LINE characters. */
enum { RPP_REPORT_COMMAND = 8192, RPP_REPORT_LINE = RPP_SPEC_TEXT + RPP_REPORT_COMMAND + 64 };
void rpp_report_replay(const rpp_report_kernel *kernel, const rpp_report_failure *failure, char *line);

/* Writers; json's is documented in notes/reports.md. */
void rpp_report_print(const rpp_report *report, rpp_format format, FILE *out);
void rpp_report_human(const rpp_report *report, FILE *out);
void rpp_report_json(const rpp_report *report, FILE *out);
void rpp_report_tap(const rpp_report *report, FILE *out);
void rpp_report_junit(const rpp_report *report, FILE *out);

/* Reads what rpp_report_json has written. False, with a message, for anything else. */
bool rpp_report_read(const char *path, rpp_report *report, rpp_message *error);

/* Writes report.json, report.tap and report.xml into a folder, which is made where it is missing, each beside its old version and
 * then in its place. False, with a message, when that fails. */
bool rpp_report_save(const rpp_report *report, const char *folder, rpp_message *error);

#endif
