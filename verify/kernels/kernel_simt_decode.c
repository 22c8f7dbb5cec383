/* kernel_simt_decode.c: decode behind the verifier's interface. Keys that come raw are appended to a cache in the workspace, contiguous or
 * paged, that has room to spare and NaN wherever nothing was written; keys that come rotated are the contiguous cache themselves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contracts.h"
#include "kernels/gpu_build.h"
#include "kernels/kernel_simt.h"

enum { ALIGNMENT = 64, SPARE_TOKENS = 3, SPARE_PAGES = 2 };

/* Multiplications, of whole tiles of 16 rows and 64 columns, past which the SIMT runtime takes more than seconds. */
static const double MOST_WORK = 0x1p26;

static rpp_cuda_integers integers_of(const rpp_tensor *t) {
  rpp_cuda_integers integers = {.data = t->data ? (const char *)t->data + t->byte_offset : NULL, .ndim = t->ndim};
  for (int d = 0; d < t->ndim && d < 2; d++) integers.shape[d] = t->shape[d], integers.strides[d] = t->strides[d];
  return integers;
}

/* ---- The cache ---------------------------------------------------------------------------------------------------------- */

/* A problem as decode takes it, and where in the workspace everything lies. It points into itself. */
typedef struct {
  rpp_attention attention;
  rpp_cuda_decode_inputs inputs;
  rpp_tensor k, v; /* of a cache of its own */
  rpp_cuda_integers pos_q, pos_k, slots, lengths, page_table;
  int64_t page_size, pages_used, max_pages; /* used: of a sequence */
  bool appends;
  size_t slots_at, lengths_at, table_at, k_at, v_at, scratch_at, append_bytes, decode_bytes, bytes;
} decoding;

static size_t place(size_t *end, size_t bytes) {
  const size_t at = *end;
  *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return at;
}

/* The cache's shapes, without data. */
static rpp_status shape_cache(const rpp_kernel *kernel, const rpp_attention_inputs *in, decoding *d) {
  static const int64_t sizes[] = {5, 16, 3, 7};
  const bool paged = ((const rpp_simt_decoding *)kernel->data)->paged;
  const int64_t batch = in->k->shape[0], keys = in->k->shape[1], heads = in->k->shape[2];
  d->page_size = sizes[keys % 4], d->pages_used = (keys + d->page_size - 1) / d->page_size, d->max_pages = d->pages_used + 1;
  int64_t shape[] = {paged ? batch * d->pages_used + SPARE_PAGES : batch, paged ? d->page_size : keys + SPARE_TOKENS, heads,
                     in->k->shape[3]};
  const rpp_status status = rpp_tensor_contiguous(NULL, in->k->dtype, 4, shape, &d->k);
  shape[3] = in->v->shape[3];
  d->slots = (rpp_cuda_integers){NULL, RPP_CUDA_I64, 1, {keys, 0}, {1, 0}};
  d->lengths = (rpp_cuda_integers){NULL, keys % 2 == 0 ? RPP_CUDA_I32 : RPP_CUDA_I64, 1, {batch, 0}, {1, 0}};
  d->page_table = (rpp_cuda_integers){NULL, RPP_CUDA_I32, 2, {batch, d->max_pages}, {d->max_pages, 1}};
  d->inputs.cache = (rpp_cuda_cache){&d->k, &d->v, paged ? &d->page_table : NULL};
  d->inputs.lengths = &d->lengths;
  return status == RPP_OK ? rpp_tensor_contiguous(NULL, in->v->dtype, 4, shape, &d->v) : status;
}

static size_t bytes_of(const rpp_tensor *t) {
  size_t bytes = rpp_dtype_size(t->dtype);
  for (int n = 0; n < t->ndim; n++) bytes *= (size_t)t->shape[n];
  return bytes;
}

