#include "cost_sweep.h"

#include <inttypes.h>

const rpp_sweep_variant rpp_sweep_variants[RPP_SWEEP_VARIANTS] = {
    [RPP_SWEEP_ROPE] = {"rope", "RoPE", RPP_MODE_ROPE, 1},
    [RPP_SWEEP_EC] = {"ec", "EC", RPP_MODE_EC, 1},
    [RPP_SWEEP_EH] = {"eh", "EH", RPP_MODE_EH, 1},
    [RPP_SWEEP_EC_TWICE] = {"ec-twice", "EC reading KV twice", RPP_MODE_EC, 2},
};

static bool compute(const rpp_sweep *sweep, const rpp_sweep_variant *v, rpp_sweep_result *result, rpp_message *error) {
  const rpp_model *m = &sweep->model;
  const rpp_dtype dtype = sweep->machine.dtype;
  if (!rpp_parameters_count(m, v->mode, &result->parameters, error) ||
      !rpp_cache_bytes(m, v->mode, dtype, 1, 1, &result->token_bytes, error))
    return false;
  for (int i = 0; i < sweep->count; i++) {
    rpp_sweep_row *row = result->rows + i;
    const int64_t context = sweep->contexts[i];
    if (!rpp_cache_bytes(m, v->mode, dtype, sweep->batch, context, &row->cache_bytes, error) ||
        !rpp_flops_prefill(m, v->mode, sweep->batch, context, &row->prefill, error) ||
        !rpp_flops_decode(m, v->mode, sweep->batch, context, &row->decode, error) ||
        !rpp_step_cost(m, v->mode, &sweep->machine, v->cache_reads, sweep->batch, context, &row->step, error))
      return false;
  }
  return true;
}

bool rpp_sweep_compute(rpp_sweep *sweep, int64_t min, int64_t max, rpp_message *error) {
  if (max < min) return rpp_message_set(error, "--max = %" PRId64 ": must be at least --min = %" PRId64, max, min);
  sweep->count = 0;
  for (int64_t context = min; context <= max && sweep->count < RPP_SWEEP_CONTEXTS; context *= 2)
    sweep->contexts[sweep->count++] = context;
  const int64_t last = sweep->contexts[sweep->count - 1], window = sweep->model.window;
  if (window > 0 && last > window)
    return rpp_message_set(
        error, "sliding_window = %" PRId64 ": a context of %" PRId64 " is past it, where the cache no longer grows (--max)", window,
        last);
  for (int v = 0; v < RPP_SWEEP_VARIANTS; v++) {
    rpp_sweep_result *result = sweep->of + v;
    rpp_head_counts heads;
    result->possible = rpp_model_heads(&sweep->model, rpp_sweep_variants[v].mode, &heads, &result->why_not);
    if (result->possible && !compute(sweep, rpp_sweep_variants + v, result, error)) return false;
  }
  return true;
}
