/* plugin_load.h: a shared library as a plug-in of ropepp_kernel.h: what it says of itself, held against what it must be. */
#ifndef RPP_PLUGIN_LOAD_H
#define RPP_PLUGIN_LOAD_H
#include "contract_text.h"
#include "program/message.h"
#include "ropepp_kernel.h"

enum { RPP_PLUGIN_NAME = 64, RPP_PLUGIN_DESCRIPTION = 160 };

/* What is known of a plug-in without its library in memory. Plain data: it comes through a pipe. */
typedef struct {
  char name[RPP_PLUGIN_NAME], description[RPP_PLUGIN_DESCRIPTION];
  rpp_contract contract;
  bool on_device, rotates, attends, wants_workspace;
} rpp_plugin_facts;

/* Loads the library into this process, to stay, calls its entry function, and fills *facts. Null, with the reason, for what is no
 * library, has no such function, is of another version or has a field that is missing or wrong. Whatever the library does on loading, it
 * does to this process. */
const rpp_plugin_kernel *rpp_plugin_load(const char *path, rpp_plugin_facts *facts, rpp_message *error);

/* The same in a process of its own, which is killed after limit_s seconds: a library that crashes, ends its process or hangs is refused,
 * with the reason, and nothing of it stays here. */
bool rpp_plugin_probe(const char *path, double limit_s, rpp_plugin_facts *facts, rpp_message *error);

#endif
