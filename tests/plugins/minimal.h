/* minimal.h: the least that is a plug-in: what any compiler of C11 or C++ takes, with ropepp_kernel.h and nothing else. */
#include "ropepp_kernel.h"

static const char *supports(const rpp_plugin_problem *problem) {
  return problem->mode == RPP_PLUGIN_ROPE && problem->q->ndim == 4 && problem->q->data == NULL ? "supports nothing" : "nor this";
}

static const char *forward(const rpp_plugin_problem *problem, void *workspace) {
  (void)problem, (void)workspace;
  return "is never asked";
}

const rpp_plugin_kernel *ropepp_kernel(void) {
  static const rpp_plugin_kernel kernel = {
      RPP_PLUGIN_ABI, sizeof(rpp_plugin_kernel), MINIMAL_NAME, "the least", "bf16", RPP_PLUGIN_HOST, supports, NULL, NULL, forward};
  return &kernel;
}
