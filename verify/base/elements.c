#include "base/elements.h"

bool rpp_elements_next(const rpp_tensor *t, int64_t *index) {
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (++index[d] < t->shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

bool rpp_elements_none(const rpp_tensor *t) {
  int64_t elements;
  return rpp_tensor_extent(t, &elements, NULL) != RPP_OK || elements == 0;
}
