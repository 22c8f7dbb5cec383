/* workspace.h: all the memory of one call in one block. */
#ifndef RPP_WORKSPACE_H
#define RPP_WORKSPACE_H
#include "ropepp.h"

/* to: the address of a pointer, which becomes room for a * b * c items of `size` bytes. */
typedef struct {
  void *to;
  size_t size;
  int64_t a, b, c; /* >= 0 */
} rpp_room;

/* Room for all, each on a cache line of its own, not cleared. *memory is for free(); OVERFLOW or MEMORY leave it null, and the pointers
 * as they were. */
rpp_status rpp_workspace(int count, const rpp_room *rooms, void **memory);

#endif
