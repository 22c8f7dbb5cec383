/* cuda_attention_suite.h: what fuzz does not draw, for the CUDA functions that attend: refusals, outputs that are not wanted, int32 integers, one
 * side rotated, strides of every kind. */
#ifndef CUDA_ATTENTION_SUITE_H
#define CUDA_ATTENTION_SUITE_H
#include "simt/ropepp_simt.h"
#include "support.h"

typedef struct {
  rpp_dtype dtype;
  rpp_contract contract;
  rpp_status (*forward)(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out, const rpp_tensor *lse,
                        void *workspace, size_t bytes, rpp_cuda_stream stream);
  rpp_status (*workspace)(const rpp_attention *attention, const rpp_cuda_inputs *inputs, const rpp_tensor *out,
                          const rpp_tensor *lse, size_t *bytes);
} cuda_attention;

/* Adds the tests; each runs over count kernels, which must stay. */
void cuda_attention_tests(TCase *tests, const cuda_attention *kernels, int count);

/* The suite's own problem, for tests of one kernel: EC, 4 query heads, 2 KV heads, causal; workspace of room bytes. */
typedef struct {
  rpp_attention attention;
  rpp_tensor q, k, v, out, lse, pos;
  rpp_cuda_integers pos_q, pos_k;
  rpp_cuda_inputs inputs;
  void *room;
  size_t bytes;
} cuda_problem;
void cuda_problem_make(const cuda_attention *kernel, cuda_problem *p);

/* That problem with D and Dv of width, at most 256 (of 16 bits): held against the truth; refused as unsupported, with the text. */
void cuda_attention_agrees(const cuda_attention *kernel, int64_t width);
void cuda_attention_refused(const cuda_attention *kernel, int64_t width, const char *text);

#define cuda_refused(call, status, text)                                                                                           \
  do {                                                                                                                             \
    const rpp_status got_ = (call);                                                                                                \
    ck_assert_msg(got_ == (status) && strstr(rpp_cuda_error_message(), (text)), "status %d, \"%s\"; wanted %s", (int)got_,         \
                  rpp_cuda_error_message(), (text));                                                                               \
  } while (0)

#endif
