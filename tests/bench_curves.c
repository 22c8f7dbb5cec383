/* bench_curves.c [T]: both curves at every distance 1 .. T (default 10^6), d = 128, one thread: the time of libm's sincos in a loop over
 * that of analysis/curves.c, medians of five in one run. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "curves.h"

enum { PAIRS = 64, RUNS = 5 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void by_libm(const double *theta, int64_t count, double *re, double *im) {
  for (int64_t i = 0; i < count; i++) {
    double c = 0, s = 0;
    for (int n = 0; n < PAIRS; n++) {
      double sine, cosine;
      sincos((double)(i + 1) * theta[n], &sine, &cosine);
      c += cosine, s += sine;
    }
    re[i] = c / PAIRS, im[i] = s / PAIRS;
  }
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *times) {
  qsort(times, RUNS, sizeof *times, compare);
  return times[RUNS / 2];
}

int main(int argc, char **argv) {
  const rpp_rotary rotary = {.rotary_dim = 2 * PAIRS, .base = 10000};
  const int64_t count = argc > 1 ? atoll(argv[1]) : 1000000;
  double theta[PAIRS], slow[RUNS], fast[RUNS], difference = 0;
  double *re = malloc(4 * (size_t)(count > 0 ? count : 1) * sizeof *re), *im = re + count, *libm_re = im + count,
         *libm_im = libm_re + count;
  if (count < 1 || re == NULL || rpp_frequencies(&rotary, theta, NULL, NULL) != RPP_OK) return EXIT_FAILURE;
  if (rpp_curves_range(&rotary, 1, count, re, im) != RPP_OK) return EXIT_FAILURE; /* warms up */
  for (int run = 0; run < RUNS; run++) {
    const double begin = now();
    by_libm(theta, count, libm_re, libm_im);
    const double middle = now();
    if (rpp_curves_range(&rotary, 1, count, re, im) != RPP_OK) return EXIT_FAILURE;
    slow[run] = middle - begin, fast[run] = now() - middle;
  }
  for (int64_t i = 0; i < count; i++) difference = fmax(difference, fmax(fabs(re[i] - libm_re[i]), fabs(im[i] - libm_im[i])));
  const double a = median(slow), b = median(fast);
  printf("curves t = 1 .. %lld, 64 pairs, one thread: libm %.1f ms, curves.c %.2f ms: %.0f times as fast; they differ by %.1e "
         "(libm's theta)\n",
         (long long)count, a * 1e3, b * 1e3, a / b, difference);
  free(re);
  return EXIT_SUCCESS;
}
