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

#endif
