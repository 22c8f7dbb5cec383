/* synthetic_selftest.h: plants, kernels, a judge and an explainer of the program's names, of which the linker takes these instead: the
 * verdict of each is what a test says. */
#ifndef SYNTHETIC_SELFTEST_H
#define SYNTHETIC_SELFTEST_H
#include "judge/verdict.h"

/* What is found of a kernel in every case. The table below starts with each plant caught by the gate of its name, "dies" by a crash,
 * "explained" as it asks for, and the clean kernels passing. */
typedef struct {
  const char *name;
  rpp_outcome outcome;
  rpp_gate gate;
  const char *explanation; /* null: none */
} synthetic_finding;

enum { SYNTHETIC_PLANTS = 7, SYNTHETIC_CLEAN = 2 };

/* Plants in the order of the gates, "dies", "explained", then the clean kernels "own" and "emulated". To be changed before the command
 * runs. */
extern synthetic_finding synthetic_findings[SYNTHETIC_PLANTS + SYNTHETIC_CLEAN];

synthetic_finding *synthetic_find(const char *name);

/* Milliseconds that every verdict takes. */
extern int synthetic_delay;

#endif
