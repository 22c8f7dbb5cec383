/* host_device.c: device.h by the host's memory, in place of device.c, so that on_device.c is tested without a device. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "host_device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/device.h"

enum { PIECES = 64 };
static struct {
  void *at;
  size_t size;
} pieces[PIECES];
static int count;
size_t host_device_room = SIZE_MAX;

bool rpp_device_present(rpp_message *why) {
  return rpp_message_set(why, "no device: the host's memory stands in for one");
}

/* Pages that are not touched cost nothing: layout `sparse` spans more than there is. */
void *rpp_device_alloc(size_t bytes, bool apart) {
  const size_t size = bytes > 0 ? bytes : 1;
  (void)apart;
  if (size > host_device_room || count == PIECES) return NULL;
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return NULL;
  pieces[count].at = at;
  pieces[count++].size = size;
  return at;
}

void rpp_device_free_all(void) {
  while (count > 0) {
    count--;
    munmap(pieces[count].at, pieces[count].size);
  }
}

static void check(const void *device, size_t bytes) {
  for (int i = 0; i < count; i++) {
    const uintptr_t from = (uintptr_t)pieces[i].at, at = (uintptr_t)device;
    if (at >= from && at + bytes <= from + pieces[i].size) return;
  }
  if (bytes > 0) abort();
}

void rpp_device_write(void *device, const void *host, size_t bytes) {
  check(device, bytes);
  memcpy(device, host, bytes);
}

void rpp_device_read(void *host, const void *device, size_t bytes) {
  check(device, bytes);
  memcpy(host, device, bytes);
}

void rpp_device_fill(void *device, unsigned char byte, size_t bytes) {
  check(device, bytes);
  memset(device, byte, bytes);
}

void rpp_device_finish(const char *what) {
  (void)what;
}

int host_device_pieces(void) {
  return count;
}
