#include "workspace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sanitized.h"
#include "status.h"

enum { LINE = 64, LARGE_PAGE = 2 << 20 };

/* AddressSanitizer sees one block: what lies between two rooms is closed to it by hand. */
#if RPP_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
enum { GAP = LINE };
static void close_gap(char *from, const char *to) {
  ASAN_POISON_MEMORY_REGION(from, (size_t)(to - from));
}
#else
enum { GAP = 0 };
static void close_gap(char *from, const char *to) {
  (void)from, (void)to;
}
#endif

static rpp_status bytes_of(const rpp_room *room, int64_t *bytes) {
  RPP_TRY(rpp_multiply("items", room->a, room->b, bytes));
  RPP_TRY(rpp_multiply("items", *bytes, room->c, bytes));
  return rpp_multiply("bytes", *bytes, (int64_t)room->size, bytes);
}

static char *round_up(char *at, size_t step) {
  return at + (step - (uintptr_t)at % step) % step;
}

/* Aligned by hand, as glibc finds a block of up to 32 MiB again for the next call of the same size, which it does not with posix_memalign: that
 * asks it for more than it frees, so that the block is taken from the system anew, each page cleared. In large pages, where the system
 * gives them to who asks, an address is looked up sooner. */
static char *make(size_t bytes, void **memory) {
  const size_t step = bytes >= LARGE_PAGE ? LARGE_PAGE : LINE;
  *memory = malloc(bytes + step);
  if (*memory == NULL) return NULL;
  char *start = round_up(*memory, step);
#ifdef MADV_HUGEPAGE
  if (step == LARGE_PAGE) madvise(start, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE); /* where it is refused nothing is lost */
#endif
  return start;
}

rpp_status rpp_workspace(int count, const rpp_room *rooms, void **memory) {
  int64_t all = 0, bytes;
  *memory = NULL;
  for (int i = 0; i < count; i++) {
    RPP_TRY(bytes_of(&rooms[i], &bytes));
    if (bytes > INT64_MAX / 2 - all) return rpp_fail(RPP_ERROR_OVERFLOW, "bytes = %" PRId64 ": too many", bytes);
    all += bytes + GAP + LINE;
  }
  char *at = make((size_t)all, memory);
  if (at == NULL) return rpp_fail(RPP_ERROR_MEMORY, "bytes = %" PRId64 ": out of memory", all);
  for (int i = 0; i < count; i++) {
    RPP_TRY(bytes_of(&rooms[i], &bytes));
    memcpy(rooms[i].to, &at, sizeof at);
    char *end = at + bytes;
    at = round_up(end + GAP, LINE);
    close_gap(end, at);
  }
  return RPP_OK;
}
