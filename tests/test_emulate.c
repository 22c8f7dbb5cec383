/* The emulated kernel: in float64 it is the truth; its sums round as its contract says; it refuses what it does not take. */
#include "base/scratch.h"
#include "bound_tally.h"
#include "cases/generate.h"
#include "kernels/emulate_steps.h"
#include "support.h"

static const rpp_kernel *kernel(int i) {
  return rpp_emulated_kernels[i];
}

/* Over everything a campaign sweeps; tests of the bound do the same for the other contracts. */
START_TEST(float64_is_the_truth) {
  for (uint64_t i = 0; i < 300; i++) {
    const rpp_spec spec = bound_tally_draw(kernel(0), 77, i, 5e4);
    rpp_generated data;
    rpp_message error;
    rpp_scratch scratch = {0};
    const char *reason = "none";
    if (spec.family == RPP_FAMILY_NEGATIVE || spec.family == RPP_FAMILY_LARGE_LOGITS || spec.family == RPP_FAMILY_NEAR_MAX)
      continue; /* large scores magnify a last bit */
    ck_assert_msg(rpp_generate(&spec, RPP_F64, RPP_F64, &data, &error), "%s", error.text);
    rpp_tensor out = rpp_scratch_copy(&scratch, &data.out), lse = rpp_scratch_copy(&scratch, &data.lse);
    ck_assert_int_eq(rpp_attention_forward(&data.attention, &data.inputs, NULL, &out, &lse), RPP_OK);
    ck_assert_int_eq(rpp_emulate_forward(kernel(0), &data.attention, &data.inputs, &data.out, &data.lse, NULL, &reason), 0);
    ck_assert(rpp_generated_intact(&data, &error));
    if (rpp_scratch_size(&out) > 0) {
      char text[RPP_SPEC_TEXT];
      rpp_spec_print(&spec, text);
      ck_assert_msg(rpp_scratch_deviation(&out, &data.out) < 1e-10 && rpp_scratch_deviation(&lse, &data.lse) < 1e-10, "%s", text);
    }
    rpp_scratch_free(&scratch);
    rpp_generated_free(&data);
  }
}
END_TEST

START_TEST(sums) {
  rpp_emulation e = {.contract = rpp_emulated_contract(RPP_F32)};
  const double ones[] = {1, 1, 1, 1}, small[] = {1, 0x1p-24, 0x1p-24, 0x1p-24};
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, small, 1) == 1); /* each lost */
  e.contract = rpp_emulated_contract(RPP_BF16);
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, small, 1) == 1 + 0x1p-23); /* added exactly, then cut off */
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, small, 0) == 4);
  e.contract.sum_depth = 1;
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, small, 1) == 1);
  const double minus[] = {-1, -0x1p-24, -0x1p-24, -0x1p-24};
  e.contract.sum_depth = 16;
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, minus, 1) == -1 - 0x1p-23); /* towards zero */
  e.contract = rpp_emulated_contract(RPP_F64);
  ck_assert(rpp_emulated_dot(&e, 0, 4, ones, small, 1) == 1 + 3 * 0x1p-24);
}
END_TEST

START_TEST(refusals) {
  rpp_generated data;
  rpp_spec spec = rpp_spec_default(RPP_MODE_EH);
  rpp_generated_describe(&spec, RPP_F32, RPP_F32, &data);
  rpp_attention attention = data.attention;
  const rpp_kernel_problem problem = {&attention, &data.inputs, &data.out, &data.lse};
  const rpp_kernel *f32 = kernel(1);
  ck_assert_ptr_null(f32->supports(f32, &problem));
  ck_assert_ptr_nonnull(kernel(0)->supports(kernel(0), &problem));
  attention.heads = attention.kv_heads = 3;
  ck_assert_ptr_nonnull(f32->supports(f32, &problem));
  attention = data.attention, attention.rotary.angles = RPP_ANGLES_HF_F32;
  ck_assert_ptr_nonnull(f32->supports(f32, &problem));
  attention.q_rotated = attention.k_rotated = true;
  ck_assert_ptr_null(f32->supports(f32, &problem));
  data.k.shape[1] = data.v.shape[1] = (int64_t)1 << 34;
  ck_assert_ptr_nonnull(f32->supports(f32, &problem));
}
END_TEST

START_TEST(rotates_in_place) {
  rpp_scratch s = {0};
  rpp_random random = rpp_random_make(4, 0);
  const rpp_rotary rotary = {.pairing = RPP_PAIRING_HALF, .rotary_dim = 6, .base = 1e4, .table_dtype = RPP_F64};
  rpp_tensor x = rpp_scratch_normal(&s, &random, 2, 4, 2, 8), y = rpp_scratch_zeros(&s, 2, 4, 2, 8);
  const rpp_tensor pos = rpp_scratch_positions(&s, 4, 3, 5);
  const char *reason = "none";
  ck_assert_int_eq(rpp_emulate_rotate(kernel(0), &rotary, RPP_PART_IMAG, &x, &pos, &y, &reason), 0);
  ck_assert_int_eq(rpp_emulate_rotate(kernel(0), &rotary, RPP_PART_IMAG, &x, &pos, &x, &reason), 0);
  ck_assert_double_le(rpp_scratch_deviation(&x, &y), 0);
  rpp_scratch_free(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("emulate");
  TCase *all = tcase_create("emulate");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, float64_is_the_truth);
  tcase_add_test(all, sums);
  tcase_add_test(all, refusals);
  tcase_add_test(all, rotates_in_place);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
