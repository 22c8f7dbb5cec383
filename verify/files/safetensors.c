#include "files/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "files/read_file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian and is used in place");

/* Names are cut to this many characters in messages, so that the reason always fits. */
#define SHOWN "%.60s"

enum { LENGTH_BYTES = 8 };
static const uint64_t max_header = 100000000; /* as the format's own reader */

typedef struct {
  const char *key, *value;
} pair;

typedef struct {
  const char *name;
  uint64_t begin, end; /* bytes of the data area */
  rpp_tensor tensor;
} entry;

struct rpp_safetensors {
  json_t *header; /* holds every string below */
  void *bytes;    /* the whole file, when it is this struct's to free */
  pair *metadata;
  size_t metadata_count;
  entry *tensors; /* sorted by their data */
  size_t tensor_count;
};

/* ---- The header's parts ------------------------------------------------------------------------------------------------- */

static bool read_metadata(rpp_safetensors *file, const json_t *metadata, rpp_message *error) {
  if (metadata == NULL) return true;
  if (!json_is_object(metadata)) return rpp_message_set(error, "__metadata__: must be an object");
  file->metadata = calloc(json_object_size(metadata) + 1, sizeof *file->metadata);
  if (file->metadata == NULL) return rpp_message_set(error, "__metadata__: out of memory");
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)metadata, key, value) {
    if (!json_is_string(value)) return rpp_message_set(error, "__metadata__: " SHOWN ": must be a string", key);
    file->metadata[file->metadata_count++] = (pair){key, json_string_value(value)};
  }
  return true;
}

static bool read_dtype(const char *name, const json_t *value, rpp_dtype *dtype, rpp_message *error) {
  if (!json_is_string(value)) return rpp_message_set(error, SHOWN ": dtype: must be a string", name);
  for (*dtype = RPP_F64; *dtype <= RPP_I64; ++*dtype)
    if (strcmp(json_string_value(value), rpp_dtype_name(*dtype)) == 0) return true;
  return rpp_message_set(error, SHOWN ": dtype = " SHOWN ": must be F64, F32, F16, BF16 or I64", name, json_string_value(value));
}

/* The sizes, and the bytes that they and the dtype ask for. A zero size must not hide the overflow of the others. */
static bool read_shape(const char *name, const json_t *value, rpp_dtype dtype, int64_t *shape, int *ndim, uint64_t *bytes,
                       rpp_message *error) {
  const size_t rank = json_array_size(value);
  if (rank < 1 || rank > RPP_MAX_DIMS)
    return rpp_message_set(error, SHOWN ": shape: must be an array of 1 to %d sizes", name, RPP_MAX_DIMS);
  int64_t total = (int64_t)rpp_dtype_size(dtype);
  bool empty = false;
  for (size_t i = 0; i < rank; i++) {
    const json_t *size = json_array_get(value, i);
    if (!json_is_integer(size) || json_integer_value(size) < 0)
      return rpp_message_set(error, SHOWN ": shape: size %zu must be an integer of at least 0", name, i);
    shape[i] = json_integer_value(size);
    if (shape[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(total, shape[i], &total))
      return rpp_message_set(error, SHOWN ": shape: its bytes overflow a 64-bit integer", name);
  }
  *ndim = (int)rank;
  *bytes = empty ? 0 : (uint64_t)total;
  return true;
}

static bool read_offsets(const char *name, const json_t *value, uint64_t bytes, uint64_t data_size, entry *e, rpp_message *error) {
  const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
  if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end))
    return rpp_message_set(error, SHOWN ": data_offsets: must be two integers", name);
  const int64_t b = json_integer_value(begin), n = json_integer_value(end);
  if (b < 0 || n < b || (uint64_t)n > data_size)
    return rpp_message_set(
        error, SHOWN ": data_offsets = %" PRId64 ", %" PRId64 ": must not decrease and lie within %" PRIu64 " bytes of data", name,
        b, n, data_size);
  e->begin = (uint64_t)b;
  e->end = (uint64_t)n;
  return e->end - e->begin == bytes ||
         rpp_message_set(error, SHOWN ": data_offsets: %" PRIu64 " bytes, but its dtype and shape need %" PRIu64, name,
                         e->end - e->begin, bytes);
}

static bool read_tensor(const char *name, const json_t *value, unsigned char *data, uint64_t data_size, entry *e,
                        rpp_message *error) {
  const json_t *dtype = json_object_get(value, "dtype"), *shape = json_object_get(value, "shape");
  const json_t *offsets = json_object_get(value, "data_offsets");
  if (json_object_size(value) != 3 || dtype == NULL || shape == NULL || offsets == NULL)
    return rpp_message_set(error, SHOWN ": must be an object of dtype, shape and data_offsets", name);
  rpp_dtype type = RPP_F64;
  int64_t sizes[RPP_MAX_DIMS];
  int ndim = 0;
  uint64_t bytes = 0;
  e->name = name;
  if (!read_dtype(name, dtype, &type, error)) return false;
  if (!read_shape(name, shape, type, sizes, &ndim, &bytes, error)) return false;
  if (!read_offsets(name, offsets, bytes, data_size, e, error)) return false;
  if (rpp_tensor_contiguous(data + e->begin, type, ndim, sizes, &e->tensor) != RPP_OK)
    return rpp_message_set(error, SHOWN ": %s", name, rpp_error_message());
  return true;
}

