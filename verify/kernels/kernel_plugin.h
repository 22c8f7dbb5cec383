/* kernel_plugin.h: shared libraries of ropepp_kernel.h as kernels like any other. */
#ifndef RPP_KERNEL_PLUGIN_H
#define RPP_KERNEL_PLUGIN_H
#include "kernels/kernel.h"
#include "program/message.h"

enum { RPP_PLUGINS = 16, RPP_PLUGIN_PATH = 256 };

/* The library at a path that has a slash in it; the same kernel for the same path. It is held against ropepp_kernel.h in a process of its
 * own (plugin_load.h), and then loaded by each process that runs it, when that first does: this one stays without it until then. Null, with
 * the reason: what plugin_load.h refuses, a path of RPP_PLUGIN_PATH characters or more, more than RPP_PLUGINS of them, a device kernel
 * where the build or the machine has no device. */
const rpp_kernel *rpp_kernel_plugin(const char *path, rpp_message *error);

/* The path of a kernel that is a plug-in; null for any other. */
const char *rpp_kernel_plugin_path(const rpp_kernel *kernel);

#endif
