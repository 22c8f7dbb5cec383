/* on_device.c: kernels behind it get tensors of their own, with the host's strides and gaps; what they write where they must not is told.
 * The device is the host's memory (host_device.c); the kernels are those of the SIMT runtime, which take pointers as the device's do. */
#include <stdio.h>
#include <stdlib.h>
#include "host_device.h"
#include "judge/judge.h"
#include "kernels/kernel_simt.h"
#include "kernels/on_device.h"
#include "support.h"

static const rpp_kernel *const simt[] = {&rpp_kernel_simt_rotate, &rpp_kernel_simt_rotate_bf16, &rpp_kernel_simt_attention_f32};

static rpp_verdict judge(const rpp_kernel *kernel, const char *text) {
  rpp_spec spec;
  rpp_message error;
  rpp_verdict verdict;
  ck_assert_msg(rpp_spec_parse(text, &spec, &error), "%s", error.text);
  rpp_judge_case(kernel, &spec, &verdict);
  ck_assert_int_eq(host_device_pieces(), 0);
  return verdict;
}

/* ---- Right kernels ------------------------------------------------------------------------------------------------------ */

START_TEST(right_kernels_pass_through_it) {
  for (int k = 0; k < 3; k++) {
    const rpp_kernel kernel = rpp_on_device_wrap(simt[k]);
    int passed = 0;
    for (uint64_t i = 0; i < 150; i++) {
      static const char *const fixed[] = {"dtype", "angles", NULL};
      rpp_spec base = rpp_spec_default(RPP_MODE_EC);
      base.dtype = kernel.contract.input, base.attention.rotary.angles = RPP_ANGLES_EXACT;
      const rpp_spec spec = rpp_spec_draw(5, i, &base, fixed);
      rpp_verdict verdict;
      if (spec.rows > 0) continue; /* long */
      rpp_judge_case(&kernel, &spec, &verdict);
      ck_assert_msg(!rpp_verdict_fails(&verdict), "%s, case %d: %s", kernel.name, (int)i, verdict.message.text);
      passed += verdict.outcome == RPP_OUTCOME_PASS;
      ck_assert_int_eq(host_device_pieces(), 0);
    }
    ck_assert_int_gt(passed, 80);
  }
}
END_TEST

START_TEST(every_layout_and_in_place) {
  static const char *const layouts[] = {"contiguous", "head-major", "padded", "sliced", "fused"};
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 3; k++) {
      const rpp_kernel kernel = rpp_on_device_wrap(simt[k]);
      char text[256];
      snprintf(text, sizeof text, "ec:h=4,kv=2,lq=5,lk=5,d=8,layout=%s,dtype=%s,inplace=%d,seed=3", layouts[i],
               k == 1 ? "bf16" : "f32", i % 2);
      const rpp_verdict verdict = judge(&kernel, text);
      ck_assert_msg(verdict.outcome == RPP_OUTCOME_PASS, "%s %s: %s", kernel.name, text, verdict.message.text);
    }
}
END_TEST

/* Real offsets past 2^31 elements; the memory between is not the host's. */
START_TEST(sparse_tensors_span_real_memory) {
  const rpp_kernel kernel = rpp_on_device_wrap(&rpp_kernel_simt_attention_f32);
  const char text[] = "ec:h=4,kv=2,lq=3,lk=4,d=8,layout=sparse,seed=3";
  rpp_verdict verdict = judge(&kernel, text);
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(verdict.message.text, "span more memory"));
  rpp_on_device = (rpp_on_device_settings){.most = SIZE_MAX, .bare = true}; /* nothing is filled, so little is touched */
  verdict = judge(&kernel, text);
  ck_assert_msg(verdict.outcome == RPP_OUTCOME_PASS, "%s", verdict.message.text);
}
END_TEST

START_TEST(too_little_memory_is_said) {
  const rpp_kernel kernel = rpp_on_device_wrap(&rpp_kernel_simt_attention_f32), turn = rpp_on_device_wrap(&rpp_kernel_simt_rotate);
  host_device_room = 1000;
  rpp_verdict verdict = judge(&kernel, "ec:h=2,kv=2,lq=3,lk=4,d=8,seed=3");
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_REFUSED);
  ck_assert_ptr_nonnull(strstr(verdict.message.text, "too little memory on the device"));
  verdict = judge(&turn, "ec:h=2,kv=2,lq=3,lk=4,d=8,seed=3");
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_REFUSED);
}
END_TEST

/* ---- Wrong ones --------------------------------------------------------------------------------------------------------- */

typedef enum { BEFORE_OUT, AFTER_OUT, AFTER_LSE, BETWEEN, INPUT, INPUT_GAP, WORKSPACE, BEHIND_FAR_Q, ROOM } stray;

static stray planted;

static size_t room(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  return rpp_kernel_simt_attention_f32.workspace(kernel, problem) + 8;
}

static char *end_of(const rpp_tensor *t) {
  int64_t bytes;
  rpp_tensor_extent(t, NULL, &bytes);
  return (char *)t->data + t->byte_offset + bytes;
}

