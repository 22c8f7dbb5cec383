#include "case_builder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

void build_key(builder *b, const char *key, const char *value) {
  int i = 0;
  while (i < b->keys && strcmp(b->metadata[i].key, key) != 0) i++;
  if (value == NULL) {
    ck_assert_int_lt(i, b->keys);
    b->metadata[i] = b->metadata[--b->keys];
    return;
  }
  ck_assert_int_lt(i, BUILDER_KEYS);
  if (i == b->keys) b->keys++;
  snprintf(b->metadata[i].key, sizeof b->metadata[i].key, "%s", key);
  snprintf(b->metadata[i].value, sizeof b->metadata[i].value, "%s", value);
}

builder_tensor *build_find(builder *b, const char *name) {
  for (int i = 0; i < b->tensors; i++)
    if (strcmp(b->tensor[i].name, name) == 0) return &b->tensor[i];
  return NULL;
}

static size_t elements(const builder_tensor *t) {
  size_t n = 1;
  for (int i = 0; i < t->ndim; i++) n *= (size_t)t->shape[i];
  return n;
}

double *build_tensor(builder *b, const char *name, rpp_dtype dtype, int ndim, const int64_t *shape) {
  builder_tensor *t = build_find(b, name);
  if (t == NULL) {
    ck_assert_int_lt(b->tensors, BUILDER_TENSORS);
    t = &b->tensor[b->tensors++];
  }
  free(t->values);
  *t = (builder_tensor){.dtype = dtype, .ndim = ndim};
  snprintf(t->name, sizeof t->name, "%s", name);
  for (int i = 0; i < ndim; i++) t->shape[i] = shape[i];
  t->values = calloc(elements(t) + 1, sizeof *t->values);
  ck_assert_ptr_nonnull(t->values);
  return t->values;
}

void build_remove(builder *b, const char *name) {
  builder_tensor *t = build_find(b, name);
  ck_assert_ptr_nonnull(t);
  free(t->values);
  memmove(t, t + 1, (size_t)(b->tensor + --b->tensors - t) * sizeof *t);
  b->tensor[b->tensors].values = NULL;
}

unsigned char *build_raw(const char *header, const void *data, size_t data_size, size_t *size) {
  const uint64_t length = strlen(header);
  unsigned char *bytes = malloc(sizeof length + length + data_size);
  ck_assert_ptr_nonnull(bytes);
  memcpy(bytes, &length, sizeof length);
  memcpy(bytes + sizeof length, header, length);
  if (data_size > 0) memcpy(bytes + sizeof length + length, data, data_size);
  *size = sizeof length + length + data_size;
  return bytes;
}

unsigned char *build_bytes(const builder *b, size_t *size) {
  char *header, *data;
  size_t header_size, data_size;
  FILE *h = open_memstream(&header, &header_size), *d = open_memstream(&data, &data_size);
  ck_assert_ptr_nonnull(h);
  ck_assert_ptr_nonnull(d);
  fprintf(h, "{\"__metadata__\":{");
  for (int i = 0; i < b->keys; i++) fprintf(h, "%s\"%s\":\"%s\"", i == 0 ? "" : ",", b->metadata[i].key, b->metadata[i].value);
  fputc('}', h);
  size_t at = 0;
  for (int i = 0; i < b->tensors; i++) {
    const builder_tensor *t = &b->tensor[i];
    const size_t bytes = elements(t) * rpp_dtype_size(t->dtype);
    fprintf(h, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", t->name, rpp_dtype_name(t->dtype));
    for (int dim = 0; dim < t->ndim; dim++) fprintf(h, "%s%" PRId64, dim == 0 ? "" : ",", t->shape[dim]);
    fprintf(h, "],\"data_offsets\":[%zu,%zu]}", at, at + bytes);
    at += bytes;
    for (size_t e = 0; e < elements(t); e++) {
      unsigned char element[8];
      const int64_t integer = (int64_t)t->values[e], zero = 0;
      const rpp_tensor one = {element, t->dtype, 1, {1}, {1}, 0};
      if (t->dtype == RPP_I64)
        memcpy(element, &integer, sizeof integer);
      else
        rpp_tensor_set(&one, &zero, t->values[e]);
      fwrite(element, rpp_dtype_size(t->dtype), 1, d);
    }
  }
  fputc('}', h);
  fclose(h);
  fclose(d);
  unsigned char *file = build_raw(header, data, data_size, size);
  free(header);
  free(data);
  return file;
}

void build_save(const char *path, const void *bytes, size_t size) {
  FILE *f = fopen(path, "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
  ck_assert_int_eq(fclose(f), 0);
}

void build_write(const builder *b, const char *path) {
  size_t size;
  unsigned char *bytes = build_bytes(b, &size);
  build_save(path, bytes, size);
  free(bytes);
}

void build_free(builder *b) {
  for (int i = 0; i < b->tensors; i++) free(b->tensor[i].values);
  *b = (builder){0};
}

void build_random(double *values, size_t count, unsigned seed) {
  uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
  for (size_t i = 0; i < count; i++) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    values[i] = (double)(int64_t)(state >> 11) * 0x1p-52 - 1;
  }
}

static void random_tensor(builder *b, const char *name, int ndim, const int64_t *shape) {
  double *values = build_tensor(b, name, RPP_F64, ndim, shape);
  build_random(values, elements(build_find(b, name)), (unsigned)b->tensors);
}

static void positions(builder *b, const char *name, int64_t first, int64_t length) {
  double *values = build_tensor(b, name, RPP_I64, 1, &length);
  for (int64_t i = 0; i < length; i++) values[i] = (double)(first + i);
}

static void heads(builder *b, const char *op) {
  build_key(b, "format", "ropepp-case/1");
  build_key(b, "op", op);
  build_key(b, "mode", "ec");
  build_key(b, "heads", "4");
  build_key(b, "kv_heads", "2");
  build_key(b, "head_dim", "4");
  build_key(b, "pairing", "half");
  build_key(b, "base", "10000");
  build_key(b, "mask", "causal");
}

void build_attention(builder *b) {
  heads(b, "attention");
  build_key(b, "causal_offset", "2");
  random_tensor(b, "q", 4, (int64_t[]){2, 3, 4, 4});
  random_tensor(b, "k", 4, (int64_t[]){2, 5, 2, 4});
  random_tensor(b, "v", 4, (int64_t[]){2, 5, 2, 3});
  positions(b, "pos_q", 2, 3);
  positions(b, "pos_k", 0, 5);
}

void build_layer(builder *b) {
  heads(b, "layer");
  build_key(b, "hidden", "6");
  random_tensor(b, "x", 3, (int64_t[]){2, 3, 6});
  random_tensor(b, "wq", 2, (int64_t[]){16, 6});
  random_tensor(b, "wk", 2, (int64_t[]){8, 6});
  random_tensor(b, "wv", 2, (int64_t[]){8, 6});
  random_tensor(b, "wo", 2, (int64_t[]){6, 32});
  positions(b, "pos_q", 0, 3);
}
