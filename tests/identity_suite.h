/* identity_suite.h: what every table of identities must do, whatever it states. */
#ifndef IDENTITY_SUITE_H
#define IDENTITY_SUITE_H
#include "identities/identity.h"

/* Adds to a program the tests of one table: on two seeds that the program ropepp-verify does not use, every identity holds and its
 * planted error is caught in every case, by far; entries are complete; a run can be repeated. least: the fewest entries. Returns the
 * exit status of the program. */
int identity_suite_run(const char *name, const rpp_identity *table, int least);

#endif
