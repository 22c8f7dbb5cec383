/* safetensors_write.h: a writer of safetensors files. */
#ifndef RPP_SAFETENSORS_WRITE_H
#define RPP_SAFETENSORS_WRITE_H

#include <stddef.h>

#include "program/message.h"
#include "ropepp.h"

typedef struct {
  const char *key, *value;
} rpp_safetensors_pair;

typedef struct {
  const char *name;
  const rpp_tensor *tensor; /* any strides; written row-major */
} rpp_safetensors_entry;

/* Metadata and tensors in the order given, each name once. The file is written aside, in the folder of path, and renamed when it
 * is whole: path then holds all of it, or what it held before. Nothing but a regular file is ever replaced. Values are UTF-8. On
 * failure nothing is left behind, and the message says why. */
bool rpp_safetensors_write(const char *path, size_t metadata_count, const rpp_safetensors_pair *metadata, size_t tensor_count,
                           const rpp_safetensors_entry *tensors, rpp_message *error);

#endif
