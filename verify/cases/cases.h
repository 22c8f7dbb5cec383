/* cases.h: what the drawn cases of a campaign cover. */
#ifndef RPP_CASES_H
#define RPP_CASES_H

#include <stdio.h>

#include "cases/spec.h"

/* The sweep: cases have to have every property; ended by a null name. */
typedef struct {
  const char *group, *name;
  bool (*holds)(const rpp_spec *spec, int64_t value);
  int64_t value; /* what holds is asked about */
} rpp_case_property;

extern const rpp_case_property rpp_case_properties[];

/* How many of cases 0 .. cases - 1 of a campaign have each property, in the table's order. */
void rpp_cases_count(uint64_t seed, int64_t cases, int64_t *counts);

/* The command `ropepp-verify cases`: that table. Returns the exit status: 0, or 1 when a property does not occur. */
int rpp_cases_run(uint64_t seed, int64_t cases, FILE *out);

#endif
