/* verdict.h: what one case says about one kernel. Plain old data: it travels through a socket from the process that ran the kernel.
 * */
#ifndef RPP_VERDICT_H
#define RPP_VERDICT_H
#include "program/message.h"
#include "program/names.h"

#include <stdint.h>

typedef enum {
  RPP_OUTCOME_PASS = 0,
  RPP_OUTCOME_UNSUPPORTED, /* the kernel's supports() said no before it got data, or this machine has no room for the layout;
                            * message: the reason. Not a failure */
  RPP_OUTCOME_REFUSED,     /* supports() said yes, and the kernel returned an error all the same; message: its reason */
  RPP_OUTCOME_BAD_ANSWER,  /* a program's answer is none: no file, another shape; message: what is wrong with it */
  RPP_OUTCOME_MISMATCH,    /* a gate fails */
  RPP_OUTCOME_UNWRITTEN,   /* elements still hold their poison; message: how many of which tensor; worst: the first */
  RPP_OUTCOME_OUTSIDE,     /* something was written outside the outputs; message: which tensor and where */
  RPP_OUTCOME_CRASH,       /* a signal ended the process; signal says which, message holds its first words on stderr */
  RPP_OUTCOME_EXIT,        /* the kernel ended the process: exit_status; message as above (sanitizers end programs this way) */
  RPP_OUTCOME_HANG,        /* it was still running when its time was up */
  RPP_OUTCOME_ERROR,       /* the verifier could not judge: memory, or the truth refused; message: why */
  RPP_OUTCOMES
} rpp_outcome;

typedef enum {
  RPP_GATE_STRUCTURE = 0, /* NaN, poison, guards, the contract of rows that see no key; its ratio is 0 or infinite */
  RPP_GATE_ELEMENT,       /* each element within its bound */
  RPP_GATE_STATISTICAL,   /* each element within what independent roundings make likely */
  RPP_GATE_ROW,           /* the norm of a row's error */
  RPP_GATE_TENSOR,        /* the slope of got over expected */
  RPP_GATES
} rpp_gate;

typedef enum {
  RPP_JUDGED_OUT = 0,
  RPP_JUDGED_LSE,
  RPP_JUDGED_ROTATED_Q,
  RPP_JUDGED_ROTATED_K,
  RPP_JUDGED_TENSORS
} rpp_judged_tensor;

/* One element and what was wrong with it. */
typedef struct {
  rpp_judged_tensor tensor;
  int64_t b, h, t, d; /* batch, head, token, column; -1 where it has none (LSE: d; a whole row: d; a whole tensor: all) */
  double expected, got;
  double bound; /* of |got - expected|, by the gate that it is the worst of */
  double ratio; /* error over bound; infinite or NaN where an error is not finite */
} rpp_worst;

typedef struct {
  rpp_outcome outcome;
  rpp_gate gate;           /* mismatch: the gate that fails, the first in the order above. Unwritten, outside: structure */
  double ratio[RPP_GATES]; /* the worst error over bound of each gate, passing or not; -1: the gate did not apply to the case */
  int64_t elements;        /* judged */
  bool without_lse;        /* the kernel gave no LSE, and may do so: none was judged */
  rpp_worst worst;         /* of the gate that fails; of the element gate when all pass. Meaningless when elements is 0 */
  int signal, exit_status; /* crash, exit; else 0 */
  bool compared;           /* other projects' rules were applied too (rules.h), by rpp_judge_compared */
  unsigned rules_failed;   /* and these failed the case: bit i stands for rpp_rules[i] */
  rpp_message message;     /* "" where there is nothing to say */
} rpp_verdict;

/* "pass", "unsupported", ...; "structure", "element", "statistical element", "row", "tensor"; "out", "lse", "rotated q", "rotated
 * k". */
extern const rpp_name rpp_names_outcome[], rpp_names_gate[], rpp_names_judged[];

/* What caught a failure: the gate, or, for what is no number, the outcome. "structure", "row", "crash", ... */
const char *rpp_verdict_caught_by(rpp_outcome outcome, rpp_gate gate);

/* Nothing judged yet: outcome error, no gate applied. What a judge starts from. */
rpp_verdict rpp_verdict_none(void);

/* Whether the ratio a of an error to its bound is worse than b. NaN is the worst, -1 (not applied) the least. */
bool rpp_ratio_worse(double a, double b);

/* Everything but pass and unsupported. */
bool rpp_verdict_fails(const rpp_verdict *verdict);

/* A failure that says more of the kernel than a wrong number: crash, exit, hang, outside (exit status 3). */
bool rpp_outcome_severe(rpp_outcome outcome);

/* Whether two failures are of one kind: the same outcome and, for a mismatch, the same gate. What shrinking keeps. */
bool rpp_verdict_same_kind(const rpp_verdict *a, const rpp_verdict *b);

#endif