/* RPP_OK, or an error whose message is rpp_cuda_error_message's. */
static rpp_status describe(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *in,
                           const rpp_tensor *out, const rpp_tensor *lse, decoding *d) {
  const rpp_simt_decoding *functions = kernel->data;
  memset(d, 0, sizeof *d);
  d->attention = *attention, d->attention.k_rotated = true;
  d->inputs.q = in->q;
  if (__builtin_sub_overflow(attention->causal_offset, in->k->shape[1] - in->q->shape[1], &d->attention.causal_offset))
    d->attention.causal_offset = INT64_MIN; /* it counts from the end */
  if (in->pos_q != NULL) d->pos_q = integers_of(in->pos_q), d->inputs.pos_q = &d->pos_q;
  d->appends = !attention->k_rotated || functions->paged;
  if (d->appends) {
    if (shape_cache(kernel, in, d) != RPP_OK) return RPP_ERROR_SHAPE;
    if (!attention->k_rotated) {
      d->pos_k = integers_of(in->pos_k);
      const rpp_status status = rpp_cuda_rotate_workspace(&attention->rotary, &d->pos_k, &d->append_bytes);
      if (status != RPP_OK) return status;
    }
    d->slots_at = place(&d->bytes, (size_t)in->k->shape[1] * sizeof(int64_t));
    d->lengths_at = place(&d->bytes, (size_t)in->k->shape[0] * sizeof(int64_t));
    d->table_at = place(&d->bytes, (size_t)(in->k->shape[0] * d->max_pages) * sizeof(int32_t));
    d->k_at = place(&d->bytes, bytes_of(&d->k)), d->v_at = place(&d->bytes, bytes_of(&d->v));
  } else {
    d->inputs.cache = (rpp_cuda_cache){in->k, in->v, NULL};
  }
  const rpp_status status = functions->workspace(&d->attention, &d->inputs, out, lse, &d->decode_bytes);
  d->scratch_at = place(&d->bytes, d->append_bytes > d->decode_bytes ? d->append_bytes : d->decode_bytes);
  return status;
}

/* Pages in a shuffled order that depends on the problem's size alone; what is not used is no page. */
static void fill_table(const decoding *d, int64_t batch, int32_t *table) {
  const int64_t pages = d->k.shape[0];
  uint32_t state = (uint32_t)pages;
  int32_t *order = malloc((size_t)pages * sizeof *order);
  if (order == NULL) abort(); /* a few kilobytes */
  for (int64_t n = 0; n < pages; n++) order[n] = (int32_t)n;
  for (int64_t n = pages - 1; n > 0; n--) {
    state = state * 1664525 + 1013904223;
    const int64_t other = (int64_t)(state >> 8) % (n + 1);
    const int32_t kept = order[n];
    order[n] = order[other], order[other] = kept;
  }
  for (int64_t b = 0; b < batch; b++)
    for (int64_t n = 0; n < d->max_pages; n++)
      table[b * d->max_pages + n] = n < d->pages_used ? order[b * d->pages_used + n] : INT32_MIN;
  free(order);
}

/* What lies before the cache: slots, lengths and the page table; at is where its bytes lie on the host. */
static void fill_control(const rpp_attention_inputs *in, const decoding *d, char *at) {
  const int64_t batch = in->k->shape[0], keys = in->k->shape[1];
  int64_t *slots = (void *)(at + d->slots_at), *wide = (void *)(at + d->lengths_at);
  int32_t *narrow = (void *)(at + d->lengths_at);
  memset(at, 0xff, d->k_at);
  for (int64_t n = 0; n < keys; n++) slots[n] = n;
  for (int64_t b = 0; b < batch; b++)
    if (d->lengths.type == RPP_CUDA_I32)
      narrow[b] = (int32_t)keys;
    else
      wide[b] = keys;
  if (d->inputs.cache.page_table != NULL) fill_table(d, batch, (void *)(at + d->table_at));
}

static rpp_status append(const rpp_simt_decoding *functions, const rpp_attention *attention, const rpp_attention_inputs *in,
                         char *room, decoding *d) {
  char *control = malloc(d->k_at + 1);
  if (control == NULL) abort(); /* a few kilobytes */
  fill_control(in, d, control);
  rpp_gpu_write(room, control, d->k_at);
  free(control);
  rpp_gpu_fill(room + d->k_at, 0xff, d->scratch_at - d->k_at); /* NaN of every type */
  d->slots.data = room + d->slots_at, d->lengths.data = room + d->lengths_at, d->page_table.data = room + d->table_at;
  d->k.data = room + d->k_at, d->v.data = room + d->v_at;
  return functions->append(attention->k_rotated ? NULL : &attention->rotary, in->k, in->v, &d->pos_k, &d->slots, &d->inputs.cache,
                           room + d->scratch_at, d->append_bytes, rpp_gpu_stream(in->k));
}

/* ---- The interface ------------------------------------------------------------------------------------------------------ */

static double tiles(double count, double size) {
  return ceil(count / size) * size;
}

