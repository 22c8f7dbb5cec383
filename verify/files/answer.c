#include "files/answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "files/answer_shape.h"
#include "files/case.h"

const rpp_name rpp_names_axes[] = {{"blhd", RPP_AXES_BLHD}, {"bhld", RPP_AXES_BHLD}, {NULL, 0}};

static const char *const names[RPP_ANSWER_TENSORS] = {"out", "lse", "q_real", "q_imag", "k_rot"};

/* ---- What is expected ---------------------------------------------------------------------------------------------------- */

static rpp_answer_want expect(rpp_answer_tensor which, const rpp_attention_inputs *inputs, const rpp_head_counts *counts,
                              rpp_axes axes) {
  const int64_t batch = inputs->q->shape[0], queries = inputs->q->shape[1], keys = inputs->k->shape[1];
  const int64_t width = inputs->q->shape[3], v_width = inputs->v->shape[3];
  const int64_t projected = counts->projected < counts->output ? counts->projected : -1;
  switch (which) {
  case RPP_ANSWER_OUT:
    return (rpp_answer_want){names[which], 4, {batch, queries, counts->output, v_width}, projected, keys, axes};
  case RPP_ANSWER_LSE:
    return (rpp_answer_want){names[which], 3, {batch, counts->output, queries}, projected, keys, axes};
  case RPP_ANSWER_K_ROT:
    return (rpp_answer_want){names[which], 4, {batch, keys, counts->kv, width}, -1, keys, axes};
  default:
    return (rpp_answer_want){names[which], 4, {batch, queries, counts->projected, width}, -1, keys, axes};
  }
}

/* ---- The file ------------------------------------------------------------------------------------------------------------ */

static int find(const char *name) {
  int which = 0;
  while (which < RPP_ANSWER_TENSORS && strcmp(name, names[which]) != 0) which++;
  return which;
}

static bool refuse_name(const char *name, rpp_message *error) {
  static const char answers[] = "an answer holds out, and may hold lse, q_real, q_imag and k_rot";
  for (rpp_case_tensor t = RPP_CASE_Q; t < RPP_CASE_EXPECTED; t++)
    if (strcmp(name, rpp_case_tensor_name(t)) == 0) return rpp_message_set(error, "%s: an input: %s", name, answers);
  return rpp_message_set(error, "%.60s: unknown tensor: %s", name, answers);
}

static bool take(const char *name, const rpp_tensor *t, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                 rpp_axes axes, rpp_answer *answer, rpp_message *error) {
  const int which = find(name);
  rpp_head_counts counts;
  if (which == RPP_ANSWER_TENSORS) return refuse_name(name, error);
  if (rpp_attention_heads(attention, &counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  if (which >= RPP_ANSWER_Q_REAL && attention->q_rotated)
    return rpp_message_set(error, "%s: the case's inputs come rotated: there is nothing to answer", name);
  if (t->dtype == RPP_I64) return rpp_message_set(error, "%s is I64: expected F64, F32, F16 or BF16", name);
  const rpp_answer_want want = expect((rpp_answer_tensor)which, inputs, &counts, axes);
  return rpp_answer_shape(t, &want, &answer->tensor[which], error);
}

bool rpp_answer_load(const char *path, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_axes axes,
                     rpp_answer *answer, rpp_message *error) {
  *answer = (rpp_answer){0};
  bool good = rpp_safetensors_load(path, &answer->file, error);
  for (size_t i = 0; good && i < rpp_safetensors_tensor_count(answer->file); i++) {
    const char *name;
    const rpp_tensor *t = rpp_safetensors_tensor_at(answer->file, i, &name);
    good = take(name, t, attention, inputs, axes, answer, error);
  }
  if (good && answer->tensor[RPP_ANSWER_OUT].ndim == 0)
    good = rpp_message_set(error, "out: missing: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
  if (!good) rpp_answer_free(answer);
  return good;
}

void rpp_answer_free(rpp_answer *answer) {
  rpp_safetensors_free(answer->file);
  *answer = (rpp_answer){0};
}

/* ---- Conversions that are exact ------------------------------------------------------------------------------------------ */

/* The next index in row-major order; false after the last. */
static bool advance(const rpp_tensor *t, int64_t *index) {
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (++index[d] < t->shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

static bool is_empty(const rpp_tensor *t) {
  int64_t elements;
  return rpp_tensor_extent(t, &elements, NULL) != RPP_OK || elements == 0;
}

static bool refuse_value(rpp_answer_tensor which, const rpp_tensor *t, const int64_t *index, rpp_dtype dtype, rpp_message *error) {
  char at[RPP_SHAPE_TEXT];
  rpp_shape_print(t->ndim, index, at);
  return rpp_message_set(error, "%s is %s, and %.17g at %s is no %s number, which the contract says it is", names[which],
                         rpp_dtype_name(t->dtype), rpp_tensor_get(t, index), at, rpp_dtype_name(dtype));
}

/* target: null to look only. */
static bool convert(const rpp_answer *answer, rpp_answer_tensor which, rpp_dtype dtype, const rpp_tensor *target,
                    rpp_message *error) {
  const rpp_tensor *t = &answer->tensor[which];
  int64_t index[RPP_MAX_DIMS] = {0};
  if (t->ndim == 0 || is_empty(t)) return true;
  do {
    const double x = rpp_tensor_get(t, index);
    if (!isnan(x) && rpp_dtype_round(dtype, x) != x) return refuse_value(which, t, index, dtype, error);
    if (target != NULL) rpp_tensor_set(target, index, x);
  } while (advance(t, index));
  return true;
}

bool rpp_answer_holds(const rpp_answer *answer, rpp_answer_tensor which, rpp_dtype dtype, rpp_message *error) {
  return convert(answer, which, dtype, NULL, error);
}

bool rpp_answer_copy(const rpp_answer *answer, const rpp_tensor *out, const rpp_tensor *lse, rpp_message *error) {
  return convert(answer, RPP_ANSWER_OUT, out->dtype, out, error) &&
         (lse == NULL || convert(answer, RPP_ANSWER_LSE, lse->dtype, lse, error));
}
