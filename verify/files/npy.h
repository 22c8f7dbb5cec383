/* npy.h: a reader of .npy files, NumPy's format for one array, versions 1.0 to 3.0, as strict as that of safetensors: everything is checked
 * before any data is handed out.
 *
 * The file is the magic string, a version, the header's length (two bytes, or four), a Python dict of descr, fortran_order and shape,
 * and the data. Taken are little-endian float64, float32, float16, int64 and int32, in C and in Fortran order, of rank 1 to
 * RPP_MAX_DIMS; nothing may follow the data. .npy knows no bfloat16. */
#ifndef RPP_NPY_H
#define RPP_NPY_H

#include <stddef.h>

#include "program/message.h"
#include "ropepp.h"

typedef struct {
  rpp_tensor tensor; /* F64, F32, F16 or I64 */
  void *bytes;       /* the file, when it is this struct's to free */
  int64_t *integers; /* int32 made int64; null for other dtypes */
} rpp_npy;

/* Reads size bytes, which are borrowed: they must outlive *npy, whose tensor is a view of them, but for int32, which is copied. On
 * failure *npy is empty and the message says what is wrong. Nothing past the size is read, whatever the bytes say. */
bool rpp_npy_parse(const void *bytes, size_t size, rpp_npy *npy, rpp_message *error);

/* The same for a regular file, read whole. */
bool rpp_npy_load(const char *path, rpp_npy *npy, rpp_message *error);
void rpp_npy_free(rpp_npy *npy);

/* Whether bytes begin as a .npy file does. */
bool rpp_npy_begins(const void *bytes, size_t size);

#endif
