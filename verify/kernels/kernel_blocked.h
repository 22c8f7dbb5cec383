/* kernel_blocked.h: the library's fast CPU kernel behind kernel.h, for each type it stores. */
#ifndef RPP_KERNEL_BLOCKED_H
#define RPP_KERNEL_BLOCKED_H
#include "kernels/kernel.h"

extern const rpp_kernel rpp_kernel_blocked, rpp_kernel_blocked_f16, rpp_kernel_blocked_bf16;

#endif
