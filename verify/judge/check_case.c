#include "judge/check_case.h"

#include <math.h>
#include <stdlib.h>

#include "judge/case_truth.h"

/* Half a unit in the last place of x in a dtype, at most: its unit roundoff, and half of its smallest subnormal. What is stored as
 * float64 has to be right without it. */
static double rounding(rpp_dtype dtype, double x) {
  switch (dtype) {
  case RPP_F32:
    return 0x1p-24 * fabs(x) + 0x1p-150;
  case RPP_F16:
    return 0x1p-11 * fabs(x) + 0x1p-25;
  case RPP_BF16:
    return 0x1p-8 * fabs(x) + 0x1p-134;
  default:
    return 0;
  }
}

/* How far got is from the truth, over the scale, once the rounding to its dtype is allowed for. */
static double deviation(rpp_dtype dtype, double truth, double scale, double got) {
  if (isnan(truth) || isnan(got)) return NAN;
  if (got == rpp_dtype_round(dtype, truth)) return 0; /* equal infinities too */
  if (isinf(truth) || isinf(got)) return INFINITY;
  const double excess = fabs(got - truth) - rounding(dtype, truth);
  if (excess <= 0) return 0;
  return scale > 0 && isfinite(scale) ? excess / scale : INFINITY;
}

/* NaN is worse than anything but NaN. */
static bool worse(double a, double b) {
  return !isnan(b) && !(a <= b);
}

static void find_worst(const rpp_tensor *given, const double *truth, const double *scale, rpp_check_tensor *result) {
  int64_t worst = -1;
  const rpp_tensor flat = {given->data, given->dtype, 1, {result->elements}, {1}, given->byte_offset};
  for (int64_t i = 0; i < result->elements; i++) {
    const double got = rpp_tensor_get(&flat, &i), d = deviation(given->dtype, truth[i], scale[i], got);
    if (worst >= 0 && !worse(d, result->deviation)) continue;
    worst = i;
    result->deviation = d;
    result->expected = truth[i];
    result->got = got;
  }
  for (int dim = given->ndim - 1; dim >= 0 && worst >= 0; worst /= given->shape[dim--])
    result->index[dim] = worst % given->shape[dim];
}

static bool judge(const rpp_case *c, rpp_case_tensor which, rpp_check_tensor *result, rpp_message *error) {
  const rpp_tensor *given = c->tensor[which];
  int64_t bytes;
  *result = (rpp_check_tensor){.name = rpp_case_tensor_name(which),
                               .letters = rpp_case_tensor_letters(which, c->op),
                               .ndim = given->ndim,
                               .bound = RPP_CHECK_BOUND};
  if (rpp_tensor_extent(given, &result->elements, &bytes) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  /* An empty tensor may have dimensions that no memory could hold: it is not computed. */
  result->pass = true;
  if (result->elements == 0) return true;
  double *truth = calloc((size_t)result->elements, sizeof *truth), *scale = calloc((size_t)result->elements, sizeof *scale);
  const bool ok = truth != NULL && scale != NULL ? rpp_case_truth(c, which, truth, scale, error)
                                                 : rpp_message_set(error, "%s: out of memory", result->name);
  if (ok) find_worst(given, truth, scale, result);
  result->pass = result->deviation <= result->bound;
  free(truth);
  free(scale);
  return ok;
}

bool rpp_check_case(const rpp_case *c, rpp_check_result *result, rpp_message *error) {
  *result = (rpp_check_result){.name = c->name, .pass = true};
  for (rpp_case_tensor t = RPP_CASE_EXPECTED; t < RPP_CASE_TENSORS; t++) {
    if (c->tensor[t] == NULL) continue;
    rpp_check_tensor *judged = &result->tensor[result->count++];
    if (!judge(c, t, judged, error)) return false;
    result->elements += judged->elements;
    result->pass = result->pass && judged->pass;
  }
  if (result->count == 0) return rpp_message_set(error, "out: missing, as every other expected tensor: nothing to judge");
  result->pass = result->pass && result->elements > 0;
  return true;
}

bool rpp_check_path(const char *path, rpp_check_result *result, rpp_message *error) {
  rpp_safetensors *file;
  rpp_case c;
  *result = (rpp_check_result){.count = 0};
  if (!rpp_safetensors_load(path, &file, error)) return false;
  const bool ok = rpp_case_read(file, &c, error) && rpp_check_case(&c, result, error);
  rpp_safetensors_free(file);
  return ok;
}

const rpp_check_tensor *rpp_check_worst(const rpp_check_result *result) {
  const rpp_check_tensor *worst = NULL;
  for (int i = 0; i < result->count; i++)
    if (worst == NULL || worse(result->tensor[i].deviation, worst->deviation)) worst = &result->tensor[i];
  return worst;
}
