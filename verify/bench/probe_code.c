/* probe_code.c: probe_code.h in GCC's vectors, compiled once for each instruction set: RPP_SET is its name, RPP_LANES the floats of its
 * vectors, RPP_CHAINS as many sums as leave two of its registers. A product is fused with its sum where the set can (meson.build). */
#include "bench/probe_code.h"

enum { LANES = RPP_LANES, CHAINS = RPP_CHAINS, LINE = 256 };

typedef float lanes __attribute__((vector_size(4 * RPP_LANES)));
typedef uint32_t words __attribute__((vector_size(4 * RPP_LANES)));
enum { VECTORS = LINE / (int)sizeof(words), SUMS = 4 };

#define UNROLL _Pragma("GCC unroll 64")
#define NAME_OF(set) rpp_probe_##set
#define NAME_IN(set) NAME_OF(set)

static float multiply_add(int64_t rounds, float x, float y) {
  const lanes factor = (lanes){0} + x, summand = (lanes){0} + y;
  lanes chain[CHAINS], all = {0};
  float sum = 0;
  UNROLL
  for (int i = 0; i < CHAINS; i++) chain[i] = (lanes){0} + (float)i * x;
  for (int64_t n = 0; n < rounds; n++) {
    UNROLL
    for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * factor + summand;
  }
  UNROLL
  for (int i = 0; i < CHAINS; i++) all += chain[i];
  for (int i = 0; i < LANES; i++) sum += all[i];
  return sum;
}

static uint32_t read_streams(const unsigned char *from, size_t bytes, int streams) {
  const size_t part = bytes / (size_t)streams;
  words sums[SUMS] = {{0}};
  uint32_t sum = 0;
  for (size_t at = 0; at < part; at += LINE)
    for (int s = 0; s < streams; s++) {
      const words *line = (const void *)(from + (size_t)s * part + at);
      UNROLL
      for (int i = 0; i < VECTORS; i++) sums[i % SUMS] += line[i];
    }
  for (int i = 0; i < LANES; i++) sum += sums[0][i] + sums[1][i] + sums[2][i] + sums[3][i];
  return sum;
}

extern const rpp_probe_set NAME_IN(RPP_SET);

#define TEXT_OF(set) #set
#define TEXT_IN(set) TEXT_OF(set)

const rpp_probe_set NAME_IN(RPP_SET) = {TEXT_IN(RPP_SET), (int64_t)2 * LANES *CHAINS, multiply_add, read_streams};
