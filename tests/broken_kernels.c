/* broken_kernels.c: the kernels of a ropepp-verify that has nothing but these: one that is right, and some that break in one way
 * each. Linked with verify/main.c in place of verify/kernels/kernels.c. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/kernel.h"

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention *a = problem->attention;
  (void)kernel;
  return a->mode == RPP_MODE_EH && (a->heads % 2 != 0 || a->kv_heads % 2 != 0) ? "EH with an odd count of heads" : NULL;
}

static void last_element(const rpp_tensor *t, int64_t *index) {
  for (int i = 0; i < t->ndim; i++) index[i] = t->shape[i] - 1;
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  int64_t index[RPP_MAX_DIMS], elements = 0;
  (void)workspace;
  rpp_tensor_extent(out, &elements, NULL);
  if (strcmp(kernel->name, "silent") == 0) return 0;
  if (strcmp(kernel->name, "loops") == 0)
    for (;;) sleep(1);
  if (strcmp(kernel->name, "crashes") == 0 && attention->mask == RPP_MASK_WINDOW) abort();
  *reason = "the truth refuses it";
  if (rpp_attention_forward(attention, inputs, NULL, out, lse) != RPP_OK) return 1;
  last_element(out, index);
  if (strcmp(kernel->name, "past-end") == 0 && elements > 0) {
    index[out->ndim - 1]++;
    rpp_tensor_set(out, index, 1);
  }
  if (strcmp(kernel->name, "one-off") == 0 && elements > 0) rpp_tensor_set(out, index, 1.01 * rpp_tensor_get(out, index) + 0.01);
  return 0;
}

#define KERNEL(id, word, text)                                                                                                     \
  static const rpp_kernel id = {.version = RPP_KERNEL_VERSION,                                                                     \
                                .name = word,                                                                                      \
                                .description = text,                                                                               \
                                .contract = {.input = RPP_F32,                                                                     \
                                             .rotated = RPP_F64,                                                                   \
                                             .probability = RPP_F64,                                                               \
                                             .output = RPP_F32,                                                                    \
                                             .lse = RPP_F32,                                                                       \
                                             .sums = RPP_SUMS_F64,                                                                 \
                                             .sum_depth = 1,                                                                       \
                                             .key_tile = 1,                                                                        \
                                             .max_splits = 1,                                                                      \
                                             .deterministic = true},                                                               \
                                .supports = supports,                                                                              \
                                .forward = forward}

KERNEL(right, "right", "the truth itself, stored to float32");
KERNEL(silent, "silent", "writes nothing");
KERNEL(loops, "loops", "never ends");
KERNEL(crashes, "crashes", "aborts for windows");
KERNEL(past_end, "past-end", "writes one element past the end of out");
KERNEL(one_off, "one-off", "its last element is wrong");
KERNEL(simt, "simt:right", "not one of the default");

const rpp_kernel *const rpp_kernels[] = {&right, &silent, &loops, &crashes, &past_end, &one_off, &simt, NULL};

const rpp_kernel *rpp_kernel_find(const char *name) {
  for (const rpp_kernel *const *k = rpp_kernels; *k != NULL; k++)
    if (strcmp((*k)->name, name) == 0) return *k;
  return NULL;
}
