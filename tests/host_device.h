/* host_device.h: what a test asks of host_device.c. */
#ifndef HOST_DEVICE_H
#define HOST_DEVICE_H
#include <stddef.h>
#include <stdint.h>

/* How many bytes a single allocation may have. */
extern size_t host_device_room;

/* Allocations that have not been freed. */
int host_device_pieces(void);

#endif
