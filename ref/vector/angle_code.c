/* angle_code.c: the recurrence of angle_code.h (lanes.h). meson.build keeps products and sums apart here. */
#include "vector/angle_code.h"
#include "vector/lanes.h"

enum { WIDE = LANES / 2, CHAINS = 4, TILE = 4 }; /* a turn waits for the one before it; rows that stay in the nearest cache */

typedef double wide __attribute__((vector_size(4 * RPP_LANES)));
typedef double wide_memory __attribute__((vector_size(4 * RPP_LANES), aligned(8), may_alias));
typedef float short_lanes __attribute__((vector_size(2 * RPP_LANES)));
typedef float short_memory __attribute__((vector_size(2 * RPP_LANES), aligned(4), may_alias));

INLINE void turn_vectors(int vectors, int64_t pairs, int64_t count, const double *step_c, const double *step_s, double *c,
                         double *s, float *cosine, float *sine) {
  wide a[CHAINS], b[CHAINS];
  UNROLL
  for (int v = 0; v < vectors; v++) a[v] = *(const wide_memory *)(c + v * WIDE), b[v] = *(const wide_memory *)(s + v * WIDE);
  for (int64_t l = 0; l < count; l++, cosine += pairs, sine += pairs) {
    UNROLL
    for (int v = 0; v < vectors; v++) *(short_memory *)(cosine + v * WIDE) = __builtin_convertvector(a[v], short_lanes);
    UNROLL
    for (int v = 0; v < vectors; v++) *(short_memory *)(sine + v * WIDE) = __builtin_convertvector(b[v], short_lanes);
    UNROLL
    for (int v = 0; v < vectors; v++) {
      const wide x = a[v], y = b[v], sc = *(const wide_memory *)(step_c + v * WIDE), ss = *(const wide_memory *)(step_s + v * WIDE);
      a[v] = x * sc - y * ss;
      b[v] = y * sc + x * ss;
    }
  }
  UNROLL
  for (int v = 0; v < vectors; v++) *(wide_memory *)(c + v * WIDE) = a[v], *(wide_memory *)(s + v * WIDE) = b[v];
}

INLINE void turn_pair(int64_t pairs, int64_t count, double step_c, double step_s, double *c, double *s, float *cosine,
                      float *sine) {
  double a = *c, b = *s;
  for (int64_t l = 0; l < count; l++) {
    const double x = a, y = b;
    cosine[l * pairs] = (float)x, sine[l * pairs] = (float)y;
    a = x * step_c - y * step_s;
    b = y * step_c + x * step_s;
  }
  *c = a, *s = b;
}

static void turn(int64_t pairs, int64_t count, const double *step_c, const double *step_s, double *c, double *s, float *cosine,
                 float *sine) {
  for (int64_t done = 0; done < count; done += TILE, cosine += TILE * pairs, sine += TILE * pairs) {
    const int64_t rows = count - done < TILE ? count - done : TILE;
    int64_t n = 0;
    for (; n + CHAINS * WIDE <= pairs; n += CHAINS * WIDE)
      turn_vectors(CHAINS, pairs, rows, step_c + n, step_s + n, c + n, s + n, cosine + n, sine + n);
    for (; n + WIDE <= pairs; n += WIDE) turn_vectors(1, pairs, rows, step_c + n, step_s + n, c + n, s + n, cosine + n, sine + n);
    for (; n < pairs; n++) turn_pair(pairs, rows, step_c[n], step_s[n], c + n, s + n, cosine + n, sine + n);
  }
}

extern const rpp_angle_code IN_SET(rpp_angle_code);
const rpp_angle_code IN_SET(rpp_angle_code) = {turn};
