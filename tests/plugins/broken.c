/* broken.c: a plug-in that breaks in the way that its file is named after: the tests copy it to where its name is right. Under any
 * other name it is a kernel that is right about one thing: every output is written, by the truth's own zeros and minus infinities where no
 * query sees a key. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <fenv.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ropepp_kernel.h"

static bool for_device(void) {
  Dl_info info;
  return dladdr((const void *)(uintptr_t)&ropepp_kernel, &info) != 0 && strstr(info.dli_fname, "/device") != NULL;
}

/* Whether that is its name, or what comes after "device" in it. */
static bool named(const char *name) {
  Dl_info info;
  if (dladdr((const void *)(uintptr_t)&ropepp_kernel, &info) == 0) return false;
  const char *slash = strrchr(info.dli_fname, '/'), *file = slash == NULL ? info.dli_fname : slash + 1;
  if (strncmp(file, "device-", 7) == 0) file += 7;
  return strncmp(file, name, strlen(name)) == 0 && strcmp(file + strlen(name), ".so") == 0;
}

__attribute__((constructor)) static void begin(void) {
  if (named("constructor-aborts")) abort();
  if (named("constructor-exits")) exit(5);
  if (named("constructor-rounds")) fesetround(FE_UPWARD);
  if (named("constructor-hangs"))
    for (;;) sleep(1);
  if (named("constructor-closes"))
    for (int fd = 0; fd < 1024; fd++) close(fd);
}

/* Every element of a float32 output becomes value. */
static void fill(const rpp_plugin_tensor *t, float value) {
  int64_t index[4], n[4];
  for (int d = 0; d < 4; d++) n[d] = d < t->ndim ? t->shape[d] : 1;
  for (index[0] = 0; index[0] < n[0]; index[0]++)
    for (index[1] = 0; index[1] < n[1]; index[1]++)
      for (index[2] = 0; index[2] < n[2]; index[2]++)
        for (index[3] = 0; index[3] < n[3]; index[3]++) {
          int64_t at = 0;
          for (int d = 0; d < 4; d++) at += index[d] * t->strides[d];
          ((float *)t->data)[at] = value;
        }
}

static const char *supports(const rpp_plugin_problem *p) {
  if (named("supports-nothing")) return "of two minds\nabout it";
  if (named("supports-aborts")) abort();
  return p->mode == RPP_PLUGIN_EH && (p->heads % 2 != 0 || p->kv_heads % 2 != 0) ? "odd heads" : NULL;
}

static size_t workspace(const rpp_plugin_problem *p) {
  (void)p;
  return 64;
}

static const char *forward(const rpp_plugin_problem *p, void *room) {
  if (named("aborts")) abort();
  if (named("exits")) exit(7);
  if (named("hangs"))
    for (;;) sleep(1);
  if (named("refuses")) return "not today";
  if (named("unwritten")) return NULL;
  fill(p->out, named("nan") ? NAN : 0);
  fill(p->lse, -INFINITY);
  if (named("workspace-past-end")) ((char *)room)[64] = 1;
  if (named("past-end") || named("before-start")) {
    int64_t last = 0;
    for (int d = 0; d < p->out->ndim; d++) last += (p->out->shape[d] - 1) * p->out->strides[d];
    ((float *)p->out->data)[named("past-end") ? last + 1 : -1] = 0;
  }
  bool empty = false;
  for (int d = 0; d < 4; d++) empty = empty || p->q->shape[d] == 0;
  if (named("input") && !empty) ((char *)p->q->data)[0] ^= 1;
  return NULL;
}

static const char *rotate(const rpp_plugin_rotation *r) {
  (void)r;
  return "does not rotate";
}

const rpp_plugin_kernel *ropepp_kernel(void) {
  static rpp_plugin_kernel k = {.abi = RPP_PLUGIN_ABI,
                                .size = sizeof k,
                                .name = "broken",
                                .description = "breaks as its file is named",
                                .contract = "f32",
                                .supports = supports,
                                .workspace = workspace,
                                .forward = forward};
  if (named("null")) return NULL;
  if (named("entry-aborts")) abort();
  if (named("abi-newer")) k.abi++;
  if (named("abi-older")) k.abi--;
  if (named("size-small")) k.size -= 8;
  if (named("size-zero")) k.size = 0;
  if (named("no-name")) k.name = NULL;
  if (named("no-description")) k.description = NULL;
  if (named("no-contract")) k.contract = NULL;
  if (named("no-supports")) k.supports = NULL;
  if (named("no-functions")) k.forward = NULL;
  if (named("rotates")) k.forward = NULL, k.rotate = rotate;
  if (named("memory")) k.memory = 7;
  if (for_device()) k.memory = RPP_PLUGIN_DEVICE;
  if (named("two-words")) k.name = "two words";
  if (named("colon")) k.name = "cuda:mine";
  if (named("empty-name")) k.name = "";
  if (named("long-name")) k.name = "a234567890a234567890a234567890a234567890a234567890a234567890a234";
  if (named("two-lines")) k.description = "two\nlines";
  if (named("contract-key")) k.contract = "f32,q=f8";
  if (named("contract-value")) k.contract = "f32,p=f8";
  if (named("contract-no-dtype")) k.contract = "p=f32";
  if (named("contract-empty")) k.contract = "";
  return &k;
}
