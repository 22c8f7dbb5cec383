/* safetensors.h: a reader of safetensors files, strict enough for hostile ones: everything is checked before any data is handed
 * out.
 *
 * The file is eight bytes of little-endian header length, a JSON object, then the data. Beyond the format's own rules a file is
 * refused when a key appears twice, when its dtypes are not ropepp.h's, or when a rank is not 1 .. RPP_MAX_DIMS. */
#ifndef RPP_SAFETENSORS_H
#define RPP_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>

#include "program/message.h"
#include "ropepp.h"

typedef struct rpp_safetensors rpp_safetensors;

/* Reads size bytes, which are borrowed: they must outlive *out, whose tensors are row-major views of them. On failure *out is
 * null and the message names what is wrong. Nothing past the size is read, whatever the bytes say. */
bool rpp_safetensors_parse(const void *bytes, size_t size, rpp_safetensors **out, rpp_message *error);

/* The same for a regular file, read whole. Directories, FIFOs and devices are refused. */
bool rpp_safetensors_load(const char *path, rpp_safetensors **out, rpp_message *error);

/* Everything below stays valid until this. Null is allowed. */
void rpp_safetensors_free(rpp_safetensors *file);

/* A value of __metadata__, or null when it has no such key. */
const char *rpp_safetensors_metadata(const rpp_safetensors *file, const char *key);

/* The entries of __metadata__ in the file's order: the key of entry i < count, and its value. */
size_t rpp_safetensors_metadata_count(const rpp_safetensors *file);
const char *rpp_safetensors_metadata_at(const rpp_safetensors *file, size_t i, const char **value);

/* A tensor by name, or null. */
const rpp_tensor *rpp_safetensors_tensor(const rpp_safetensors *file, const char *name);

/* The tensors in the order of their data: tensor i < count, and its name. */
size_t rpp_safetensors_tensor_count(const rpp_safetensors *file);
const rpp_tensor *rpp_safetensors_tensor_at(const rpp_safetensors *file, size_t i, const char **name);

#endif
