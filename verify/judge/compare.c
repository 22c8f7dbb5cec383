#include "judge/compare.h"

#include "judge/naive.h"
#include "judge/rules.h"

/* The judged rows of what the kernel returned, laid out as the truth. */
static void gather(const rpp_compared_case *c, const rpp_tensor *out, const rpp_tensor *lse) {
  const int64_t *shape = c->truth->out.shape;
  double *to = rpp_scratch_values(out), *to_lse = rpp_scratch_values(lse);
  for (int64_t b = 0; b < shape[0]; b++)
    for (int64_t r = 0; r < shape[1]; r++) {
      const int64_t t = c->rows ? (int64_t)rpp_tensor_get(c->rows, &r) : r;
      for (int64_t o = 0; o < shape[2]; o++) {
        for (int64_t d = 0; d < shape[3]; d++) *to++ = rpp_tensor_get(c->out, (int64_t[]){b, t, o, d});
        to_lse[(b * shape[2] + o) * shape[1] + r] = rpp_tensor_get(c->lse, (int64_t[]){b, o, t});
      }
    }
}

bool rpp_compare(rpp_scratch *scratch, const rpp_compared_case *c, unsigned *failed, rpp_message *error) {
  const int64_t *shape = c->truth->out.shape;
  const rpp_dtype stored = c->contract->output == RPP_F64 ? RPP_F32 : c->contract->output;
  rpp_tensor wide[3]; /* out, naive, magnitude */
  *failed = 0;
  for (int i = 0; i < 3; i++) {
    wide[i] = rpp_scratch_zeros(scratch, shape[0], shape[1], shape[2], shape[3]);
    if (!wide[i].data) return rpp_message_set(error, "out of memory for the comparison");
  }
  const rpp_tensor lse = rpp_scratch_tensor(scratch, RPP_F64, 3, c->truth->lse.shape);
  if (!lse.data) return rpp_message_set(error, "out of memory for the comparison");
  if (rpp_scratch_size(&wide[0]) == 0) return rpp_message_set(error, "no element to compare");
  gather(c, &wide[0], &lse);
  if (!rpp_naive_attention(scratch, c->attention, c->inputs, c->contract->rotated, stored, c->rows, &wide[1], &wide[2], error))
    return false;
  *failed = rpp_rules_failed(&(rpp_rule_case){.dtype = c->contract->output,
                                              .count = rpp_scratch_size(&wide[0]),
                                              .expected = rpp_scratch_values(&c->truth->out),
                                              .got = rpp_scratch_values(&wide[0]),
                                              .naive = rpp_scratch_values(&wide[1]),
                                              .magnitude = rpp_scratch_values(&wide[2]),
                                              .lse_count = rpp_scratch_size(&lse),
                                              .lse = rpp_scratch_values(&c->truth->lse),
                                              .lse_got = rpp_scratch_values(&lse),
                                              .keys = c->inputs->v->shape[1]});
  return true;
}
