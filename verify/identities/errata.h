/* errata.h: the command `ropepp-verify errata`: the numbers behind notes/errata.md. */
#ifndef RPP_ERRATA_H
#define RPP_ERRATA_H
#include <stdio.h>

/* Prints, for each error of the paper that a number can show, what the paper's formula gives, what the definition gives, and what the
 * corrected formula gives. Returns the exit status: 0 when every correction agrees with the definition and no paper formula does. */
int rpp_errata_run(FILE *out);

#endif
