/* attention_f32.cu: what fuzz does not draw. */
#include "contracts.h"
#include "cuda_attention_suite.h"

static const cuda_attention kernels[] = {
    {RPP_F32, RPP_CUDA_ATTENTION_F32_CONTRACT(RPP_ANGLES_EXACT), rpp_cuda_attention_f32, rpp_cuda_attention_f32_workspace}};

int main(void) {
  Suite *suite = suite_create("attention_f32");
  TCase *tests = tcase_create("attention_f32");
  cuda_attention_tests(tests, kernels, 1);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
