/* judge.h: runs a kernel on a case and holds what it returns against the truth, by the gates of notes/tolerance.md. */
#ifndef RPP_JUDGE_H
#define RPP_JUDGE_H
#include "cases/spec.h"
#include "judge/verdict.h"
#include "kernels/kernel.h"

/* Generates the case, asks the kernel whether it supports it, runs it between guards and judges it. Fills every field of *verdict;
 * what cannot be judged is outcome error. It runs the kernel in this process, so a caller who must outlive the kernel runs it in a
 * worker (worker.h), and so does one that keeps clear of OpenMP. */
void rpp_judge_case(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict);

/* The same, and applies other projects' rules (rules.h) to the same outputs, whatever our gates say of them: fills compared and
 * rules_failed where the kernel returned and left something to compare. Costs about twice as much. */
void rpp_judge_compared(const rpp_kernel *kernel, const rpp_spec *spec, rpp_verdict *verdict);

#endif
