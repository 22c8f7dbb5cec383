#include "kernels/plugin_load.h"

#include <dlfcn.h>
#include <string.h>

#include "base/arithmetic.h"

/* Letters, digits, '-', '_', '.', '+': what no shell, report or table of ours takes for something else. */
static bool check_name(const char *name, rpp_message *error) {
  const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+");
  if (name[length] != '\0' || length == 0)
    return rpp_message_set(error, "name = %.80s: must be one word of letters, digits, '-', '_', '.' and '+'", name);
  return length < RPP_PLUGIN_NAME ||
         rpp_message_set(error, "name = %.80s: is longer than %d characters", name, RPP_PLUGIN_NAME - 1);
}

static bool check_description(const char *description, rpp_message *error) {
  const size_t length = strcspn(description, "\n");
  if (description[length] != '\0' || length == 0)
    return rpp_message_set(error, "description = %.80s: must be one line", description);
  return length < RPP_PLUGIN_DESCRIPTION ||
         rpp_message_set(error, "description = %.80s: is longer than %d characters", description, RPP_PLUGIN_DESCRIPTION - 1);
}

static bool check_contract(const char *text, rpp_contract *contract, rpp_message *error) {
  *contract = rpp_contract_default(RPP_F32);
  if (text[strcspn(text, ",=")] == '=')
    return rpp_message_set(error, "contract = %.80s: must begin with the dtype of q, k and v", text);
  return rpp_contract_parse(text, contract, error) || rpp_message_set(error, "contract: %s", error->text);
}

static bool missing(const char *field, rpp_message *error) {
  return rpp_message_set(error, "%s = null: is required", field);
}

/* Every field past abi and size is of this version by then. */
static bool describe(const rpp_plugin_kernel *k, rpp_plugin_facts *facts, rpp_message *error) {
  memset(facts, 0, sizeof *facts);
  if (k->name == NULL) return missing("name", error);
  if (k->description == NULL) return missing("description", error);
  if (k->contract == NULL) return missing("contract", error);
  if (k->supports == NULL) return missing("supports", error);
  if (k->rotate == NULL && k->forward == NULL) return missing("rotate and forward", error);
  if (k->memory != RPP_PLUGIN_HOST && k->memory != RPP_PLUGIN_DEVICE)
    return rpp_message_set(error, "memory = %d: must be RPP_PLUGIN_HOST or RPP_PLUGIN_DEVICE", (int)k->memory);
  if (!check_name(k->name, error) || !check_description(k->description, error) ||
      !check_contract(k->contract, &facts->contract, error))
    return false;
  rpp_message line;
  rpp_message_set(&line, "%s", k->description);
  strcpy(facts->name, k->name);
  strcpy(facts->description, line.text);
  facts->on_device = k->memory == RPP_PLUGIN_DEVICE;
  facts->rotates = k->rotate != NULL;
  facts->attends = k->forward != NULL;
  facts->wants_workspace = k->workspace != NULL;
  return true;
}

/* The version stands first in every version, and the size behind it. */
static bool check_version(const rpp_plugin_kernel *k, rpp_message *error) {
  if (k == NULL) return rpp_message_set(error, "ropepp_kernel returned null");
  if (k->abi != RPP_PLUGIN_ABI)
    return rpp_message_set(error, "abi = %u: is %s than this program, which takes version %d: build it with this ropepp_kernel.h",
                           (unsigned)k->abi, k->abi > RPP_PLUGIN_ABI ? "newer" : "older", RPP_PLUGIN_ABI);
  return k->size == sizeof *k ||
         rpp_message_set(error, "size = %u: a kernel of version %d has %zu bytes: set it to sizeof(rpp_plugin_kernel)",
                         (unsigned)k->size, RPP_PLUGIN_ABI, sizeof *k);
}

static const rpp_plugin_kernel *enter(void *library, rpp_message *error) {
  const rpp_plugin_kernel *(*entry)(void);
  void *symbol = dlsym(library, "ropepp_kernel");
  if (symbol == NULL) {
    rpp_message_set(error, "exports no function ropepp_kernel: it is no plug-in (ropepp_kernel.h)");
    return NULL;
  }
  memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from an object's pointer to a function's */
  const rpp_plugin_kernel *kernel = entry();
  return check_version(kernel, error) ? kernel : NULL;
}

const rpp_plugin_kernel *rpp_plugin_load(const char *path, rpp_plugin_facts *facts, rpp_message *error) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    const size_t length = strlen(path);
    if (reason != NULL && strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0) reason += length + 2;
    rpp_message_set(error, "%s", reason == NULL ? "cannot be loaded" : reason);
    return NULL;
  }
  const rpp_plugin_kernel *kernel = enter(library, error);
  if (!rpp_arithmetic_restore()) { /* gcc's -ffast-math, where a library is linked by it, does so for all of the program */
    rpp_message_set(error,
                    "loading it leaves the processor flushing subnormal numbers to zero, or rounding in another direction: link it "
                    "without -ffast-math");
    return NULL;
  }
  return kernel != NULL && describe(kernel, facts, error) ? kernel : NULL;
}
