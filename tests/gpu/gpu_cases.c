/* gpu_cases.c: judges cases of the cuda: kernels in this very process, for tools that watch one (compute-sanitizer) and for cases that take
 * most of a device's memory. `ropepp-verify fuzz cuda:` is for all else. Status: 0, 1 when a case fails, 77 where there is no device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "judge/judge.h"
#include "kernels/device.h"
#include "kernels/kernel_cuda.h"
#include "kernels/on_device.h"

enum { SKIPPED = 77, SEED = 11 };

static int judged, failed;

static void judge(const rpp_kernel *kernel, const rpp_spec *spec) {
  char text[RPP_SPEC_TEXT];
  rpp_verdict verdict;
  rpp_judge_case(kernel, spec, &verdict);
  const char *too_little = strstr(verdict.message.text, "too little memory on the device");
  if (verdict.outcome == RPP_OUTCOME_UNSUPPORTED) return;
  rpp_spec_print(spec, text);
  if (too_little != NULL) {
    printf("left out: %s %s: %s\n", kernel->name, text, verdict.message.text);
    return;
  }
  judged++;
  if (!rpp_verdict_fails(&verdict)) return;
  failed++;
  printf("FAIL: %s %s: %s %s\n", kernel->name, text, rpp_names_get(rpp_names_outcome, verdict.outcome), verdict.message.text);
}

/* Case number index of a kernel as a fuzz draws it, but for layout `sparse`, which is large(), and long sequences, which tools take minutes
 * for. */
static void drawn(const rpp_kernel *kernel, int index) {
  enum { LONG = 600 };
  static const char *const fixed[] = {"dtype", "angles", NULL};
  rpp_spec base = rpp_spec_default(RPP_MODE_EC);
  base.dtype = kernel->contract.input, base.attention.rotary.angles = kernel->contract.angles;
  const rpp_spec spec = rpp_spec_draw(SEED, (uint64_t)index, &base, fixed);
  if (spec.layout != RPP_LAYOUT_SPARSE && spec.k_len <= LONG && spec.q_len <= LONG) judge(kernel, &spec);
}

/* Tensors whose elements lie more than 2^31 and 2^32 elements apart, in real memory: each spans 6 to 26 GB. */
static void large(const rpp_kernel *kernel) {
  static const char *const shapes[] = {"rope:b=2,h=2,kv=2,lq=2,lk=2,d=64", "ec:b=2,h=2,kv=1,lq=2,lk=2,d=128",
                                       "eh:b=2,h=4,kv=2,lq=2,lk=2,d=64,pairing=interleaved", "ec:h=2,kv=2,lq=3,lk=3,d=64"};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    rpp_spec spec;
    rpp_message error;
    if (!rpp_spec_parse(shapes[i], &spec, &error)) {
      printf("FAIL: %s: %s\n", shapes[i], error.text);
      failed++;
      continue;
    }
    spec.layout = RPP_LAYOUT_SPARSE;
    spec.dtype = kernel->contract.input, spec.attention.rotary.angles = kernel->contract.angles;
    judge(kernel, &spec);
  }
}

/* Every kernel in turn, so that whatever time there is, each gets its share. */
static void all_drawn(int cases, double seconds) {
  const double start = rpp_clock_seconds();
  for (int i = 0; i < cases; i++)
    for (const rpp_kernel *const *k = rpp_kernels_cuda_built(); *k != NULL && rpp_clock_seconds() - start < seconds; k++)
      drawn(*k, i);
}

int main(int argc, char **argv) {
  rpp_message why;
  const bool is_large = argc == 2 && strcmp(argv[1], "large") == 0, is_bare = argc == 4 && strcmp(argv[1], "bare") == 0;
  if (argc != 1 && !is_large && !is_bare) {
    fprintf(stderr, "usage: gpu_cases [large | bare CASES SECONDS]: without arguments it says whether there is a device\n");
    return 2;
  }
  if (!rpp_device_present(&why)) {
    printf("skipped: %s\n", why.text);
    return SKIPPED;
  }
  if (argc == 1) return 0;
  if (is_large) rpp_on_device.most = SIZE_MAX;
  rpp_on_device.bare = is_bare;
  if (is_bare) all_drawn(atoi(argv[2]), atof(argv[3]));
  for (const rpp_kernel *const *k = rpp_kernels_cuda_built(); is_large && *k != NULL; k++) large(*k);
  printf("%d cases judged, %d failed\n", judged, failed);
  return judged == 0 || failed > 0;
}
