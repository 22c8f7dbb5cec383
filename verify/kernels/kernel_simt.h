/* kernel_simt.h: the CUDA kernels as the SIMT runtime runs them on the CPU, and, for kernel_cuda.c to wrap, the same on device memory. */
#ifndef RPP_KERNEL_SIMT_H
#define RPP_KERNEL_SIMT_H
#include "kernels/gpu_build.h"
#include "kernels/kernel.h"

/* The functions that make up a kernel of kernel_simt.c: what its data points at. */
typedef struct {
  __typeof__(rpp_cuda_rotate_workspace) *rotate_workspace;
  __typeof__(rpp_cuda_rotate) *rotate;
  __typeof__(rpp_cuda_attention_f32_workspace) *attention_workspace;
  __typeof__(rpp_cuda_attention_f32) *attention;
  int64_t rows, width; /* multiples that attention fills up to: of a KV head's rows and of columns */
  double most_work;    /* multiplications past which the runtime takes more than seconds */
} rpp_simt_functions;
#define RPP_SIMT_WORK_F32 .rows = 1, .width = 1, .most_work = 0x1p28
#define RPP_SIMT_WORK_MMA .rows = 32, .width = 64, .most_work = 0x1p27

/* The same of kernel_simt_decode.c. */
typedef struct {
  __typeof__(rpp_cuda_kv_append) *append;
  __typeof__(rpp_cuda_decode) *decode;
  __typeof__(rpp_cuda_decode_workspace) *workspace;
  bool paged;
} rpp_simt_decoding;

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

/* On device memory. */
extern const rpp_kernel rpp_kernel_cuda_rotate, rpp_kernel_cuda_rotate_f16, rpp_kernel_cuda_rotate_bf16,
    rpp_kernel_cuda_rotate_hf_f32, rpp_kernel_cuda_attention_f32, rpp_kernel_cuda_attention_f16, rpp_kernel_cuda_attention_bf16,
    rpp_kernel_cuda_decode_f32, rpp_kernel_cuda_decode_f16, rpp_kernel_cuda_decode_bf16, rpp_kernel_cuda_decode_paged_f32,
    rpp_kernel_cuda_decode_paged_f16, rpp_kernel_cuda_decode_paged_bf16;

#endif
