/* default_cases.h: the cases that a bench without --case runs. */
#ifndef RPP_DEFAULT_CASES_H
#define RPP_DEFAULT_CASES_H

/* Specs, ended by null. */
extern const char *const rpp_bench_default_cases[];

#endif
