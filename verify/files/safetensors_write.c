#include "files/safetensors_write.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/aside.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian and is written as it is");

/* ---- The header ---------------------------------------------------------------------------------------------------------- */

/* Bytes of the tensor in the file; false when they overflow. */
static bool bytes_of(const rpp_tensor *t, int64_t *bytes) {
  int64_t elements = 0, span;
  return rpp_tensor_extent(t, &elements, &span) == RPP_OK &&
         !__builtin_mul_overflow(elements, (int64_t)rpp_dtype_size(t->dtype), bytes);
}

static json_t *describe(const rpp_tensor *t, int64_t begin, int64_t end) {
  json_t *shape = json_array();
  for (int d = 0; d < t->ndim; d++) json_array_append_new(shape, json_integer(t->shape[d]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", rpp_dtype_name(t->dtype), "shape", shape, "data_offsets", (json_int_t)begin,
                   (json_int_t)end);
}

/* The header's text, to be freed; null, with a message. */
static char *header_text(size_t metadata_count, const rpp_safetensors_pair *metadata, size_t tensor_count,
                         const rpp_safetensors_entry *tensors, rpp_message *error) {
  json_t *header = json_object(), *pairs = json_object();
  int64_t at = 0;
  bool ok = true;
  for (size_t i = 0; i < metadata_count && ok; i++) {
    ok = json_object_get(pairs, metadata[i].key) == NULL &&
         json_object_set_new(pairs, metadata[i].key, json_string(metadata[i].value)) == 0;
    if (!ok) rpp_message_set(error, "metadata: %.60s = %.60s: given twice, or not UTF-8", metadata[i].key, metadata[i].value);
  }
  if (metadata_count > 0) json_object_set(header, "__metadata__", pairs);
  json_decref(pairs);
  for (size_t i = 0; i < tensor_count && ok; i++) {
    int64_t bytes = 0, end = 0;
    ok = json_object_get(header, tensors[i].name) == NULL && bytes_of(tensors[i].tensor, &bytes) &&
         !__builtin_add_overflow(at, bytes, &end) &&
         json_object_set_new(header, tensors[i].name, describe(tensors[i].tensor, at, end)) == 0;
    if (!ok) rpp_message_set(error, "%.60s: given twice, or not a tensor that fits", tensors[i].name);
    at = end;
  }
  char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
  if (ok && text == NULL) rpp_message_set(error, "header: out of memory");
  json_decref(header);
  return text;
}

/* Its length, the text, and blanks up to a multiple of eight, so that the data is aligned. */
static void put_header(const char *text, FILE *file) {
  const uint64_t size = strlen(text), padded = (size + 7) / 8 * 8;
  fwrite(&padded, sizeof padded, 1, file);
  fwrite(text, 1, size, file);
  for (uint64_t i = size; i < padded; i++) fputc(' ', file);
}

static void put_tensor(const rpp_tensor *t, FILE *file) {
  const int last = t->ndim - 1;
  const int64_t size = (int64_t)rpp_dtype_size(t->dtype), step = t->strides[last] * size;
  int64_t index[RPP_MAX_DIMS] = {0};
  for (int d = 0; d < t->ndim; d++)
    if (t->shape[d] == 0) return;
  for (int d = 0; d >= 0;) { /* row by row */
    const char *row = (const char *)t->data + t->byte_offset;
    for (int i = 0; i < last; i++) row += index[i] * t->strides[i] * size;
    if (step == size)
      fwrite(row, (size_t)size, (size_t)t->shape[last], file);
    else
      for (int64_t i = 0; i < t->shape[last]; i++) fwrite(row + i * step, (size_t)size, 1, file);
    for (d = last - 1; d >= 0 && ++index[d] == t->shape[d]; d--) index[d] = 0;
  }
}

/* ---- The file ------------------------------------------------------------------------------------------------------------ */

bool rpp_safetensors_write(const char *path, size_t metadata_count, const rpp_safetensors_pair *metadata, size_t tensor_count,
                           const rpp_safetensors_entry *tensors, rpp_message *error) {
  rpp_aside aside;
  char *header = header_text(metadata_count, metadata, tensor_count, tensors, error);
  if (header == NULL) return false;
  const bool opened = rpp_aside_open(&aside, path, error);
  if (opened) put_header(header, aside.file);
  for (size_t i = 0; opened && i < tensor_count && !ferror(aside.file); i++) put_tensor(tensors[i].tensor, aside.file);
  free(header);
  return opened && rpp_aside_commit(&aside, error);
}
