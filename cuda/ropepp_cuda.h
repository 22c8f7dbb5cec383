/* ropepp_cuda.h: RoPE and RoPE++ on CUDA devices. C, device pointers, streams.
 *
 * Shapes, strides, dtypes and equations are those of ropepp.h; a tensor's data is a device pointer, aligned to its element. Nothing here
 * allocates, synchronises or keeps state: a call checks every argument on the host, then starts its kernels on the stream and returns.
 * Scratch memory is the caller's: ask for its size, and give it, aligned to 16 bytes; it is free again when the stream has passed the
 * call. What lies in device memory (positions, cumulative lengths) cannot be checked: a position outside the range of its angle model
 * makes NaN, and cumulative lengths must be what ropepp.h asks for.
 *
 * The same functions run on the CPU, in the SIMT runtime, under the names rpp_simt_... (simt/ropepp_simt.h); there pointers are host
 * pointers. How each kernel works: notes/cuda.md. */
#ifndef ROPEPP_CUDA_H
#define ROPEPP_CUDA_H
#include "ropepp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A cudaStream_t; null is the default stream. */
typedef void *rpp_cuda_stream;

typedef enum { RPP_CUDA_I64 = 0, RPP_CUDA_I32 } rpp_cuda_integer;

/* Integers in device memory; strides count elements. */
typedef struct {
  const void *data;
  rpp_cuda_integer type;
  int ndim; /* 1 or 2 */
  int64_t shape[2], strides[2];
} rpp_cuda_integers;

/* The message of this thread's last failure: one line, "field = value: what must hold". Empty before the first. */
RPP_API const char *rpp_cuda_error_message(void);

/* real = R_phi x, imag = R_phi R(-pi/2) x (eq. 2, 3); either may be null, not both. x, real, imag: (B, L, heads, D), all F32, all F16
 * or all BF16; pos: (L) or (B, L). One of the outputs may be x itself, every element at its place (in place); else neither may share
 * memory with x, nor with each other. rotary: W at most 256; inv_freq is read on the host. table_dtype: any. workspace: as many bytes
 * as rpp_cuda_rotate_workspace says; cosines and sines of all positions lie there. Errors: NULL, VALUE, DTYPE, SHAPE, OVERFLOW, OVERLAP,
 * MEMORY (of the host, or too small a workspace), DEVICE; UNSUPPORTED for W past 256, given cos and sin, unaligned data, and more than
 * 2^40 elements in the tables. */
RPP_API rpp_status rpp_cuda_rotate(const rpp_rotary *rotary, const rpp_tensor *x, const rpp_cuda_integers *pos,
                                   const rpp_tensor *real, const rpp_tensor *imag, void *workspace, size_t bytes,
                                   rpp_cuda_stream stream);
/* No data is read: pointers may be null. */
RPP_API rpp_status rpp_cuda_rotate_workspace(const rpp_rotary *rotary, const rpp_cuda_integers *pos, size_t *bytes);

/* As rpp_attention_inputs. pos_q, pos_k: (L) or (B, L), not read for rotated inputs; cu_q, cu_k: (n + 1) or null. */
typedef struct {
  const rpp_tensor *q, *k, *v;
  const rpp_cuda_integers *pos_q, *pos_k, *cu_q, *cu_k;
} rpp_cuda_inputs;

/* Softmax attention (eq. 9 to 11) in float32 on CUDA cores. q: (B, Lq, P, D), or (B, Lq, O, D) when q_rotated; k: (B, Lk, K, D);
 * v: (B, Lk, K, Dv); out: (B, Lq, O, Dv); lse: (B, O, Lq); all F32; out or lse may be null. D and Dv 1 .. 256. A row that
 * sees no key has out 0 and lse -inf. workspace: as many bytes as the function below says. Errors: as rpp_cuda_rotate; UNSUPPORTED also
 * for D and Dv outside this range, a scale that is neither 0 nor a normal float32, and more than 2^31 - 1 blocks. */
RPP_API rpp_status rpp_cuda_attention_f32(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                                          const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream);
/* No data is read: pointers may be null. Every error of the above that does not come from data is found here too. */
RPP_API rpp_status rpp_cuda_attention_f32_workspace(const rpp_attention *attention, const rpp_cuda_inputs *inputs,
                                                    const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes);

/* The same on tensor cores (mma.sync): q, k, v and out all F16 or all BF16, lse F32; sums in float32, rotated q, rotated k and weights
 * rounded to the storage type. Raw k is rotated once a call, into the workspace. A v that is infinite or NaN may reach rows that do not
 * see its key, if they lie near ones that do. UNSUPPORTED also for a scale past 2.3e38, 2^31 - 256 keys and more, and devices whose
 * blocks cannot have the shared memory (notes/cuda.md; the function below does not ask the device). */
RPP_API rpp_status rpp_cuda_attention_mma(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                                          const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream);
RPP_API rpp_status rpp_cuda_attention_mma_workspace(const rpp_attention *attention, const rpp_cuda_inputs *inputs,
                                                    const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
