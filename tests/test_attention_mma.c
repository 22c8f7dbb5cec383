/* attention_mma.cu: what fuzz does not draw. */
#include "contracts.h"
#include "cuda_attention_suite.h"

static const cuda_attention kernels[] = {
    {RPP_F16, RPP_CUDA_ATTENTION_MMA_CONTRACT(RPP_F16), rpp_cuda_attention_mma, rpp_cuda_attention_mma_workspace},
    {RPP_BF16, RPP_CUDA_ATTENTION_MMA_CONTRACT(RPP_BF16), rpp_cuda_attention_mma, rpp_cuda_attention_mma_workspace}};

START_TEST(refusals_of_its_own) {
  cuda_problem p;
  size_t bytes;
  cuda_problem_make(&kernels[_i], &p);
  p.attention.scale = 3e38; /* a float32, but not times log2 e */
  cuda_refused(rpp_cuda_attention_mma_workspace(&p.attention, &p.inputs, &p.out, &p.lse, &bytes), RPP_ERROR_UNSUPPORTED,
               "scale = 3e+38");
  cuda_problem_make(&kernels[_i], &p);
  p.q.dtype = RPP_F32;
  cuda_refused(rpp_cuda_attention_mma_workspace(&p.attention, &p.inputs, &p.out, &p.lse, &bytes), RPP_ERROR_DTYPE,
               "q.dtype = F32: expected F16 or BF16");
  cuda_problem_make(&kernels[_i], &p);
  p.attention.k_rotated = true;
  p.k.shape[1] = p.v.shape[1] = INT32_MAX - 255;
  p.k.strides[1] = p.v.strides[1] = 0;
  cuda_refused(rpp_cuda_attention_mma_workspace(&p.attention, &p.inputs, &p.out, &p.lse, &bytes), RPP_ERROR_UNSUPPORTED,
               "k.shape[1] = 2147483392");
}
END_TEST

/* Devices on which a block may have 227, 163, 99 and 64 KiB of shared memory; the runtime refuses a launch that asks for more. */
START_TEST(every_device_has_a_layout) {
  const rpp_simt_device devices[] = {{132, 227 << 10}, {108, 163 << 10}, {84, 99 << 10}, {46, 64 << 10}};
  const int64_t widths[] = {64, 96, 128, 200, 256};
  const char *const needs[] = {NULL, "72832 bytes", "72832 bytes", "94208 bytes", "94208 bytes"};
  for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
      rpp_simt_set_device(&devices[d]);
      if (devices[d].shared < 99 << 10 && needs[w] != NULL)
        cuda_attention_refused(&kernels[_i], widths[w], needs[w]);
      else
        cuda_attention_agrees(&kernels[_i], widths[w]);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attention_mma");
  TCase *tests = tcase_create("attention_mma");
  cuda_attention_tests(tests, kernels, 2);
  tcase_add_loop_test(tests, refusals_of_its_own, 0, 2);
  tcase_add_loop_test(tests, every_device_has_a_layout, 0, 2);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
