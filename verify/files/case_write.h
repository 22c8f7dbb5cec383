/* case_write.h: a writer of case files. */
#ifndef RPP_CASE_WRITE_H
#define RPP_CASE_WRITE_H

#include <stdbool.h>

#include "files/safetensors_write.h"
#include "program/message.h"
#include "ropepp.h"

/* Writes an attention problem without answers as a case file, row-major whatever the strides of its tensors. Shapes and dtypes are those
 * of ropepp.h, and are the caller's to have right; inputs that the problem lacks are null. name: the file's label, or null. The file is
 * written aside and renamed. False, with a message, when it cannot be written; then nothing is. */
bool rpp_case_write(const char *path, const char *name, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                    rpp_message *error);

/* What a file may hold beside the problem: another format than a case's, further metadata, further tensors, whose names are their own. */
typedef struct {
  const char *format;
  size_t pair_count;
  const rpp_safetensors_pair *pairs; /* at most 8 */
  size_t entry_count;
  const rpp_safetensors_entry *entries; /* at most 24 */
} rpp_case_more;

bool rpp_case_write_more(const char *path, const char *name, const rpp_attention *attention, const rpp_attention_inputs *inputs,
                         const rpp_case_more *more, rpp_message *error);

#endif
