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

/* Rotated keys, and values, in device memory. Contiguous: k (B, capacity, K, D), v (B, capacity, K, Dv); token n of sequence b lies in
 * row (b, n). Paged: k (pages, page_size, K, D), v (pages, page_size, K, Dv), and page_table (B, max_pages), the capacity being max_pages
 * page_size; token n lies in row (page_table[b][n / page_size], n % page_size). Of a sequence's page table the entries are read that its
 * tokens need; those must be pages of the cache. */
typedef struct {
  const rpp_tensor *k, *v;
  const rpp_cuda_integers *page_table; /* null: contiguous */
} rpp_cuda_cache;

/* Rotates k by pos (eq. 2) and writes it and v into the cache: token l of sequence b becomes the cache's token slots[b][l] of that
 * sequence. k: (B, L, K, D); v: (B, L, K, Dv); the cache's dtype, F32, F16 or BF16; pos, slots: (L) or (B, L). A slot outside of
 * 0 .. capacity - 1 is left out; no two tokens may have one slot. rotary: as rpp_cuda_rotate takes it, and workspace as much; null:
 * k is rotated already, pos is not read and there is no workspace. Errors: as rpp_cuda_rotate; UNSUPPORTED also for a capacity above
 * 2^30 tokens. */
RPP_API rpp_status rpp_cuda_kv_append(const rpp_rotary *rotary, const rpp_tensor *k, const rpp_tensor *v,
                                      const rpp_cuda_integers *pos, const rpp_cuda_integers *slots, const rpp_cuda_cache *cache,
                                      void *workspace, size_t bytes, rpp_cuda_stream stream);

/* pos_q: (Lq) or (B, Lq), not read for rotated q. lengths: (B), tokens of each sequence that count, from 0 to the capacity (taken to be
 * within); null: the whole capacity. */
typedef struct {
  const rpp_tensor *q;
  rpp_cuda_cache cache;
  const rpp_cuda_integers *pos_q, *lengths;
} rpp_cuda_decode_inputs;

/* Softmax attention (eq. 9 to 11) of a sequence's last few queries over a cache; keys are divided among blocks and merged by LSE (eq. 14).
 * q: (B, Lq, P, D), or (B, Lq, O, D) when q_rotated, Lq at most 8; out: (B, Lq, O, Dv); all of the cache's dtype, F32, F16 or BF16;
 * lse: (B, O, Lq), F32; out or lse may be null. D and Dv 1 .. 256. attention: k_rotated must be true, and causal_offset counts from the
 * end of each sequence: of n tokens, query i sees key j iff j <= i + n - Lq + causal_offset, and with a window also j > that - window. So 0
 * lets the last query see the last key. A row that sees no key has out 0 and lse -inf. float16 and bfloat16: values of keys that another
 * query of the same call sees must be finite. workspace: as many bytes as the function below says on the same device. Errors: as
 * rpp_cuda_attention_f32; UNSUPPORTED also for more than 8 queries, keys that are not rotated, a capacity above 2^30 tokens, and more shared
 * memory than the device has. */
RPP_API rpp_status rpp_cuda_decode(const rpp_attention *attention, const rpp_cuda_decode_inputs *inputs, const rpp_tensor *out,
                                   const rpp_tensor *lse, void *workspace, size_t bytes, rpp_cuda_stream stream);
/* No data is read: pointers may be null. Every error of the above that does not come from data is found here too, and DEVICE. */
RPP_API rpp_status rpp_cuda_decode_workspace(const rpp_attention *attention, const rpp_cuda_decode_inputs *inputs,
                                             const rpp_tensor *out, const rpp_tensor *lse, size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
