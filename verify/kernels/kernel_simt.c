/* kernel_simt.c: compiled twice, for the SIMT runtime and for devices (gpu_build.h). */
#include "kernels/kernel_simt.h"

#include <math.h>

#include "contracts.h"
#include "kernels/gpu_build.h"

/* ---- Problems as the CUDA functions take them --------------------------------------------------------------------------- */

static rpp_cuda_integers integers_of(const rpp_tensor *t) {
  rpp_cuda_integers integers = {.data = t->data ? (const char *)t->data + t->byte_offset : NULL, .ndim = t->ndim};
  for (int d = 0; d < t->ndim && d < 2; d++) integers.shape[d] = t->shape[d], integers.strides[d] = t->strides[d];
  return integers;
}

typedef struct {
  rpp_cuda_inputs inputs;
  rpp_cuda_integers pos_q, pos_k, cu_q, cu_k;
} converted;

static const rpp_cuda_integers *convert_one(const rpp_tensor *t, rpp_cuda_integers *place) {
  if (!t) return NULL;
  *place = integers_of(t);
  return place;
}

/* c must stay where it is: inputs point into it. */
static void convert(const rpp_attention_inputs *in, converted *c) {
  c->inputs = (rpp_cuda_inputs){in->q,
                                in->k,
                                in->v,
                                convert_one(in->pos_q, &c->pos_q),
                                convert_one(in->pos_k, &c->pos_k),
                                convert_one(in->cu_q, &c->cu_q),
                                convert_one(in->cu_k, &c->cu_k)};
}

static int finish(rpp_status status, const char **reason) {
  if (status == RPP_OK) return 0;
  *reason = rpp_cuda_error_message();
  return 1;
}

/* ---- Rotation ----------------------------------------------------------------------------------------------------------- */

static const char *rotates(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  rpp_head_counts counts;
  (void)kernel;
  rpp_gpu_case_begins(problem);
  if (rpp_attention_heads(problem->attention, &counts) != RPP_OK) return rpp_error_message(); /* EH with an odd count */
  if (problem->attention->q_rotated) return "it rotates, and q is rotated already";
  if (problem->attention->rotary.rotary_dim > 256) return "the rotary width is above 256";
  return NULL;
}

static int rotate(const rpp_kernel *kernel, const rpp_rotary *rotary, rpp_part part, const rpp_tensor *x, const rpp_tensor *pos,
                  rpp_tensor *y, const char **reason) {
  const rpp_simt_functions *functions = kernel->data;
  const rpp_cuda_integers positions = integers_of(pos);
  size_t bytes = 0;
  if (finish(functions->rotate_workspace(rotary, &positions, &bytes), reason) != 0) return 1;
  void *workspace = rpp_gpu_room("workspace", bytes);
  if (workspace == NULL) {
    *reason = "memory is out";
    return 1;
  }
  const rpp_tensor *real = part == RPP_PART_REAL ? y : NULL, *imag = part == RPP_PART_IMAG ? y : NULL;
  const rpp_status status = functions->rotate(rotary, x, &positions, real, imag, workspace, bytes, rpp_gpu_stream(x));
  rpp_gpu_leave(workspace);
  return finish(status, reason);
}

/* ---- Attention ---------------------------------------------------------------------------------------------------------- */

static rpp_status ask_workspace(const rpp_kernel *kernel, const rpp_kernel_problem *problem, size_t *bytes) {
  const rpp_simt_functions *functions = kernel->data;
  converted c;
  convert(problem->inputs, &c);
  return functions->attention_workspace(problem->attention, &c.inputs, problem->out, problem->lse, bytes);
}

static size_t workspace(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  size_t bytes = 0;
  return ask_workspace(kernel, problem, &bytes) == RPP_OK ? bytes : 0;
}

static double filled(int64_t count, int64_t multiple) {
  return ceil((double)count / (double)multiple) * (double)multiple;
}

