#include "blocked_problem.h"

#include "blocked.h"
#include "support.h"

problem_config blocked_config(rpp_mode mode) {
  problem_config c = problem_default(mode);
  c.q_dtype = c.k_dtype = c.v_dtype = c.out_dtype = c.lse_dtype = RPP_F32;
  return c;
}

void blocked_run(const rpp_vector_set *by, problem *p) {
  const uint64_t before = problem_inputs_hash(p);
  support_accepted(rpp_attention_blocked_by(by, &p->attention, &p->inputs, &p->out.tensor, &p->lse.tensor));
  ck_assert_uint_eq(guarded_stray_bytes(&p->out), 0);
  ck_assert_uint_eq(guarded_stray_bytes(&p->lse), 0);
  ck_assert_uint_eq(problem_inputs_hash(p), before);
}

float_deviation blocked_holds(const rpp_vector_set *by, problem *p, const char *what, uint64_t number) {
  blocked_run(by, p);
  const float_deviation d = float_deviation_of(p, &p->attention);
  if (!(d.out <= 1 && d.lse <= 1))
    ck_abort_msg("%s, %s %d: out %g, lse %g of the allowance", by->name, what, (int)number, d.out, d.lse);
  return d;
}
