/* read_file.h: a file, whole. */
#ifndef RPP_READ_FILE_H
#define RPP_READ_FILE_H
#include <stddef.h>

#include "program/message.h"

/* Reads a regular file into memory that is to be freed. Directories, FIFOs and devices are refused. On failure *bytes is null and the
 * message says why. */
bool rpp_file_read(const char *path, void **bytes, size_t *size, rpp_message *error);

#endif
