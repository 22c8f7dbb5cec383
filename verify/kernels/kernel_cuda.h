/* kernel_cuda.h: the CUDA kernels on this machine's device. */
#ifndef RPP_KERNEL_CUDA_H
#define RPP_KERNEL_CUDA_H
#include "kernels/kernel.h"
#include "program/message.h"

/* Ended by null; none, with the reason, where no device is found or the build has no nvcc. A process of its own asks for the device, so
 * that the caller's stays without CUDA: what uses CUDA cannot fork workers that use it too. */
const rpp_kernel *const *rpp_kernels_cuda(rpp_message *why);

/* The same where no device was asked for: all that the build has. */
const rpp_kernel *const *rpp_kernels_cuda_built(void);

/* A kernel that takes device pointers as one that takes host pointers (on_device.h), around *inner, which must outlive it. False, with the
 * reason, where there is none to run it. */
bool rpp_kernel_cuda_around(const rpp_kernel *inner, rpp_kernel *around, rpp_message *why);

#endif
