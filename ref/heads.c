#include "status.h"

#include <inttypes.h>

rpp_status rpp_attention_heads(const rpp_attention *attention, rpp_head_counts *counts) {
  if (!attention) return rpp_fail(RPP_ERROR_NULL, "attention = null: a description is required");
  if (!counts) return rpp_fail(RPP_ERROR_NULL, "counts = null: a place for the result is required");
  const int64_t heads = attention->heads, kv_heads = attention->kv_heads;
  if (heads < 1) return rpp_fail(RPP_ERROR_VALUE, "heads = %" PRId64 ": must be at least 1", heads);
  if (kv_heads < 1) return rpp_fail(RPP_ERROR_VALUE, "kv_heads = %" PRId64 ": must be at least 1", kv_heads);
  if (heads > INT64_MAX / 2) return rpp_fail(RPP_ERROR_OVERFLOW, "heads = %" PRId64 ": twice that does not fit", heads);
  if (heads % kv_heads != 0)
    return rpp_fail(RPP_ERROR_VALUE, "kv_heads = %" PRId64 ": must divide heads = %" PRId64, kv_heads, heads);
  switch (attention->mode) {
  case RPP_MODE_ROPE:
    *counts = (rpp_head_counts){heads, kv_heads, heads};
    return RPP_OK;
  case RPP_MODE_EC:
    *counts = (rpp_head_counts){heads, kv_heads, 2 * heads};
    return RPP_OK;
  case RPP_MODE_EH:
    if (heads % 2 != 0) return rpp_fail(RPP_ERROR_VALUE, "heads = %" PRId64 ": EH needs an even count", heads);
    if (kv_heads % 2 != 0) return rpp_fail(RPP_ERROR_VALUE, "kv_heads = %" PRId64 ": EH needs an even count", kv_heads);
    *counts = (rpp_head_counts){heads / 2, kv_heads / 2, heads};
    return RPP_OK;
  }
  return rpp_fail(RPP_ERROR_VALUE, "mode = %d: unknown", (int)attention->mode);
}
