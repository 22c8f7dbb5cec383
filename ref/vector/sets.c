#include "vector/sets.h"

#include <stdatomic.h>
#include <stdbool.h>
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
static bool has_f16c(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}

/* Of the sets best first, the first that this CPU runs. */
static int find_first(void) {
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
  return has_avx512 ? 0 : has_avx2 ? 1 : 2;
}

const rpp_vector_set *const *rpp_vector_sets(void) {
  static const rpp_vector_set *const all[] = {&avx512, &avx2, &portable, NULL};
  /* Asked once: this is called for every row, and in a virtual machine cpuid takes as long as thousands of products. */
  static _Atomic int found = -1;
  int first = atomic_load_explicit(&found, memory_order_relaxed);
  if (first < 0) atomic_store_explicit(&found, first = find_first(), memory_order_relaxed);
  return all + first;
}
#else
const rpp_vector_set *const *rpp_vector_sets(void) {
  static const rpp_vector_set *const all[] = {&portable, NULL};
  return all;
}
#endif

const char *rpp_vector_set_name(void) {
  return rpp_vector_sets()[0]->name;
}
