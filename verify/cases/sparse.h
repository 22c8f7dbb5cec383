/* sparse.h: address space of which only some parts are memory. */
#ifndef RPP_SPARSE_H
#define RPP_SPARSE_H
#include <stdbool.h>
#include <stddef.h>

typedef struct {
  void *reserved; /* null: nothing */
  size_t size;
  unsigned char *first; /* of the first part; at the start of a page */
} rpp_sparse;

/* Rounds up to whole pages; 0 where that is past SIZE_MAX. */
size_t rpp_sparse_pages(size_t bytes);

/* Reserves address space and makes memory of it: `parts` of `part` bytes, each `step` bytes after the one before, and `guard` bytes
 * before the first and after the last, all in whole pages. Touching anything else, or 2^31 elements of any dtype before or after,
 * is a segmentation fault. step: whole pages, at least part. False when the system does not give that much. */
bool rpp_sparse_map(size_t parts, size_t step, size_t part, size_t guard, rpp_sparse *map);
void rpp_sparse_unmap(const rpp_sparse *map);

#endif