static bool takes_long(const rpp_simt_functions *f, const rpp_kernel_problem *problem) {
  if (RPP_GPU_IS_DEVICE) return false;
  const rpp_tensor *out = problem->out, *k = problem->inputs->k;
  const double rows = filled(out->shape[1] * (out->shape[2] / k->shape[2]), f->rows) * (double)k->shape[2];
  const double columns = filled(k->shape[3], f->width) + filled(out->shape[3], f->width);
  return (double)out->shape[0] * rows * (double)k->shape[1] * columns > f->most_work;
}

static const char *attends(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  size_t bytes;
  rpp_gpu_case_begins(problem);
  if (takes_long(kernel->data, problem)) return "so many multiplications are seconds' work for the SIMT runtime";
  return ask_workspace(kernel, problem, &bytes) == RPP_OK ? NULL : rpp_cuda_error_message();
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *room, const char **reason) {
  const rpp_simt_functions *functions = kernel->data;
  converted c;
  size_t bytes = 0;
  convert(inputs, &c);
  if (finish(functions->attention_workspace(attention, &c.inputs, out, lse, &bytes), reason) != 0) return 1;
  return finish(functions->attention(attention, &c.inputs, out, lse, room, bytes, rpp_gpu_stream(inputs->q)), reason);
}

/* ---- The kernels -------------------------------------------------------------------------------------------------------- */

#define FUNCTIONS(attends, ...)                                                                                                    \
  { rpp_cuda_rotate_workspace, rpp_cuda_rotate, attends##_workspace, attends, __VA_ARGS__ }
static const rpp_simt_functions attention_f32 = FUNCTIONS(rpp_cuda_attention_f32, RPP_SIMT_WORK_F32),
                                attention_mma = FUNCTIONS(rpp_cuda_attention_mma, RPP_SIMT_WORK_MMA);

#define ROTATE(word, storage, model, line)                                                                                         \
  {                                                                                                                                \
    .version = RPP_KERNEL_VERSION, .name = RPP_GPU_NAME(word), .description = (line),                                              \
    .contract = RPP_CUDA_ROTATE_CONTRACT(storage, model), .data = &attention_f32, .supports = rotates, .rotate = rotate            \
  }

const rpp_kernel RPP_GPU_KERNEL(rotate) = ROTATE("rotate", RPP_F32, RPP_ANGLES_EXACT, "rotation by rotate.cu, " RPP_GPU_WHERE);
const rpp_kernel RPP_GPU_KERNEL(rotate_f16) = ROTATE("rotate-f16", RPP_F16, RPP_ANGLES_EXACT, "the same, float16 in memory");
const rpp_kernel RPP_GPU_KERNEL(rotate_bf16) = ROTATE("rotate-bf16", RPP_BF16, RPP_ANGLES_EXACT, "the same, bfloat16 in memory");
const rpp_kernel RPP_GPU_KERNEL(rotate_hf_f32) = ROTATE("rotate-hf-f32", RPP_F32, RPP_ANGLES_HF_F32,
                                                        "rotate.cu with Hugging Face's float32 angles");

#define ATTENTION(word, functions, promised, line)                                                                                 \
  {                                                                                                                                \
    .version = RPP_KERNEL_VERSION, .name = RPP_GPU_NAME(word), .description = (line), .contract = promised, .data = &(functions),  \
    .supports = attends, .workspace = workspace, .rotate = rotate, .forward = forward                                              \
  }

const rpp_kernel RPP_GPU_KERNEL(attention_f32) = ATTENTION("attention-f32", attention_f32,
                                                           RPP_CUDA_ATTENTION_F32_CONTRACT(RPP_ANGLES_EXACT),
                                                           "attention on CUDA cores by attention_f32.cu, " RPP_GPU_WHERE);
const rpp_kernel RPP_GPU_KERNEL(attention_f16) = ATTENTION("attention-f16", attention_mma, RPP_CUDA_ATTENTION_MMA_CONTRACT(RPP_F16),
                                                           "float16 attention on mma.sync by attention_mma.cu, " RPP_GPU_WHERE);
const rpp_kernel RPP_GPU_KERNEL(attention_bf16) = ATTENTION("attention-bf16", attention_mma,
                                                            RPP_CUDA_ATTENTION_MMA_CONTRACT(RPP_BF16), "the same, bfloat16");
