#include "kernels/kernel_blocked.h"

#include <math.h>

#include <float.h>

static bool stores(const rpp_kernel *kernel, const rpp_tensor *t) {
  return t == NULL || t->dtype == kernel->contract.input;
}

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention_inputs *in = problem->inputs;
  const double scale = fabs(problem->attention->scale);
  rpp_head_counts counts;
  if (rpp_attention_heads(problem->attention, &counts) != RPP_OK) return rpp_error_message(); /* EH with an odd count */
  if (!stores(kernel, in->q) || !stores(kernel, in->k) || !stores(kernel, in->v))
    return "q, k and v must be of the kernel's own type";
  if (scale * M_LOG2E > (double)FLT_MAX || (scale > 0 && scale < (double)FLT_MIN)) return "the scale is not a normal float32";
  return NULL;
}

static int finish(rpp_status status, const char **reason) {
  if (status == RPP_OK) return 0;
  *reason = rpp_error_message();
  return 1;
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  (void)kernel;
  return finish(rpp_rotate_blocked(rotary, part, x, pos, y), reason);
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)workspace;
  return finish(rpp_attention_blocked(attention, inputs, out, lse), reason);
}

/* rpp_attention_blocked_contract(storage), as a constant. */
#define CONTRACT(storage)                                                                                                          \
  {                                                                                                                                \
    .input = (storage), .rotated = RPP_F32, .value = RPP_F32, .probability = RPP_F32, .output = (storage), .lse = RPP_F32,         \
    .sums = RPP_SUMS_F32, .sum_depth = 240, .key_tile = 240, .max_splits = 1, .angles = RPP_ANGLES_EXACT,                          \
    .angle_error = RPP_ANGLES_AS_MODELLED, .deterministic = true                                                                   \
  }

#define KERNEL(word, storage, line)                                                                                                \
  {                                                                                                                                \
    .version = RPP_KERNEL_VERSION, .name = (word), .description = (line), .contract = CONTRACT(storage), .supports = supports,     \
    .rotate = rotate, .forward = forward                                                                                           \
  }

const rpp_kernel rpp_kernel_blocked = KERNEL("blocked", RPP_F32, "flash-style on the CPU, in vectors, OpenMP");
const rpp_kernel rpp_kernel_blocked_f16 = KERNEL("blocked-f16", RPP_F16, "the same, float16 in memory");
const rpp_kernel rpp_kernel_blocked_bf16 = KERNEL("blocked-bf16", RPP_BF16, "the same, bfloat16 in memory");
