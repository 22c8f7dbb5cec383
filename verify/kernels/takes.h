/* takes.h: whether a problem is one for a kernel. */
#ifndef RPP_TAKES_H
#define RPP_TAKES_H
#include "kernels/kernel.h"
#include "program/message.h"

/* Whether it is one of the kernel's contract, and supported; false, with the reason in one line, when not. */
bool rpp_kernel_takes(const rpp_kernel *kernel, const rpp_kernel_problem *problem, rpp_message *why);

#endif