/* Right, and then one byte too many. */
static int strays(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *in, rpp_tensor *out,
                  rpp_tensor *lse, void *workspace, const char **reason) {
  const rpp_kernel_problem problem = {attention, in, out, lse};
  const size_t bytes = room(kernel, &problem);
  char *const extra = rpp_on_device_room("extra", 40);
  const int status = rpp_kernel_simt_attention_f32.forward(kernel, attention, in, out, lse, workspace, reason);
  char *const at[] = {(char *)out->data + out->byte_offset - 3000,
                      end_of(out) + 60000,
                      end_of(lse),
                      (char *)out->data + out->byte_offset + 4 * out->shape[3],
                      (char *)in->k->data + in->k->byte_offset + 5,
                      (char *)in->k->data + in->k->byte_offset + 4 * in->k->shape[3],
                      (char *)workspace + bytes,
                      (char *)in->q->data + in->q->byte_offset - 65536,
                      extra + 40};
  *at[planted] = (char)(*at[planted] + 1);
  return status;
}

START_TEST(stray_writes_are_told) {
  static const char *const told[] = {"out: written before its memory on the device, 3000 bytes from it",
                                     "out: written after its memory on the device, 60000 bytes past its end",
                                     "lse: written after its memory on the device, 0 bytes",
                                     "out: written between its elements",
                                     "k: the input itself, or its gaps, were written to on the device, 5 bytes",
                                     "k: the input itself, or its gaps, were written to on the device, 32 bytes",
                                     "workspace: written after its memory on the device, 0 bytes",
                                     "q: written before its memory on the device, 65536 bytes",
                                     "extra: written after its memory on the device, 0 bytes"};
  for (planted = BEFORE_OUT; planted <= ROOM; planted++) {
    rpp_kernel inner = rpp_kernel_simt_attention_f32;
    inner.forward = strays, inner.workspace = room;
    const rpp_kernel kernel = rpp_on_device_wrap(&inner);
    const rpp_verdict verdict = judge(&kernel, "ec:h=2,kv=2,lq=3,lk=4,d=8,layout=padded,seed=3");
    ck_assert_msg(verdict.outcome == RPP_OUTCOME_OUTSIDE, "stray %d: outcome %d, %s", (int)planted, (int)verdict.outcome,
                  verdict.message.text);
    ck_assert_msg(strstr(verdict.message.text, told[planted]) != NULL, "stray %d: %s", (int)planted, verdict.message.text);
  }
}
END_TEST

static int turns_too_far(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x,
                         const rpp_tensor *pos, rpp_tensor *y, const char **reason) {
  const int status = rpp_kernel_simt_rotate.rotate(kernel, rotary, part, x, pos, y, reason);
  *end_of(y) = 1;
  return status;
}

START_TEST(stray_writes_of_a_rotation_are_told) {
  for (int in_place = 0; in_place < 2; in_place++) {
    rpp_kernel inner = rpp_kernel_simt_rotate;
    inner.rotate = turns_too_far;
    const rpp_kernel kernel = rpp_on_device_wrap(&inner);
    const rpp_verdict verdict = judge(&kernel, in_place ? "ec:h=2,kv=2,lq=3,lk=4,d=8,inplace=1" : "ec:h=2,kv=2,lq=3,lk=4,d=8");
    ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_OUTSIDE);
    ck_assert_ptr_nonnull(strstr(verdict.message.text, "y: written after its memory on the device"));
  }
}
END_TEST

/* A kernel that writes nothing leaves the host's poison, which went there and came back. */
static int idle(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *in, rpp_tensor *out,
                rpp_tensor *lse, void *workspace, const char **reason) {
  (void)kernel, (void)attention, (void)in, (void)out, (void)lse, (void)workspace, (void)reason;
  return 0;
}
static int refuses(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *in, rpp_tensor *out,
                   rpp_tensor *lse, void *workspace, const char **reason) {
  *reason = "not today";
  return idle(kernel, attention, in, out, lse, workspace, reason) + 1;
}

START_TEST(unwritten_and_refused_stay_so) {
  rpp_kernel inner = rpp_kernel_simt_attention_f32;
  inner.rotate = NULL;
  inner.forward = idle;
  const rpp_kernel silent = rpp_on_device_wrap(&inner);
  ck_assert_int_eq(judge(&silent, "ec:h=2,kv=2,lq=3,lk=4,d=8").outcome, RPP_OUTCOME_UNWRITTEN);
  inner.forward = refuses;
  const rpp_kernel never = rpp_on_device_wrap(&inner);
  const rpp_verdict verdict = judge(&never, "ec:h=2,kv=2,lq=3,lk=4,d=8");
  ck_assert_int_eq(verdict.outcome, RPP_OUTCOME_REFUSED);
  ck_assert_str_eq(verdict.message.text, "not today");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("on_device");
  TCase *tests = tcase_create("on_device");
  tcase_add_test(tests, right_kernels_pass_through_it);
  tcase_add_test(tests, every_layout_and_in_place);
  tcase_add_test(tests, sparse_tensors_span_real_memory);
  tcase_add_test(tests, too_little_memory_is_said);
  tcase_add_test(tests, stray_writes_are_told);
  tcase_add_test(tests, stray_writes_of_a_rotation_are_told);
  tcase_add_test(tests, unwritten_and_refused_stay_so);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
