/* kernel_simt.h: the CUDA kernels as the SIMT runtime runs them on the CPU. */
#ifndef RPP_KERNEL_SIMT_H
#define RPP_KERNEL_SIMT_H
#include "kernels/kernel.h"

/* rotate.cu: no forward. */
extern const rpp_kernel rpp_kernel_simt_rotate, rpp_kernel_simt_rotate_f16, rpp_kernel_simt_rotate_bf16,
    rpp_kernel_simt_rotate_hf_f32;

/* attention_f32.cu, with rotate.cu. */
extern const rpp_kernel rpp_kernel_simt_attention_f32;

/* attention_mma.cu, with rotate.cu. */
extern const rpp_kernel rpp_kernel_simt_attention_f16, rpp_kernel_simt_attention_bf16;
/* decode.cu and kv_append.cu; paged: over a paged cache. */
extern const rpp_kernel rpp_kernel_simt_decode_f32, rpp_kernel_simt_decode_f16, rpp_kernel_simt_decode_bf16,
    rpp_kernel_simt_decode_paged_f32, rpp_kernel_simt_decode_paged_f16, rpp_kernel_simt_decode_paged_bf16;

#endif
