/* on_device.h: a kernel that takes device pointers, as one that takes host pointers. */
#ifndef RPP_ON_DEVICE_H
#define RPP_ON_DEVICE_H
#include "kernels/kernel.h"

/* Each tensor gets device memory with its own strides, gaps and alignment, between guard zones; gaps go there and come back with the
 * elements, so that whoever looks after the host's memory sees what a kernel has written between an output's elements. A write into a
 * guard zone or an input is told by RPP_KERNEL_OUTSIDE. A kernel that breaks the device ends the process (device.h). */
typedef struct {
  size_t
      most;  /* bytes that the tensors of a problem may span; of more it is not supported. Layout `sparse` spans real memory here */
  bool bare; /* no guard zones and nothing filled in: each tensor an allocation of its exact size, as compute-sanitizer wants it */
} rpp_on_device_settings;
extern rpp_on_device_settings rpp_on_device; /* 1 GiB, false; to be set before the first run */

/* The kernel around `inner`, which must outlive it; its name and description stay inner's. */
rpp_kernel rpp_on_device_wrap(const rpp_kernel *inner);

/* For inner kernels: guarded device memory until their call returns; null when there is too little. */
void *rpp_on_device_room(const char *name, size_t bytes);

#endif
