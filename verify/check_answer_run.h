/* check_answer_run.h: the command `ropepp-verify check CASE ANSWER`. */
#ifndef RPP_CHECK_ANSWER_RUN_H
#define RPP_CHECK_ANSWER_RUN_H
#include <stdio.h>

#include "base/format.h"
#include "check_answer.h"

/* Judges the answer and reports on out: human, the case, the answer, the contract, the ratio of each gate, and, of a failure, the worst
 * element and the likely cause; json, one object, of the form that a check of cases has. What cannot be judged is one line on stderr.
 * Returns the exit status: 0 pass, 1 a gate fails or there was no element, 2 it cannot be judged. */
int rpp_check_answer_run(const rpp_check_asked *asked, rpp_format format, FILE *out);

#endif
