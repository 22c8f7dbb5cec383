#include "head_map.h"

rpp_head_source rpp_head_map(const rpp_head_counts *counts, int64_t output) {
  const int64_t parts = counts->output / counts->projected; /* 2: real and imaginary */
  return (rpp_head_source){output / parts, output % parts == 1, output / (counts->output / counts->kv)};
}
