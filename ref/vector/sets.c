#include "vector/sets.h"

#include <stddef.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "ropepp.h"

/* A *_code.c defines its table under a name that ends in the set's (lanes.h). */
#define SET(set)                                                                                                                   \
  extern const rpp_angle_code rpp_angle_code_##set;                                                                                \
  extern const rpp_decode rpp_decode_##set;                                                                                        \
  extern const rpp_row_code rpp_row_code_##set;                                                                                    \
  extern const rpp_tiles rpp_tiles_##set;                                                                                          \
  static const rpp_vector_set set = {#set, &rpp_angle_code_##set, &rpp_decode_##set, &rpp_row_code_##set, &rpp_tiles_##set};

SET(portable)
#if defined(__x86_64__)
SET(avx2)
SET(avx512)
#endif

#if defined(__x86_64__)
/* Not every compiler's __builtin_cpu_supports knows it. */
static int has_f16c(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}
#endif

const rpp_vector_set *const *rpp_vector_sets(void) {
#if defined(__x86_64__)
  static const rpp_vector_set *const all[] = {&avx512, &avx2, &portable, NULL};
  __builtin_cpu_init();
  const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const int has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  return all + (has_avx512 ? 0 : has_avx2 ? 1 : 2);
#else
  static const rpp_vector_set *const all[] = {&portable, NULL};
  return all;
#endif
}

const char *rpp_vector_set_name(void) {
  return rpp_vector_sets()[0]->name;
}
