/* check_run.h: the command `ropepp-verify check`. */
#ifndef RPP_CHECK_RUN_H
#define RPP_CHECK_RUN_H

#include <stdio.h>

#include "base/format.h"

/* Judges each case file and reports on out: human, a table with one row for each tensor, the worst element of those that fail,
 * and a verdict; json, one object. A file that cannot be judged is one line on stderr, and the others are judged all the same.
 * Returns the exit status: 0 all pass, 1 some deviate or held no element, 2 some file cannot be judged, or there is none. */
int rpp_check_run(int count, char *const *paths, rpp_format format, FILE *out);

#endif
