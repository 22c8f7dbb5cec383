/* without_blas.c: what a minimal build, without OpenBLAS, has in place of attention_blocked.c and blas.c. */
#include "ropepp.h"
#include "status.h"

rpp_status rpp_attention_blocked(const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                                 rpp_tensor *lse) {
  (void)attention, (void)inputs, (void)out, (void)lse;
  return rpp_fail(RPP_ERROR_UNSUPPORTED, "rpp_attention_blocked: this is a minimal build, without OpenBLAS");
}

rpp_contract rpp_attention_blocked_contract(rpp_dtype storage) {
  return (rpp_contract){.input = storage, .output = storage};
}

const char *rpp_blas_core(void) {
  return "none";
}
