/* fake_cudart.h: what a test asks of fake_cudart.c. */
#ifndef FAKE_CUDART_H
#define FAKE_CUDART_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  int devices, allocations; /* allocations: not freed */
  size_t room;              /* more than this at a time cannot be had */
  bool broken;              /* a kernel has broken the device */
} fake_cudart;
extern fake_cudart fake;

#endif
