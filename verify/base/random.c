#include "base/random.h"

#include <math.h>

rpp_random rpp_random_make(uint64_t seed, uint64_t stream) {
  return (rpp_random){.seed = seed, .stream = stream, .used = 4};
}

/* Philox4x64-10 of counter and key; Random123's own header is what the tests hold it against. */
static void next_block(rpp_random *random, uint64_t *words) {
  __extension__ typedef unsigned __int128 product;
  uint64_t x[4] = {random->counter++, 0, 0, 0}, key[2] = {random->seed, random->stream};
  for (int round = 0; round < 10; round++) {
    const product a = (product)0xd2e7470ee14c6c93u * x[0], b = (product)0xca5a826395121157u * x[2];
    x[0] = (uint64_t)(b >> 64) ^ x[1] ^ key[0];
    x[1] = (uint64_t)b;
    x[2] = (uint64_t)(a >> 64) ^ x[3] ^ key[1];
    x[3] = (uint64_t)a;
    key[0] += 0x9e3779b97f4a7c15u;
    key[1] += 0xbb67ae8584caa73bu;
  }
  for (int i = 0; i < 4; i++) words[i] = x[i];
}

uint64_t rpp_random_bits(rpp_random *random) {
  if (random->used == 4) {
    next_block(random, random->block);
    random->used = 0;
  }
  return random->block[random->used++];
}

void rpp_random_words(rpp_random *random, int64_t count, uint64_t *words) {
  int64_t i = 0;
  while (i < count && random->used < 4) words[i++] = rpp_random_bits(random);
  for (; count - i >= 4; i += 4) next_block(random, words + i); /* blocks are independent: the processor overlaps them */
  while (i < count) words[i++] = rpp_random_bits(random);
}

double rpp_random_uniform(rpp_random *random) {
  return (double)(rpp_random_bits(random) >> 11) * 0x1p-53;
}

int64_t rpp_random_integer(rpp_random *random, int64_t low, int64_t high) {
  const uint64_t span = (uint64_t)high - (uint64_t)low + 1, bits = rpp_random_bits(random);
  return (int64_t)((uint64_t)low + (span == 0 ? bits : bits % span));
}

/* ln x, x > 0, from 2 artanh((m - 1) / (m + 1)) with m in [sqrt(1/2), sqrt(2)). */
double rpp_random_log(double x) {
  int exponent;
  double m = frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    exponent--;
  }
  const double z = (m - 1) / (m + 1), square = z * z;
  static const double reciprocal[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                      1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1};
  double series = 0;
  for (int n = 0; n < 12; n++) series = series * square + reciprocal[n];
  return 2 * z * series + exponent * 0.69314718055994531;
}

double rpp_random_normal(rpp_random *random) {
  if (random->has_spare) {
    random->has_spare = 0;
    return random->spare;
  }
  for (;;) {
    const double u = 2 * rpp_random_uniform(random) - 1, v = 2 * rpp_random_uniform(random) - 1, s = u * u + v * v;
    if (!(s > 0 && s < 1)) continue;
    const double factor = sqrt(-2 * rpp_random_log(s) / s);
    random->spare = v * factor;
    random->has_spare = 1;
    return u * factor;
  }
}