static bool takes_long(const rpp_kernel_problem *problem) {
  if (RPP_GPU_IS_DEVICE) return false;
  const rpp_tensor *out = problem->out, *k = problem->inputs->k;
  const double heads = (double)k->shape[2], rows = (double)(out->shape[1] * out->shape[2]) / fmax(heads, 1);
  const double columns = tiles((double)k->shape[3], 64) + tiles((double)out->shape[3], 64);
  return (double)(k->shape[0] * k->shape[1]) * heads * tiles(rows, 16) * columns > MOST_WORK;
}

static const char *supports(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention_inputs *in = problem->inputs;
  rpp_head_counts counts;
  decoding d;
  rpp_gpu_case_begins(problem);
  if (rpp_attention_heads(problem->attention, &counts) != RPP_OK) return rpp_error_message(); /* EH with an odd count */
  if (in->q->dtype != kernel->contract.input || in->k->dtype != kernel->contract.input || in->v->dtype != kernel->contract.input)
    return "q, k and v must be of the kernel's own type";
  if (in->cu_q != NULL) return "sequences of a cache are not packed";
  if (in->q->shape[1] > 8) return "decode takes at most 8 queries";
  if (takes_long(problem)) return "more than 2^26 multiplications of whole tiles are many seconds' work for the SIMT runtime";
  const rpp_status status = describe(kernel, problem->attention, in, problem->out, problem->lse, &d);
  return status == RPP_OK || status == RPP_ERROR_DEVICE ? NULL : rpp_cuda_error_message(); /* a broken device: forward fails */
}

static size_t workspace(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  decoding d;
  return describe(kernel, problem->attention, problem->inputs, problem->out, problem->lse, &d) == RPP_OK ? d.bytes : 0;
}

static int forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs, rpp_tensor *out,
                   rpp_tensor *lse, void *room, const char **reason) {
  const rpp_simt_decoding *functions = kernel->data;
  decoding d;
  char *scratch = room;
  rpp_status status = describe(kernel, attention, inputs, out, lse, &d);
  if (status == RPP_OK && d.appends) status = append(functions, attention, inputs, scratch, &d);
  if (status == RPP_OK)
    status = functions->decode(&d.attention, &d.inputs, out, lse, d.bytes > 0 ? scratch + d.scratch_at : NULL, d.decode_bytes,
                               rpp_gpu_stream(inputs->q));
  if (status == RPP_OK) return 0;
  *reason = rpp_cuda_error_message();
  return 1;
}

/* ---- The kernels -------------------------------------------------------------------------------------------------------- */

static const rpp_simt_decoding contiguous = {rpp_cuda_kv_append, rpp_cuda_decode, rpp_cuda_decode_workspace, false},
                               paged = {rpp_cuda_kv_append, rpp_cuda_decode, rpp_cuda_decode_workspace, true};

#define DECODE(word, promised, pages, line)                                                                                        \
  {                                                                                                                                \
    .version = RPP_KERNEL_VERSION, .name = RPP_GPU_NAME(word), .description = (line), .contract = promised, .data = &(pages),      \
    .supports = supports, .workspace = workspace, .forward = forward                                                               \
  }

const rpp_kernel RPP_GPU_KERNEL(decode_f32) = DECODE("decode-f32", RPP_CUDA_DECODE_F32_CONTRACT, contiguous,
                                                     "split keys, float32, by decode_f32.cu, " RPP_GPU_WHERE);
const rpp_kernel RPP_GPU_KERNEL(decode_f16) = DECODE("decode-f16", RPP_CUDA_DECODE_MMA_CONTRACT(RPP_F16), contiguous,
                                                     "split keys on mma.sync by decode_mma.cu, float16");
const rpp_kernel RPP_GPU_KERNEL(decode_bf16) = DECODE("decode-bf16", RPP_CUDA_DECODE_MMA_CONTRACT(RPP_BF16), contiguous,
                                                      "the same, bfloat16");
const rpp_kernel RPP_GPU_KERNEL(decode_paged_f32) = DECODE("decode-paged-f32", RPP_CUDA_DECODE_F32_CONTRACT, paged,
                                                           "decode-f32 over a paged cache");
const rpp_kernel RPP_GPU_KERNEL(decode_paged_f16) = DECODE("decode-paged-f16", RPP_CUDA_DECODE_MMA_CONTRACT(RPP_F16), paged,
                                                           "decode-f16 over a paged cache");
const rpp_kernel RPP_GPU_KERNEL(decode_paged_bf16) = DECODE("decode-paged-bf16", RPP_CUDA_DECODE_MMA_CONTRACT(RPP_BF16), paged,
                                                            "decode-bf16 over a paged cache");
