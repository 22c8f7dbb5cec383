#include "check_tensor.h"
#include "status.h"
#include "tensor.h"

#include <math.h>

static rpp_status check(const rpp_named_tensor *in, rpp_tensor *out, rpp_tensor *lse) {
  const int64_t any[] = {-1, -1, -1, -1};
  RPP_TRY(rpp_check_floating("out_a", in[0].tensor, 4, any));
  const int64_t *shape = in[0].tensor->shape, lse_shape[] = {shape[0], shape[2], shape[1]};
  RPP_TRY(rpp_check_floating("lse_a", in[1].tensor, 3, lse_shape));
  RPP_TRY(rpp_check_floating("out_b", in[2].tensor, 4, shape));
  RPP_TRY(rpp_check_floating("lse_b", in[3].tensor, 3, lse_shape));
  RPP_TRY(rpp_check_floating("out", out, 4, shape));
  RPP_TRY(rpp_check_floating("lse", lse, 3, lse_shape));
  RPP_TRY(rpp_check_output("out", out, 4, in));
  RPP_TRY(rpp_check_output("lse", lse, 4, in));
  return rpp_check_output("lse", lse, 1, &(rpp_named_tensor){"out", out});
}

rpp_status rpp_attention_merge(const rpp_tensor *out_a, const rpp_tensor *lse_a, const rpp_tensor *out_b, const rpp_tensor *lse_b,
                               rpp_tensor *out, rpp_tensor *lse) {
  const rpp_named_tensor in[] = {{"out_a", out_a}, {"lse_a", lse_a}, {"out_b", out_b}, {"lse_b", lse_b}};
  RPP_TRY(check(in, out, lse));
  if (rpp_tensor_is_empty(lse)) return RPP_OK;
  for (int64_t b = 0; b < out->shape[0]; b++)
    for (int64_t l = 0; l < out->shape[1]; l++)
      for (int64_t h = 0; h < out->shape[2]; h++) {
        const double la = rpp_load(lse_a->dtype, rpp_tensor_at(lse_a, b, h, l, 0));
        const double lb = rpp_load(lse_b->dtype, rpp_tensor_at(lse_b, b, h, l, 0));
        const double m = la > lb || isnan(la) ? la : lb; /* NaN goes through */
        const bool empty = la == -INFINITY && lb == -INFINITY;
        const double wa = empty ? 0 : exp(la - m), wb = empty ? 0 : exp(lb - m), sum = wa + wb;
        for (int64_t c = 0; c < out->shape[3]; c++) {
          const double a = rpp_load(out_a->dtype, rpp_tensor_at(out_a, b, l, h, c));
          const double o = rpp_load(out_b->dtype, rpp_tensor_at(out_b, b, l, h, c));
          rpp_store(out->dtype, rpp_tensor_at(out, b, l, h, c), empty ? 0 : (wa * a + wb * o) / sum);
        }
        rpp_store(lse->dtype, rpp_tensor_at(lse, b, h, l, 0), empty ? -INFINITY : m + log(sum));
      }
  return RPP_OK;
}
