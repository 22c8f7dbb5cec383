#include "query_rows.h"

#include "check_tensor.h"
#include "status.h"
#include "tensor.h"

#include <inttypes.h>

int64_t rpp_query_of(const rpp_tensor *rows, int64_t r) {
  return rows ? rpp_load_i64(rpp_tensor_at(rows, r, 0, 0, 0)) : r;
}

rpp_status rpp_check_rows(const rpp_tensor *rows, const rpp_problem *problem, int64_t *count) {
  *count = problem->q_len;
  if (!rows) return RPP_OK;
  RPP_TRY(rpp_check_integer("rows", rows, 1, (int64_t[]){-1}));
  *count = rows->shape[0];
  for (int64_t r = 0; r < *count; r++) {
    const int64_t i = rpp_query_of(rows, r);
    if (i < 0 || i >= problem->q_len)
      return rpp_fail(RPP_ERROR_VALUE, "rows[%" PRId64 "] = %" PRId64 ": there are %" PRId64 " queries", r, i, problem->q_len);
  }
  return RPP_OK;
}

rpp_key_range rpp_keys_of_rows(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_problem *problem,
                               const rpp_tensor *rows, int64_t count) {
  rpp_key_range keys = {0, 0};
  for (int64_t r = 0; r < count; r++) {
    const rpp_key_range range = rpp_visible_keys(attention, inputs, problem->k_len, rpp_query_of(rows, r));
    if (range.first == range.last) continue;
    const bool none = keys.first == keys.last;
    if (none || range.first < keys.first) keys.first = range.first;
    if (none || range.last > keys.last) keys.last = range.last;
  }
  return keys;
}

rpp_status rpp_check_outputs(const rpp_attention *attention, const rpp_attention_inputs *inputs, const rpp_problem *problem,
                             const rpp_tensor *rows, int64_t count, const rpp_tensor *out, const rpp_tensor *lse) {
  const rpp_rotary *rotary = &attention->rotary;
  const bool rotates = !attention->q_rotated || !attention->k_rotated;
  const rpp_named_tensor others[] = {{"q", inputs->q},
                                     {"k", inputs->k},
                                     {"v", inputs->v},
                                     {"pos_q", attention->q_rotated ? NULL : inputs->pos_q},
                                     {"pos_k", attention->k_rotated ? NULL : inputs->pos_k},
                                     {"cu_q", inputs->cu_q},
                                     {"cu_k", inputs->cu_k},
                                     {"rows", rows},
                                     {"inv_freq", rotates ? rotary->inv_freq : NULL},
                                     {"cos", rotates ? rotary->cos : NULL},
                                     {"sin", rotates ? rotary->sin : NULL},
                                     {"out", out}};
  const int read = (int)(sizeof others / sizeof others[0]) - 1;
  if (!out && !lse) return rpp_fail(RPP_ERROR_NULL, "out = null, lse = null: at least one output is required");
  if (out) {
    RPP_TRY(rpp_check_floating("out", out, 4, (int64_t[]){problem->batch, count, problem->counts.output, problem->v_dim}));
    RPP_TRY(rpp_check_output("out", out, read, others));
  }
  if (lse) {
    RPP_TRY(rpp_check_floating("lse", lse, 3, (int64_t[]){problem->batch, problem->counts.output, count}));
    RPP_TRY(rpp_check_output("lse", lse, read + 1, others));
  }
  return RPP_OK;
}
