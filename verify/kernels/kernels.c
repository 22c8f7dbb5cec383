/* kernels.c: the kernels of this build, a line each. */
#include <stddef.h>
#include <string.h>

#include "kernels/kernel.h"
#include "kernels/kernel_blocked.h"
#include "kernels/kernel_cuda.h"
#include "kernels/kernel_simt.h"

const rpp_kernel *const rpp_kernels[] = {
    &rpp_kernel_blocked,
    &rpp_kernel_blocked_f16,
    &rpp_kernel_blocked_bf16,
    &rpp_kernel_simt_rotate,
    &rpp_kernel_simt_rotate_f16,
    &rpp_kernel_simt_rotate_bf16,
    &rpp_kernel_simt_rotate_hf_f32,
    &rpp_kernel_simt_attention_f32,
    &rpp_kernel_simt_attention_f16,
    &rpp_kernel_simt_attention_bf16,
    &rpp_kernel_simt_decode_f32,
    &rpp_kernel_simt_decode_f16,
    &rpp_kernel_simt_decode_bf16,
    &rpp_kernel_simt_decode_paged_f32,
    &rpp_kernel_simt_decode_paged_f16,
    &rpp_kernel_simt_decode_paged_bf16,
    NULL,
};

const rpp_kernel *rpp_kernel_find(const char *name) {
  rpp_message why;
  const bool cuda = strncmp(name, "cuda:", 5) == 0;
  for (const rpp_kernel *const *k = cuda ? rpp_kernels_cuda(&why) : rpp_kernels; *k != NULL; k++)
    if (strcmp((*k)->name, name) == 0) return *k;
  return NULL;
}
