/* case_builder.h: makes safetensors files in memory, right ones and hostile ones. */
#ifndef CASE_BUILDER_H
#define CASE_BUILDER_H

#include <stddef.h>

#include "ropepp.h"

enum { BUILDER_KEYS = 24, BUILDER_TENSORS = 32 };

typedef struct {
  char name[32];
  rpp_dtype dtype;
  int ndim;
  int64_t shape[RPP_MAX_DIMS];
  double *values; /* row-major; rounded to dtype when written */
} builder_tensor;

/* Start from {0}. The order of tensors is the order of their data. */
typedef struct {
  struct {
    char key[32], value[128];
  } metadata[BUILDER_KEYS];
  int keys, tensors;
  builder_tensor tensor[BUILDER_TENSORS];
} builder;

/* Adds or replaces a metadata value; null removes it. Values are written as they are: they may hold JSON escapes. */
void build_key(builder *b, const char *key, const char *value);

/* Adds or replaces a tensor; its values, all zero, are to be filled in. */
double *build_tensor(builder *b, const char *name, rpp_dtype dtype, int ndim, const int64_t *shape);
void build_remove(builder *b, const char *name);
builder_tensor *build_find(builder *b, const char *name);

/* The file, to be freed. */
unsigned char *build_bytes(const builder *b, size_t *size);
void build_write(const builder *b, const char *path);
void build_free(builder *b);

/* A file of any header text and any data, to be freed: what no builder would write. */
unsigned char *build_raw(const char *header, const void *data, size_t data_size, size_t *size);
void build_save(const char *path, const void *bytes, size_t size);

/* Repeatable values in -1 .. 1. */
void build_random(double *values, size_t count, unsigned seed);

/* A small right case without expected tensors: ec, heads 4, kv_heads 2, head_dim 4, pairing half, base 10000, causal; batch 2, 3
 * queries and 5 keys at positions 2 .. 4 and 0 .. 4, causal_offset 2, values of width 3. */
void build_attention(builder *b);

/* A small right layer without expected tensors: the same heads, hidden 6, batch 2, 3 tokens. */
void build_layer(builder *b);

#endif
