/* guarded.h: tensors in awkward layouts, among poisoned bytes that show a write outside of their elements. */
#ifndef GUARDED_H
#define GUARDED_H
#include <stddef.h>
#include "ropepp.h"

typedef enum {
  LAYOUT_CONTIGUOUS = 0,
  LAYOUT_PADDED,     /* room between elements and between rows */
  LAYOUT_TRANSPOSED, /* the first dimension runs fastest */
  LAYOUT_REVERSED,   /* negative strides, the first element at the highest address */
  LAYOUT_UNALIGNED,  /* at an odd address */
  LAYOUTS
} guarded_layout;

typedef struct {
  rpp_tensor tensor;
  unsigned char *memory;
  size_t size;
} guarded;

/* Elements and surroundings hold poison. Sizes are small: allocation failures end the test. */
guarded guarded_new(guarded_layout layout, rpp_dtype dtype, int ndim, const int64_t *shape);
void guarded_free(guarded *g);

/* The number of bytes outside the elements, and of those inside, that are not poison any more. */
size_t guarded_stray_bytes(const guarded *g);
size_t guarded_written_bytes(const guarded *g);

/* The next index in row-major order; false after the last. An index of zeros starts (of a tensor that has elements). */
bool guarded_next(const rpp_tensor *t, int64_t *index);

#endif
