/* head_map.h: where an output head comes from and what it reads (notes/math.md eq. 12). */
#ifndef RPP_HEAD_MAP_H
#define RPP_HEAD_MAP_H
#include "ropepp.h"

typedef struct {
  int64_t query;  /* projected query head */
  bool imaginary; /* its query turned by -pi/2 */
  int64_t kv;     /* KV head */
} rpp_head_source;

/* counts: from rpp_attention_heads; 0 <= output < counts->output. */
rpp_head_source rpp_head_map(const rpp_head_counts *counts, int64_t output);

#endif
