#include "cases/normal.h"

#include <math.h>

#include "base/random.h"

/* The last layer starts at R and, its tail included, has the area AREA of every layer; TOP = exp(-R^2 / 2). */
static const double R = 3.442619855899, AREA = 9.91256303526217e-3, TOP = 0.002669629083880923;

void rpp_normal_table_make(rpp_normal_table *table) {
  double f = TOP;
  table->x[0] = AREA / TOP;
  table->f[0] = 0; /* not read */
  table->x[1] = R;
  table->f[1] = f;
  for (int i = 2; i < RPP_NORMAL_LAYERS; i++) {
    f += AREA / table->x[i - 1];
    table->x[i] = sqrt(-2 * rpp_random_log(f));
    table->f[i] = f;
  }
  table->x[RPP_NORMAL_LAYERS] = 0;
  table->f[RPP_NORMAL_LAYERS] = 1;
}

/* In (0, 1): its logarithm is finite. */
static double inside(rpp_random *random) {
  return ((double)(rpp_random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

static double tail(rpp_random *random) {
  for (;;) {
    const double x = rpp_random_log(inside(random)) / R, y = rpp_random_log(inside(random));
    if (-2 * y >= x * x) return R - x;
  }
}

/* The one in eighty that a layer's rectangle does not settle: more words, from a stream of its own. */
static double settle(const rpp_normal_table *table, rpp_random *random, uint64_t bits) {
  for (;; bits = rpp_random_bits(random)) {
    const int layer = (int)(bits & (RPP_NORMAL_LAYERS - 1));
    const double u = (double)(bits >> 11) * 0x1p-52 - 1, x = u * table->x[layer];
    if (fabs(x) < table->x[layer + 1]) return x;
    if (layer == 0) return u < 0 ? -tail(random) : tail(random);
    const double low = table->f[layer], high = table->f[layer + 1];
    if (rpp_random_log(low + inside(random) * (high - low)) < -0.5 * x * x) return x;
  }
}

void rpp_normal_fill(const rpp_normal_table *table, uint64_t seed, uint64_t stream, int64_t count, double *values) {
  enum { CHUNK = 64 };
  uint64_t words[CHUNK];
  rpp_random random = rpp_random_make(seed, stream);
  for (int64_t first = 0; first < count; first += CHUNK) {
    const int64_t chunk = count - first < CHUNK ? count - first : CHUNK;
    rpp_random_words(&random, chunk, words);
    for (int64_t i = 0; i < chunk; i++) {
      const int layer = (int)(words[i] & (RPP_NORMAL_LAYERS - 1));
      const double x = ((double)(words[i] >> 11) * 0x1p-52 - 1) * table->x[layer];
      if (fabs(x) < table->x[layer + 1]) {
        values[first + i] = x;
        continue;
      }
      rpp_random more = rpp_random_make(seed, stream | (uint64_t)1 << 63);
      more.counter = (uint64_t)(first + i) << 20;
      values[first + i] = settle(table, &more, words[i]);
    }
  }
}
