/* bench_bound [CASES [SEED]]: kernels that perform every rounding of their contract, on so many cases shared among them, and how their
 * errors lie below the bounds: the tables of notes/tolerance.md. Exit status 1 when a bound is passed. bench_bound series: medians by the
 * count of keys. */
#include "bound_tally.h"
#include "kernels/emulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_passed(const char *gate, const tally *t) {
  if (t->over > 0) printf("  %s: %lld over, the worst %.4g in %s\n", gate, (long long)t->over, t->worst, t->spec);
}

static int64_t print(const char *name, const bound_tally *sums) {
  const struct {
    const char *gate;
    const tally *tally;
  } gates[] = {{"element", &sums->out}, {"lse", &sums->lse},    {"rotated", &sums->rotated}, {"statistical", &sums->statistical},
               {"row", &sums->row},     {"slope", &sums->slope}};
  int64_t over = 0;
  printf("%-20s %6lld %9lld  %8.3g %8.4g  %8.3g %8.4g %8.4g %8.4g  %8.4g %8.4g\n", name, (long long)sums->cases,
         (long long)sums->elements, tally_median(&sums->generic), sums->out.worst, tally_median(&sums->statistical),
         sums->statistical.worst, sums->row.worst, sums->slope.worst, sums->lse.worst, sums->rotated.worst);
  for (int i = 0; i < 6; i++) {
    print_passed(gates[i].gate, gates[i].tally);
    over += gates[i].tally->over;
  }
  fflush(stdout);
  return over;
}

/* Medians by the count of keys: one head, normal numbers, no mask. */
static void series(void) {
  rpp_message error;
  printf("%-20s %-12s", "kernel", "median of");
  for (int64_t keys = 2; keys <= 1024; keys *= 2) printf(" %8lld", (long long)keys);
  puts(" keys");
  for (int k = 0; rpp_emulated_kernels[k]; k++) {
    const rpp_kernel *kernel = rpp_emulated_kernels[k];
    double element[10], statistical[10];
    for (int i = 0; i < 10; i++) {
      bound_tally *sums = calloc(1, sizeof *sums);
      rpp_spec spec;
      if (!sums || !rpp_spec_parse("ec:h=1,lq=8,d=64,mask=full", &spec, &error)) return;
      spec.k_len = (int64_t)2 << i, spec.dtype = kernel->contract.input, spec.attention.rotary.angles = kernel->contract.angles;
      if (kernel->contract.rotate_each) spec.attention.rotary.table_dtype = kernel->contract.rotated;
      for (spec.seed = 1; spec.seed <= 8; spec.seed++) bound_tally_add(sums, kernel, &kernel->contract, &spec);
      element[i] = tally_median(&sums->generic), statistical[i] = tally_median(&sums->statistical);
      free(sums);
    }
    printf("%-20s %-12s", kernel->name, "element");
    for (int i = 0; i < 10; i++) printf(" %8.3g", element[i]);
    printf("\n%-20s %-12s", "", "statistical");
    for (int i = 0; i < 10; i++) printf(" %8.3g", statistical[i]);
    putchar('\n');
  }
}

int main(int argc, char **argv) {
  const int64_t cases = argc > 1 ? atoll(argv[1]) : 7000, seed = argc > 2 ? atoll(argv[2]) : 1;
  int64_t over = 0, total = 0;
  int kernels = 0;
  if (argc > 1 && strcmp(argv[1], "series") == 0) return series(), 0;
  while (rpp_emulated_kernels[kernels]) kernels++;
  printf("%-20s %6s %9s  %8s %8s  %8s %8s %8s %8s  %8s %8s\n", "error over bound", "cases", "elements", "element", "", "statist.",
         "", "row", "slope", "lse", "rotated");
  printf("%-20s %6s %9s  %8s %8s  %8s %8s %8s %8s  %8s %8s\n", "", "", "", "median", "largest", "median", "largest", "largest",
         "largest", "largest", "largest");
  for (int k = 0; k < kernels; k++) {
    const rpp_kernel *kernel = rpp_emulated_kernels[k];
    bound_tally *sums = calloc(1, sizeof *sums);
    if (!sums) return 2;
    for (int64_t i = 0; i < cases / kernels; i++) {
      const rpp_spec spec = bound_tally_draw(kernel, (uint64_t)seed, (uint64_t)i, 4e5);
      bound_tally_add(sums, kernel, &kernel->contract, &spec);
    }
    over += print(kernel->name, sums);
    total += sums->cases;
    free(sums);
  }
  printf("%lld cases, %lld bounds passed\n", (long long)total, (long long)over);
  return over > 0 || total == 0;
}
