/* bound_tally.h: how the errors of kernels that keep a contract lie below the bounds that follow from it. */
#ifndef BOUND_TALLY_H
#define BOUND_TALLY_H
#include "cases/spec.h"
#include "kernels/kernel.h"

/* Ratios of error to bound: how many, the worst, and their distribution by size, from 2^-64 to 2^64. */
enum { TALLY_BINS = 128 * 16 };
typedef struct {
  int64_t count, over; /* over: !(ratio <= 1) */
  double worst;
  int64_t bins[TALLY_BINS];
  char spec[RPP_SPEC_TEXT]; /* the case of the worst */
} tally;

/* Half of the ratios lie below; to 2^(1/16). 0 when there is none. */
double tally_median(const tally *t);

typedef struct {
  int64_t cases, elements;
  tally out, lse, rotated;       /* every case */
  tally generic;                 /* out again, families of independent numbers only, rows that see two keys or more */
  tally statistical, row, slope; /* and so these: 8 g + ..., the row's norm, the gain */
} bound_tally;

/* Runs a kernel on a case and adds what it finds, the errors judged by this contract. False when the case is not the kernel's, or something
 * failed, whose message is then on stderr. */
bool bound_tally_add(bound_tally *sums, const rpp_kernel *kernel, const rpp_contract *judged_by, const rpp_spec *spec);

/* Case number index of a kernel's own: of its input type and its angle model, and no more work than a limit. */
rpp_spec bound_tally_draw(const rpp_kernel *kernel, uint64_t seed, uint64_t index, double limit);

#endif
