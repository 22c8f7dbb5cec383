/* truth.h: the command `ropepp-verify truth`: is the truth true? Every identity, and every case file given, in one table. */
#ifndef RPP_TRUTH_H
#define RPP_TRUTH_H
#include <stdio.h>

/* Each case counts its tensors; its plant changes one element of each by one part in 10^6 (of a 16-bit dtype: by two units in the
 * last place), which must be noticed. Returns the exit status: 0 all hold and every plant is caught, 1 not, 2 a file that cannot be
 * judged (said on stderr; the rest goes on). */
int rpp_truth_run(int count, char *const *paths, FILE *out);

#endif
