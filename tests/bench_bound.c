/* bench_bound series, medians by the count of keys; bench_bound [CASES [SEED]]: the emulated kernels on so many small cases, shared among them, and how their errors lie below the bounds:
 * the numbers of notes/tolerance.md. Exit status 1 when a bound is passed. */
#include "bound_tally.h"
#include "kernels/emulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const char *name, const tally *t) {
  if (t->count > 0)
    printf("  %-12s %12lld  median %-9.3g worst %-9.4g over %lld  %s\n", name, (long long)t->count, tally_median(t), t->worst,
           (long long)t->over, t->spec);
}

/* Medians by the count of keys: one head, normal numbers, no mask. */
static void series(void) {
  rpp_message error;
  for (int k = 0; rpp_emulated_kernels[k]; k++) {
    const rpp_kernel *kernel = rpp_emulated_kernels[k];
    printf("%s: keys, median of element, statistical; worst of element, statistical, row\n", kernel->name);
    for (int64_t keys = 2; keys <= 1024; keys *= 2) {
      bound_tally *sums = calloc(1, sizeof *sums);
      rpp_spec spec;
      if (!sums || !rpp_spec_parse("ec:h=1,lq=8,d=64,mask=full", &spec, &error)) return;
      spec.k_len = keys, spec.dtype = kernel->contract.input, spec.attention.rotary.angles = kernel->contract.angles;
      if (kernel->contract.rotate_each) spec.attention.rotary.table_dtype = kernel->contract.rotated;
      for (spec.seed = 1; spec.seed <= 8; spec.seed++) bound_tally_add(sums, kernel, &kernel->contract, &spec);
      printf("  %5lld  %-9.3g %-9.3g  %-9.3g %-9.3g %-9.3g\n", (long long)keys, tally_median(&sums->generic),
             tally_median(&sums->statistical), sums->generic.worst, sums->statistical.worst, sums->row.worst);
      free(sums);
    }
  }
}

int main(int argc, char **argv) {
  const int64_t cases = argc > 1 ? atoll(argv[1]) : 7000, seed = argc > 2 ? atoll(argv[2]) : 1;
  int64_t over = 0, total = 0;
  int kernels = 0;
  if (argc > 1 && strcmp(argv[1], "series") == 0) return series(), 0;
  while (rpp_emulated_kernels[kernels]) kernels++;
  for (int k = 0; k < kernels; k++) {
    const rpp_kernel *kernel = rpp_emulated_kernels[k];
    bound_tally *sums = calloc(1, sizeof *sums);
    if (!sums) return 2;
    for (int64_t i = 0; i < cases / kernels; i++) {
      const rpp_spec spec = bound_tally_draw(kernel, (uint64_t)seed, (uint64_t)i, 4e5);
      bound_tally_add(sums, kernel, &kernel->contract, &spec);
    }
    printf("%s: %lld cases, %lld elements\n", kernel->name, (long long)sums->cases, (long long)sums->elements);
    print("element", &sums->out);
    print("generic", &sums->generic);
    print("lse", &sums->lse);
    print("rotated", &sums->rotated);
    print("statistical", &sums->statistical);
    print("row", &sums->row);
    print("slope", &sums->slope);
    over += sums->out.over + sums->lse.over + sums->rotated.over + sums->statistical.over + sums->row.over + sums->slope.over;
    total += sums->cases;
    fflush(stdout);
    free(sums);
  }
  printf("%lld cases, %lld bounds passed\n", (long long)total, (long long)over);
  return over > 0 || total == 0;
}
