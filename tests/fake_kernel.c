#include "fake_kernel.h"

#include <fenv.h>
#include <math.h>

enum { WORKSPACE = 24 };

struct fake_calls fake_calls;

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention *a = problem->attention;
  const fake_fault what = *(const fake_fault *)kernel->data;
  if (what == DECLINES) return "not today";
  return a->mode == RPP_MODE_EH && a->heads % 2 != 0 && what != SUPPORTS_ODD ? "EH with an odd count of heads" : NULL;
}

static size_t workspace(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  (void)kernel;
  (void)problem;
  return WORKSPACE;
}

static void add(const rpp_tensor *t, const int64_t *index, double by) {
  rpp_tensor_set(t, index, rpp_tensor_get(t, index) + by);
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *room, const char **reason) {
  const fake_fault what = *(const fake_fault *)kernel->data;
  const int64_t end[] = {out->shape[0] - 1, out->shape[1] - 1, out->shape[2] - 1, out->shape[3] - 1};
  const int64_t past[] = {end[0], end[1], end[2], out->shape[3]}, before[] = {0, 0, -1}, first[RPP_MAX_DIMS] = {0};
  fake_calls.workspace = room;
  fake_calls.forwards++;
  if (what == WRITES_NOTHING || what == REFUSES_SILENTLY) return what == REFUSES_SILENTLY;
  if (what == DECLINES_LATE || what == ANSWERS_BADLY || what == IS_NOT_THERE) {
    *reason = "so it goes";
    return what == DECLINES_LATE ? RPP_KERNEL_DECLINED : what == ANSWERS_BADLY ? RPP_KERNEL_BAD_ANSWER : RPP_KERNEL_UNASKED;
  }
  *reason = what == REFUSES ? "it does not feel like it" : "the truth refuses it";
  if (what == REFUSES ||
      rpp_attention_forward(attention, inputs, NULL, out, what == WRITES_NO_LSE || what == WRITES_SOME_LSE ? NULL : lse) != RPP_OK)
    return 1;
  if (what == WRITES_SOME_LSE) rpp_tensor_set(lse, first, 1);
  if (what == FLICKERS && fake_calls.forwards % 2 == 0)
    rpp_tensor_set(out, end, nextafterf((float)rpp_tensor_get(out, end), INFINITY));
  if (what == LSE_FLICKERS && fake_calls.forwards % 2 == 0)
    rpp_tensor_set(lse, first, nextafterf((float)rpp_tensor_get(lse, first), INFINITY));
  if (what == LEAVES_ROUNDING) fesetround(FE_UPWARD);
  if (what == NAN_ELEMENT) rpp_tensor_set(out, end, NAN);
  if (what == INFINITE_ELEMENT) rpp_tensor_set(out, end, INFINITY);
  if (what == WRONG_ELEMENT) add(out, end, 1);
  if (what == WRONG_LSE) add(lse, (const int64_t[]){end[0], end[2], end[1]}, 1);
  if (what == PAST_OUT) rpp_tensor_set(out, past, 1);
  if (what == BEFORE_LSE) rpp_tensor_set(lse, before, 1);
  if (what == OVER_Q) add(inputs->q, first, 1);
  if (what == PAST_WORKSPACE) ((char *)room)[WORKSPACE] = 1;
  return 0;
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  const fake_fault what = *(const fake_fault *)kernel->data;
  const int64_t first[RPP_MAX_DIMS] = {0}, past[] = {x->shape[0] - 1, x->shape[1] - 1, x->shape[2] - 1, x->shape[3]};
  const bool imaginary = part == RPP_PART_IMAG, last = fake_calls.rotations++ > 0 && !imaginary; /* q, its imaginary part, k */
  fake_calls.in_place += y->data == x->data;
  *reason = "no rotation today";
  if (what == ROTATES_NOTHING) return 0;
  if (what == ROTATES_AS_CONTIGUOUS) rpp_tensor_contiguous((char *)y->data + y->byte_offset, y->dtype, 4, y->shape, y);
  if (what == ROTATION_REFUSES || rpp_rotate(rotary, part, x, pos, y) != RPP_OK) return 1;
  if (what == ROTATION_LEAVES_ROUNDING) fesetround(FE_UPWARD);
  if (what == ROTATES_OUTSIDE) rpp_tensor_set(y, past, 1);
  if ((what == ROTATES_Q_WRONG && fake_calls.rotations == 1) || (what == ROTATES_IMAGINARY_WRONG && imaginary) ||
      (what == ROTATES_K_WRONG && last))
    add(y, first, 1);
  return 0;
}

rpp_kernel fake_kernel(const fake_fault *what) {
  return (rpp_kernel){.version = RPP_KERNEL_VERSION,
                      .name = "truth",
                      .contract = {.input = RPP_F32,
                                   .rotated = RPP_F64,
                                   .probability = RPP_F64,
                                   .output = RPP_F32,
                                   .lse = RPP_F32,
                                   .sums = RPP_SUMS_F64,
                                   .sum_depth = 1,
                                   .key_tile = 1,
                                   .max_splits = 1,
                                   .deterministic = true},
                      .data = what,
                      .supports = supports,
                      .workspace = workspace,
                      .rotate = rotate,
                      .forward = forward};
}
