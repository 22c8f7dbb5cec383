#include "kernels/takes.h"

bool rpp_kernel_takes(const rpp_kernel *kernel, const rpp_kernel_problem *problem, rpp_message *why) {
  const rpp_contract *c = &kernel->contract;
  const rpp_attention *a = problem->attention;
  if (problem->inputs->q->dtype != c->input) return rpp_message_set(why, "takes %s", rpp_dtype_name(c->input));
  if (a->rotary.angles != c->angles && !a->q_rotated)
    return rpp_message_set(why, "%s", c->angles == RPP_ANGLES_EXACT ? "its angles are exact" : "its angles are hf-f32");
  const char *reason = kernel->supports(kernel, problem);
  return reason == NULL || rpp_message_set(why, "%s", reason);
}
