/* probe_code.h: what a processor can do at most, in one instruction set: arithmetic in registers, and reading. */
#ifndef RPP_PROBE_CODE_H
#define RPP_PROBE_CODE_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *name;
  int64_t operations; /* of a round: each multiplication and each addition counts */

  /* Rounds of float32 multiply-adds, in as many independent chains as hide their latency. The sum, so that none can be left out; x and y
   * are below 1, and it stays finite and normal. */
  float (*multiply_add)(int64_t rounds, float x, float y);

  /* The sum of all 32-bit words, read as so many streams side by side. from: aligned to 64 bytes; bytes: a multiple of 256 x streams. */
  uint32_t (*read)(const unsigned char *from, size_t bytes, int streams);
} rpp_probe_set;

/* Those that this CPU can run, ended by null. */
const rpp_probe_set *const *rpp_probe_sets(void);

#endif
