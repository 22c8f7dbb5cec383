/* random.h: counter-based random numbers: the same bits for one seed and stream on every machine, whatever its libm. Uniform numbers
 * come from Philox4x64-10 (Random123; Salmon et al. 2011), all else from them by + - * / sqrt. */
#ifndef RPP_RANDOM_H
#define RPP_RANDOM_H
#include <stdint.h>

typedef struct {
  uint64_t seed, stream, counter;
  uint64_t block[4];
  int used;     /* of block */
  double spare; /* the polar method's second number */
  int has_spare;
} rpp_random;

/* Streams of one seed are independent of each other. */
rpp_random rpp_random_make(uint64_t seed, uint64_t stream);

uint64_t rpp_random_bits(rpp_random *random);

/* The next count words, as so many calls of rpp_random_bits give them, faster. */
void rpp_random_words(rpp_random *random, int64_t count, uint64_t *words);

/* In [0, 1), a multiple of 2^-53. */
double rpp_random_uniform(rpp_random *random);

/* From low to high, both included; low <= high. The bias is below 2^-32 for spans below 2^32. */
int64_t rpp_random_integer(rpp_random *random, int64_t low, int64_t high);

/* Mean 0, variance 1 (Marsaglia's polar method, with a logarithm of its own). */
double rpp_random_normal(rpp_random *random);

/* ln x for finite x > 0, to a few ulp, by + - * / alone. */
double rpp_random_log(double x);

#endif
