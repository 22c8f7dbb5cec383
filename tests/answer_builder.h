/* answer_builder.h: cases in files, and what a kernel of one fault answers to them; .npy files. */
#ifndef ANSWER_BUILDER_H
#define ANSWER_BUILDER_H
#include "cases/generate.h"
#include "kernels/kernel.h"

/* A case of a spec, drawn, and a kernel's results in its out and lse. Stays where it is. */
typedef struct {
  rpp_spec spec;
  rpp_generated data;
} answered;

/* Draws the case with the kernel's dtype, runs the kernel, and writes the case, without answers, to path. */
void answer_make(answered *a, const char *spec, const rpp_kernel *kernel, const char *path);
void answer_free(answered *a);

/* Writes tensors, ended by a null name, as a safetensors file. */
typedef struct {
  const char *name;
  const rpp_tensor *tensor;
} answer_entry;
void answer_write(const char *path, const answer_entry *entries);

/* Writes one tensor, of any strides, as folder/name.npy in C order; narrow: I64 as int32. */
void answer_npy(const char *folder, const char *name, const rpp_tensor *t, bool narrow);

/* q, k, v, positions and out, lse of a case as .npy files. */
void answer_folder(const char *folder, const answered *a);

#endif
