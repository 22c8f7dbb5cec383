/* visible.h: which keys a query sees (eq. 9). Every mask leaves one run of keys. */
#ifndef RPP_VISIBLE_H
#define RPP_VISIBLE_H
#include "ropepp.h"

typedef struct {
  int64_t first, last; /* keys first .. last - 1; none when first = last = 0 */
} rpp_key_range;

/* The keys visible to query i of a checked problem with k_len keys. */
rpp_key_range rpp_visible_keys(const rpp_attention *attention, const rpp_attention_inputs *inputs, int64_t k_len, int64_t i);

#endif
