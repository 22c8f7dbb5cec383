#include "contract.h"

#include "status.h"

#include <inttypes.h>
#include <math.h>

static rpp_status check_dtype(const char *name, rpp_dtype dtype) {
  if (rpp_dtype_size(dtype) == 0 || dtype == RPP_I64)
    return rpp_fail(RPP_ERROR_DTYPE, "contract.%s = %d: expected a floating type", name, (int)dtype);
  return RPP_OK;
}

static rpp_status check_count(const char *name, int64_t count) {
  if (count < 1) return rpp_fail(RPP_ERROR_VALUE, "contract.%s = %" PRId64 ": must be at least 1", name, count);
  return RPP_OK;
}

rpp_status rpp_check_contract(const rpp_contract *contract) {
  if (!contract) return rpp_fail(RPP_ERROR_NULL, "contract = null: a contract is required");
  RPP_TRY(check_dtype("input", contract->input));
  RPP_TRY(check_dtype("rotated", contract->rotated));
  RPP_TRY(check_dtype("value", contract->value));
  RPP_TRY(check_dtype("probability", contract->probability));
  RPP_TRY(check_dtype("output", contract->output));
  RPP_TRY(check_dtype("lse", contract->lse));
  if (contract->sums < RPP_SUMS_F64 || contract->sums > RPP_SUMS_TENSOR_CORE)
    return rpp_fail(RPP_ERROR_VALUE, "contract.sums = %d: unknown", (int)contract->sums);
  if (contract->angle_error < RPP_ANGLES_AS_MODELLED || contract->angle_error > RPP_ANGLES_F64_PRODUCT)
    return rpp_fail(RPP_ERROR_VALUE, "contract.angle_error = %d: unknown", (int)contract->angle_error);
  RPP_TRY(check_count("sum_depth", contract->sum_depth));
  RPP_TRY(check_count("key_tile", contract->key_tile));
  return check_count("max_splits", contract->max_splits);
}

double rpp_dtype_tiny(rpp_dtype dtype) {
  switch (dtype) {
  case RPP_F64:
    return 0x1p-1074; /* half of it has no float64 */
  case RPP_F32:
    return 0x1p-150;
  case RPP_F16:
    return 0x1p-25;
  case RPP_BF16:
    return 0x1p-134;
  case RPP_I64:
    break;
  }
  return NAN;
}

double rpp_sums_unit(rpp_sums sums) {
  return sums == RPP_SUMS_F64 ? 0x1p-52 : sums == RPP_SUMS_F32 ? 0x1p-24 : 0x1p-22;
}
double rpp_scalar_unit(rpp_sums sums) {
  return sums == RPP_SUMS_F64 ? 0x1p-52 : 0x1p-24;
}

double rpp_contract_steps(const rpp_contract *contract, int64_t keys) {
  const double depth = (double)contract->sum_depth, count = (double)keys;
  return ceil(count / depth) + depth + ceil(count / (double)contract->key_tile) + (double)contract->max_splits;
}

double rpp_gamma(double n, double unit) {
  return n * unit < 1 ? n * unit / (1 - n * unit) : INFINITY;
}

double rpp_contract_store(const rpp_contract *contract, double x, double error, double *left) {
  const double rounded = rpp_dtype_round(contract->rotated, x), unit = rpp_dtype_unit(contract->rotated);
  if (error == 0 || unit > rpp_scalar_unit(contract->sums)) {
    const double low = rpp_dtype_round(contract->rotated, x - error), high = rpp_dtype_round(contract->rotated, x + error);
    *left = fmax(high - rounded, rounded - low);
    return rounded;
  }
  *left = error + unit * fabs(x) + rpp_dtype_tiny(contract->rotated);
  return x;
}
