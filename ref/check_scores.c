#include "scores.h"

#include "check_tensor.h"
#include "status.h"
#include "tensor.h"

#include <inttypes.h>
#include <stdint.h>

static void widen(int64_t position, int64_t *first, int64_t *last) {
  if (position < *first) *first = position;
  if (position > *last) *last = position;
}

/* t - s has no meaning but under exact angles, and must itself stay inside the model's range. */
static rpp_status check_relative(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_problem *p) {
  const rpp_rotary *rotary = &attention->rotary;
  if (rotary->cos) return rpp_fail(RPP_ERROR_UNSUPPORTED, "rotary.cos = given: relative scores need frequencies");
  if (rotary->angles != RPP_ANGLES_EXACT)
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "angles = hf-f32: relative scores need exact angles");
  if (rotary->table_dtype != RPP_F64)
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "table_dtype = %s: relative scores need exact angles",
                    rpp_dtype_name(rotary->table_dtype));
  const int64_t limit = rpp_largest_position(rotary);
  for (int64_t b = 0; b < p->batch; b++) {
    int64_t first_t = INT64_MAX, last_t = INT64_MIN, first_s = INT64_MAX, last_s = INT64_MIN;
    for (int64_t i = 0; i < p->q_len; i++) widen(rpp_position(inputs->pos_q, b, i), &first_t, &last_t);
    for (int64_t j = 0; j < p->k_len; j++) widen(rpp_position(inputs->pos_k, b, j), &first_s, &last_s);
    if (p->q_len == 0 || p->k_len == 0) continue;
    const int64_t farthest = last_t - first_s > last_s - first_t ? last_t - first_s : first_t - last_s;
    if (farthest > limit || farthest < -limit)
      return rpp_fail(RPP_ERROR_VALUE, "pos_q - pos_k = %" PRId64 ": outside the range of the angle model", farthest);
  }
  return RPP_OK;
}

rpp_status rpp_check_scores(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_part part, rpp_score_form form,
                            const rpp_tensor *scores, rpp_problem *problem) {
  if (part != RPP_PART_REAL && part != RPP_PART_IMAG) return rpp_fail(RPP_ERROR_VALUE, "part = %d: unknown", (int)part);
  if (form != RPP_SCORES_ABSOLUTE && form != RPP_SCORES_RELATIVE) return rpp_fail(RPP_ERROR_VALUE, "form = %d: unknown", (int)form);
  if (attention && (attention->q_rotated || attention->k_rotated))
    return rpp_fail(RPP_ERROR_UNSUPPORTED, "%s = true: scores are computed from raw inputs",
                    attention->q_rotated ? "q_rotated" : "k_rotated");
  RPP_TRY(rpp_check_inputs(attention, inputs, false, problem));
  if (form == RPP_SCORES_RELATIVE) RPP_TRY(check_relative(attention, inputs, problem));
  const rpp_problem *p = problem;
  RPP_TRY(rpp_check_floating("scores", scores, 4, (int64_t[]){p->batch, p->counts.projected, p->q_len, p->k_len}));
  const rpp_rotary *rotary = &attention->rotary;
  const rpp_named_tensor others[] = {
      {"q", inputs->q},     {"k", inputs->k},    {"pos_q", inputs->pos_q}, {"pos_k", inputs->pos_k}, {"inv_freq", rotary->inv_freq},
      {"cos", rotary->cos}, {"sin", rotary->sin}};
  return rpp_check_output("scores", scores, 7, others);
}
