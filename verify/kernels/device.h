/* device.h: memory of the CUDA device, as on_device.c needs it. A process uses one device, from one thread. A failure of the device other
 * than too little memory ends the process, with a line on stderr that says why: what a kernel has broken there stays broken for the rest
 * of the process, and must not be blamed on the next case. */
#ifndef RPP_DEVICE_H
#define RPP_DEVICE_H
#include <stdbool.h>
#include <stddef.h>

#include "program/message.h"

/* Whether there is one; starts CUDA in this process. False, with the reason. */
bool rpp_device_present(rpp_message *why);

/* Memory, aligned to 256 bytes, until rpp_device_free_all; null when there is too little. apart: an allocation of its own, of exactly
 * this size, as compute-sanitizer wants it; else part of a larger one where it fits. */
void *rpp_device_alloc(size_t bytes, bool apart);
void rpp_device_free_all(void);

void rpp_device_write(void *device, const void *host, size_t bytes);
void rpp_device_read(void *host, const void *device, size_t bytes);
void rpp_device_fill(void *device, unsigned char byte, size_t bytes);

/* Waits for all that was started. what: for the line, when something of it failed. */
void rpp_device_finish(const char *what);

#endif
