#include "answer_builder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cases/gen.h"
#include "files/safetensors_write.h"
#include "support.h"

void answer_make(answered *a, const char *spec, const rpp_kernel *kernel, const char *path) {
  rpp_message error;
  const char *reason = "";
  ck_assert_msg(rpp_spec_parse(spec, &a->spec, &error), "%s: %s", spec, error.text);
  a->spec.dtype = kernel->contract.input;
  ck_assert(rpp_generate(&a->spec, kernel->contract.output, kernel->contract.lse, &a->data, &error));
  ck_assert(rpp_gen_write(&a->spec, path, &error));
  ck_assert_int_eq(kernel->forward(kernel, &a->data.attention, &a->data.inputs, &a->data.out, &a->data.lse, NULL, &reason), 0);
}

void answer_free(answered *a) {
  rpp_generated_free(&a->data);
}

void answer_write(const char *path, const answer_entry *entries) {
  rpp_safetensors_entry all[16];
  rpp_message error;
  size_t count = 0;
  for (; entries[count].name != NULL; count++) all[count] = (rpp_safetensors_entry){entries[count].name, entries[count].tensor};
  ck_assert_msg(rpp_safetensors_write(path, 0, NULL, count, all, &error), "%s", error.text);
}

static const char *descr_of(rpp_dtype dtype, bool narrow) {
  switch (dtype) {
  case RPP_F64:
    return "<f8";
  case RPP_F32:
    return "<f4";
  case RPP_F16:
    return "<f2";
  case RPP_BF16:
    return "<V2"; /* as ml_dtypes makes it */
  default:
    return narrow ? "<i4" : "<i8";
  }
}

void answer_npy(const char *folder, const char *name, const rpp_tensor *t, bool narrow) {
  char path[256], header[160];
  int64_t index[RPP_MAX_DIMS] = {0}, elements;
  snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  int used = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(t->dtype, narrow));
  for (int d = 0; d < t->ndim; d++) used += snprintf(header + used, sizeof header - (size_t)used, "%" PRId64 ", ", t->shape[d]);
  used += snprintf(header + used, sizeof header - (size_t)used, "), }\n");
  fwrite("\x93NUMPY\x01\0", 1, 8, f);
  fputc(used & 255, f);
  fputc(used >> 8, f);
  fwrite(header, 1, (size_t)used, f);
  ck_assert_int_eq(rpp_tensor_extent(t, &elements, NULL), RPP_OK);
  for (int64_t i = 0; i < elements; i++) {
    unsigned char bytes[8];
    const rpp_tensor one = {bytes, t->dtype, 1, {1}, {1}, 0};
    const int64_t zero = 0;
    const int32_t integer = (int32_t)rpp_tensor_get(t, index);
    rpp_tensor_set(&one, &zero, rpp_tensor_get(t, index));
    if (narrow) memcpy(bytes, &integer, sizeof integer);
    fwrite(bytes, narrow ? 4 : rpp_dtype_size(t->dtype), 1, f);
    for (int d = t->ndim - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
  }
  ck_assert_int_eq(fclose(f), 0);
}

void answer_folder(const char *folder, const answered *a) {
  const rpp_generated *g = &a->data;
  const answer_entry all[] = {{"q", &g->q},       {"k", &g->k},       {"v", &g->v},     {"pos_q", &g->pos_q}, {"pos_k", &g->pos_k},
                              {"cu_q", &g->cu_q}, {"cu_k", &g->cu_k}, {"out", &g->out}, {"lse", &g->lse}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i].tensor->ndim > 0) answer_npy(folder, all[i].name, all[i].tensor, false);
}
