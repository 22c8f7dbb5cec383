#include "files/answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/elements.h"
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

const char *rpp_answer_name(rpp_answer_tensor which) {
  return names[which];
}

static int find(const char *name) {
  int which = 0;
  while (which < RPP_ANSWER_TENSORS && strcmp(name, names[which]) != 0) which++;
  return which;
}

static bool is_input(const char *name) {
  for (rpp_case_tensor t = RPP_CASE_Q; t < RPP_CASE_EXPECTED; t++)
    if (strcmp(name, rpp_case_tensor_name(t)) == 0) return true;
  return false;
}

static bool refuse_name(const char *name, rpp_message *error) {
  return rpp_message_set(error, "%.60s: %s: an answer holds out, and may hold lse, q_real, q_imag and k_rot", name,
                         is_input(name) ? "an input" : "unknown tensor");
}

static bool check_names(const rpp_named_tensors *set, bool with_inputs, rpp_message *error) {
  for (size_t i = 0; i < rpp_named_tensors_count(set); i++) {
    const char *name;
    rpp_named_tensors_at(set, i, &name);
    if (find(name) == RPP_ANSWER_TENSORS && !(with_inputs && is_input(name))) return refuse_name(name, error);
  }
  return true;
}

static const rpp_tensor *named(const rpp_named_tensors *set, const char *wanted) {
  for (size_t i = 0; i < rpp_named_tensors_count(set); i++) {
    const char *name;
    const rpp_tensor *t = rpp_named_tensors_at(set, i, &name);
    if (strcmp(name, wanted) == 0) return t;
  }
  return NULL;
}

/* out first, whatever the file's order: what is wrong with it is what one wants to hear. */
static bool take_all(const rpp_named_tensors *set, bool with_inputs, const rpp_attention *attention,
                     const rpp_attention_inputs *inputs, rpp_axes axes, rpp_answer *answer, rpp_message *error) {
  rpp_head_counts counts;
  if (rpp_attention_heads(attention, &counts) != RPP_OK) return rpp_message_set(error, "%s", rpp_error_message());
  if (!check_names(set, with_inputs, error)) return false;
  for (rpp_answer_tensor which = RPP_ANSWER_OUT; which < RPP_ANSWER_TENSORS; which++) {
    const rpp_tensor *t = named(set, names[which]);
    const rpp_answer_want want = expect(which, inputs, &counts, axes);
    if (t == NULL && which == RPP_ANSWER_OUT)
      return rpp_message_set(error, "out: missing: an answer holds out, and may hold lse, q_real, q_imag and k_rot");
    if (t == NULL) continue;
    if (which >= RPP_ANSWER_Q_REAL && (which == RPP_ANSWER_K_ROT ? attention->k_rotated : attention->q_rotated))
      return rpp_message_set(error, "%s: the case's inputs come rotated: there is nothing to answer", names[which]);
    if (t->dtype == RPP_I64) return rpp_message_set(error, "%s is I64: expected F64, F32, F16 or BF16", names[which]);
    if (!rpp_answer_shape(t, &want, &answer->tensor[which], error)) return false;
  }
  return true;
}

bool rpp_answer_load(const char *path, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_axes axes,
                     rpp_answer *answer, rpp_message *error) {
  *answer = (rpp_answer){0};
  const bool good = rpp_named_tensors_load(path, names[RPP_ANSWER_OUT], rpp_case_tensor_known, &answer->set, error) &&
                    take_all(&answer->set, false, attention, inputs, axes, answer, error);
  if (!good) rpp_answer_free(answer);
  return good;
}

bool rpp_answer_take(const rpp_named_tensors *set, bool with_inputs, const rpp_attention *attention,
                     const rpp_attention_inputs *inputs, rpp_axes axes, rpp_answer *answer, rpp_message *error) {
  *answer = (rpp_answer){0};
  const bool good = take_all(set, with_inputs, attention, inputs, axes, answer, error);
  if (!good) rpp_answer_free(answer);
  return good;
}

void rpp_answer_free(rpp_answer *answer) {
  rpp_named_tensors_free(&answer->set);
  *answer = (rpp_answer){0};
}

/* ---- Conversions that are exact ------------------------------------------------------------------------------------------ */

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
  if (t->ndim == 0 || rpp_elements_none(t)) return true;
  do {
    const double x = rpp_tensor_get(t, index);
    if (!isnan(x) && rpp_dtype_round(dtype, x) != x) return refuse_value(which, t, index, dtype, error);
    if (target != NULL) rpp_tensor_set(target, index, x);
  } while (rpp_elements_next(t, index));
  return true;
}

bool rpp_answer_holds(const rpp_answer *answer, rpp_answer_tensor which, rpp_dtype dtype, rpp_message *error) {
  return convert(answer, which, dtype, NULL, error);
}

bool rpp_answer_copy(const rpp_answer *answer, const rpp_tensor *out, const rpp_tensor *lse, rpp_message *error) {
  return convert(answer, RPP_ANSWER_OUT, out->dtype, out, error) &&
         (lse == NULL || convert(answer, RPP_ANSWER_LSE, lse->dtype, lse, error));
}
