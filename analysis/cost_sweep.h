/* cost_sweep.h: the costs of a model over contexts that double, in every mode. */
#ifndef RPP_COST_SWEEP_H
#define RPP_COST_SWEEP_H
#include "cost.h"

/* The modes, and what EC pays by a kernel whose real and imaginary heads do not share a pass over K and V. */
enum { RPP_SWEEP_ROPE = 0, RPP_SWEEP_EC, RPP_SWEEP_EH, RPP_SWEEP_EC_TWICE, RPP_SWEEP_VARIANTS, RPP_SWEEP_CONTEXTS = 31 };

typedef struct {
  const char *key, *title; /* in data, in text and pictures */
  rpp_mode mode;
  int cache_reads;
} rpp_sweep_variant;
extern const rpp_sweep_variant rpp_sweep_variants[RPP_SWEEP_VARIANTS];

typedef struct {
  int64_t cache_bytes; /* held, of the batch */
  rpp_flops prefill, decode;
  rpp_step step;
} rpp_sweep_row;

typedef struct {
  bool possible;
  rpp_message why_not;
  rpp_parameters parameters;
  int64_t token_bytes; /* of the cache, one token of one sequence */
  rpp_sweep_row rows[RPP_SWEEP_CONTEXTS];
} rpp_sweep_result;

typedef struct {
  rpp_model model;
  rpp_machine machine;
  int64_t batch;
  int count;
  int64_t contexts[RPP_SWEEP_CONTEXTS];
  rpp_sweep_result of[RPP_SWEEP_VARIANTS];
} rpp_sweep;

/* Fills contexts (min, 2 min, ... up to max) and of, for the model, machine and batch that are set. A mode that the model's heads do not
 * allow is no error: it is not possible. False, with a message: no context, a count that does not fit, a context past the model's
 * window, behind which a cache no longer grows. */
bool rpp_sweep_compute(rpp_sweep *sweep, int64_t min, int64_t max, rpp_message *error);

#endif
