/* planted_forward.c: a planted kernel: the emulated one, with what its fault changes before and spoils after. */
#include "plants/plant_steps.h"

static bool open(rpp_planted *p, const rpp_attention *attention, const rpp_attention_inputs *inputs) {
  *p = (rpp_planted){.attention = *attention, .inputs = *inputs, .q = *inputs->q, .k = *inputs->k, .v = *inputs->v};
  if (inputs->pos_q) p->pos_q = *inputs->pos_q;
  if (inputs->pos_k) p->pos_k = *inputs->pos_k;
  p->batch = inputs->q->shape[0], p->q_len = inputs->q->shape[1], p->head_dim = inputs->q->shape[3];
  p->k_len = inputs->v->shape[1], p->v_dim = inputs->v->shape[3];
  return rpp_attention_heads(attention, &p->counts) == RPP_OK;
}

/* Writes x to where y's kernel takes it to be, as far as that is inside of y. */
static void put(const rpp_tensor *x, const rpp_tensor *taken, const rpp_tensor *y, bool narrow) {
  int64_t elements, bytes, i[RPP_MAX_DIMS] = {0};
  const int64_t size = (int64_t)rpp_dtype_size(y->dtype);
  if (!taken->data || rpp_tensor_extent(y, &elements, &bytes) != RPP_OK || elements == 0) return;
  for (int d = 0; d >= 0;) {
    int64_t offset = 0;
    for (int k = 0; k < x->ndim; k++) offset += i[k] * taken->strides[k];
    if (narrow) offset = rpp_offset_int32(offset);
    rpp_tensor one = {.data = y->data, .dtype = y->dtype, .ndim = 1, .shape = {1}, .strides = {1}};
    one.byte_offset = y->byte_offset + (uint64_t)(offset * size);
    if (offset >= 0 && (offset + 1) * size <= bytes) rpp_tensor_set(&one, (int64_t[]){0}, rpp_tensor_get(x, i));
    for (d = x->ndim - 1; d >= 0 && ++i[d] == x->shape[d]; d--) i[d] = 0;
  }
}

static int misplaced(rpp_planted *p, const rpp_planting *planting, rpp_tensor *out, rpp_tensor *lse, const char **reason) {
  rpp_tensor own = rpp_scratch_tensor(&p->scratch, out->dtype, 4, out->shape), taken = *out;
  rpp_tensor own_lse = rpp_scratch_tensor(&p->scratch, lse->dtype, 3, lse->shape), taken_lse = *lse;
  if (!own.data || !own_lse.data) return 1;
  const int status = rpp_emulate(&planting->emulation, &p->attention, &p->inputs, &own, &own_lse, reason);
  if (planting->place) planting->place(&taken, &taken_lse);
  if (status != 0) return status;
  put(&own, &taken, out, planting->narrow);
  put(&own_lse, &taken_lse, lse, planting->narrow);
  return 0;
}

int rpp_planted_forward(const rpp_kernel *kernel, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                        rpp_tensor *out, rpp_tensor *lse, void *workspace, const char **reason) {
  const rpp_planting *planting = kernel->data;
  rpp_planted p;
  (void)workspace;
  *reason = "memory is out, or the problem is not sound";
  if (!open(&p, attention, inputs)) return 1;
  int status = planting->change && !planting->change(&p) ? 1 : 0;
  if (status == 0 && (planting->place || planting->narrow))
    status = misplaced(&p, planting, out, lse, reason);
  else if (status == 0)
    status = rpp_emulate(&planting->emulation, &p.attention, &p.inputs, out, lse, reason);
  if (status == 0 && planting->spoil) planting->spoil(&p, out, lse);
  rpp_scratch_free(&p.scratch);
  return status;
}

const char *rpp_planted_supports_odd(const rpp_kernel *kernel, const rpp_kernel_problem *problem) {
  const rpp_attention *a = problem->attention;
  const bool odd = a->mode == RPP_MODE_EH && (a->heads % 2 != 0 || a->kv_heads % 2 != 0);
  return odd ? NULL : rpp_emulate_supports(kernel, problem);
}