/* ---- The whole file ----------------------------------------------------------------------------------------------------- */

static int by_data(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* The tensors, sorted, must follow each other from the first byte of data to the last. */
static bool check_tiling(const rpp_safetensors *file, uint64_t data_size, rpp_message *error) {
  uint64_t at = 0;
  for (size_t i = 0; i < file->tensor_count; i++) {
    const entry *e = &file->tensors[i];
    if (e->begin < at) return rpp_message_set(error, SHOWN ": data_offsets: overlaps " SHOWN, e->name, file->tensors[i - 1].name);
    if (e->begin > at)
      return rpp_message_set(error, SHOWN ": data_offsets: %" PRIu64 " unused bytes before it", e->name, e->begin - at);
    at = e->end;
  }
  return at == data_size || rpp_message_set(error, "data: %" PRIu64 " trailing bytes", data_size - at);
}

static bool read_header(rpp_safetensors *file, unsigned char *data, uint64_t data_size, rpp_message *error) {
  if (!json_is_object(file->header)) return rpp_message_set(error, "header: must be a JSON object");
  if (!read_metadata(file, json_object_get(file->header, "__metadata__"), error)) return false;
  file->tensors = calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
  if (file->tensors == NULL) return rpp_message_set(error, "header: out of memory");
  const char *name;
  json_t *value;
  json_object_foreach(file->header, name, value) {
    if (strcmp(name, "__metadata__") == 0) continue;
    if (!read_tensor(name, value, data, data_size, &file->tensors[file->tensor_count], error)) return false;
    file->tensor_count++;
  }
  qsort(file->tensors, file->tensor_count, sizeof *file->tensors, by_data);
  return check_tiling(file, data_size, error);
}

/* The header's length, known to lie within the bytes. */
static bool read_length(const unsigned char *bytes, size_t size, uint64_t *length, rpp_message *error) {
  if (size < LENGTH_BYTES) return rpp_message_set(error, "size = %zu bytes: too short for a safetensors file", size);
  memcpy(length, bytes, sizeof *length);
  if (*length > max_header)
    return rpp_message_set(error, "header length = %" PRIu64 ": must be at most %" PRIu64, *length, max_header);
  if (*length > size - LENGTH_BYTES)
    return rpp_message_set(error, "header length = %" PRIu64 ": passes the end of a file of %zu bytes", *length, size);
  return true;
}

bool rpp_safetensors_parse(const void *bytes, size_t size, rpp_safetensors **out, rpp_message *error) {
  *out = NULL;
  unsigned char *start = (unsigned char *)bytes; /* rpp_tensor has no const form; nothing here writes */
  uint64_t length = 0;
  if (!read_length(start, size, &length, error)) return false;
  const char *text = (const char *)start + LENGTH_BYTES;
  if (length == 0 || text[0] != '{') return rpp_message_set(error, "header: must start with '{'");

  rpp_safetensors *file = calloc(1, sizeof *file);
  if (file == NULL) return rpp_message_set(error, "header: out of memory");
  json_error_t json_error;
  file->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &json_error);
  const bool ok = file->header != NULL
                      ? read_header(file, start + LENGTH_BYTES + length, size - LENGTH_BYTES - length, error)
                      : rpp_message_set(error, "header: not JSON: %s at byte %d", json_error.text, json_error.position);
  if (ok)
    *out = file;
  else
    rpp_safetensors_free(file);
  return ok;
}

/* ---- Files -------------------------------------------------------------------------------------------------------------- */

bool rpp_safetensors_load(const char *path, rpp_safetensors **out, rpp_message *error) {
  void *bytes = NULL;
  size_t size = 0;
  *out = NULL;
  const bool ok = rpp_file_read(path, &bytes, &size, error) && rpp_safetensors_parse(bytes, size, out, error);
  if (ok)
    (*out)->bytes = bytes;
  else
    free(bytes);
  return ok;
}

void rpp_safetensors_free(rpp_safetensors *file) {
  if (file == NULL) return;
  json_decref(file->header);
  free(file->bytes);
  free(file->metadata);
  free(file->tensors);
  free(file);
}

/* ---- Accessors ---------------------------------------------------------------------------------------------------------- */

const char *rpp_safetensors_metadata(const rpp_safetensors *file, const char *key) {
  return json_string_value(json_object_get(json_object_get(file->header, "__metadata__"), key));
}

size_t rpp_safetensors_metadata_count(const rpp_safetensors *file) {
  return file->metadata_count;
}

const char *rpp_safetensors_metadata_at(const rpp_safetensors *file, size_t i, const char **value) {
  *value = file->metadata[i].value;
  return file->metadata[i].key;
}

const rpp_tensor *rpp_safetensors_tensor(const rpp_safetensors *file, const char *name) {
  for (size_t i = 0; i < file->tensor_count; i++)
    if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i].tensor;
  return NULL;
}

size_t rpp_safetensors_tensor_count(const rpp_safetensors *file) {
  return file->tensor_count;
}

const rpp_tensor *rpp_safetensors_tensor_at(const rpp_safetensors *file, size_t i, const char **name) {
  *name = file->tensors[i].name;
  return &file->tensors[i].tensor;
}
