#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "cases/sparse.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* On either side, for where an offset of 32 bits may lead: 2^31 elements of 8 bytes. */
static const uint64_t MARGIN = (uint64_t)1 << 34;

size_t rpp_sparse_pages(size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return bytes > SIZE_MAX - (page - 1) ? 0 : (bytes + page - 1) / page * page;
}

/* Pages that are not accessible cost no memory and count towards no limit of it, whatever the system's policy on overcommitting:
 * those that are made accessible do. */
static unsigned char *reserve(size_t size) {
  void *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? NULL : at;
}

bool rpp_sparse_map(size_t parts, size_t step, size_t part, size_t guard, rpp_sparse *map) {
  const size_t room = rpp_sparse_pages(part), edge = rpp_sparse_pages(guard);
  uint64_t size;
  if (parts == 0 || room == 0 || room > step || step != rpp_sparse_pages(step) || (guard > 0 && edge == 0)) return false;
  if (__builtin_mul_overflow((uint64_t)parts, (uint64_t)step, &size) || __builtin_add_overflow(size, 2 * (MARGIN + edge), &size) ||
      size > SIZE_MAX / 2)
    return false;
  unsigned char *at = reserve((size_t)size);
  if (at == NULL) return false;
  *map = (rpp_sparse){.reserved = at, .size = (size_t)size, .first = at + MARGIN + edge};
  for (size_t i = 0; i < parts; i++) {
    const size_t before = i == 0 ? edge : 0, after = i == parts - 1 ? edge : 0;
    if (mprotect(map->first + i * step - before, before + room + after, PROT_READ | PROT_WRITE) == 0) continue;
    rpp_sparse_unmap(map);
    return false;
  }
  return true;
}

void rpp_sparse_unmap(const rpp_sparse *map) {
  if (map->reserved != NULL) munmap(map->reserved, map->size);
}
